"""The operations of Scheduler, with AWS's refusals."""

from __future__ import annotations

import json
import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from moto.scheduler.exceptions import ScheduleGroupNotFound
from moto.scheduler.models import Schedule
from moto.scheduler.responses import EventBridgeSchedulerResponse

from ...errors import AwsError
from ...overlay import install
from ...runtime import runtime
from ..iam import role_is_assumable
from . import expressions
from .firing import SERVICE, UNIVERSAL, plan
from .targets import TARGETS

# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
_NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")
READS = ("get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "batchget")
"""Beginnings of API actions that no universal target may be (user guide, "Using universal targets")."""


class Scheduler(EventBridgeSchedulerResponse):
    """moto's Scheduler, which takes anything and does nothing."""

    def create_schedule(self) -> str:
        """Make a schedule, and note when it is due."""
        name = self.uri.split("/")[-1]
        group = self._get_param("GroupName") or "default"
        _check_name(name)
        self._require_group(group)
        self._check()
        answer = super().create_schedule()
        plan(self._schedule(group, name), runtime.clock.now())
        return answer

    def update_schedule(self) -> str:
        """Change a schedule, which may be due at another time then."""
        name = self.uri.split("?")[0].split("/")[-1]
        group = self._get_param("GroupName") or "default"
        self._require_group(group)
        schedule = self._schedule(group, name)
        self._check()
        answer = super().update_schedule()
        # moto forgets that a state that is not given is ENABLED.
        schedule.state = schedule.state or "ENABLED"
        plan(schedule, runtime.clock.now())
        return answer

    def list_schedules(self) -> str:
        """List schedules; those of a group that is not there are an error."""
        group = self.querystring.get("ScheduleGroup", [None])[0]
        if group:
            self._require_group(group)
        return super().list_schedules()

    def create_schedule_group(self) -> str:
        """Make a group, whose name must be free."""
        name = self.uri.split("?")[0].split("/")[-1]
        _check_name(name)
        if name in self.scheduler_backend.schedule_groups:
            raise AwsError("ConflictException", f"Schedule group {name} already exists.")
        # moto's tagger takes no missing list.
        group = self.scheduler_backend.create_schedule_group(name=name, tags=self._get_param("Tags") or [])
        return json.dumps({"ScheduleGroupArn": group.arn})

    def delete_schedule_group(self) -> str:
        """Delete a group with the schedules in it."""
        name = self.uri.split("?")[0].split("/")[-1]
        if name == "default":
            raise AwsError("ValidationException", "The default schedule group cannot be deleted.")
        self._require_group(name)
        return super().delete_schedule_group()

    def _schedule(self, group: str, name: str) -> Schedule:
        return self.scheduler_backend.get_schedule(group, name)

    def _require_group(self, name: str) -> None:
        if name not in self.scheduler_backend.schedule_groups:
            raise ScheduleGroupNotFound(name)

    def _check(self) -> None:
        """Refuse an expression, a zone, a role or a target that Scheduler would not take.

        Raises:
            AwsError: ValidationException.
        """
        _check_expression(
            self._get_param("ScheduleExpression") or "", self._get_param("ScheduleExpressionTimezone") or "UTC"
        )
        target: dict[str, Any] = self._get_param("Target") or {}
        _check_target(target)
        if not role_is_assumable(self.current_account, str(target.get("RoleArn")), SERVICE):
            text = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            raise AwsError("ValidationException", text)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        text = f"Value '{name}' at 'name' failed to satisfy constraint: Member must match ^[0-9a-zA-Z-_.]+$, up to 64."
        raise AwsError("ValidationException", text)


def _check_expression(expression: str, zone: str) -> None:
    try:
        expressions.parse(expression, ZoneInfo(zone))
    except expressions.Unclear as error:
        raise AwsError("ValidationException", f"Invalid Schedule Expression {expression}.") from error
    except expressions.NotHere as error:
        raise AwsError("NotEmulated", f"not emulated: {error} in {expression}") from error
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise AwsError("ValidationException", f"Invalid ScheduleExpressionTimezone {zone}.") from error


def _check_target(target: dict[str, Any]) -> None:
    arn = str(target.get("Arn"))
    if not arn.startswith(UNIVERSAL):
        return
    call = arn.removeprefix(UNIVERSAL)
    service, _colon, action = call.partition(":")
    if not (service and action) or action.lower().startswith(READS):
        raise AwsError("ValidationException", f"The target {arn} is not supported: {action or call} is no write.")
    if call not in TARGETS:
        raise AwsError("NotEmulated", f"not emulated: a schedule that calls {call}")
    try:
        given = json.loads(target.get("Input") or "")
    except ValueError as error:
        raise AwsError("ValidationException", "Invalid Input: a universal target takes JSON.") from error
    TARGETS[call].parameters(given)


def register() -> None:
    """Put this overlay in front of moto's Scheduler."""
    install("scheduler", Scheduler)
