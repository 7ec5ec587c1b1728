# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what costs by the hour runs: the database, and the nodes of managed node groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..resources.eks_node_group_size import EksNodeGroupSize
from ..resources.rds_power import DOWN, RdsPower
from .hibernation_schedules import groups_of

DATABASE = ("rds_power", "database")


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return what is asked for; a removal is of nothing, since nothing is made here."""
    if params["state"] == "absent":
        return []
    return [*_database(params, context), *_groups(params, context)]


def _database(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    identifier = params["database_identifier"]
    attributes = {"identifier": identifier, "region": context.region, "power": params["power"]}
    return [Wanted(*DATABASE, attributes)] if identifier else []


def _groups(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    down, cluster = params["power"] == DOWN, params["cluster_name"] or context.identity.prefix
    found = []
    for zone, (name, minimum, maximum) in groups_of(params, context).items():
        # EKS takes no maximum of 0, so it stays.
        awake, asleep = {"minimum": minimum, "maximum": maximum}, {"minimum": 0, "maximum": None, "desired": 0}
        sizes = asleep if down else {**awake, "desired": None}
        where = {"cluster_name": cluster, "name": name, "region": context.region}
        found.append(Wanted("eks_node_group_size", zone, {**where, **sizes}))
    return found


def outputs(view: View, _params: Mapping[str, Any]) -> dict[str, Any]:
    """Return how things are."""
    return {
        "database": view.get(*DATABASE, "power"),
        "node_groups": {
            zone: {name: view.get("eks_node_group_size", zone, name) for name in ("name", "minimum", "maximum")}
            for zone in view.names("eks_node_group_size")
        },
    }


LAYER = Layer("power", (RdsPower(), EksNodeGroupSize()), build, outputs)
