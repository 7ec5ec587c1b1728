# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node pools keep the bounds of every environment, however nodes are limited."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.pipeops.platform.plugins.filter.cluster_ground import cluster_ground
from ansible_collections.pipeops.platform.plugins.module_utils.kube.ground import node_pools, spread, vcpus

ZONES = ["us-west-2a", "us-west-2b", "us-west-2c"]
#: Of each environment: fewest, most, types, and the vCPUs of what it may grow by.
ENVIRONMENTS = {
    "dev": (2, 4, ["t3.medium"], 2),
    "staging": (2, 6, ["t3.large"], 2),
    "prod": (3, 10, ["m5.large", "m5.xlarge"], 4),
    "dr": (2, 6, ["t3.medium", "t3.large"], 2),
}
OUTPUTS = {"node_role_name": "pipeops-dev-node", "cluster_security_group_id": "sg-1"}
SETTINGS: dict[str, Any] = {
    "minimum": 2,
    "maximum": 4,
    "zones": ZONES,
    "instance_types": ["t3.medium"],
    "subnet_ids": ["subnet-1", "subnet-2", "subnet-3"],
    "kms_key_arn": "arn:aws:kms:us-west-2:123456789012:key/1",
}


def values(pool: dict[str, Any], key: str) -> list[str]:
    (found,) = [item["values"] for item in pool["spec"]["template"]["spec"]["requirements"] if item["key"] == key]
    return list(found)


def test_node_groups_need_no_pools_and_another_driver_of_volumes() -> None:
    (only,) = cluster_ground(OUTPUTS, compute="managed_node_groups", **SETTINGS)
    assert (only["kind"], only["provisioner"]) == ("StorageClass", "ebs.csi.aws.com")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_static_pools_hold_the_least_and_the_dynamic_one_what_is_left(environment: str) -> None:
    least, most, types, size = ENVIRONMENTS[environment]
    pools = node_pools(least, most, ZONES, types)
    static = [pool for pool in pools if "replicas" in pool["spec"]]
    (dynamic,) = [pool for pool in pools if "replicas" not in pool["spec"]]
    assert sum(pool["spec"]["replicas"] for pool in static) == least
    assert int(dynamic["spec"]["limits"]["nodes"]) == most - least
    # Both limits come to the same number of nodes, so either of them will do.
    assert int(dynamic["spec"]["limits"]["cpu"]) == (most - least) * size
    assert {vcpus(name) for name in values(dynamic, "node.kubernetes.io/instance-type")} == {size}


def test_static_pools_are_one_a_zone_with_room_for_a_replacement() -> None:
    pools = node_pools(3, 3, ZONES, ["m5.large"])
    assert [pool["metadata"]["name"] for pool in pools] == [f"base-{zone}" for zone in ZONES]
    assert [values(pool, "topology.kubernetes.io/zone") for pool in pools] == [[zone] for zone in ZONES]
    assert all(
        pool["spec"] | {"template": None} == {"replicas": 1, "limits": {"nodes": "2"}, "template": None}
        for pool in pools
    )


@pytest.mark.parametrize(("least", "expected"), [(1, [1]), (2, [1, 1]), (3, [1, 1, 1]), (4, [2, 1, 1]), (7, [3, 2, 2])])
def test_the_least_are_spread_evenly(least: int, expected: list[int]) -> None:
    assert list(spread(least, ZONES).values()) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("t3.medium", 2), ("m5.large", 2), ("m5.xlarge", 4), ("m5.2xlarge", 8), ("c7g.16xlarge", 64)]
)
def test_a_size_tells_the_vcpus(name: str, expected: int) -> None:
    assert vcpus(name) == expected


def test_a_type_that_does_not_tell_is_refused_by_the_name_of_its_variable() -> None:
    with pytest.raises(AnsibleFilterError, match=r"eks_node_instance_types: the size of m5\.metal"):
        cluster_ground(OUTPUTS, **{**SETTINGS, "instance_types": ["m5.metal"]})


def test_a_setting_that_is_missing_or_unknown_is_named() -> None:
    with pytest.raises(AnsibleFilterError, match=r"\['zones'\] missing, \['zone'\] unknown"):
        cluster_ground(OUTPUTS, **{**{k: v for k, v in SETTINGS.items() if k != "zones"}, "zone": "a"})


def test_the_ground_has_classes_of_nodes_volumes_and_load_balancers() -> None:
    kinds = [item["kind"] for item in cluster_ground(OUTPUTS, **SETTINGS)]
    assert kinds == [
        *("ConfigMap", "NodeClass", "NodePool", "NodePool", "NodePool"),
        *("StorageClass", "IngressClassParams", "IngressClass"),
    ]


def test_nodes_have_the_role_and_the_group_of_the_cluster_and_encrypted_disks() -> None:
    (node_class,) = [item for item in cluster_ground(OUTPUTS, **SETTINGS) if item["kind"] == "NodeClass"]
    spec = node_class["spec"]
    assert node_class["metadata"]["name"] != "default"
    assert spec["role"] == "pipeops-dev-node"
    assert spec["securityGroupSelectorTerms"] == [{"id": "sg-1"}]
    assert spec["ephemeralStorage"] == {"size": "80Gi", "kmsKeyID": SETTINGS["kms_key_arn"]}


def test_placeholders_of_a_dry_run_pass() -> None:
    outputs = {name: f"pending:eks_cluster.{name}:main" for name in OUTPUTS}
    assert cluster_ground(outputs, **{**SETTINGS, "subnet_ids": ["pending:ec2_subnet.id:private-a"]})
