"""Replicas in the region and across regions, promotion as AWS shows it, and what deletion does to replicas."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.overlays.rds import inject
from pipeops_sandbox.runtime import runtime

ACCOUNT = "123456789012"
MAIN = f"arn:aws:rds:us-west-2:{ACCOUNT}:db:main"
DR = f"arn:aws:rds:us-east-1:{ACCOUNT}:db:dr"


def pair(west: Any, east: Any) -> None:
    west.primary()
    east.replica("dr", MAIN, MultiAZ=True)


def test_cross_region_replica(west: Any, east: Any) -> None:
    pair(west, east)
    shown = east.show("dr")
    assert shown["ReadReplicaSourceDBInstanceIdentifier"] == MAIN
    assert shown["StatusInfos"] == [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]
    assert west.show()["ReadReplicaDBInstanceIdentifiers"] == [DR]
    assert (shown["BackupRetentionPeriod"], shown["DeletionProtection"]) == (0, False)
    assert shown["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres16"
    assert shown["KmsKeyId"] == east.key and shown["MultiAZ"] and "LatestRestorableTime" not in shown
    assert shown["DbiResourceId"] != west.show()["DbiResourceId"]


def test_replica_in_the_region_is_named_by_identifier(west: Any) -> None:
    west.primary()
    west.replica("copy", "main", AvailabilityZone="us-west-2c")
    assert west.show("copy")["ReadReplicaSourceDBInstanceIdentifier"] == "main"
    assert west.show("copy")["AvailabilityZone"] == "us-west-2c"
    assert west.show()["ReadReplicaDBInstanceIdentifiers"] == ["copy"]


def test_cross_region_refusals(west: Any, east: Any) -> None:
    west.primary()
    assert west.refused(east.replica, name="dr", source=MAIN, KmsKeyId=None)[1].startswith(
        "Cannot create a cross region"
    )
    assert west.refusal(east.replica, name="dr", source=MAIN, KmsKeyId=west.key) == "KMSKeyNotAccessibleFault"
    assert west.refusal(east.replica, name="dr", source=MAIN + "x") == "DBInstanceNotFound"
    assert west.refusal(east.replica, name="dr", source="main") == "DBInstanceNotFound"
    assert west.refusal(east.replica, name="dr", source=MAIN, DBSubnetGroupName="no") == "DBSubnetGroupNotFoundFault"
    inject.set_status(ACCOUNT, "us-west-2", "main", "maintenance")
    assert west.refusal(east.replica, name="dr", source=MAIN) == "InvalidDBInstanceState"
    assert east.rds.describe_db_instances()["DBInstances"] == []


def test_source_region_presigns_and_is_accepted(west: Any, east: Any) -> None:
    west.primary()
    assert east.replica("dr", MAIN, SourceRegion="us-west-2")["DBInstanceStatus"] == "creating"


def test_creation_in_time(west: Any, east: Any) -> None:
    west.primary()
    west.show()
    west.slow()
    east.replica("dr", MAIN)
    assert west.show()["DBInstanceStatus"] == "modifying"
    east.replica("dr-2", MAIN)  # shares the snapshot that is being taken
    assert west.refusal(west.rds.reboot_db_instance, DBInstanceIdentifier="main") == "InvalidDBInstanceState"
    west.pass_time(200)
    assert west.show()["DBInstanceStatus"] == "available"
    copying = east.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    assert copying[0]["Status"] == "creating" and 0 <= copying[0]["PercentProgress"] < 100
    assert "StatusInfos" not in east.show("dr")
    west.pass_time(900)
    shown = east.show("dr")
    assert shown["DBInstanceStatus"] == "available" and shown["StorageOperationStatus"] == "Initializing"
    assert east.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"] == []


def follow(site: Any, name: str, step: float, until: float) -> list[tuple[str, bool, bool]]:
    """Return the distinct (status, has a source, has StatusInfos) that polling shows, in order."""
    seen: list[tuple[str, bool, bool]] = []
    for _ in range(int(until / step)):
        shown = site.show(name)
        now = (shown["DBInstanceStatus"], "ReadReplicaSourceDBInstanceIdentifier" in shown, "StatusInfos" in shown)
        if not seen or seen[-1] != now:
            seen.append(now)
        site.pass_time(step)
    return seen


def test_promotion_shows_available_before_it_begins(west: Any, east: Any) -> None:
    pair(west, east)
    east.show("dr")
    west.slow()
    answer = east.rds.promote_read_replica(DBInstanceIdentifier="dr")["DBInstance"]
    assert answer["DBInstanceStatus"] == "available" and answer["ReadReplicaSourceDBInstanceIdentifier"] == MAIN
    assert follow(east, "dr", 10, 500) == [
        ("available", True, True),
        ("modifying", True, True),
        ("rebooting", True, True),
        ("backing-up", False, False),
        ("available", False, False),
    ]
    assert west.show()["ReadReplicaDBInstanceIdentifiers"] == []
    assert east.show("dr")["BackupRetentionPeriod"] == 1 and "LatestRestorableTime" in east.show("dr")


def test_promotion_with_a_running_clock(west: Any, east: Any) -> None:
    pair(west, east)
    east.show("dr")
    runtime.clock.set("aws", 400.0)
    east.rds.promote_read_replica(DBInstanceIdentifier="dr", BackupRetentionPeriod=7)
    seen: list[str] = []
    while "ReadReplicaSourceDBInstanceIdentifier" in (shown := east.show("dr")) or seen[-1] != "available":
        seen += [shown["DBInstanceStatus"]] if seen[-1:] != [shown["DBInstanceStatus"]] else []
    assert seen[0] == "available" and seen[-1] == "available" and "rebooting" in seen
    assert shown["BackupRetentionPeriod"] == 7


def test_promotion_refusals(west: Any, east: Any) -> None:
    pair(west, east)
    promote = east.rds.promote_read_replica
    assert west.refusal(promote, DBInstanceIdentifier="none") == "DBInstanceNotFound"
    assert west.refusal(west.rds.promote_read_replica, DBInstanceIdentifier="main") == "InvalidDBInstanceState"
    for status in ("backing-up", "storage-full"):
        inject.set_status(ACCOUNT, "us-east-1", "dr", status)
        assert west.refusal(promote, DBInstanceIdentifier="dr") == "InvalidDBInstanceState"
    inject.set_status(ACCOUNT, "us-east-1", "dr", "available")
    overlap = {"PreferredBackupWindow": "05:00-05:30"}
    assert west.refusal(promote, DBInstanceIdentifier="dr", **overlap) == "InvalidParameterValue"
    west.slow()
    promote(DBInstanceIdentifier="dr")
    assert west.refusal(promote, DBInstanceIdentifier="dr") == "InvalidDBInstanceState"
    assert west.refusal(east.rds.switchover_read_replica, DBInstanceIdentifier="dr") == "InvalidParameterCombination"


def test_stop_is_refused_within_replication(west: Any) -> None:
    west.primary()
    west.replica("copy", "main")
    for name in ("main", "copy"):
        assert west.refusal(west.rds.stop_db_instance, DBInstanceIdentifier=name) == "InvalidDBInstanceState"


def test_deleting_the_primary(west: Any, east: Any) -> None:
    pair(west, east)
    west.replica("copy", "main")
    west.rds.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)
    assert "ReadReplicaSourceDBInstanceIdentifier" not in west.show("copy")
    shown = east.show("dr")
    assert shown["ReadReplicaSourceDBInstanceIdentifier"] == MAIN
    assert shown["StatusInfos"][0]["Status"] == "terminated" and not shown["StatusInfos"][0]["Normal"]
    east.rds.promote_read_replica(DBInstanceIdentifier="dr")
    assert "ReadReplicaSourceDBInstanceIdentifier" not in east.show("dr")


def test_deleting_a_replica_frees_its_source(west: Any, east: Any) -> None:
    pair(west, east)
    east.rds.delete_db_instance(DBInstanceIdentifier="dr", SkipFinalSnapshot=True)
    east.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="dr", WaiterConfig={"Delay": 0})
    assert west.show()["ReadReplicaDBInstanceIdentifiers"] == []
    west.rds.stop_db_instance(DBInstanceIdentifier="main")
    assert west.show()["DBInstanceStatus"] == "stopped"


def test_replica_takes_no_password_of_its_own(west: Any, east: Any) -> None:
    pair(west, east)
    change = {"DBInstanceIdentifier": "dr", "MasterUserPassword": "another-password"}
    assert west.refused(east.rds.modify_db_instance, **change)[1].endswith("because it uses physical replication")


def test_source_keeps_backups_on(west: Any) -> None:
    west.primary()
    west.replica("copy", "main")
    off = {"DBInstanceIdentifier": "main", "BackupRetentionPeriod": 0}
    assert west.refusal(west.rds.modify_db_instance, **off) == "InvalidParameterCombination"


def test_replica_is_upgraded_before_its_source(west: Any) -> None:
    west.primary(EngineVersion="16.12")
    west.replica("copy", "main")
    up = {"EngineVersion": "16.13", "ApplyImmediately": True}
    assert west.refusal(west.rds.modify_db_instance, DBInstanceIdentifier="main", **up) == "DBUpgradeDependencyFailure"
    west.rds.modify_db_instance(DBInstanceIdentifier="copy", **up)
    west.rds.modify_db_instance(DBInstanceIdentifier="main", **up)
    assert {west.show(name)["EngineVersion"] for name in ("main", "copy")} == {"16.13"}


def test_fail_back_circle(west: Any, east: Any) -> None:
    """The reverse replica: promote, back up, delete the old primary, replicate back, promote again."""
    pair(west, east)
    east.rds.promote_read_replica(DBInstanceIdentifier="dr", BackupRetentionPeriod=7)
    west.rds.delete_db_instance(DBInstanceIdentifier="main", FinalDBSnapshotIdentifier="last")
    west.replica("main", DR, DBSubnetGroupName="data")
    assert east.show("dr")["ReadReplicaDBInstanceIdentifiers"] == [MAIN]
    west.rds.promote_read_replica(DBInstanceIdentifier="main", BackupRetentionPeriod=30)
    assert west.show()["BackupRetentionPeriod"] == 30 and east.show("dr")["ReadReplicaDBInstanceIdentifiers"] == []
