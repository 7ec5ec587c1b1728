"""Snapshots, restores, and automated backups in the region and in another one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

MAIN = "arn:aws:rds:us-west-2:123456789012:db:main"


def start(east: Any, **changes: Any) -> dict[str, Any]:
    wanted = {"SourceDBInstanceArn": MAIN, "BackupRetentionPeriod": 14, "KmsKeyId": east.key} | changes
    given = {key: value for key, value in wanted.items() if value is not None}
    answer = east.rds.start_db_instance_automated_backups_replication(**given)
    return dict(answer["DBInstanceAutomatedBackup"])


def backups(site: Any, **chosen: Any) -> list[dict[str, Any]]:
    return list(site.rds.describe_db_instance_automated_backups(**chosen)["DBInstanceAutomatedBackups"])


def test_snapshot_copy_to_the_other_region_and_restore(west: Any, east: Any) -> None:
    west.primary(CopyTagsToSnapshot=True, Tags=[{"Key": "owner", "Value": "us"}])
    west.rds.create_db_snapshot(DBInstanceIdentifier="main", DBSnapshotIdentifier="before")
    source = west.rds.describe_db_snapshots(DBSnapshotIdentifier="before")["DBSnapshots"][0]
    assert (source["Status"], source["TagList"]) == ("available", [{"Key": "owner", "Value": "us"}])
    copy = {"SourceDBSnapshotIdentifier": source["DBSnapshotArn"], "TargetDBSnapshotIdentifier": "before"}
    assert west.refusal(east.rds.copy_db_snapshot, **copy) == "InvalidParameterCombination"
    east.rds.copy_db_snapshot(**copy, KmsKeyId=east.key, SourceRegion="us-west-2")
    east.rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="before", WaiterConfig={"Delay": 0})
    east.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="restored", DBSnapshotIdentifier="before", DBSubnetGroupName="data"
    )
    shown = east.show("restored")
    assert shown["KmsKeyId"] == east.key and not shown["MultiAZ"] and shown["DBName"] == "app"
    assert shown["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres16"
    assert west.refusal(east.rds.delete_db_snapshot, DBSnapshotIdentifier="other") == "DBSnapshotNotFound"
    east.rds.delete_db_snapshot(DBSnapshotIdentifier="before")


def test_snapshot_takes_time_and_is_not_used_before(west: Any) -> None:
    west.primary()
    west.show()
    west.slow()
    west.rds.create_db_snapshot(DBInstanceIdentifier="main", DBSnapshotIdentifier="before")
    assert west.show()["DBInstanceStatus"] == "backing-up"
    use = {"DBInstanceIdentifier": "restored", "DBSnapshotIdentifier": "before", "DBSubnetGroupName": "data"}
    assert west.refusal(west.rds.restore_db_instance_from_db_snapshot, **use) == "InvalidDBSnapshotState"
    assert west.refusal(west.rds.delete_db_snapshot, DBSnapshotIdentifier="before") == "InvalidDBSnapshotState"
    west.pass_time(181)
    west.rds.restore_db_instance_from_db_snapshot(**use)


def test_point_in_time(west: Any) -> None:
    west.primary()
    latest = west.show()["LatestRestorableTime"]
    call = {"SourceDBInstanceIdentifier": "main", "TargetDBInstanceIdentifier": "then", "DBSubnetGroupName": "data"}
    restore = west.rds.restore_db_instance_to_point_in_time
    assert west.refusal(restore, **call) == "InvalidParameterCombination"
    assert west.refusal(restore, **call, RestoreTime=latest + timedelta(hours=1)) == "InvalidParameterValue"
    assert west.refusal(restore, **call, RestoreTime=latest - timedelta(days=1)) == "InvalidParameterValue"
    restore(**call, UseLatestRestorableTime=True)
    assert west.show("then")["DBInstanceStatus"] == "available"
    west.replica("copy", "main")
    replica = {**call, "SourceDBInstanceIdentifier": "copy", "TargetDBInstanceIdentifier": "no"}
    assert west.refusal(restore, **replica, UseLatestRestorableTime=True) == "PointInTimeRestoreNotEnabled"


def test_replicated_backups_restore_without_the_primary(west: Any, east: Any) -> None:
    west.primary()
    arn = start(east)["DBInstanceAutomatedBackupsArn"]
    assert arn.startswith("arn:aws:rds:us-east-1:123456789012:auto-backup:ab-")
    copy = west.show()["DBInstanceAutomatedBackupsReplications"]
    assert copy == [{"DBInstanceAutomatedBackupsArn": arn}]
    found = backups(east, DBInstanceAutomatedBackupsArn=arn)[0]
    assert (found["Status"], found["Region"], found["KmsKeyId"]) == ("replicating", "us-west-2", east.key)
    assert backups(east, Filters=[{"Name": "db-instance-id", "Values": [MAIN]}])[0]["RestoreWindow"]["LatestTime"]
    assert backups(west)[0]["Status"] == "active"
    east.rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceAutomatedBackupsArn=arn, TargetDBInstanceIdentifier="restored", UseLatestRestorableTime=True,
        DBSubnetGroupName="data", DBInstanceClass="db.r6g.large", MultiAZ=True,
    )  # fmt: skip
    shown = east.show("restored")
    assert (shown["KmsKeyId"], shown["MultiAZ"], shown["MasterUsername"]) == (east.key, True, "dbadmin")


def test_backup_replication_refusals(west: Any, east: Any) -> None:
    west.primary()
    west.primary("bare", BackupRetentionPeriod=0)
    west.replica("copy", "main")
    bare, copy = MAIN.replace("main", "bare"), MAIN.replace("main", "copy")
    begin = east.rds.start_db_instance_automated_backups_replication
    key = {"KmsKeyId": east.key}
    assert west.refusal(begin, SourceDBInstanceArn=MAIN) == "InvalidParameterCombination"
    assert west.refusal(begin, SourceDBInstanceArn=MAIN, KmsKeyId=west.key) == "KMSKeyNotAccessibleFault"
    assert west.refusal(begin, SourceDBInstanceArn=MAIN + "x", **key) == "DBInstanceNotFound"
    assert west.refusal(begin, SourceDBInstanceArn=bare, **key) == "InvalidDBInstanceState"
    assert west.refusal(begin, SourceDBInstanceArn=copy, **key) == "InvalidDBInstanceState"
    here = west.rds.start_db_instance_automated_backups_replication
    assert west.refusal(here, SourceDBInstanceArn=MAIN, KmsKeyId=west.key) == "InvalidParameterCombination"
    start(east)
    assert west.refusal(begin, SourceDBInstanceArn=MAIN, **key) == "InvalidDBInstanceAutomatedBackupState"


def test_stop_retains_and_restart_wants_the_same_key(west: Any, east: Any, client: Any) -> None:
    west.primary()
    arn = start(east)["DBInstanceAutomatedBackupsArn"]
    delete = east.rds.delete_db_instance_automated_backup
    state = "InvalidDBInstanceAutomatedBackupState"
    assert west.refusal(delete, DBInstanceAutomatedBackupsArn=arn) == state
    east.rds.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=MAIN)
    assert backups(east)[0]["Status"] == "retained"
    assert "DBInstanceAutomatedBackupsReplications" not in west.show()
    other = client("kms", "us-east-1").create_key()["KeyMetadata"]["Arn"]
    again = {"SourceDBInstanceArn": MAIN, "KmsKeyId": other}
    call = east.rds.start_db_instance_automated_backups_replication
    assert west.refusal(call, **again) == "InvalidParameterCombination"
    assert start(east)["DBInstanceAutomatedBackupsArn"] == arn
    east.rds.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=MAIN)
    delete(DBInstanceAutomatedBackupsArn=arn)
    assert backups(east) == []


def test_first_copy_takes_time(west: Any, east: Any) -> None:
    west.primary()
    west.show()
    west.slow()
    arn = start(east)["DBInstanceAutomatedBackupsArn"]
    assert backups(east)[0]["Status"] == "pending" and "LatestTime" not in backups(east)[0]["RestoreWindow"]
    call = {"SourceDBInstanceAutomatedBackupsArn": arn, "TargetDBInstanceIdentifier": "early"}
    restore = east.rds.restore_db_instance_to_point_in_time
    assert west.refusal(restore, **call, UseLatestRestorableTime=True) == "InvalidRestoreFault"
    west.pass_time(601)
    assert backups(east)[0]["Status"] == "replicating"


def test_deleted_primary_leaves_what_it_was_told_to(west: Any, east: Any) -> None:
    west.primary()
    start(east)
    west.show()
    west.rds.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    assert west.refusal(west.show) == "DBInstanceNotFound"
    assert [one["Status"] for one in backups(west)] == ["retained"]
    assert [one["Status"] for one in backups(east)] == ["retained"]
    assert west.rds.describe_db_snapshots()["DBSnapshots"] != []
