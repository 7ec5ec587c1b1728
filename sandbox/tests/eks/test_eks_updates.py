"""Updates: one kind in a call, one at a time, in effect when they are done."""

from __future__ import annotations

import pytest
from pipeops_sandbox.overlays.eks.state import eks_state
from pipeops_sandbox.runtime import runtime

INVALID = "InvalidParameterException"
LOGGING = {"clusterLogging": [{"types": ["audit"], "enabled": True}]}
AUTO_MODE_OFF = {
    "computeConfig": {"enabled": False},
    "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": False}},
    "storageConfig": {"blockStorage": {"enabled": False}},
}
AUTO_MODE_ON = {
    "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
    "storageConfig": {"blockStorage": {"enabled": True}},
}


def finished(world, update, name="prod"):
    """Return an update once more, which must be successful by now."""
    again = world.eks.describe_update(name=name, updateId=update["id"])["update"]
    assert again["status"] == "Successful"
    return again


@pytest.mark.parametrize(
    ("change", "kind", "member"),
    [
        ({"logging": LOGGING}, "LoggingUpdate", "logging"),
        ({"upgradePolicy": {"supportType": "STANDARD"}}, "UpgradePolicyUpdate", "upgradePolicy"),
        ({"zonalShiftConfig": {"enabled": True}}, "ZonalShiftConfigUpdate", "zonalShiftConfig"),
        ({"deletionProtection": True}, "DeletionProtectionUpdate", "deletionProtection"),
        (
            {"controlPlaneScalingConfig": {"tier": "tier-xl"}},
            "ControlPlaneScalingConfigUpdate",
            "controlPlaneScalingConfig",
        ),
    ],
)
def test_each_kind_of_update(world, refused, change, kind, member):
    before = world.create()
    update = world.eks.update_cluster_config(name="prod", **change)["update"]
    assert (update["type"], update["status"], update["errors"]) == (kind, "InProgress", [])
    assert update["params"]
    finished(world, update)
    after = world.describe()
    assert after[member] != before[member]
    assert {**after, member: None} == {**before, member: None}
    assert "already at the desired configuration" in refused(
        INVALID, world.eks.update_cluster_config, name="prod", **change
    )


def test_endpoint_access(world, refused):
    world.create()
    change = {"endpointPublicAccess": True, "endpointPrivateAccess": True, "publicAccessCidrs": ["52.94.76.0/24"]}
    update = world.eks.update_cluster_config(name="prod", resourcesVpcConfig=change)["update"]
    assert update["type"] == "EndpointAccessUpdate"
    assert change.items() <= world.describe()["resourcesVpcConfig"].items()
    for wrong in ({"endpointPublicAccess": False, "endpointPrivateAccess": False}, change):
        refused(INVALID, world.eks.update_cluster_config, name="prod", resourcesVpcConfig=wrong)


def test_subnets_are_swapped_within_their_zones_only(world, refused):
    world.create()
    beside = world.subnet(world.vpc_id, "10.30.9.0/24", "a")
    swapped = [beside, *world.subnet_ids[1:]]
    for wrong in (swapped[:2], [*world.subnet_ids, world.subnet(world.vpc_id, "10.30.10.0/24", "d")]):
        message = refused(
            INVALID, world.eks.update_cluster_config, name="prod", resourcesVpcConfig={"subnetIds": wrong}
        )
        assert "same set of AZs" in message
    update = world.eks.update_cluster_config(name="prod", resourcesVpcConfig={"subnetIds": swapped})["update"]
    assert update["type"] == "VpcConfigUpdate"
    assert world.describe()["resourcesVpcConfig"]["subnetIds"] == swapped
    interfaces = world.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert {each["SubnetId"] for each in interfaces} <= set(swapped)
    both = {"subnetIds": world.subnet_ids, "endpointPrivateAccess": False}
    assert "Only one type of update" in refused(
        INVALID, world.eks.update_cluster_config, name="prod", resourcesVpcConfig=both
    )


