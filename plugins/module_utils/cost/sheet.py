# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How lines are made: one environment, its usage and the prices of its region."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ..preflight.inventory import Inventory
from .lines import Counts, Line
from .money import HOURS, price_text
from .prices import Price, PriceList
from .usage import Usage


@dataclass(frozen=True)
class Sheet:
    """Everything that a line is made of.

    Attributes:
        inventory: the variables of the environment.
        usage: what it uses.
        prices: what things cost.
    """

    inventory: Inventory
    usage: Usage
    prices: PriceList

    @property
    def region(self) -> str:
        return self.inventory.text("platform_region")

    @property
    def zones(self) -> int:
        return len(self.inventory.texts("vpc_zones"))

    def each(self, service: str, item: str, *, hours: bool | None = None) -> Decimal | None:
        """Return USD a month for one; None if no price is known."""
        price = self.prices.find(service, item, self.region)
        return monthly(price, hours) if price and price.usable else None

    def line(
        self,
        category: str,
        name: str,
        unit: str,
        price: tuple[str, str],
        counts: Counts | int | None,
        *,
        usage: bool = False,
        hours: bool | None = None,
        note: str = "",
    ) -> Line:
        """Return a line.

        Args:
            price: service and item of the price list.
            counts: how many; None if it depends on usage and nobody has said.
            hours: whether the price is by the hour of the whole month; as the unit of the list says if not given.
        """
        found = self.prices.find(*price, self.region)
        count = Counts.same(counts) if isinstance(counts, int) else counts
        if found is None or not found.usable:
            why = f"no price of {price[1]} in {self.region} that can be relied on"
            return Line(category, name, unit, None, count, usage, note="; ".join(filter(None, (why, note))))
        origin = (found.source, found.source_date, found.confidence)
        return Line(category, name, unit, monthly(found, hours), count, usage, _listed(found), *origin, note)

    def used(
        self, category: str, name: str, unit: str, price: tuple[str, str], quantity: str, *, note: str = ""
    ) -> Line:
        """Return a line of something that is billed by quantity, e.g. by GB."""
        counts = self.usage.get(quantity)
        hint = "" if counts else f"set cost_usage.{quantity}"
        return self.line(
            category, name, unit, price, counts, usage=True, hours=False, note="; ".join(filter(None, (note, hint)))
        )


def monthly(price: Price, hours: bool | None = None) -> Decimal | None:
    """Return what one costs a month; None if it is unknown."""
    by_the_hour = price.unit.endswith("hour") if hours is None else hours
    return price.usd * HOURS if price.usd is not None and by_the_hour else price.usd


def _listed(price: Price) -> str:
    return f"{price_text(price.usd or Decimal(0))} per {price.unit}"
