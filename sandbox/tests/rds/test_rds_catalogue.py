"""Tags, pages, filters, events, what is on offer, and state that survives pickling."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import pytest
from pipeops_sandbox.overlays.rds.dataplane import NamedEndpoints, plane
from pipeops_sandbox.overlays.rds.store import DbInstance
from pipeops_sandbox.overlays.rds.tags import tagged_resources
from pipeops_sandbox.runtime import runtime

ACCOUNT = "123456789012"


def test_tags_of_every_kind(west: Any) -> None:
    west.primary(Tags=[{"Key": "a", "Value": "1"}])
    west.rds.create_db_snapshot(DBInstanceIdentifier="main", DBSnapshotIdentifier="before")
    west.rds.create_db_parameter_group(DBParameterGroupName="g", DBParameterGroupFamily="postgres16", Description="g")
    base = f"arn:aws:rds:us-west-2:{ACCOUNT}"
    for name in ("db:main", "subgrp:data", "pg:g", "snapshot:before", "pg:default.postgres16"):
        west.rds.add_tags_to_resource(ResourceName=f"{base}:{name}", Tags=[{"Key": "b", "Value": "2"}])
        tags = west.rds.list_tags_for_resource(ResourceName=f"{base}:{name}")["TagList"]
        assert {"Key": "b", "Value": "2"} in tags, name
    west.rds.remove_tags_from_resource(ResourceName=f"{base}:db:main", TagKeys=["a", "none"])
    assert west.show()["TagList"] == [{"Key": "b", "Value": "2"}]
    listed = west.rds.list_tags_for_resource
    assert west.refusal(listed, ResourceName=f"{base}:db:none") == "DBInstanceNotFound"
    assert west.refusal(listed, ResourceName=f"{base}:snapshot:none") == "DBSnapshotNotFound"
    assert west.refusal(listed, ResourceName="main") == "InvalidParameterValue"
    assert (f"{base}:db:main", [{"Key": "b", "Value": "2"}]) in tagged_resources(ACCOUNT, "us-west-2")


def test_pages_and_filters(west: Any) -> None:
    for number in range(25):
        west.primary(f"db-{number:02d}", MultiAZ=False)
    describe = west.rds.describe_db_instances
    first = describe(MaxRecords=20)
    assert len(first["DBInstances"]) == 20
    assert len(describe(MaxRecords=20, Marker=first["Marker"])["DBInstances"]) == 5
    assert west.refusal(describe, MaxRecords=5) == "InvalidParameterValue"
    assert west.refusal(describe, Marker="???") == "InvalidParameterValue"
    chosen = describe(Filters=[{"Name": "db-instance-id", "Values": ["db-01", "db-03"]}])["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in chosen] == ["db-01", "db-03"]
    by_id = [{"Name": "dbi-resource-id", "Values": [chosen[0]["DbiResourceId"]]}]
    assert len(describe(Filters=by_id)["DBInstances"]) == 1
    assert west.refusal(describe, Filters=[{"Name": "colour", "Values": ["red"]}]) == "InvalidParameterValue"


def test_waiters(west: Any) -> None:
    west.slow(3000.0)
    west.primary()
    options = {"WaiterConfig": {"Delay": 0.05, "MaxAttempts": 200}}
    west.rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="main", **options)
    assert west.show()["Endpoint"]
    west.rds.delete_db_instance(DBInstanceIdentifier="main", FinalDBSnapshotIdentifier="last")
    assert west.show()["DBInstanceStatus"] == "deleting"
    west.rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier="main", **options)
    west.rds.get_waiter("db_snapshot_completed").wait(DBSnapshotIdentifier="last", **options)


def test_events(west: Any) -> None:
    west.primary()
    west.rds.reboot_db_instance(DBInstanceIdentifier="main", ForceFailover=True)
    west.show()
    events = west.rds.describe_events(SourceType="db-instance", SourceIdentifier="main")["Events"]
    told = [one["EventCategories"][0] for one in events]
    assert told[:3] == ["creation", "backup", "backup"] and told.count("failover") == 3
    west.pass_time(7200)
    assert west.rds.describe_events(SourceType="db-instance", EventCategories=["creation"])["Events"] == []
    assert west.rds.describe_events(Duration=300)["Events"] != []


def test_what_is_on_offer(west: Any) -> None:
    versions = west.rds.describe_db_engine_versions(Engine="postgres", EngineVersion="16")["DBEngineVersions"]
    assert versions[-1]["DBParameterGroupFamily"] == "postgres16"
    majors = {one["EngineVersion"] for one in versions[-1]["ValidUpgradeTarget"] if one["IsMajorVersionUpgrade"]}
    assert majors == {"17.9", "18.3"}
    options = west.rds.describe_orderable_db_instance_options(
        Engine="postgres", EngineVersion="16.13", DBInstanceClass="db.r6g.xlarge"
    )["OrderableDBInstanceOptions"]
    assert {one["StorageType"] for one in options} >= {"gp3", "io1"} and options[0]["MultiAZCapable"]
    regions = west.rds.describe_source_regions(RegionName="us-east-1")["SourceRegions"]
    assert regions[0]["SupportsDBInstanceAutomatedBackupsReplication"]
    assert west.rds.describe_certificates()["Certificates"]
    assert west.rds.describe_pending_maintenance_actions()["PendingMaintenanceActions"] == []
    assert west.rds.describe_option_groups()["OptionGroupsList"]
    assert west.rds.describe_event_categories()["EventCategoriesMapList"]
    assert west.rds.describe_engine_default_parameters(DBParameterGroupFamily="postgres17")["EngineDefaults"]
    west.primary()
    quotas = {one["AccountQuotaName"]: one for one in west.rds.describe_account_attributes()["AccountQuotas"]}
    assert quotas["DBInstances"]["Used"] == 1 and quotas["AllocatedStorage"]["Used"] == 100


def test_state_survives_pickling_in_mid_promotion(west: Any, east: Any) -> None:
    west.primary()
    east.replica("dr", f"arn:aws:rds:us-west-2:{ACCOUNT}:db:main")
    east.show("dr")
    west.slow()
    east.rds.promote_read_replica(DBInstanceIdentifier="dr")
    runtime.stores = pickle.loads(pickle.dumps(runtime.stores))  # noqa: S301 - what was pickled right here
    west.pass_time(400)
    shown = east.show("dr")
    assert shown["DBInstanceStatus"] == "available" and "ReadReplicaSourceDBInstanceIdentifier" not in shown


class Hesitant(NamedEndpoints):
    """A data plane that is not ready before it is told to be, and remembers what it was asked."""

    def __init__(self) -> None:
        self.done = False
        self.asked: list[str] = []

    def ready(self, instance: DbInstance) -> bool:
        return self.done

    def created(self, instance: DbInstance) -> None:
        self.asked.append(f"create {instance.identifier}")

    def deleted(self, instance: DbInstance) -> None:
        self.asked.append(f"delete {instance.identifier}")


@pytest.fixture
def hesitant() -> Any:
    """The hesitant data plane, put in place and taken away again."""
    found = Hesitant()
    plane.install(found)
    yield found
    plane.install(NamedEndpoints())


def test_the_data_plane_holds_a_phase(west: Any, hesitant: Hesitant) -> None:
    west.primary()
    assert west.show()["DBInstanceStatus"] == "creating" and hesitant.asked == ["create main"]
    hesitant.done = True
    assert west.show()["DBInstanceStatus"] == "available"
    west.rds.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)
    assert hesitant.asked == ["create main", "delete main"]


def test_times_are_utc(west: Any) -> None:
    west.primary()
    made = west.show()["InstanceCreateTime"]
    assert abs(runtime.clock.now() - made.timestamp()) < 60 and made.utcoffset() == timedelta(0)