def test_the_order_of_a_set_is_no_change(world, refused):
    world.create()
    for same in ({"subnetIds": world.subnet_ids[::-1]}, {"securityGroupIds": []}):
        message = refused(INVALID, world.eks.update_cluster_config, name="prod", resourcesVpcConfig=same)
        assert "already at the desired configuration" in message


def test_two_kinds_or_none_are_refused(world, refused):
    world.create()
    change = {"logging": LOGGING, "deletionProtection": True}
    assert "Only one type of update" in refused(INVALID, world.eks.update_cluster_config, name="prod", **change)
    refused(INVALID, world.eks.update_cluster_config, name="prod")
    assert world.eks.list_updates(name="prod")["updateIds"] == []


def test_logging_is_merged_type_by_type_and_makes_the_log_group(world, client):
    world.create()
    logs = client("logs")
    assert not logs.describe_log_groups()["logGroups"]
    world.eks.update_cluster_config(name="prod", logging=LOGGING)
    api = {"clusterLogging": [{"types": ["api"], "enabled": True}]}
    world.eks.update_cluster_config(name="prod", logging=api)
    setups = world.describe()["logging"]["clusterLogging"]
    assert next(each["types"] for each in setups if each["enabled"]) == ["api", "audit"]
    assert [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]] == ["/aws/eks/prod/cluster"]


def test_authentication_mode_moves_forward_one_step(world, refused):
    world.eks.create_cluster(**world.plain(accessConfig={"authenticationMode": "CONFIG_MAP"}))

    def change(mode):
        return world.eks.update_cluster_config(name="plain", accessConfig={"authenticationMode": mode})["update"]

    skipped = {"name": "plain", "accessConfig": {"authenticationMode": "API"}}
    refused(INVALID, world.eks.update_cluster_config, **skipped)
    refused("InvalidRequestException", world.eks.list_access_entries, clusterName="plain")
    assert change("API_AND_CONFIG_MAP")["type"] == "AccessConfigUpdate"
    entries = world.eks.list_access_entries(clusterName="plain")["accessEntries"]
    assert any(arn.endswith(":user/moto") for arn in entries), "the creator's entry is made when the mode allows it"
    change("API")
    for back in ("API_AND_CONFIG_MAP", "CONFIG_MAP"):
        refused(INVALID, world.eks.update_cluster_config, name="plain", accessConfig={"authenticationMode": back})


def test_auto_mode_on_pools_and_off(world, refused):
    world.eks.create_cluster(**world.plain())
    compute = {"enabled": True, "nodePools": ["system"], "nodeRoleArn": world.node_role}

    def change(**blocks):
        return world.eks.update_cluster_config(name="plain", **blocks)["update"]

    for part in ({"computeConfig": compute}, AUTO_MODE_ON, AUTO_MODE_ON | {"computeConfig": {"enabled": False}}):
        assert "For EKS Auto Mode" in refused(INVALID, world.eks.update_cluster_config, name="plain", **part)
    assert change(computeConfig=compute, **AUTO_MODE_ON)["type"] == "AutoModeUpdate"
    cluster = world.describe("plain")
    assert cluster["computeConfig"] == compute
    assert cluster["storageConfig"]["blockStorage"]["enabled"]
    assert world.node_role in world.eks.list_access_entries(clusterName="plain")["accessEntries"]
    other = world.role("other-node", "ec2.amazonaws.com", ["sts:AssumeRole"])
    frozen = {"computeConfig": compute | {"nodeRoleArn": other}, **AUTO_MODE_ON}
    assert "nodeRoleArn cannot be changed" in refused(INVALID, world.eks.update_cluster_config, name="plain", **frozen)
    change(computeConfig=compute | {"nodePools": ["general-purpose", "system"]}, **AUTO_MODE_ON)
    assert set(world.describe("plain")["computeConfig"]["nodePools"]) == {"general-purpose", "system"}
    change(**AUTO_MODE_OFF)
    assert world.describe("plain")["computeConfig"] == {"enabled": False, "nodePools": []}


