# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups of EventBridge Scheduler: they carry the owner tags that schedules cannot carry, and go with all in them."""

from __future__ import annotations

from collections.abc import Mapping

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import Observed, Readiness, ResourceType, Scope, Traits, Wanted
from ..engine.waiting import wait_until

GROUP = ("scheduler_group", "schedules")


class SchedulerGroup(ResourceType):
    """A group of schedules.

    Attributes:
        name: unique in a region.

    Read only: ``arn``.
    """

    kind = "scheduler_group"
    label = "schedule group"
    service = "scheduler"
    deletion = Traits(seconds=5, reversible=True)

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = (self._look(aws, wanted) for wanted in scope.wanted.values())
        return [group for group in found if group]

    def _look(self, aws: Aws, wanted: Wanted) -> Observed | None:
        name = wanted.attributes["name"]
        group = _describe(aws, wanted.name, name)
        if group is None or group.status != "DELETING":
            return group
        # Its name is free only when it is gone.

        def check() -> tuple[bool | None, str]:
            left = _describe(aws, wanted.name, name)
            return (True, "") if left is None else (None, left.status)

        what = f"the removal of schedule group {name} in {aws.region}"
        wait_until(check, what, self.deletion.seconds, aws.patience, aws.progress)
        return None

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        name = wanted.attributes["name"]
        arn = aws.client("scheduler", once=True).create_schedule_group(Name=name, Tags=tag_list(wanted.tags or {}))
        attributes = {"name": name, "arn": arn["ScheduleGroupArn"]}
        return Observed(self.kind, wanted.name, name, attributes, wanted.tags or {}, "ACTIVE")

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("scheduler").tag_resource(ResourceArn=observed.get("arn"), Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("scheduler")
        try:
            client.delete_schedule_group(Name=observed.id)
        except client.exceptions.ResourceNotFoundException:
            return

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        return _describe(aws, observed.name, observed.id)

    def readiness(self, observed: Observed) -> Readiness:
        return Readiness.READY if observed.status == "ACTIVE" else Readiness.WAIT


def _describe(aws: Aws, logical: str, name: str) -> Observed | None:
    client = aws.client("scheduler")
    try:
        group = client.get_schedule_group(Name=name)
        tags = tag_dict(client.list_tags_for_resource(ResourceArn=group["Arn"])["Tags"])
    except client.exceptions.ResourceNotFoundException:
        return None
    return Observed(SchedulerGroup.kind, logical, name, {"name": name, "arn": group["Arn"]}, tags, group["State"])
