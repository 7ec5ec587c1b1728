"""Backup and maintenance windows, always in UTC."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

from pipeops_sandbox.errors import AwsError

from .store import DbInstance

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY, WEEK = 24 * 60, 7 * 24 * 60
"""Minutes of a day and of a week."""

SHORTEST = 30
"""Minutes that either window has at least."""

_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"


def default_backup_window(seed: str) -> str:
    """Return the half hour that RDS picks when nobody does, out of a night block of eight hours."""
    start = 4 * 60 + 30 * (int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 16)
    return f"{_clock(start)}-{_clock(start + SHORTEST)}"


def default_maintenance_window(seed: str) -> str:
    """Return the half hour a week that RDS picks, in the afternoon, where no default backup window is."""
    number = int(hashlib.sha256(seed.encode()).hexdigest(), 16)
    day, start = DAYS[number % 7], 13 * 60 + 30 * (number // 7 % 12)
    return f"{day}:{_clock(start)}-{day}:{_clock(start + SHORTEST)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _backup(window: str) -> tuple[int, int]:
    """Return start minute of the day and length."""
    found = re.fullmatch(f"{_CLOCK}-{_CLOCK}", window)
    if not found:
        raise AwsError("InvalidParameterValue", f"Invalid backup window format: {window}. Should be hh24:mi-hh24:mi")
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return start, (end - start) % DAY


def _maintenance(window: str) -> tuple[int, int]:
    """Return start minute of the week and length."""
    day = "(" + "|".join(DAYS) + ")"
    found = re.fullmatch(f"{day}:{_CLOCK}-{day}:{_CLOCK}", window.lower())
    if not found:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid maintenance window format: {window}. Should be specified as a range ddd:hh24:mi-ddd:hh24:mi",
        )
    start = DAYS.index(found[1]) * DAY + int(found[2]) * 60 + int(found[3])
    end = DAYS.index(found[4]) * DAY + int(found[5]) * 60 + int(found[6])
    return start, (end - start) % WEEK


def check_windows(backup: str, maintenance: str) -> None:
    """Refuse windows that are malformed, under 30 minutes or overlapping.

    Raises:
        AwsError: ``InvalidParameterValue``.
    """
    night, night_length = _backup(backup)
    if night_length < SHORTEST:
        raise AwsError("InvalidParameterValue", f"The backup window {backup} must be at least 30 minutes.")
    start, length = _maintenance(maintenance)
    if not SHORTEST <= length <= DAY:
        raise AwsError(
            "InvalidParameterValue", f"The maintenance window {maintenance} must be 30 minutes to 24 hours long."
        )
    for day in range(-1, 8):
        opens = day * DAY + night
        if opens < start + length and start < opens + night_length:
            raise AwsError(
                "InvalidParameterValue",
                f"The backup window and maintenance window must not overlap: {backup} and {maintenance}.",
            )


def last_backup_window(instance: DbInstance, now: float) -> float:
    """Return the model time at which the backup window last opened."""
    minutes, _length = _backup(instance.settings["PreferredBackupWindow"])
    today = datetime.fromtimestamp(now, tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    opened = today.timestamp() + minutes * 60
    return opened if opened <= now else opened - DAY * 60


def next_maintenance(instance: DbInstance, after: float) -> float:
    """Return the model time at which the maintenance window opens next after a time."""
    minutes, _length = _maintenance(instance.settings["PreferredMaintenanceWindow"])
    moment = datetime.fromtimestamp(after, tz=UTC)
    monday = (moment - timedelta(days=moment.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    opens = monday.timestamp() + minutes * 60
    return opens if opens > after else opens + WEEK * 60
