"""Managed node groups."""

from __future__ import annotations

import pytest

INVALID = "InvalidParameterException"
IN_USE = "ResourceInUseException"


@pytest.fixture
def prod(world):
    """The world with a cluster in it, without Auto Mode."""
    world.eks.create_cluster(**world.plain("prod"))
    return world


def request(world, **changes):
    return {
        "clusterName": "prod",
        "nodegroupName": "zone-a",
        "subnets": world.subnet_ids[:1],
        "nodeRole": world.node_role,
        "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 2},
    } | changes


def describe(world, name="zone-a"):
    return world.eks.describe_nodegroup(clusterName="prod", nodegroupName=name)["nodegroup"]


def test_a_node_group_with_its_defaults(prod, refused):
    assert prod.eks.create_nodegroup(**request(prod))["nodegroup"]["status"] == "CREATING"
    group = describe(prod)
    assert group["status"] == "ACTIVE"
    assert (group["amiType"], group["capacityType"], group["diskSize"]) == ("AL2023_x86_64_STANDARD", "ON_DEMAND", 20)
    assert (group["instanceTypes"], group["version"]) == (["t3.medium"], "1.36")
    assert group["updateConfig"] == {"maxUnavailable": 1, "updateStrategy": "DEFAULT"}
    assert group["health"] == {"issues": []}
    entry = prod.eks.describe_access_entry(clusterName="prod", principalArn=prod.node_role)["accessEntry"]
    assert entry["type"] == "EC2_LINUX"
    refused(IN_USE, prod.eks.create_nodegroup, **request(prod))
    assert prod.eks.list_nodegroups(clusterName="prod")["nodegroups"] == ["zone-a"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amiType": "AL2_x86_64"}, "AL2_x86_64"),
        ({"amiType": "CUSTOM"}, "launch template"),
        ({"subnets": ["subnet-0123456789abcdef0"]}, "does not exist"),
        ({"nodeRole": "arn:aws:iam::123456789012:role/nobody"}, "could not be assumed"),
        ({"scalingConfig": {"minSize": 3, "maxSize": 2, "desiredSize": 2}}, "Minimum capacity"),
        ({"scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 3}}, "desired capacity"),
        ({"version": "1.37"}, "1.37"),
        ({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 10}}, "not both"),
        ({"launchTemplate": {"id": "lt-1"}, "diskSize": 50}, "Disk size"),
        ({"launchTemplate": {"id": "lt-1", "name": "x"}}, "not both"),
        ({"capacityType": "CHEAP"}, "CHEAP"),
    ],
)
def test_refused_node_groups(prod, refused, changes, words):
    assert words in refused(INVALID, prod.eks.create_nodegroup, **request(prod, **changes))
    assert prod.eks.list_nodegroups(clusterName="prod")["nodegroups"] == []


def test_configuration_is_changed_in_one_update(prod, refused):
    old = [{"key": "old", "value": "x", "effect": "NO_SCHEDULE"}]
    prod.eks.create_nodegroup(**request(prod, labels={"keep": "1", "drop": "2"}, taints=old))
    key = {"clusterName": "prod", "nodegroupName": "zone-a"}
    new = {"key": "gpu", "value": "yes", "effect": "NO_EXECUTE"}
    update = prod.eks.update_nodegroup_config(
        **key,
        scalingConfig={"maxSize": 6},
        labels={"addOrUpdateLabels": {"new": "3"}, "removeLabels": ["drop"]},
        taints={"addOrUpdateTaints": [new], "removeTaints": old},
    )["update"]
    assert update["type"] == "ConfigUpdate"
    group = describe(prod)
    assert group["scalingConfig"] == {"minSize": 1, "maxSize": 6, "desiredSize": 2}
    assert group["labels"] == {"keep": "1", "new": "3"}
    assert group["taints"] == [new]
    answer = prod.eks.describe_update(name="prod", updateId=update["id"], nodegroupName="zone-a")["update"]
    assert answer["status"] == "Successful"
    refused(INVALID, prod.eks.update_nodegroup_config, **key)
    refused(INVALID, prod.eks.update_nodegroup_config, **key, scalingConfig={"maxSize": 1})


