# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EKS and EC2 know of a cluster that is to be upgraded. It only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.function import refusals_as
from ..resources.eks_offers import versions
from ..resources.eks_updates import describe_cluster
from .inside import Inside

#: How many insights, add-ons and node groups are read side by side.
READERS = 8


@dataclass(frozen=True)
class Facts:
    """A cluster, the version that it is to get, and what stands in it.

    Attributes:
        cluster: as DescribeCluster returns it.
        offered: the target as DescribeClusterVersions returns it; empty if EKS does not offer it.
        insights: those about the target, each as DescribeInsight returns it.
        addons: the version of each add-on, and the versions that run on the target, the newest first.
        groups: the Kubernetes version of each managed node group.
        free_addresses: those left in each subnet of the cluster.
        inside: what the API server tells; None if it was not asked.
    """

    cluster: Mapping[str, Any]
    target: str
    offered: Mapping[str, Any] = field(default_factory=dict)
    insights: Sequence[Mapping[str, Any]] = ()
    addons: Mapping[str, tuple[str, Sequence[str]]] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    free_addresses: Mapping[str, int] = field(default_factory=dict)
    inside: Inside | None = None

    @property
    def name(self) -> str:
        return str(self.cluster["name"])

    @property
    def version(self) -> str:
        """The version of its control plane."""
        return str(self.cluster["version"])


def read(aws: Aws, name: str, target: str, look_inside: Callable[[Mapping[str, Any]], Inside | None]) -> Facts:
    """Read all of it.

    Args:
        look_inside: asks the API server of the cluster that it is given.

    Raises:
        EngineError: if there is no such cluster, or AWS refuses to tell.
    """
    with refusals_as(f"The cluster {name} in {aws.region} could not be looked at"):
        cluster = describe_cluster(aws, name)
        if cluster is None:
            raise EngineError(
                f"There is no EKS cluster {name} in {aws.region}. Stand it up first, e.g. by playbooks/cluster.yml."
            )
        with ThreadPoolExecutor(READERS) as pool:
            told: dict[str, Future[Any]] = {
                "offered": pool.submit(_offered, aws, target),
                "insights": pool.submit(_insights, aws, name, target),
                "addons": pool.submit(_addons, aws, name, target),
                "groups": pool.submit(_groups, aws, name),
                "free_addresses": pool.submit(_addresses, aws, cluster["resourcesVpcConfig"]["subnetIds"]),
            }
            inside = look_inside(cluster)
            return Facts(cluster, target, inside=inside, **{part: one.result() for part, one in told.items()})


def _offered(aws: Aws, target: str) -> Mapping[str, Any]:
    client = aws.client("eks")
    try:
        found = client.describe_cluster_versions(clusterVersions=[target])["clusterVersions"]
    except (client.exceptions.InvalidParameterException, client.exceptions.ResourceNotFoundException):
        return {}
    return next((row for row in found if row["clusterVersion"] == target), {})


def _insights(aws: Aws, name: str, target: str) -> list[Mapping[str, Any]]:
    client = aws.client("eks")
    about = {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [target]}
    listed = aws.pages("eks", "list_insights", "insights", clusterName=name, filter=about)

    def described(row: Mapping[str, Any]) -> Mapping[str, Any]:
        if row["insightStatus"]["status"] == "PASSING":
            return row
        insight: Mapping[str, Any] = client.describe_insight(clusterName=name, id=row["id"])["insight"]
        return insight

    return [described(row) for row in listed]


def _addons(aws: Aws, name: str, target: str) -> dict[str, tuple[str, Sequence[str]]]:
    client = aws.client("eks")

    def look(addon: str) -> tuple[str, Sequence[str]]:
        standing = client.describe_addon(clusterName=name, addonName=addon)["addon"]
        return str(standing.get("addonVersion")), [row["version"] for row in versions(aws, addon, target)]

    return {addon: look(addon) for addon in aws.pages("eks", "list_addons", "addons", clusterName=name)}


def _groups(aws: Aws, name: str) -> dict[str, str]:
    client = aws.client("eks")
    names = aws.pages("eks", "list_nodegroups", "nodegroups", clusterName=name)
    found = [client.describe_nodegroup(clusterName=name, nodegroupName=group)["nodegroup"] for group in names]
    return {group["nodegroupName"]: str(group.get("version")) for group in found}


def _addresses(aws: Aws, subnet_ids: Sequence[str]) -> dict[str, int]:
    subnets = aws.pages("ec2", "describe_subnets", "Subnets", SubnetIds=list(subnet_ids))
    return {subnet["SubnetId"]: int(subnet["AvailableIpAddressCount"]) for subnet in subnets}
