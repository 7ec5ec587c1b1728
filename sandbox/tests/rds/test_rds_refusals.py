"""What AWS refuses, with its codes; and that a refused call changes nothing."""

from __future__ import annotations

from typing import Any

ROLE = "arn:aws:iam::123456789012:role/nobody"


CREATE: list[tuple[dict[str, Any], str]] = [
    ({"DBInstanceIdentifier": "1st"}, "InvalidParameterValue"),
    ({"DBInstanceIdentifier": "a--b"}, "InvalidParameterValue"),
    ({"DBInstanceIdentifier": "ends-"}, "InvalidParameterValue"),
    ({"DBInstanceIdentifier": "x" * 64}, "InvalidParameterValue"),
    ({"Engine": "mysql"}, "InvalidParameterValue"),
    ({"EngineVersion": "99.9"}, "InvalidParameterCombination"),
    ({"EngineVersion": "16.1"}, "InvalidParameterCombination"),
    ({"DBInstanceClass": "db.zz.huge"}, "InvalidParameterCombination"),
    ({"DBInstanceClass": "huge"}, "InvalidParameterValue"),
    ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
    ({"MasterUserPassword": "x" * 129}, "InvalidParameterValue"),
    ({"MasterUserPassword": "with/slash-in-it"}, "InvalidParameterValue"),
    ({"MasterUserPassword": "with@at-in-it"}, "InvalidParameterValue"),
    ({"MasterUserPassword": 'with"quote-in-it'}, "InvalidParameterValue"),
    ({"MasterUserPassword": "with space-in-it"}, "InvalidParameterValue"),
    ({"MasterUserPassword": None}, "InvalidParameterValue"),
    ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
    ({"MasterUsername": "1user"}, "InvalidParameterValue"),
    ({"DBName": "9lives"}, "InvalidParameterValue"),
    ({"Port": 80}, "InvalidParameterValue"),
    ({"DBSubnetGroupName": "nowhere"}, "DBSubnetGroupNotFoundFault"),
    ({"DBParameterGroupName": "nothing"}, "DBParameterGroupNotFound"),
    ({"DBParameterGroupName": "default.postgres15"}, "InvalidParameterCombination"),
    ({"OptionGroupName": "nothing"}, "OptionGroupNotFoundFault"),
    ({"CACertificateIdentifier": "rds-ca-2019"}, "CertificateNotFound"),
    ({"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue"),
    ({"KmsKeyId": "11111111-2222-3333-4444-555555555555"}, "KMSKeyNotAccessibleFault"),
    ({"StorageEncrypted": False}, "InvalidParameterCombination"),
    ({"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
    ({"PreferredBackupWindow": "03:00-03:20"}, "InvalidParameterValue"),
    ({"PreferredBackupWindow": "soon"}, "InvalidParameterValue"),
    ({"PreferredBackupWindow": "05:15-05:45"}, "InvalidParameterValue"),
    ({"PreferredMaintenanceWindow": "sun:05:00-sun:05:10"}, "InvalidParameterValue"),
    ({"AllocatedStorage": 19}, "InvalidParameterValue"),
    ({"AllocatedStorage": 65537}, "InvalidParameterValue"),
    ({"Iops": 12000}, "InvalidParameterCombination"),
    ({"StorageThroughput": 500}, "InvalidParameterCombination"),
    ({"AllocatedStorage": 400, "Iops": 11999}, "InvalidParameterCombination"),
    ({"AllocatedStorage": 400, "Iops": 12000, "StorageThroughput": 3001}, "InvalidParameterCombination"),
    ({"StorageType": "io1"}, "InvalidParameterCombination"),
    ({"StorageType": "gp9"}, "StorageTypeNotSupported"),
    ({"MaxAllocatedStorage": 105}, "InvalidParameterCombination"),
    ({"MonitoringInterval": 60}, "InvalidParameterCombination"),
    ({"MonitoringInterval": 7}, "InvalidParameterValue"),
    ({"MonitoringInterval": 60, "MonitoringRoleArn": ROLE}, "InvalidParameterValue"),
    ({"PerformanceInsightsRetentionPeriod": 7}, "InvalidParameterCombination"),
    ({"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 8}, "InvalidParameterValue"),
    ({"EnableCloudwatchLogsExports": ["audit"]}, "InvalidParameterCombination"),
    ({"AvailabilityZone": "us-west-2a"}, "InvalidParameterCombination"),
    ({"MultiAZ": False, "AvailabilityZone": "us-west-2d"}, "InvalidVPCNetworkStateFault"),
    ({"ManageMasterUserPassword": True}, "InvalidParameterCombination"),
    ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "InvalidParameterValue"),
]


def test_creation_refuses_what_aws_refuses(west: Any) -> None:
    wrong = {str(changes): (code, west.refusal(west.primary, **changes)) for changes, code in CREATE}
    assert {key: pair for key, pair in wrong.items() if pair[0] != pair[1]} == {}
    assert west.rds.describe_db_instances()["DBInstances"] == []


def test_taken_identifier_and_missing_instance(west: Any) -> None:
    west.primary()
    assert west.refusal(west.primary, DBInstanceIdentifier="MAIN") == "DBInstanceAlreadyExists"
    assert west.refusal(west.show, name="other") == "DBInstanceNotFound"


def test_missing_instance_is_404(west: Any) -> None:
    try:
        west.show("other")
    except west.rds.exceptions.DBInstanceNotFoundFault as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    else:
        raise AssertionError("found")


def test_unknown_monitoring_role_names_enhanced_monitoring(west: Any) -> None:
    _code, message = west.refused(west.primary, MonitoringInterval=60, MonitoringRoleArn=ROLE)
    assert "ENHANCED_MONITORING" in message


MODIFY: list[tuple[dict[str, Any], str]] = [
    ({"AllocatedStorage": 50}, "InvalidParameterValue"),
    ({"AllocatedStorage": 105}, "InvalidParameterCombination"),
    ({"EngineVersion": "15.17"}, "InvalidParameterCombination"),
    ({"EngineVersion": "17.9"}, "InvalidParameterCombination"),
    ({"DBParameterGroupName": "default.postgres17"}, "InvalidParameterCombination"),
    ({"DBInstanceClass": "db.zz.huge"}, "InvalidParameterCombination"),
    ({"BackupRetentionPeriod": 99}, "InvalidParameterValue"),
    ({"PreferredBackupWindow": "05:00-05:30"}, "InvalidParameterValue"),
    ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
    ({"VpcSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue"),
    ({"DBSubnetGroupName": "data"}, "InvalidParameterValue"),
    ({"MonitoringInterval": 60}, "InvalidParameterCombination"),
]


def test_modification_refuses_what_aws_refuses(west: Any) -> None:
    west.primary()
    before = west.show()

    def modify(**changes: Any) -> None:
        west.rds.modify_db_instance(DBInstanceIdentifier="main", ApplyImmediately=True, **changes)

    wrong = {str(changes): (code, west.refusal(modify, **changes)) for changes, code in MODIFY}
    assert {key: pair for key, pair in wrong.items() if pair[0] != pair[1]} == {}
    assert {**west.show(), "LatestRestorableTime": 0} == {**before, "LatestRestorableTime": 0}


def test_deletion_rules(west: Any) -> None:
    west.primary(DeletionProtection=True)
    delete = west.rds.delete_db_instance
    assert west.refusal(delete, DBInstanceIdentifier="main", SkipFinalSnapshot=True) == "InvalidParameterCombination"
    west.rds.modify_db_instance(DBInstanceIdentifier="main", DeletionProtection=False)
    assert west.refusal(delete, DBInstanceIdentifier="main") == "InvalidParameterCombination"
    both = {"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "last"}
    assert west.refusal(delete, DBInstanceIdentifier="main", **both) == "InvalidParameterCombination"
    west.replica("copy", "main")
    final = {"FinalDBSnapshotIdentifier": "last"}
    assert west.refusal(delete, DBInstanceIdentifier="copy", **final) == "InvalidParameterCombination"
    delete(DBInstanceIdentifier="main", **final)
    assert west.refusal(west.show) == "DBInstanceNotFound"
    assert west.rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"] == "available"


def test_replica_refusals_within_a_region(west: Any) -> None:
    west.primary()
    west.primary("bare", BackupRetentionPeriod=0, StorageEncrypted=False, KmsKeyId=None)
    west.primary("managed", ManageMasterUserPassword=True, MasterUserPassword=None)
    assert west.show("managed")["MasterUserSecret"]["SecretStatus"] == "active"
    assert west.refused(west.replica, name="copy", source="bare")[1].startswith("Automated backups are not enabled")
    assert "ManageMasterUserPassword is enabled" in west.refused(west.replica, name="copy", source="managed")[1]
    assert west.refusal(west.replica, name="copy", source="none") == "DBInstanceNotFound"
    group = {"DBParameterGroupName": "default.postgres16"}
    assert west.refusal(west.replica, name="copy", source="main", **group) == "InvalidParameterCombination"
    presigned = {"PreSignedUrl": "https://rds.us-west-2.amazonaws.com/?Action=CreateDBInstanceReadReplica"}
    assert west.refusal(west.replica, name="copy", source="main", **presigned) == "InvalidParameterCombination"
    assert west.refusal(west.replica, name="main", source="main") == "DBInstanceAlreadyExists"
    zones = {"MultiAZ": True, "AvailabilityZone": "us-west-2a"}
    assert west.refusal(west.replica, name="copy", source="main", **zones) == "InvalidParameterCombination"
    assert west.show()["ReadReplicaDBInstanceIdentifiers"] == []


def test_a_source_has_at_most_15_replicas(west: Any) -> None:
    west.primary()
    for number in range(15):
        west.replica(f"copy-{number}", "main")
    assert west.refusal(west.replica, name="copy-15", source="main") == "InstanceQuotaExceeded"


def test_a_cascade_is_three_levels_deep(west: Any) -> None:
    west.primary("level-0")
    for level in range(3):
        west.replica(f"level-{level + 1}", f"level-{level}")
        west.rds.modify_db_instance(
            DBInstanceIdentifier=f"level-{level + 1}", BackupRetentionPeriod=1, ApplyImmediately=True
        )
    assert west.refusal(west.replica, name="level-4", source="level-3") == "InvalidParameterCombination"


def test_subnet_group_needs_two_zones(west: Any) -> None:
    create = west.rds.create_db_subnet_group
    one = {"DBSubnetGroupName": "narrow", "DBSubnetGroupDescription": "x", "SubnetIds": west.subnet_ids[:1]}
    assert west.refusal(create, **one) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    assert west.refusal(create, **{**one, "SubnetIds": ["subnet-0123456789abcdef0"]}) == "InvalidSubnet"
    modify = west.rds.modify_db_subnet_group
    assert (
        west.refusal(modify, DBSubnetGroupName="data", SubnetIds=west.subnet_ids[:1])
        == "DBSubnetGroupDoesNotCoverEnoughAZs"
    )
    west.rds.modify_db_subnet_group(DBSubnetGroupName="data", SubnetIds=west.subnet_ids[:2])
    assert len(west.rds.describe_db_subnet_groups(DBSubnetGroupName="data")["DBSubnetGroups"][0]["Subnets"]) == 2
    west.primary()
    assert west.refusal(modify, DBSubnetGroupName="data", SubnetIds=west.subnet_ids[1:]) == "SubnetAlreadyInUse"
    assert west.refusal(west.rds.delete_db_subnet_group, DBSubnetGroupName="data") == "InvalidDBSubnetGroupStateFault"
