"""ModifyDBInstance: what holds at once, what waits, in which states; reboot, stop, start, rename."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "monitoring.rds.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def modify(west: Any, **changes: Any) -> dict[str, Any]:
    return dict(west.rds.modify_db_instance(DBInstanceIdentifier="main", **changes)["DBInstance"])


def test_class_waits_for_the_window_unless_told(west: Any) -> None:
    west.primary()
    modify(west, DBInstanceClass="db.r6g.2xlarge")
    shown = west.show()
    assert shown["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.2xlarge"}
    assert (shown["DBInstanceClass"], shown["DBInstanceStatus"]) == ("db.r6g.xlarge", "available")
    modify(west, ApplyImmediately=True)
    shown = west.show()
    assert shown["PendingModifiedValues"] == {} and shown["DBInstanceClass"] == "db.r6g.2xlarge"


def test_a_master_password_changes_in_its_own_time_and_is_pending_until_then(west: Any) -> None:
    west.primary()
    west.slow()
    answer = modify(west, MasterUserPassword="another-secret-1", ApplyImmediately=False)
    assert answer["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    shown = west.show()
    assert shown["DBInstanceStatus"] == "resetting-master-credentials"
    assert shown["PendingModifiedValues"] == {"MasterUserPassword": "****"}
    west.pass_time(31)
    shown = west.show()
    assert (shown["DBInstanceStatus"], shown["PendingModifiedValues"]) == ("available", {})


def test_the_maintenance_window_applies_what_waits(west: Any) -> None:
    west.primary()
    modify(west, DBInstanceClass="db.r6g.large")
    west.pass_time(7 * 24 * 3600)
    west.show()
    assert west.show()["DBInstanceClass"] == "db.r6g.large"


def test_asking_for_what_is_takes_back_what_waits(west: Any) -> None:
    west.primary()
    modify(west, DBInstanceClass="db.r6g.large")
    modify(west, DBInstanceClass="db.r6g.xlarge")
    assert west.show()["PendingModifiedValues"] == {}


def test_status_lags_behind_an_immediate_change(west: Any) -> None:
    west.primary()
    west.show()
    west.slow()
    answer = modify(west, DBInstanceClass="db.r6g.large", ApplyImmediately=True)
    assert answer["DBInstanceStatus"] == "available" and answer["PendingModifiedValues"]
    west.pass_time(11)
    assert west.show()["DBInstanceStatus"] == "modifying"
    assert west.refusal(west.rds.modify_db_instance, DBInstanceIdentifier="main") == "InvalidDBInstanceState"
    west.pass_time(480)
    assert (west.show()["DBInstanceStatus"], west.show()["DBInstanceClass"]) == ("available", "db.r6g.large")


def test_some_settings_never_wait(west: Any) -> None:
    west.primary()
    modify(
        west, BackupRetentionPeriod=14, DeletionProtection=True, CopyTagsToSnapshot=True,
        PreferredBackupWindow="08:00-09:00", PreferredMaintenanceWindow="Mon:10:00-Mon:11:00",
    )  # fmt: skip
    shown = west.show()
    assert shown["PendingModifiedValues"] == {} and shown["BackupRetentionPeriod"] == 14
    assert shown["DeletionProtection"] and shown["CopyTagsToSnapshot"]
    assert shown["PreferredMaintenanceWindow"] == "mon:10:00-mon:11:00"


def test_storage_changes_once_in_six_hours(west: Any) -> None:
    west.primary()
    west.show()
    west.slow()
    modify(west, AllocatedStorage=400, ApplyImmediately=True)
    west.pass_time(140)
    shown = west.show()
    assert shown["DBInstanceStatus"] == "storage-optimization"
    assert (shown["AllocatedStorage"], shown["Iops"], shown["StorageThroughput"]) == (400, 12000, 500)
    more = {"DBInstanceIdentifier": "main", "AllocatedStorage": 500, "ApplyImmediately": True}
    assert west.refusal(west.rds.modify_db_instance, **more) == "InvalidParameterCombination"
    modify(west, DeletionProtection=True)
    west.pass_time(6 * 3600)
    west.rds.modify_db_instance(**more)


def test_retention_off_ends_backups_and_on_begins_anew(west: Any) -> None:
    west.primary()
    modify(west, BackupRetentionPeriod=0, ApplyImmediately=True)
    shown = west.show()
    assert shown["BackupRetentionPeriod"] == 0 and "LatestRestorableTime" not in shown
    assert west.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"] == []
    modify(west, BackupRetentionPeriod=7, ApplyImmediately=True)
    assert "LatestRestorableTime" in west.show()


def test_nightly_backup_makes_it_busy(west: Any) -> None:
    west.primary(PreferredBackupWindow="03:00-03:30")
    west.show()
    west.slow()
    seen = set()
    for _ in range(24 * 60):
        west.pass_time(60)
        seen.add(west.show()["DBInstanceStatus"])
        if "backing-up" in seen:
            break
    assert seen == {"available", "backing-up"}


def test_reboot_with_failover_changes_the_zone(west: Any) -> None:
    west.primary()
    before = west.show()
    west.rds.reboot_db_instance(DBInstanceIdentifier="main", ForceFailover=True)
    assert west.show()["AvailabilityZone"] == before["SecondaryAvailabilityZone"]
    west.primary("single", MultiAZ=False)
    call = {"DBInstanceIdentifier": "single", "ForceFailover": True}
    assert west.refusal(west.rds.reboot_db_instance, **call) == "InvalidParameterCombination"


def test_stop_and_start(west: Any) -> None:
    west.primary()
    assert west.refusal(west.rds.start_db_instance, DBInstanceIdentifier="main") == "InvalidDBInstanceState"
    west.rds.stop_db_instance(DBInstanceIdentifier="main")
    assert west.show()["DBInstanceStatus"] == "stopped" and "AutomaticRestartTime" in west.show()
    assert west.refusal(west.rds.modify_db_instance, DBInstanceIdentifier="main") == "InvalidDBInstanceState"
    west.rds.start_db_instance(DBInstanceIdentifier="main")
    assert west.show()["DBInstanceStatus"] == "available"


def test_a_stopped_instance_starts_itself_after_seven_days(west: Any) -> None:
    west.primary()
    west.rds.stop_db_instance(DBInstanceIdentifier="main")
    assert west.show()["DBInstanceStatus"] == "stopped"
    west.pass_time(7 * 24 * 3600 + 1)
    west.show()
    assert west.show()["DBInstanceStatus"] == "available"


def test_rename_keeps_the_resource_id_and_the_replicas(west: Any) -> None:
    west.primary()
    west.replica("copy", "main")
    before = west.show()
    modify(west, NewDBInstanceIdentifier="other", ApplyImmediately=True)
    assert west.show("other")["DbiResourceId"] == before["DbiResourceId"]
    assert west.show("copy")["ReadReplicaSourceDBInstanceIdentifier"] == "other"
    assert west.refusal(west.show) == "DBInstanceNotFound"


def test_enhanced_monitoring_waits_for_its_role(west: Any, client: Callable[..., Any]) -> None:
    west.primary()
    west.show()
    west.slow()
    role = client("iam").create_role(RoleName="mon", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    wanted = {"DBInstanceIdentifier": "main", "MonitoringInterval": 60, "MonitoringRoleArn": role}
    code, message = west.refused(west.rds.modify_db_instance, **wanted)
    assert code == "InvalidParameterValue" and "ENHANCED_MONITORING" in message
    west.pass_time(60)
    west.rds.modify_db_instance(**wanted)
    assert west.show()["DBInstanceStatus"] == "configuring-enhanced-monitoring"
    west.pass_time(61)
    assert (west.show()["MonitoringInterval"], west.show()["MonitoringRoleArn"]) == (60, role)


def test_log_exports_and_security_groups(west: Any, client: Callable[..., Any]) -> None:
    west.primary()
    fence = client("ec2").create_security_group(GroupName="fence", Description="x", VpcId=west.vpc_id)["GroupId"]
    exports = {"EnableLogTypes": ["postgresql", "upgrade"]}
    modify(west, VpcSecurityGroupIds=[fence], CloudwatchLogsExportConfiguration=exports)
    shown = west.show()
    assert [one["VpcSecurityGroupId"] for one in shown["VpcSecurityGroups"]] == [fence]
    assert shown["EnabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    modify(west, CloudwatchLogsExportConfiguration={"DisableLogTypes": ["upgrade"]})
    assert west.show()["EnabledCloudwatchLogsExports"] == ["postgresql"]
