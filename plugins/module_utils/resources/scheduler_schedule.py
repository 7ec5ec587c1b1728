# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedules of EventBridge Scheduler that make one AWS call by themselves, in a group of the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, error_message
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from .scheduler_group import GROUP

SETTABLE = ("description", "expression", "timezone", "enabled", "target_arn", "input", "role_arn", "retries")


class SchedulerSchedule(ResourceType):
    """A schedule. The group is the environment's alone, so whatever is in it and not wanted goes.

    Attributes:
        name: unique in its group.
        group: the name of the group.
        description: for people.
        expression: ``rate(...)`` or ``cron(...)``.
        timezone: the name of the zone that a cron expression is read in.
        enabled: False for one that does nothing for now.
        target_arn: which call it makes, e.g. ``arn:aws:scheduler:::aws-sdk:rds:stopDBInstance``.
        input: the parameters of the call, spelt as the SDK for Java does, with a capital first.
        role_arn: in whose name.
        retries: how often a call that failed is repeated, within an hour.

    Read only: ``arn``.
    """

    kind = "scheduler_schedule"
    label = "schedule"
    service = "scheduler"
    deletion = Traits(reversible=True)
    updates = (Update("definition", SETTABLE),)
    fixed: ClassVar[Mapping[str, str]] = dict.fromkeys(("name", "group"), "Another name is another schedule.")
    prune = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        group, client = scope.layer_wanted[GROUP].attributes["name"], aws.client("scheduler")
        try:
            listed = aws.pages("scheduler", "list_schedules", "Schedules", GroupName=group)
        except client.exceptions.ResourceNotFoundException:
            return []
        found = (describe(aws, group, one["Name"]) for one in listed)
        return [schedule for schedule in found if schedule]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        answer = aws.client("scheduler", once=True).create_schedule(**_definition(wanted))
        attributes = {**wanted.attributes, "arn": answer["ScheduleArn"]}
        return Observed(self.kind, wanted.name, wanted.attributes["name"], attributes)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        aws.client("scheduler").update_schedule(**_definition(wanted))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("scheduler")
        try:
            client.delete_schedule(GroupName=observed.get("group"), Name=observed.id)
        except client.exceptions.ResourceNotFoundException:
            return

    def transient(self, error: Exception) -> str:
        text = error_message(error).lower()
        if error_code(error) == "ValidationException" and "execution role" in text and "assume" in text:
            return "the new role is not known everywhere yet"
        return ""


def describe(aws: Aws, group: str, name: str) -> Observed | None:
    """Return a schedule, None if there is none of that name, or no such group."""
    client = aws.client("scheduler")
    try:
        found = client.get_schedule(GroupName=group, Name=name)
    except client.exceptions.ResourceNotFoundException:
        return None
    target = found["Target"]
    attributes = {
        "name": name,
        "group": group,
        "description": found.get("Description") or "",
        "expression": found["ScheduleExpression"],
        "timezone": found.get("ScheduleExpressionTimezone") or "UTC",
        "enabled": found["State"] == "ENABLED",
        "target_arn": target["Arn"],
        "input": json.loads(target.get("Input") or "{}"),
        "role_arn": target["RoleArn"],
        "retries": target.get("RetryPolicy", {}).get("MaximumRetryAttempts"),
        "arn": found["Arn"],
        "created_at": found["CreationDate"].isoformat(timespec="seconds"),
    }
    return Observed(SchedulerSchedule.kind, name, name, attributes, status=found["State"])


def _definition(wanted: Wanted) -> dict[str, Any]:
    """Return the parameters of both calls: UpdateSchedule forgets what it is not told."""
    attributes = wanted.attributes
    return {
        "Name": attributes["name"],
        "GroupName": attributes["group"],
        "Description": attributes["description"],
        "ScheduleExpression": attributes["expression"],
        "ScheduleExpressionTimezone": attributes["timezone"],
        "State": "ENABLED" if attributes["enabled"] else "DISABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": attributes["target_arn"],
            "RoleArn": attributes["role_arn"],
            "Input": json.dumps(attributes["input"], sort_keys=True),
            # What an evening could not do must not be done in the middle of the next day.
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": attributes["retries"]},
        },
    }
