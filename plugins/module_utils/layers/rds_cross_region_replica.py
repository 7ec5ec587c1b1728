# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database of an environment as a replica of another environment's, and its promotion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Key, Observed, Wanted
from ..engine.values import is_pending
from ..resources.iam_role import IamRole
from ..resources.rds_cross_region_replica import KIND, REPLICA, RdsCrossRegionReplica, verdict_of
from ..resources.rds_parameter_group import RdsParameterGroup
from ..resources.rds_promotion import Order, foreseen
from ..resources.rds_replica import RdsReplicaSettings
from ..resources.rds_source import KIND as SOURCE
from ..resources.rds_source import REPLICA as OF_REPLICAS
from ..resources.rds_source import InstanceArn, RdsSource, arn_problems
from ..resources.rds_subnet_group import RdsSubnetGroup
from . import rds_rules
from ._rds_common import (
    LAYER_NAME,
    MONITORING,
    PRIMARY,
    SUBNETS,
    common_attributes,
    family_of,
    group_attributes,
    identifier_of,
    instance_settings,
    monitoring_role,
    parameter_group,
    primary_tags,
    subnet_group,
)

#: What every state but `promoted` needs; the rest only counts while there is a replica.
NEEDED = {
    "replicating": ("source_arn", "engine_version", "instance_class", "kms_key_arn"),
    "promoted": ("mode",),
    "absent": ("engine_version",),
}


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the wanted resources: for a promotion the instance and nothing else.

    Raises:
        PlanRefused: for options that cannot be, all of them at once.
    """
    refused = list(problems(params, context))
    if refused:
        raise PlanRefused(refused)
    if params["state"] == "promoted":
        return [_promoted(params, context)]
    wanted = [
        monitoring_role(context),
        subnet_group(params, context),
        parameter_group(params, context),
        _replica(params, context),
    ]
    return wanted if params["state"] == "absent" else [*wanted, _source(params, context), _settings(params, context)]


def problems(params: Mapping[str, Any], context: Context) -> Iterator[str]:
    """Yield a sentence for each thing about the options that cannot be."""
    state, identifier = params["state"], identifier_of(params, context)
    for name in NEEDED[state]:
        if not params[name]:
            yield f"{name} is not set, and state: {state} of {identifier} in {context.region} needs it. Set {name}."
    arn = params["source_arn"]
    if arn and not is_pending(arn):
        yield from arn_problems(arn, context.region)
    if state == "promoted" or not params["engine_version"]:
        return
    yield from rds_rules.problems({**params, "replicas": ()}, identifier)
    if state == "replicating" and not params["backup_retention_days"]:
        yield "backup_retention_days is 0, and what is promoted without backups cannot be replicated back. Set 1."


def _source(params: Mapping[str, Any], context: Context) -> Wanted:
    source = InstanceArn.parse(params["source_arn"])
    # A replica is of the account of its source.
    account = source.account if source else context.aws.account_id
    own = f"arn:{context.aws.partition}:rds:{context.region}:{account}:db:{identifier_of(params, context)}"
    asked = {"source_arn": params["source_arn"], "purpose": OF_REPLICAS, "follower_arn": own}
    return Wanted(SOURCE, PRIMARY, asked)


def _replica(params: Mapping[str, Any], context: Context) -> Wanted:
    identifier = identifier_of(params, context)
    attributes = {
        **common_attributes(params, params),
        "identifier": identifier,
        "role": REPLICA,
        "engine_version": params["engine_version"],
        "source": params["source_arn"],
        "kms_key_arn": params["kms_key_arn"],
        "storage_type": params["storage_type"],
        "subnet_group": identifier,
    }
    if params["state"] == "absent":
        after: tuple[Key, ...] = (("rds_subnet_group", SUBNETS), ("rds_parameter_group", family_of(params)))
    else:
        after = (("rds_subnet_group", SUBNETS), ("iam_role", MONITORING), (SOURCE, PRIMARY))
    return Wanted(KIND, PRIMARY, attributes, primary_tags(params, context, params["secret_arn"]), after)


def _settings(params: Mapping[str, Any], context: Context) -> Wanted:
    attributes = {
        **group_attributes(params, context),
        **instance_settings(params),
        "identifier": identifier_of(params, context),
    }
    after = ((KIND, PRIMARY), ("rds_parameter_group", family_of(params)))
    return Wanted("rds_replica_settings", PRIMARY, attributes, None, after)


def _promoted(params: Mapping[str, Any], context: Context) -> Wanted:
    values = {"BackupRetentionPeriod": params["backup_retention_days"]}
    if params["backup_window"]:
        values["PreferredBackupWindow"] = params["backup_window"]
    order = Order(params["mode"], params["evidence"], params["lag_limit_seconds"], params["source_arn"])
    attributes = {
        "identifier": identifier_of(params, context),
        "role": "primary",
        "promotion": {"order": asdict(order), "values": values, "settle": params["wait"], "region": context.region},
    }
    return Wanted(KIND, PRIMARY, attributes)


#: What is known of an instance that is still to be made, and what only AWS tells of one that stands.
FORESEEN = (
    "identifier",
    "arn",
    "endpoint",
    "port",
    "resource_id",
    "engine_version",
    "instance_class",
    "multi_az",
    "subnet_group",
    "kms_key_arn",
)
TOLD = ("role", "status", "lag_seconds", "replication", "parameter_group", "backup_retention_days", "secret_arn")


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the playbooks of a failover, applications and alarms need to know of the instance."""
    foreseen_values = {name: view.get(KIND, PRIMARY, name) for name in FORESEEN}
    told = {name: view.told(KIND, PRIMARY, name) for name in TOLD}
    promoted = params["state"] == "promoted"
    return {**foreseen_values, **told, "source_arn": None if promoted else params["source_arn"]}


def report(params: Mapping[str, Any], before: Mapping[Key, Observed], after: Mapping[Key, Observed]) -> dict[str, Any]:
    """Return how the promotion went, or in a dry run how it would begin; None if there was nothing to promote."""
    standing, left = before.get((KIND, PRIMARY)), after.get((KIND, PRIMARY))
    if params["state"] != "promoted":
        return {}
    if standing is None or not standing.get("source"):
        return {"promotion": None}
    done = left.get("promoted") if left else None
    order = Order(params["mode"], params["evidence"], params["lag_limit_seconds"], params["source_arn"])
    attributes = {"identifier": standing.id, "promotion": {"order": asdict(order), "region": ""}}
    verdict = verdict_of(standing, order, Wanted(KIND, PRIMARY, attributes))
    return {"promotion": done or foreseen(order, standing.get("lag_seconds"), verdict)}


LAYER = Layer(
    LAYER_NAME,
    (
        RdsSource(),
        IamRole(),
        RdsSubnetGroup(),
        RdsParameterGroup(),
        RdsCrossRegionReplica(),
        RdsReplicaSettings(),
    ),
    build,
    outputs,
    report=report,
)
