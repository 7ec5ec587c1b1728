# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounds are shared among zones so that they hold in sum, versions are chosen, and lists completed."""

from __future__ import annotations

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.layers._eks_addons import complete
from ansible_collections.pipeops.platform.plugins.module_utils.layers._eks_nodes import machine, share
from ansible_collections.pipeops.platform.plugins.module_utils.resources.eks_addon import configuration
from ansible_collections.pipeops.platform.plugins.module_utils.resources.eks_offers import choose, rank

ZONES = ["a", "b", "c"]
OFFERS = [
    {"version": "v1.10.0-eksbuild.1", "default": False, "compute_types": []},
    {"version": "v1.9.2-eksbuild.10", "default": True, "compute_types": []},
]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ((2, 4), {"a": (1, 2), "b": (1, 1), "c": (0, 1)}),
        ((2, 6), {"a": (1, 2), "b": (1, 2), "c": (0, 2)}),
        ((3, 10), {"a": (1, 4), "b": (1, 3), "c": (1, 3)}),
        ((1, 2), {"a": (1, 1), "b": (0, 1)}),
    ],
)
def test_bounds_hold_in_sum(bounds: tuple[int, int], expected: dict[str, tuple[int, int]]) -> None:
    shared = share(*bounds, ZONES)
    assert shared == expected
    assert tuple(map(sum, zip(*shared.values(), strict=True))) == bounds
    assert all(low <= high for low, high in shared.values())


def test_without_zones_there_are_no_bounds() -> None:
    assert share(2, 4, []) == {}


@pytest.mark.parametrize(
    ("version", "chosen"),
    [("default", "v1.9.2-eksbuild.10"), ("latest", "v1.10.0-eksbuild.1"), ("v1.0.0-eksbuild.1", "v1.0.0-eksbuild.1")],
)
def test_a_version_is_chosen(version: str, chosen: str) -> None:
    assert choose(OFFERS, version) == chosen
    assert choose([], version) == version


def test_versions_are_ordered_by_number() -> None:
    assert rank("v1.10.0-eksbuild.1") > rank("v1.9.2-eksbuild.10") > rank("v1.9.2-eksbuild.9")


def test_node_groups_get_what_they_need_with_what_the_list_says_of_it() -> None:
    addons = complete([{"name": "coredns", "configuration": {"replicaCount": 3}}, {"name": "metrics-server"}], False)
    assert [addon["name"] for addon in addons] == [
        *("vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns", "aws-ebs-csi-driver", "metrics-server"),
    ]
    assert addons[3]["configuration"] == {"replicaCount": 3}
    assert addons[0]["roles"][0]["managed_policies"] == ["AmazonEKS_CNI_Policy"]
    assert [addon["name"] for addon in complete([{"name": "metrics-server"}], True)] == ["metrics-server"]


def test_roles_that_the_list_leaves_out_stay() -> None:
    (cni, *_rest) = complete([{"name": "vpc-cni", "version": "latest", "roles": []}], False)
    assert cni["version"] == "latest"
    assert cni["roles"][0]["service_account"] == "aws-node"


@pytest.mark.parametrize(("ami_type", "device"), [("AL2023_x86_64_STANDARD", "xvda"), ("BOTTLEROCKET_x86_64", "xvdb")])
def test_the_disk_of_containers_is_the_encrypted_one(ami_type: str, device: str) -> None:
    data = machine(ami_type, 80, "arn:key", {}, "pipeops-dev")
    assert data["BlockDeviceMappings"][0]["DeviceName"] == f"/dev/{device}"
    assert data["BlockDeviceMappings"][0]["Ebs"]["KmsKeyId"] == "arn:key"


@pytest.mark.parametrize("text", ['{"replicas": 2}', "replicas: 2\n"])
def test_configuration_is_read_however_it_was_written(text: str) -> None:
    assert configuration(text) == {"replicas": 2}
    assert configuration("") == {}
