"""What AWS knows of a cluster that its nodes depend on: subnets, roles that may join, node groups, built-in pools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeops_sandbox.overlays.eks import network
from pipeops_sandbox.overlays.eks.managed_entries import POLICY_ARN_PREFIX
from pipeops_sandbox.overlays.eks.state import Cluster
from pipeops_sandbox.overlays.eks.version_catalogue import versions

AUTO_NODE_POLICY = POLICY_ARN_PREFIX + "AmazonEKSAutoNodePolicy"


@dataclass(frozen=True)
class Subnet:
    """A subnet of the account."""

    id: str
    zone: str
    zone_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Facts:
    """A cluster at one moment.

    Attributes:
        version: the full one of its nodes, e.g. ``1.36.3``.
        subnets: of its VPC, by their id; ``own`` are those that the cluster itself is in.
        joining: names of the roles whose Auto Mode nodes are let in.
        nodegroups: the documents of the managed node groups that have nodes.
    """

    name: str
    region: str
    account: str
    version: str
    auto_mode: bool
    built_in: tuple[str, ...]
    node_role: str
    subnets: dict[str, Subnet]
    own: tuple[str, ...]
    joining: frozenset[str]
    nodegroups: tuple[dict[str, Any], ...] = field(default=())


def facts_of(cluster: Cluster, now: float) -> Facts:
    """Return what is known of a cluster. The caller holds the lock."""
    document = cluster.document
    compute, vpc = document["computeConfig"], document["resourcesVpcConfig"]
    return Facts(
        name=cluster.name,
        region=cluster.region,
        account=cluster.account,
        version=str(versions()[document["version"]]["patch"]),
        auto_mode=cluster.auto_mode,
        built_in=tuple(compute.get("nodePools") or ()),
        node_role=str(compute.get("nodeRoleArn") or "").rpartition("/")[2],
        subnets={one.id: one for one in _subnets(cluster, vpc["vpcId"])},
        own=tuple(vpc["subnetIds"]),
        joining=frozenset(_joining(cluster)),
        nodegroups=tuple(_nodegroups(cluster, now)),
    )


def _subnets(cluster: Cluster, vpc_id: str) -> Iterator[Subnet]:
    for zone in network.backend(cluster.account, cluster.region).subnets.values():
        for subnet in zone.values():
            if subnet.vpc_id == vpc_id:
                tags = {tag["key"]: tag["value"] for tag in subnet.get_tags()}
                yield Subnet(subnet.id, subnet.availability_zone, str(subnet.availability_zone_id), tags)


def _joining(cluster: Cluster) -> Iterator[str]:
    for arn, entry in cluster.entries.items():
        if entry.document["type"] == "EC2" and AUTO_NODE_POLICY in entry.policies:
            yield arn.rpartition("/")[2]


def _nodegroups(cluster: Cluster, now: float) -> Iterator[dict[str, Any]]:
    for part in cluster.nodegroups.values():
        if part.deletion is None and part.timeline.settled(now) and not part.issues:
            yield part.document
