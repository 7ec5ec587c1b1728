# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an environment costs a month, against what it may cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

from ..preflight.inventory import Inventory
from . import cluster, database, network, shared
from .lines import CATEGORIES, SCENARIOS, Line, total
from .money import CostError, decimal, number, usd
from .prices import PriceList, overridden
from .saving import Saving
from .savings import savings
from .sheet import Sheet
from .usage import Usage

AREAS = (cluster, database, network, shared)
#: What the variables of an environment have to say at least.
NEEDED = ("platform_region", "vpc_zones", "rds_instance_class", "platform_database_role")


@dataclass(frozen=True)
class Estimate:
    """An environment in lines.

    Attributes:
        budget: USD that it may cost a month; None if nobody has said.
        basis: the column that is held against the budget.
    """

    environment: str
    region: str
    lines: tuple[Line, ...]
    savings: tuple[Saving, ...] = ()
    budget: Decimal | None = None
    basis: str = "desired"

    def total(self, scenario: str) -> Decimal:
        """Return USD a month, of all that is known."""
        return total(self.lines, scenario)

    def baseline(self, scenario: str) -> Decimal:
        """Return the part of it that is there without any usage."""
        return total((line for line in self.lines if not line.usage), scenario)

    def of(self, category: str, scenario: str) -> Decimal:
        """Return the part of it that a category makes up."""
        return total((line for line in self.lines if line.category == category), scenario)

    @property
    def unpriced(self) -> tuple[Line, ...]:
        """What no price is known of."""
        return tuple(line for line in self.lines if not line.priced)

    @property
    def uncounted(self) -> tuple[Line, ...]:
        """What depends on usage that nobody has said."""
        return tuple(line for line in self.lines if line.priced and not line.counted)

    def excess(self, scenario: str) -> Decimal:
        """Return USD above the budget in a column; 0 or less if it is kept, and without a budget."""
        return self.total(scenario) - self.budget if self.budget is not None else Decimal(0)

    @property
    def over(self) -> bool:
        """Whether the column that counts is above the budget."""
        return self.excess(self.basis) > 0

    @property
    def verdict(self) -> str:
        """How it stands to the budget, in words."""
        if self.budget is None:
            return "no budget"
        beyond = self.excess("maximum")
        if self.over:
            words = f"OVER by {usd(self.excess(self.basis))}"
        elif beyond > 0:
            words = f"within, but {usd(beyond)} over with the most nodes"
        else:
            words = "within"
        return f"{words}, without what has no price" if self.unpriced else words

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON carries it."""
        return {
            "environment": self.environment,
            "region": self.region,
            "budget": number(self.budget),
            "basis": self.basis,
            "over": self.over,
            "verdict": self.verdict,
            "monthly": {scenario: number(self.total(scenario)) for scenario in SCENARIOS},
            "baseline": {scenario: number(self.baseline(scenario)) for scenario in SCENARIOS},
            "categories": {
                category: {scenario: number(self.of(category, scenario)) for scenario in SCENARIOS}
                for category in CATEGORIES
            },
            "unpriced": [line.name for line in self.unpriced],
            "depends_on_usage": [line.name for line in self.uncounted],
            "lines": [line.as_dict() for line in self.lines],
            "savings": [saving.as_dict() for saving in self.savings],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Estimate:
        """Return an estimate as ``as_dict`` wrote it.

        Raises:
            CostError: if something else wrote it.
        """
        try:
            return cls(
                data["environment"],
                data["region"],
                tuple(Line.from_dict(line) for line in data["lines"]),
                tuple(Saving.from_dict(saving) for saving in data["savings"]),
                None if data["budget"] is None else Decimal(str(data["budget"])),
                data["basis"],
            )
        except (KeyError, TypeError) as error:
            raise CostError(f"This is no estimate of this collection: {error} is not as it writes it.") from error


def estimate(inventory: Inventory, prices: PriceList) -> Estimate:
    """Return what an environment costs.

    Args:
        inventory: its variables, with the defaults of all roles.
        prices: the list of prices, as it is carried or refreshed.

    Raises:
        CostError: if a variable is missing or no quantity.
    """
    missing = [name for name in NEEDED if not inventory.has(name)]
    if missing:
        raise CostError(f"{inventory.host} cannot be priced: it has no {', '.join(missing)}.")
    sheet = Sheet(inventory, Usage.parse(inventory.record("cost_usage")), _own_prices(inventory, prices))
    found = [
        line for line in chain.from_iterable(area.lines(sheet) for area in AREAS) if line.counts is None or line.counts
    ]
    budget = decimal(inventory.decimal("platform_budget_usd_month"), "platform_budget_usd_month")
    return Estimate(
        inventory.environment,
        sheet.region,
        tuple(in_order(found)),
        tuple(savings(sheet)),
        budget or None,
        inventory.text("cost_budget_basis") or "desired",
    )


def in_order(lines: Iterable[Line]) -> list[Line]:
    """Return lines by category, otherwise in the order in which they were made."""
    return sorted(lines, key=lambda line: CATEGORIES.index(line.category))


def _own_prices(inventory: Inventory, prices: PriceList) -> PriceList:
    discount = decimal(inventory.decimal("cost_discount_percent"), "cost_discount_percent")
    if discount >= 100:
        raise CostError(f"cost_discount_percent is {discount}: it must be below 100.")
    region = inventory.text("platform_region")
    # What somebody has agreed on with AWS is his price already; the discount is for the list's.
    return overridden(prices.discounted(discount), inventory.records("cost_price_overrides"), region)
