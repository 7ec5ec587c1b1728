# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EventBridge Scheduler does for an environment that sleeps, or sleeps at set times, by itself.

The schedule ``hibernation`` is also how an environment is known to be hibernated: it is there from the first step of
playbooks/hibernate.yml to the last one of playbooks/wake.yml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..engine.values import Ref
from ..resources.iam_role import IamRole
from ..resources.policies import document, service_trust
from ..resources.scheduler_group import GROUP, SchedulerGroup
from ..resources.scheduler_schedule import SchedulerSchedule
from ._eks_nodes import group_name, share

ROLE = Ref("iam_role", "scheduler", "arn")
#: The schedule by which a hibernated environment is known.
MARKER = "hibernation"
AWAKE, WAKING, HIBERNATED = "awake", "waking", "hibernated"
#: AWS starts a stopped instance after seven days (RDS user guide); within an hour it is stopped again.
GUARD = "cron(0 * * * ? *)"
CRON = re.compile(r"cron\((?P<fields>[^()]+)\)")
FIELD = re.compile(r"[0-9A-Za-z*?,/#LW-]+")
STOP, START, RESIZE = "rds:stopDBInstance", "rds:startDBInstance", "eks:updateNodegroupConfig"
ACTIONS = {STOP: "rds:StopDBInstance", START: "rds:StartDBInstance", RESIZE: "eks:UpdateNodegroupConfig"}


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the group, the role and the schedules that the options ask for.

    Raises:
        PlanRefused: with every reason why that cannot be.
    """
    reasons = list(_problems(params)) if params["state"] == "present" else []
    if reasons:
        raise PlanRefused(reasons)
    schedules = list(_schedules(params, context))
    return [
        Wanted(*GROUP, {"name": context.identity.prefix}, context.tags(GROUP[1])),
        _role(params, context, {item.attributes["target_arn"].rpartition("aws-sdk:")[2] for item in schedules}),
        *schedules,
    ]


def _problems(params: Mapping[str, Any]) -> Iterator[str]:
    if bool(params["evening"]) is not bool(params["morning"]):
        there, missing = ("evening", "morning") if params["evening"] else ("morning", "evening")
        yield f"{there} is {params[there]!r}, but {missing} is not set. Set both, or none."
    for name in ("evening", "morning"):
        if params[name] and not is_cron(params[name]):
            yield (
                f"{name} is {params[name]!r}, which is no cron expression of EventBridge Scheduler. Write minute, "
                "hour, day of the month, month, day of the week and year, one of the two days as ?, e.g. "
                "cron(0 20 ? * MON-FRI *)."
            )


def is_cron(expression: str) -> bool:
    """Tell whether a text has the form of a cron expression of EventBridge Scheduler; AWS knows further rules."""
    found = CRON.fullmatch(expression)
    fields = found["fields"].split() if found else []
    return len(fields) == 6 and all(map(FIELD.fullmatch, fields)) and "?" in (fields[2], fields[4])


def groups_of(params: Mapping[str, Any], context: Context) -> dict[str, tuple[str, int, int]]:
    """Return name, minimum and maximum of each zone's node group; none where EKS runs the nodes."""
    if not params["managed_node_groups"]:
        return {}
    cluster = params["cluster_name"] or context.identity.prefix
    bounds = share(params["node_minimum"], params["node_maximum"], params["zones"])
    return {zone: (group_name(cluster, zone, params["node_revision"]), *both) for zone, both in bounds.items()}


def _schedules(params: Mapping[str, Any], context: Context) -> Iterator[Wanted]:
    database = {"DbInstanceIdentifier": params["database_identifier"]}
    # Who hibernates an environment by hand wakes it by hand: no morning starts half of it.
    by_clock = params["phase"] == AWAKE
    if params["phase"] != AWAKE:
        about = "The environment is hibernated. Stops its database again, which AWS starts after seven days"
        enabled = params["phase"] == HIBERNATED
        yield _schedule(context, MARKER, STOP, database, GUARD, "UTC", about, enabled=enabled, retries=0)
    for when, target in (("evening", STOP), ("morning", START)):
        if not params[when]:
            continue
        expression, zone = params[when], params["timezone"]
        about = f"{'Stops' if target == STOP else 'Starts'} the database"
        yield _schedule(context, when, target, database, expression, zone, about, enabled=by_clock)
        for place, sizes in groups_of(params, context).items():
            size = _size(params, context, *sizes, awake=when == "morning")
            about = f"{'Ends' if target == STOP else 'Brings back'} the nodes in {place}"
            yield _schedule(context, f"{when}-{place}", RESIZE, size, expression, zone, about, enabled=by_clock)


def _size(
    params: Mapping[str, Any], context: Context, name: str, minimum: int, maximum: int, *, awake: bool
) -> dict[str, Any]:
    low = minimum if awake else 0
    return {
        "ClusterName": params["cluster_name"] or context.identity.prefix,
        "NodegroupName": name,
        "ScalingConfig": {"MinSize": low, "MaxSize": maximum, "DesiredSize": low},
    }


def _schedule(
    context: Context,
    name: str,
    target: str,
    call: Mapping[str, Any],
    expression: str,
    timezone: str,
    about: str,
    *,
    enabled: bool,
    retries: int = 10,
) -> Wanted:
    attributes = {
        "name": name,
        "group": Ref(*GROUP, "name"),
        "description": about,
        "expression": expression,
        "timezone": timezone,
        "enabled": enabled,
        "target_arn": f"arn:{context.aws.partition}:scheduler:::aws-sdk:{target}",
        "input": dict(call),
        "role_arn": ROLE,
        "retries": retries,
    }
    return Wanted("scheduler_schedule", name, attributes)


def _role(params: Mapping[str, Any], context: Context, targets: set[str]) -> Wanted:
    """Return the role of all schedules, which may make exactly their calls. A stop is always among them."""
    name = context.identity.name("scheduler")
    group = context.arn("scheduler", f"schedule-group/{context.identity.prefix}")
    ours = {"aws:SourceAccount": context.aws.account_id, "aws:SourceArn": group}
    database = context.arn("rds", f"db:{params['database_identifier']}")
    cluster = params["cluster_name"] or context.identity.prefix
    groups = [context.arn("eks", f"nodegroup/{cluster}/{one[0]}/*") for one in groups_of(params, context).values()]
    statements = [_allow(sorted(ACTIONS[one] for one in {STOP, *targets} - {RESIZE}), [database])]
    statements += [_allow([ACTIONS[RESIZE]], groups)] if RESIZE in targets else []
    attributes = {
        "name": name,
        "description": f"Schedules of {context.identity.prefix} that stop and start it",
        "trust": service_trust("scheduler.amazonaws.com", StringEquals=ours),
        "managed_policies": [],
        "inline_policies": {"calls": document(*statements)},
    }
    return Wanted(ROLE.kind, ROLE.name, attributes, context.tags(ROLE.name))


def _allow(actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def outputs(view: View, _params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what there is."""
    return {
        "group": view.get(*GROUP, "name"),
        "role_arn": view.get(ROLE.kind, ROLE.name, "arn"),
        "schedules": {
            name: {
                "expression": view.get("scheduler_schedule", name, "expression"),
                "timezone": view.get("scheduler_schedule", name, "timezone"),
                "enabled": view.get("scheduler_schedule", name, "enabled"),
            }
            for name in view.names("scheduler_schedule")
        },
    }


LAYER = Layer("hibernation", (SchedulerGroup(), IamRole(), SchedulerSchedule()), build, outputs)
