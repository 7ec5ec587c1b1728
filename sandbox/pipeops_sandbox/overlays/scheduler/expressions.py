"""When a schedule is due: rate, cron and at expressions of EventBridge Scheduler, in a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
_EXPRESSION = re.compile(r"(rate|cron|at)\((.+)\)")
_RATE = re.compile(r"([1-9][0-9]*) (minute|hour|day)s?")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_RANGES = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "weekday": (1, 7),
    "year": (1970, 2199),
}
_NAMES = {"month": _MONTHS, "weekday": _DAYS}
LOOK_AHEAD_DAYS = 8 * 366
"""Days that are searched for the next time: the 29th of February comes within eight years."""

Due = Callable[[float], float | None]
"""Returns the first time after a model time, None if there is none."""


class Unclear(ValueError):
    """The text is no expression."""


class NotHere(ValueError):
    """AWS knows the expression, the sandbox does not."""


def parse(expression: str, zone: ZoneInfo) -> Due:
    """Return when an expression is due.

    Raises:
        Unclear: if it is none.
        NotHere: for L, W and # in cron expressions.
    """
    found = _EXPRESSION.fullmatch(expression)
    if not found:
        raise Unclear(expression)
    kind, content = found.groups()
    return {"rate": _rate, "cron": _cron, "at": _at}[kind](content, zone)


def _rate(content: str, _zone: ZoneInfo) -> Due:
    found = _RATE.fullmatch(content)
    if not found:
        raise Unclear(content)
    seconds = int(found[1]) * _SECONDS[found[2]]
    return lambda after: after + seconds


def _at(content: str, zone: ZoneInfo) -> Due:
    try:
        moment = datetime.strptime(content, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).timestamp()
    except ValueError as error:
        raise Unclear(content) from error
    return lambda after: moment if moment > after else None


@dataclass(frozen=True)
class _Cron:
    minutes: list[int]
    hours: list[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def holds(self, day: date) -> bool:
        """Tell whether a day is one of its days."""
        weekday = (day.weekday() + 1) % 7 + 1
        return day.year in self.years and day.month in self.months and day.day in self.days and weekday in self.weekdays


def _cron(content: str, zone: ZoneInfo) -> Due:
    fields = content.split()
    if len(fields) != 6 or "?" not in (fields[2], fields[4]):
        raise Unclear(content)
    sets = {name: _values(text, name) for name, text in zip(_RANGES, fields, strict=True)}
    cron = _Cron(
        sorted(sets["minute"]), sorted(sets["hour"]), sets["day"], sets["month"], sets["weekday"], sets["year"]
    )

    def due(after: float) -> float | None:
        first = datetime.fromtimestamp(after, zone).date()
        for number in range(LOOK_AHEAD_DAYS):
            day = first + timedelta(days=number)
            if not cron.holds(day):
                continue
            for hour in cron.hours:
                for minute in cron.minutes:
                    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).timestamp()
                    if moment > after:
                        return moment
        return None

    return due


def _values(text: str, name: str) -> frozenset[int]:
    low, high = _RANGES[name]
    if text == "?" and name in ("day", "weekday"):
        return frozenset(range(low, high + 1))
    if name in ("day", "weekday") and re.search(r"#|L|W(?!ED)", text):
        raise NotHere(text)
    return frozenset(value for part in text.split(",") for value in _part(part, name))


def _part(text: str, name: str) -> range:
    low, high = _RANGES[name]
    span, _slash, step = text.partition("/")
    begin, dash, end = span.partition("-")
    first = low if span == "*" else _number(begin, name)
    last = high if span == "*" or (step and not dash) else _number(end or begin, name)
    if not low <= first <= last <= high or (step and not step.isdigit()) or step == "0":
        raise Unclear(text)
    return range(first, last + 1, int(step or 1))


def _number(text: str, name: str) -> int:
    names = _NAMES.get(name, ())
    if text.upper() in names:
        return names.index(text.upper()) + 1
    if not text.isdigit():
        raise Unclear(text)
    return int(text)