def test_one_update_at_a_time(prod, passing, refused):
    passing(11)
    prod.eks.create_nodegroup(**request(prod))
    key = {"clusterName": "prod", "nodegroupName": "zone-a"}
    refused(IN_USE, prod.eks.update_nodegroup_config, **key, scalingConfig={"maxSize": 6})
    assert describe(prod)["status"] == "CREATING"
    passing(111)
    assert describe(prod)["status"] == "ACTIVE"
    prod.eks.update_nodegroup_config(**key, scalingConfig={"maxSize": 6})
    assert describe(prod)["status"] == "UPDATING"
    for busy in (prod.eks.delete_nodegroup, prod.eks.update_nodegroup_version):
        refused(IN_USE, busy, **key)
    passing(21)
    prod.eks.delete_nodegroup(**key)
    assert describe(prod)["status"] == "DELETING"
    refused(IN_USE, prod.eks.delete_cluster, name="prod")
    passing(301)
    refused("ResourceNotFoundException", prod.eks.describe_nodegroup, **key)
    prod.eks.delete_cluster(name="prod")


def test_node_groups_follow_the_control_plane_before_it_moves_on(prod, refused):
    prod.eks.create_nodegroup(**request(prod, version="1.35"))
    key = {"clusterName": "prod", "nodegroupName": "zone-a"}
    message = refused(INVALID, prod.eks.update_cluster_version, name="prod", version="1.37")
    assert "zone-a" in message
    refused(INVALID, prod.eks.update_nodegroup_version, **key, version="1.37")
    refused(INVALID, prod.eks.update_nodegroup_version, **key, version="1.34")
    update = prod.eks.update_nodegroup_version(**key, version="1.36")["update"]
    assert update["type"] == "VersionUpdate"
    assert describe(prod)["releaseVersion"].startswith("1.36.")
    prod.eks.update_cluster_version(name="prod", version="1.37")


def test_the_launch_template_is_fixed_but_for_its_version(prod, refused):
    prod.eks.create_nodegroup(**request(prod, launchTemplate={"id": "lt-1", "version": "1"}))
    key = {"clusterName": "prod", "nodegroupName": "zone-a"}
    refused(INVALID, prod.eks.update_nodegroup_version, **key, launchTemplate={"id": "lt-2", "version": "1"})
    prod.eks.update_nodegroup_version(**key, launchTemplate={"id": "lt-1", "version": "2"})
    assert describe(prod)["launchTemplate"] == {"id": "lt-1", "version": "2"}


def test_the_waiters_of_botocore_work(prod):
    key = {"clusterName": "prod", "nodegroupName": "zone-a"}
    prod.eks.create_nodegroup(**request(prod))
    prod.eks.get_waiter("nodegroup_active").wait(**key)
    prod.eks.delete_nodegroup(**key)
    prod.eks.get_waiter("nodegroup_deleted").wait(**key)


@pytest.mark.parametrize(
    ("policies", "addons", "words"),
    [([], ["vpc-cni"], "failed to join"), (["AmazonEKSWorkerNodePolicy"], [], "Unhealthy nodes")],
)
def test_nodes_that_cannot_join_fail_their_group(world, policies, addons, words):
    world.eks.create_cluster(**world.plain("prod", bootstrapSelfManagedAddons=False))
    role = world.role("worker", "ec2.amazonaws.com", ["sts:AssumeRole"])
    for policy in policies:
        world.iam.attach_role_policy(RoleName="worker", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    for addon in addons:
        world.eks.create_addon(clusterName="prod", addonName=addon)
    world.eks.create_nodegroup(**request(world, nodeRole=role))
    group = describe(world)
    assert group["status"] == "CREATE_FAILED"
    assert group["health"]["issues"][0]["code"] == "NodeCreationFailure"
    assert words in group["health"]["issues"][0]["message"]
    world.eks.delete_nodegroup(clusterName="prod", nodegroupName="zone-a")
    assert world.eks.list_nodegroups(clusterName="prod")["nodegroups"] == []
