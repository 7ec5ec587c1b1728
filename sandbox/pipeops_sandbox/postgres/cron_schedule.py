"""When a job of pg_cron is due: every few seconds, or by the five fields of cron, in UTC."""

from __future__ import annotations

import re
from datetime import datetime

SECONDS = re.compile(r"\s*(\d+) seconds?\s*")
SHORTHANDS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def seconds(schedule: str) -> int | None:
    """Return the interval of a schedule like ``15 seconds``, None for one of cron's fields."""
    found = SECONDS.fullmatch(schedule)
    return int(found[1]) if found else None


def due(schedule: str, minute: datetime) -> bool:
    """Tell whether a schedule of five fields has a run in this minute; one that cannot be read has none."""
    fields = SHORTHANDS.get(schedule.strip(), schedule).split()
    values = (minute.minute, minute.hour, minute.day, minute.month, minute.isoweekday() % 7)
    try:
        chosen = [_values(field, *bounds) for field, bounds in zip(fields, BOUNDS, strict=True)]
    except ValueError:
        return False
    # Sunday goes by two numbers.
    chosen[4] |= {0} if 7 in chosen[4] else set()
    hits = [value in own for value, own in zip(values, chosen, strict=True)]
    # As in cron: if both days are restricted, one of them is enough.
    either = fields[2][0] != "*" and fields[4][0] != "*"
    days = (hits[2] or hits[4]) if either else (hits[2] and hits[4])
    return hits[0] and hits[1] and hits[3] and days


def _values(field: str, low: int, high: int) -> set[int]:
    """Return the values that a field names.

    Raises:
        ValueError: if it cannot be read.
    """
    found: set[int] = set()
    for part in field.split(","):
        span, _slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin, end = (low, high) if span == "*" else (_number(first), _number(last) if dash else _number(first))
        found |= set(range(begin, (high if step and not dash else end) + 1, int(step or 1)))
    return found


def _number(text: str) -> int:
    word = text.lower()
    if word in MONTHS:
        return MONTHS.index(word) + 1
    return DAYS.index(word) if word in DAYS else int(text)
