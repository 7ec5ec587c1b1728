# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A database restored beside what stands: to look into it, or to go on with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Key, Wanted
from ..resources.iam_role import IamRole
from ..resources.rds_parameter_group import RdsParameterGroup
from ..resources.rds_restore import AT_RESTORE, TAG_ORIGIN, Origin, RdsRestore, RdsRestoredSettings
from ..resources.rds_subnet_group import RdsSubnetGroup
from . import rds_rules
from ._rds_common import LAYER_NAME as DATABASE
from ._rds_common import (
    SUBNETS,
    common_attributes,
    family_of,
    group_attributes,
    identifier_of,
    instance_settings,
    monitoring_role,
    parameter_group,
    parameter_group_name,
    subnet_group,
)

LAYER_NAME = "restore"
ORIGINS = ("source", "automated_backup_arn", "snapshot")


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the wanted instance with its groups.

    Raises:
        PlanRefused: for options that cannot be, all of them at once.
    """
    refused = list(problems(params, context))
    if refused:
        raise PlanRefused(refused)
    wanted = [subnet_group(params, context), parameter_group(params, context), _instance(params, context)]
    if params["state"] == "absent":
        return wanted
    return [*_monitoring(params, context), *wanted, _settings(params, context)]


def _monitoring(params: Mapping[str, Any], context: Context) -> list[Wanted]:
    """Return the monitoring role of the environment's database, which need not stand where backups are restored.

    It is tagged as the database's own, so that both layers want the same; and it is never removed with a restore.
    """
    if params["monitoring_role_arn"] or not params["monitoring_interval_seconds"]:
        return []
    return [monitoring_role(replace(context, layer=DATABASE))]


def problems(params: Mapping[str, Any], context: Context) -> Iterator[str]:
    """Yield a sentence for each thing about the options that cannot be."""
    identifier = identifier_of(params, context)
    if identifier == context.identity.prefix:
        yield (
            f"identifier is {identifier}, which is that of the environment's own database in {context.region}. A "
            "restore makes an instance beside it: choose another identifier."
        )
    if not params["engine_version"]:
        yield f"engine_version is not set, and the parameter group of {identifier} needs it. Set it, e.g. '17.6'."
        return
    yield from rds_rules.problems({**params, "replicas": ()}, identifier)
    if params["state"] == "absent":
        return
    if not params["instance_class"]:
        yield f"instance_class is not set, and {identifier} would get that of what is restored. Set it."
    given = [name for name in ORIGINS if params[name]]
    if len(given) != 1:
        yield (
            f"{' and '.join(given) or 'None of ' + ', '.join(ORIGINS)} is set. Set exactly one of source, "
            f"automated_backup_arn and snapshot to say what {identifier} is restored from."
        )
    if params["restore_time"] and moment(params["restore_time"]) is None:
        yield f"restore_time is {params['restore_time']!r}. Give it with its zone, e.g. 2026-11-25T13:15:00Z."
    if params["restore_time"] and params["snapshot"]:
        yield "restore_time is set, but a snapshot is of one moment only. Leave it out, or restore from a source."
    if params["source"] and params["source"].lower() == identifier:
        yield f"source is {identifier} itself. A restore makes a new instance: choose another identifier."


def moment(text: str) -> str | None:
    """Return a moment as ISO 8601 in UTC, to the second; None if it is none, or has no zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at.tzinfo else None


def origin_of(params: Mapping[str, Any]) -> Origin:
    """Return what is restored."""
    return Origin(
        (params["source"] or "").lower(),
        params["automated_backup_arn"] or "",
        params["snapshot"] or "",
        moment(params["restore_time"] or "") or "",
    )


def _attributes(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that the restored instance shall be like."""
    common = common_attributes({**params, "kms_key_arn": params["performance_insights_key_arn"]}, params)
    if params["monitoring_role_arn"] and params["monitoring_interval_seconds"]:
        common["monitoring_role_arn"] = params["monitoring_role_arn"]
    return {**common, **instance_settings(params)}


def _instance(params: Mapping[str, Any], context: Context) -> Wanted:
    identifier, origin, removal = identifier_of(params, context), origin_of(params), params["state"] == "absent"
    wanted = {
        **_attributes(params),
        "storage_type": params["storage_type"],
        "parameter_group": parameter_group_name(params, context),
    }
    attributes = {
        **{name: wanted[name] for name in AT_RESTORE if name in wanted},
        "identifier": identifier,
        "restored_from": None if removal else origin.tag,
        "subnet_group": identifier,
        "origin": asdict(origin),
        "final_snapshot": params["final_snapshot"],
        "removal": removal,
    }
    tags = {**context.tags(identifier, Name=identifier), TAG_ORIGIN: origin.tag}
    after: tuple[Key, ...] = (("rds_subnet_group", SUBNETS), ("rds_parameter_group", family_of(params)))
    return Wanted("rds_restore", identifier, attributes, tags, after)


def _settings(params: Mapping[str, Any], context: Context) -> Wanted:
    identifier = identifier_of(params, context)
    attributes = {
        **_attributes(params),
        **group_attributes(params, context),
        "identifier": identifier,
    }
    after = (("rds_restore", identifier), ("rds_parameter_group", family_of(params)))
    return Wanted("rds_restored_settings", identifier, attributes, None, after)


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a verification of the restored data needs to know."""
    (name,) = view.names("rds_restore")
    known = ("identifier", "arn", "endpoint", "port", "resource_id")
    told = ("status", "engine_version", "database_name", "master_username", "kms_key_arn", "multi_az", "restored_from")
    return {
        **{attribute: view.get("rds_restore", name, attribute) for attribute in known},
        **{attribute: view.told("rds_restore", name, attribute) for attribute in told},
        "parameter_group": view.get("rds_parameter_group", family_of(params), "name"),
    }


LAYER = Layer(
    LAYER_NAME, (IamRole(), RdsSubnetGroup(), RdsParameterGroup(), RdsRestore(), RdsRestoredSettings()), build, outputs
)
