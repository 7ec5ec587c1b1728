# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an environment sleeps: by the schedule that stands while it is hibernated, and by its database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..engine.aws import Aws
from ..layers.hibernation_schedules import AWAKE, HIBERNATED, MARKER, WAKING
from ..resources.rds_describe import describe as describe_instance
from ..resources.rds_power import STOPPED
from ..resources.scheduler_schedule import describe as describe_schedule


@dataclass(frozen=True)
class Sleep:
    """How an environment sleeps.

    Attributes:
        prefix: the start of its names.
        phase: ``hibernated``, ``waking`` or ``awake``, by its schedule.
        since: when it was hibernated, empty if it was not.
        database: the status of its DB instance, empty if there is none.
    """

    prefix: str
    phase: str = AWAKE
    since: str = ""
    database: str = ""

    @property
    def asleep(self) -> bool:
        """Whether it cannot be worked with until it is woken."""
        return self.phase != AWAKE or self.database in STOPPED

    @property
    def told(self) -> str:
        """How it sleeps, as a sentence; empty if it does not."""
        if self.phase == HIBERNATED:
            return f"{self.prefix} is hibernated, since {self.since}."
        if self.phase == WAKING:
            return f"{self.prefix} is being woken, or its waking was interrupted."
        return f"The database of {self.prefix} is {self.database}, by its schedule or by hand." if self.asleep else ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as the task's result shows it."""
        own = {"phase": self.phase, "since": self.since, "database": self.database}
        return {**own, "asleep": self.asleep, "told": self.told}


def look(aws: Aws, prefix: str, identifier: str) -> Sleep:
    """Ask AWS whether an environment sleeps, by the start of its names and the identifier of its DB instance."""
    marker, instance = describe_schedule(aws, prefix, MARKER), describe_instance(aws, identifier)
    database = str(instance["DBInstanceStatus"]) if instance else ""
    if marker is None:
        return Sleep(prefix, database=database)
    return Sleep(prefix, HIBERNATED if marker.get("enabled") else WAKING, marker.get("created_at"), database)
