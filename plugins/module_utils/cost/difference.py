# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change of inventories costs: two sets of estimates, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .estimate import Estimate
from .lines import CATEGORIES, SCENARIOS, Line
from .money import number


@dataclass(frozen=True)
class Change:
    """A line that is new, gone or another.

    Attributes:
        before: as it was; None for a new one.
        after: as it is; None for one that is gone.
    """

    environment: str
    before: Line | None
    after: Line | None

    @property
    def line(self) -> Line:
        """The line as it is, or as it was."""
        found = self.after or self.before
        if found is None:
            raise ValueError(f"a change in {self.environment} is of a line on neither side")
        return found

    @property
    def sign(self) -> str:
        """``+`` for a new line, ``-`` for one that is gone, ``~`` for another."""
        return "+" if self.before is None else "-" if self.after is None else "~"

    def amount(self, scenario: str) -> Decimal:
        """Return USD a month more, or less."""
        then, now = (line.amount(scenario) if line else None for line in (self.before, self.after))
        return (now or Decimal(0)) - (then or Decimal(0))


@dataclass(frozen=True)
class Difference:
    """Two sets of estimates by environment, and the lines that differ."""

    before: Mapping[str, Estimate]
    after: Mapping[str, Estimate]
    changes: tuple[Change, ...]

    @property
    def environments(self) -> list[str]:
        """All environments of either side, in the order of the new one."""
        return list(dict.fromkeys((*self.after, *self.before)))

    def total(self, environment: str, scenario: str) -> tuple[Decimal, Decimal]:
        """Return USD a month before and after; an environment that is not there costs nothing."""
        then, now = self.before.get(environment), self.after.get(environment)
        return (then.total(scenario) if then else Decimal(0), now.total(scenario) if now else Decimal(0))

    def change(self, scenario: str) -> Decimal:
        """Return USD a month more, or less, over all environments."""
        pairs = (self.total(environment, scenario) for environment in self.environments)
        return sum((now - then for then, now in pairs), Decimal(0))

    def crossed(self) -> list[str]:
        """Return the environments that were within their budget, or not there, and are above it now."""
        return [
            name
            for name, now in self.after.items()
            if now.over and not (name in self.before and self.before[name].over)
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON carries it."""
        return {
            "change": {scenario: number(self.change(scenario)) for scenario in SCENARIOS},
            "crossed_budget": self.crossed(),
            "lines": [
                {
                    "environment": change.environment,
                    "sign": change.sign,
                    "category": change.line.category,
                    "name": change.line.name,
                    "change": {scenario: number(change.amount(scenario)) for scenario in SCENARIOS},
                }
                for change in self.changes
            ],
        }


def compare(before: Iterable[Estimate], after: Iterable[Estimate]) -> Difference:
    """Return what differs between two sets of estimates."""
    then = {one.environment: one for one in before}
    now = {one.environment: one for one in after}
    found: list[Change] = []
    for environment in dict.fromkeys((*now, *then)):
        found += _changes(environment, _lines(then.get(environment)), _lines(now.get(environment)))
    return Difference(then, now, tuple(found))


def _lines(estimate: Estimate | None) -> dict[tuple[str, str], Line]:
    return {(line.category, line.name): line for line in estimate.lines} if estimate else {}


def _changes(
    environment: str, then: Mapping[tuple[str, str], Line], now: Mapping[tuple[str, str], Line]
) -> Sequence[Change]:
    keys = sorted({*then, *now}, key=lambda key: CATEGORIES.index(key[0]))
    pairs = ((then.get(key), now.get(key)) for key in keys)
    return [Change(environment, old, new) for old, new in pairs if _facts(old) != _facts(new)]


def _facts(line: Line | None) -> object:
    return None if line is None else (line.each, line.counts)
