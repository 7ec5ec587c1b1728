# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line of an estimate: how many of what, at which price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from .money import cents, number

#: The columns: the fewest nodes, those of an ordinary month, the most.
SCENARIOS = ("minimum", "desired", "maximum")

#: What lines are of, in the order in which they are shown.
CONTROL_PLANE, NODES, AUTO_MODE, VOLUMES = "EKS control plane", "Nodes", "EKS Auto Mode fee", "Volumes"
DATABASE, REPLICAS, BACKUPS = "Database", "Read replicas", "Backups"
NAT, ENDPOINTS, BALANCERS, TRANSFER = "NAT gateway", "Endpoints", "Load balancers", "Data transfer"
CROSS_REGION, LOGS, SECURITY, STATE = "Cross-region transfer", "Logs and alarms", "Keys and secrets", "State and names"
CATEGORIES = (
    *(CONTROL_PLANE, NODES, AUTO_MODE, VOLUMES),
    *(DATABASE, REPLICAS, BACKUPS),
    *(NAT, ENDPOINTS, BALANCERS, TRANSFER, CROSS_REGION),
    *(LOGS, SECURITY, STATE),
)


@dataclass(frozen=True)
class Counts:
    """How many, in each column."""

    minimum: Decimal
    desired: Decimal
    maximum: Decimal

    @classmethod
    def same(cls, count: Decimal | int) -> Counts:
        """Return the same number in all columns."""
        return cls(*[Decimal(count)] * 3)

    def of(self, scenario: str) -> Decimal:
        """Return the number of one column."""
        return Decimal(getattr(self, scenario))

    def map(self, change: Callable[[Decimal], Decimal]) -> Counts:
        """Return each number changed in the same way."""
        return Counts(*(change(self.of(scenario)) for scenario in SCENARIOS))

    def __bool__(self) -> bool:
        return any(self.of(scenario) for scenario in SCENARIOS)

    def text(self) -> str:
        """Return it as people read it: ``3``, or ``2 / 3 / 6``."""
        shown = [_plain(self.of(scenario)) for scenario in SCENARIOS]
        return shown[0] if len(set(shown)) == 1 else " / ".join(shown)


@dataclass(frozen=True)
class Line:
    """So many of something, each at so much a month.

    Attributes:
        category: one of CATEGORIES.
        name: what it is, unique in an environment.
        unit: what is counted, in the plural.
        each: USD a month for one, not rounded; None if no price is known.
        counts: how many; None if nobody has said, because it depends on usage.
        usage: whether it depends on usage at all.
        price: the price as AWS lists it, e.g. ``$0.0416 an hour``.
        source, source_date, confidence: where the price is from.
        note: what the reader should know.
    """

    category: str
    name: str
    unit: str
    each: Decimal | None
    counts: Counts | None
    usage: bool = False
    price: str = ""
    source: str = ""
    source_date: str = ""
    confidence: str = ""
    note: str = ""

    @property
    def priced(self) -> bool:
        return self.each is not None

    @property
    def counted(self) -> bool:
        return self.counts is not None

    def amount(self, scenario: str) -> Decimal | None:
        """Return USD a month in whole cents; None if the price or the number is not known."""
        return None if self.each is None or self.counts is None else cents(self.each * self.counts.of(scenario))

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON carries it."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        counts = self.counts
        return {
            **plain,
            "each": number(self.each),
            "counts": {scenario: number(counts.of(scenario)) for scenario in SCENARIOS} if counts else None,
            "monthly": {scenario: number(self.amount(scenario)) for scenario in SCENARIOS},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Line:
        """Return a line as ``as_dict`` wrote it."""
        plain = {field.name: data[field.name] for field in fields(cls)}
        counts = data["counts"]
        plain["each"] = None if data["each"] is None else Decimal(str(data["each"]))
        plain["counts"] = None if counts is None else Counts(*(Decimal(str(counts[one])) for one in SCENARIOS))
        return cls(**plain)


def total(lines: Iterable[Line], scenario: str) -> Decimal:
    """Return the sum of all that is known, in whole cents."""
    return sum((line.amount(scenario) or Decimal(0) for line in lines), Decimal(0))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():,f}"
