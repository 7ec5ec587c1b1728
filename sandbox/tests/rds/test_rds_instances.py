"""DB instances: what they look like, how they come to be, stop, start and reboot."""

from __future__ import annotations

from typing import Any


def test_created_instance_is_described_in_full(west: Any) -> None:
    created = west.primary()
    assert created["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in created and "InstanceCreateTime" not in created
    shown = west.show()
    assert shown["DBInstanceStatus"] == "available"
    assert shown["Endpoint"]["Address"].endswith(".us-west-2.rds.amazonaws.com")
    assert shown["Endpoint"]["Port"] == 5432
    assert (shown["StorageType"], shown["Iops"], shown["StorageThroughput"]) == ("gp3", 3000, 125)
    assert shown["DBParameterGroups"] == [
        {"DBParameterGroupName": "default.postgres16", "ParameterApplyStatus": "in-sync"}
    ]
    assert shown["VpcSecurityGroups"] == [{"VpcSecurityGroupId": west.security_group, "Status": "active"}]
    assert shown["KmsKeyId"] == west.key and shown["StorageEncrypted"]
    assert shown["AvailabilityZone"] != shown["SecondaryAvailabilityZone"]
    assert shown["PendingModifiedValues"] == {} and shown["ReadReplicaDBInstanceIdentifiers"] == []
    assert not shown["PerformanceInsightsEnabled"] and shown["MonitoringInterval"] == 0
    assert shown["DbiResourceId"].startswith("db-") and "StatusInfos" not in shown
    assert shown["LatestRestorableTime"] and shown["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"


def test_creation_takes_its_time_and_its_states(west: Any) -> None:
    west.slow()
    west.primary()
    assert west.show()["DBInstanceStatus"] == "creating" and "Endpoint" not in west.show()
    west.pass_time(620)
    assert west.show()["DBInstanceStatus"] == "backing-up"
    assert "Endpoint" in west.show() and "LatestRestorableTime" not in west.show()
    assert west.refusal(west.rds.reboot_db_instance, DBInstanceIdentifier="main") == "InvalidDBInstanceState"
    west.pass_time(120)
    assert west.show()["DBInstanceStatus"] == "available"
