# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of the EKS cluster: its control plane, its nodes, and the volumes of both nodes and pods."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .lines import AUTO_MODE, CONTROL_PLANE, NODES, VOLUMES, Counts, Line
from .money import CostError
from .sheet import Sheet

EC2, EKS, EBS = "AmazonEC2", "AmazonEKS", "AmazonEBS"
#: The volume of a node whose NodeClass does not say otherwise, in GiB (EKS user guide, "Create a Node Class").
NODE_VOLUME_GIB = 80


def lines(sheet: Sheet) -> Iterator[Line]:
    """Yield everything that the cluster costs."""
    yield sheet.line(CONTROL_PLANE, "EKS control plane", "clusters", (EKS, "control-plane:standard-support"), 1)
    if sheet.inventory.text("eks_support_type") == "EXTENDED":
        yield sheet.used(
            CONTROL_PLANE,
            "EKS extended support",
            "cluster hours",
            (EKS, "control-plane:extended-support-surcharge"),
            "extended_support_hours",
            note="begins when standard support of the version ends: 730 hours a month",
        )
    by_type = nodes(sheet)
    for instance_type, counts in by_type.items():
        yield sheet.line(NODES, f"EC2 {instance_type}", "nodes", (EC2, on_demand(instance_type)), counts)
        if sheet.inventory.text("eks_compute") == "managed_node_groups":
            continue
        fee = (EKS, f"auto-mode-fee:{instance_type}")
        yield sheet.line(AUTO_MODE, f"Auto Mode fee of {instance_type}", "nodes", fee, counts)
    if any(instance_type.startswith("t") for instance_type in by_type):
        yield sheet.used(
            NODES,
            "CPU credits of T nodes",
            "vCPU hours",
            (EC2, "cpu-credits:t3-unlimited"),
            "node_credit_vcpu_hours",
            note="surplus credits, when nodes are busier than their baseline for a day",
        )
    yield from _volumes(sheet)


def on_demand(instance_type: str) -> str:
    """Return the item of a node's price."""
    return f"ondemand:linux:{instance_type}"


def bounds(sheet: Sheet) -> Counts:
    """Return how many nodes there are.

    Raises:
        CostError: if the nodes of an ordinary month lie outside the bounds of the inventory.
    """
    least, most = (sheet.inventory.number(f"eks_node_{which}") or 0 for which in ("minimum", "maximum"))
    said = sheet.usage.get("nodes")
    desired = said.desired if said else Decimal(least)
    if not least <= desired <= most:
        raise CostError(
            f"cost_usage.nodes is {desired}: there are {least} to {most} nodes by eks_node_minimum and "
            "eks_node_maximum. Set a number in between."
        )
    return Counts(Decimal(least), desired, Decimal(most))


def nodes(sheet: Sheet) -> dict[str, Counts]:
    """Return the nodes by instance type.

    EKS starts the cheapest type that fits, so the fewest nodes and those of an ordinary month are of that. The most
    nodes are of the dearest type: an estimate of the most that can be spent has no use for luck.
    """
    types = sheet.inventory.texts("eks_node_instance_types")
    known = {one: sheet.each(EC2, on_demand(one)) for one in types}
    # A type without a price may be the cheapest or the dearest: then the order of the inventory decides.
    complete = all(price is not None for price in known.values())
    ordered = sorted(types, key=lambda one: known[one] or 0) if complete else types
    count = bounds(sheet)
    result: dict[str, Counts] = {}
    for one, few, most in (
        (ordered[0], (count.minimum, count.desired), Decimal(0)),
        (ordered[-1], (Decimal(0), Decimal(0)), count.maximum),
    ):
        earlier = result.get(one, Counts.same(0))
        result[one] = Counts(earlier.minimum + few[0], earlier.desired + few[1], earlier.maximum + most)
    return {one: counts for one, counts in result.items() if counts}


def volume_gib(sheet: Sheet) -> Decimal:
    """Return the size of a node's volume."""
    said = sheet.usage.get("node_volume_gib")
    return said.desired if said else Decimal(NODE_VOLUME_GIB)


def _volumes(sheet: Sheet) -> Iterator[Line]:
    size = volume_gib(sheet)
    storage = (EBS, "gp3:storage")
    gib = bounds(sheet).map(lambda count: count * size)
    yield sheet.line(VOLUMES, "Volumes of nodes", "GB", storage, gib, note=f"{size} GiB gp3 a node")
    yield sheet.used(VOLUMES, "Volumes of pods", "GB", storage, "pod_volume_gib", note="gp3")
    yield sheet.used(VOLUMES, "Snapshots of volumes", "GB", (EBS, "snapshot"), "volume_snapshot_gib")