def test_a_second_update_waits_for_the_first(world, passing, refused):
    passing(11)
    world.eks.create_cluster(**world.request())
    refused("InvalidRequestException", world.eks.update_cluster_config, name="prod", deletionProtection=True)
    passing(601)
    update = world.eks.update_cluster_config(name="prod", logging=LOGGING)["update"]
    assert world.describe()["status"] == "ACTIVE", "the flip to UPDATING is seen late"
    message = refused("ResourceInUseException", world.eks.update_cluster_config, name="prod", deletionProtection=True)
    assert update["id"] in message
    refused("ResourceInUseException", world.eks.update_cluster_version, name="prod", version="1.37")
    refused("ResourceInUseException", world.eks.delete_cluster, name="prod")
    passing(4)
    cluster = world.describe()
    assert cluster["status"] == "UPDATING"
    assert cluster["logging"]["clusterLogging"][0]["enabled"] is False, "applied when it is done, not before"
    world.eks.tag_resource(resourceArn=cluster["arn"], tags={"while": "updating"})
    passing(180)
    finished(world, update)
    cluster = world.describe()
    assert cluster["status"] == "ACTIVE"
    assert cluster["logging"]["clusterLogging"][0] == {"types": ["audit"], "enabled": True}
    assert cluster["tags"] == {"while": "updating"}


def test_the_same_token_starts_one_update(world):
    world.create()
    request = {"name": "prod", "deletionProtection": True, "clientRequestToken": "t"}
    ids = {world.eks.update_cluster_config(**request)["update"]["id"] for _ in range(2)}
    assert list(ids) == world.eks.list_updates(name="prod")["updateIds"]


def test_updates_are_listed_newest_first_and_paged(world, refused):
    world.create()
    ids = [
        world.eks.update_cluster_config(name="prod", deletionProtection=on)["update"]["id"]
        for on in (True, False, True)
    ]
    page = world.eks.list_updates(name="prod", maxResults=2)
    assert page["updateIds"] == ids[:0:-1]
    assert world.eks.list_updates(name="prod", nextToken=page["nextToken"])["updateIds"] == ids[:1]
    refused("ResourceNotFoundException", world.eks.describe_update, name="prod", updateId="nope")
    refused("ResourceNotFoundException", world.eks.describe_update, name="prod", updateId=ids[0], addonName="x")


def test_encryption_can_be_set_once(world, client, refused):
    world.create()
    kms = client("kms")
    config = [
        [{"resources": ["secrets"], "provider": {"keyArn": kms.create_key()["KeyMetadata"]["Arn"]}}] for _ in range(2)
    ]
    far = client("kms", "us-east-1").create_key()["KeyMetadata"]["Arn"]
    elsewhere = [{"resources": ["secrets"], "provider": {"keyArn": far}}]
    refused(INVALID, world.eks.associate_encryption_config, clusterName="prod", encryptionConfig=elsewhere)
    update = world.eks.associate_encryption_config(clusterName="prod", encryptionConfig=config[0])["update"]
    assert update["type"] == "AssociateEncryptionConfig"
    assert world.describe()["encryptionConfig"] == config[0]
    refused(INVALID, world.eks.associate_encryption_config, clusterName="prod", encryptionConfig=config[1])


def test_versions_move_one_minor_at_a_time(world, refused):
    world.create(version="1.34")
    for wrong in ("1.34", "1.36", "1.33", "2.0"):
        refused(INVALID, world.eks.update_cluster_version, name="prod", version=wrong)
    update = world.eks.update_cluster_version(name="prod", version="1.35")["update"]
    assert update["type"] == "VersionUpdate"
    cluster = world.describe()
    assert (cluster["version"], cluster["platformVersion"]) == ("1.35", "eks.17")


