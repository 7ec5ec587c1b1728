# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backup and maintenance windows of RDS: minutes of a day and of a week, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY, WEEK = 24 * 60, 7 * 24 * 60
#: Minutes that either window has at least.
SHORTEST = 30
_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_DAY = f"({'|'.join(DAYS)})"


@dataclass(frozen=True)
class _Window:
    """A stretch of time that comes back.

    Attributes:
        start: minutes after the start of the day or week.
        minutes: its length.
    """

    start: int
    minutes: int

    def length_fault(self) -> str:
        """Return why its length cannot be, or an empty text."""
        return f"it lasts {self.minutes} min, and RDS wants {SHORTEST} or more" if self.minutes < SHORTEST else ""


class BackupWindow(_Window):
    """Every day; may pass midnight."""

    @classmethod
    def parse(cls, text: str) -> BackupWindow | None:
        """Read ``hh24:mi-hh24:mi``, or return None."""
        found = re.fullmatch(f"{_CLOCK}-{_CLOCK}", text)
        if not found:
            return None
        hour, minute, to_hour, to_minute = map(int, found.groups())
        start = hour * 60 + minute
        return cls(start, (to_hour * 60 + to_minute - start) % DAY)


class MaintenanceWindow(_Window):
    """Once a week; may pass the night from Sunday to Monday."""

    @classmethod
    def parse(cls, text: str) -> MaintenanceWindow | None:
        """Read ``ddd:hh24:mi-ddd:hh24:mi``, or return None."""
        found = re.fullmatch(f"{_DAY}:{_CLOCK}-{_DAY}:{_CLOCK}", text.lower())
        if not found:
            return None
        start = DAYS.index(found[1]) * DAY + int(found[2]) * 60 + int(found[3])
        end = DAYS.index(found[4]) * DAY + int(found[5]) * 60 + int(found[6])
        return cls(start, (end - start) % WEEK)

    def length_fault(self) -> str:
        """Return why its length cannot be, or an empty text."""
        too_long = f"it lasts {self.minutes} min, and RDS takes a day at the most"
        return too_long if self.minutes > DAY else super().length_fault()


def overlap(backup: BackupWindow, maintenance: MaintenanceWindow) -> bool:
    """Tell whether a backup could run within the maintenance window, also across the ends of day and week."""
    begin, end = maintenance.start, maintenance.start + maintenance.minutes
    # Day 7 is the Monday after, reached by a window that passes the end of the week; day -1 the Sunday before.
    nights = (day * DAY + backup.start for day in range(-1, 9))
    return any(night < end and begin < night + backup.minutes for night in nights)
