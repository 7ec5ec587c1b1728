# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many nodes a managed node group has. All else of a group is a matter of :mod:`.eks_node_group`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..engine.aws import Aws
from ..engine.model import Key, Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from . import eks_parts
from .eks_parts import Part

#: Nodes are drained before they go, for a quarter of an hour at the most (EKS user guide, "managed-node-groups").
CHANGE = 120.0


class EksNodeGroupSize(ResourceType):
    """The size of a node group.

    Attributes:
        cluster_name, name, region: which group.
        minimum, maximum: its bounds; None for untouched.
        desired: how many nodes there are now; None to leave that to its autoscaler, within the bounds.
    """

    kind = "eks_node_group_size"
    label = "node group"
    service = "eks"
    slow = True
    removable = False
    creation = Traits(seconds=CHANGE)
    updates = (Update("size", ("minimum", "maximum", "desired"), Traits(CHANGE, "pods on nodes that go")),)
    create_only = frozenset({"region"})
    remembered = frozenset({"update_id"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = ((one.name, _describe(aws, one.attributes)) for one in scope.wanted.values())
        return [_observed(name, aws.region, group) for name, group in found if group]

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed:
        where = wanted.attributes
        what = f"node group {where['name']} of {where['cluster_name']}"
        eks_parts.await_idle(aws, what, CHANGE, lambda: _describe(aws, where))
        low = where["minimum"]
        high = observed.get("maximum") if where["maximum"] is None else where["maximum"]
        now = observed.get("desired") if where["desired"] is None else where["desired"]
        answer = aws.client("eks").update_nodegroup_config(
            clusterName=where["cluster_name"],
            nodegroupName=where["name"],
            scalingConfig={"minSize": low, "maxSize": high, "desiredSize": min(max(now, low), high)},
        )
        return replace(
            observed, status="UPDATING", attributes={**observed.attributes, "update_id": answer["update"]["id"]}
        )

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        group = _describe(aws, observed.attributes)
        if group is None:
            return None
        now = _observed(observed.name, aws.region, group)
        return eks_parts.with_update(aws, observed, now, observed.get("cluster_name"), nodegroupName=observed.id)

    def readiness(self, observed: Observed) -> Readiness:
        if observed.status in ("ACTIVE", "DEGRADED"):
            return Readiness.READY
        return Readiness.WAIT if observed.status in eks_parts.BUSY else Readiness.FAILED

    def transient(self, error: Exception) -> str:
        return eks_parts.passes(error)

    def objections(self, wanted: Wanted, observed: Mapping[Key, Observed]) -> Sequence[str]:
        if wanted.key in observed:
            return ()
        where = wanted.attributes
        return [
            f"There is no node group {where['name']} of the cluster {where['cluster_name']} in {where['region']}. Run "
            "site.yml for its environment."
        ]


def _describe(aws: Aws, where: Mapping[str, str]) -> Part | None:
    client = aws.client("eks")
    try:
        group: Part = client.describe_nodegroup(clusterName=where["cluster_name"], nodegroupName=where["name"])[
            "nodegroup"
        ]
    except client.exceptions.ResourceNotFoundException:
        return None
    return group


def _observed(logical: str, region: str, group: Part) -> Observed:
    sizes = group["scalingConfig"]
    attributes = {
        "cluster_name": group["clusterName"],
        "name": group["nodegroupName"],
        "region": region,
        "minimum": sizes["minSize"],
        "maximum": sizes["maxSize"],
        "desired": sizes["desiredSize"],
        "failure": eks_parts.failure(group, {}),
    }
    return Observed(EksNodeGroupSize.kind, logical, group["nodegroupName"], attributes, status=group["status"])