def test_rollback_within_seven_days_can_be_cancelled(world, passing, refused):
    passing(11)
    world.eks.create_cluster(**world.request(version="1.35"))
    passing(601)
    refused(INVALID, world.eks.update_cluster_version, name="prod", version="1.34")
    upgrade = world.eks.update_cluster_version(name="prod", version="1.36")["update"]
    refused("InvalidStateException", world.eks.cancel_update, name="prod", updateId=upgrade["id"])
    passing(901)
    short = {"name": "prod", "version": "1.35", "rollbackConfig": {"timeoutMinutes": 60}}
    refused(INVALID, world.eks.update_cluster_version, **short)
    rollback = world.eks.update_cluster_version(name="prod", version="1.35")["update"]
    assert rollback["type"] == "VersionRollback"
    cancelled = world.eks.cancel_update(name="prod", updateId=rollback["id"])["update"]
    assert cancelled["status"] == "Cancelled"
    passing(901)
    assert world.describe()["version"] == "1.36"
    passing(8 * 24 * 3600)
    assert "7 days" in refused(INVALID, world.eks.update_cluster_version, name="prod", version="1.35")


def test_standard_support_is_refused_for_a_version_in_extended_support(world, refused):
    runtime.clock.restore(1_800_000_000.0)  # January 2027: 1.34 left standard support on 2 December 2026
    world.create(version="1.34")
    change = {"name": "prod", "upgradePolicy": {"supportType": "STANDARD"}}
    assert "extended support" in refused(INVALID, world.eks.update_cluster_config, **change)


def test_cluster_versions(world, refused):
    rows = {row["clusterVersion"]: row for row in world.eks.describe_cluster_versions()["clusterVersions"]}
    assert list(rows) == ["1.37", "1.36", "1.35", "1.34"]
    assert [version for version, row in rows.items() if row["defaultVersion"]] == ["1.36"]
    assert rows["1.36"]["releaseDate"].isoformat().startswith("2026-06-02")
    assert rows["1.36"]["endOfStandardSupportDate"].isoformat().startswith("2027-08-02")
    assert rows["1.35"]["versionStatus"] == "STANDARD_SUPPORT"
    (default,) = world.eks.describe_cluster_versions(defaultOnly=True)["clusterVersions"]
    assert default["clusterVersion"] == "1.36"
    (named,) = world.eks.describe_cluster_versions(clusterVersions=["1.34"])["clusterVersions"]
    assert named["clusterVersion"] == "1.34"
    assert world.eks.describe_cluster_versions(versionStatus="UNSUPPORTED")["clusterVersions"] == []
    refused(INVALID, world.eks.describe_cluster_versions, clusterVersions=["0.1"])


def test_insights_tell_of_the_next_version(world, refused):
    world.create("prod", version="1.36")
    assert len(world.eks.list_insights(clusterName="prod")["insights"]) == 4
    only = {"kubernetesVersions": ["1.37"], "statuses": ["WARNING", "ERROR"]}
    assert world.eks.list_insights(clusterName="prod", filter=only)["insights"] == []
    refused("ResourceNotFoundException", world.eks.describe_insight, clusterName="prod", id="x")
    refused("ResourceNotFoundException", world.eks.list_insights, clusterName="none")


def test_an_insight_that_speaks_against_an_upgrade_stops_it_unless_forced(world, refused):
    world.eks.create_cluster(**world.plain("prod", version="1.36"))
    eks_state("123456789012", "us-west-2").clusters["prod"].insights["Deprecated APIs"] = ("ERROR", "in use")
    (found,) = world.eks.list_insights(clusterName="prod", filter={"statuses": ["ERROR"]})["insights"]
    detail = world.eks.describe_insight(clusterName="prod", id=found["id"])["insight"]
    assert detail["categorySpecificSummary"]["deprecationDetails"][0]["stopServingVersion"] == "1.37"
    refused("InvalidStateException", world.eks.update_cluster_version, name="prod", version="1.37")
    world.eks.update_cluster_version(name="prod", version="1.37", force=True)
    assert world.describe("prod")["version"] == "1.37"
