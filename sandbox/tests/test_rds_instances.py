"""DB instances: what they look like, how they come to be, stop, start and reboot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pipeops_sandbox.runtime import runtime
from rds_helpers import Site, make_site, pass_time, refusal


@pytest.fixture
def site(client: Callable[..., Any]) -> Site:
    return make_site(client, "us-west-2")


@pytest.fixture
def slow(endpoint: str) -> None:
    """The aws profile, with time that only the test moves (nearly)."""
    runtime.clock.set("aws", 0.001)


def test_created_instance_is_described_in_full(site: Site) -> None:
    created = site.primary()
    assert created["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in created and "InstanceCreateTime" not in created
    shown = site.show()
    assert shown["DBInstanceStatus"] == "available"
    assert shown["Endpoint"]["Address"].endswith(".us-west-2.rds.amazonaws.com")
    assert shown["Endpoint"]["Port"] == 5432
    assert (shown["StorageType"], shown["Iops"], shown["StorageThroughput"]) == ("gp3", 3000, 125)
    assert shown["DBParameterGroups"] == [
        {"DBParameterGroupName": "default.postgres16", "ParameterApplyStatus": "in-sync"}
    ]
    assert shown["VpcSecurityGroups"] == [{"VpcSecurityGroupId": site.security_group, "Status": "active"}]
    assert shown["KmsKeyId"] == site.key and shown["StorageEncrypted"]
    assert shown["AvailabilityZone"] != shown["SecondaryAvailabilityZone"]
    assert shown["PendingModifiedValues"] == {} and shown["ReadReplicaDBInstanceIdentifiers"] == []
    assert not shown["PerformanceInsightsEnabled"] and shown["MonitoringInterval"] == 0
    assert shown["DbiResourceId"].startswith("db-") and "StatusInfos" not in shown
    assert shown["LatestRestorableTime"] and shown["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"


def test_creation_takes_its_time_and_its_states(site: Site, slow: None) -> None:
    site.primary()
    assert site.show()["DBInstanceStatus"] == "creating" and "Endpoint" not in site.show()
    pass_time(620)
    assert site.show()["DBInstanceStatus"] == "backing-up"
    assert "Endpoint" in site.show() and "LatestRestorableTime" not in site.show()
    assert refusal(site.rds.reboot_db_instance, DBInstanceIdentifier="main") == "InvalidDBInstanceState"
    pass_time(120)
    assert site.show()["DBInstanceStatus"] == "available"
