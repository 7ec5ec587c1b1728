"""Schedules that are due make their call, at the model time at which they are due, before anybody looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from moto.core.exceptions import ServiceException
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.scheduler.models import Schedule, scheduler_backends

from ..iam import role_is_assumable
from . import expressions
from .targets import TARGETS, Target, may

UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
SERVICE = "scheduler.amazonaws.com"


@dataclass(frozen=True)
class Fired:
    """A call that a schedule made.

    Attributes:
        at: the model time.
        error: AWS's code, empty if it was carried out.
    """

    at: float
    region: str
    service: str
    operation: str
    role_arn: str
    error: str


def plan(schedule: Schedule, now: float) -> None:
    """Note when a schedule is due next; it was made, changed or fired at ``now``."""
    due = expressions.parse(schedule.schedule_expression, ZoneInfo(schedule.schedule_expression_timezone))
    schedule.due = due(now)  # type: ignore[attr-defined]


def settle(account: str, now: float) -> Iterator[Fired]:
    """Fire what is due until ``now``, in its order, and yield each call."""
    while waiting := [(one.due, one.arn, one) for one in _enabled(account) if one.due is not None and one.due <= now]:
        at, _arn, schedule = min(waiting)
        fired = _fire(account, schedule, at)
        plan(schedule, at)
        if fired:
            yield fired


def _enabled(account: str) -> Iterator[Any]:
    if account not in scheduler_backends:
        return
    for backend in list(scheduler_backends[account].values()):
        for group in backend.schedule_groups.values():
            yield from (one for one in group.schedules.values() if one.state == "ENABLED" and hasattr(one, "due"))


def _fire(account: str, schedule: Schedule, at: float) -> Fired | None:
    target = TARGETS.get(schedule.target["Arn"].removeprefix(UNIVERSAL))
    if target is None:
        # A queue, a function: there is nothing behind it here.
        return None
    region, role = schedule.arn.split(":")[3], schedule.target["RoleArn"]
    error = _carry_out(account, region, schedule, target, at)
    return Fired(at, region, target.service, target.operation, role, error)


def _carry_out(account: str, region: str, schedule: Schedule, target: Target, at: float) -> str:
    """Make the call, and return the code of AWS's refusal. Repetitions of what failed are not played."""
    role_arn = schedule.target["RoleArn"]
    try:
        role = iam_backends[account]["aws"].get_role_by_arn(role_arn)
        parameters = target.parameters(json.loads(schedule.target.get("Input") or "{}"))
        resource = target.resource(account, region, parameters)
        action = f"{target.service}:{target.operation}"
        if not role_is_assumable(account, role_arn, SERVICE) or not may(role, action, resource):
            return "AccessDenied"
        target.call(account, region, parameters, at)
    except NotFoundException:
        return "AccessDenied"
    except ServiceException as refusal:
        return str(refusal.code)
    return ""
