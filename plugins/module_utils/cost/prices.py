# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of prices, each with its source, its date, and how far it can be trusted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from .money import CostError, decimal

COLUMNS = ("service", "item", "region", "unit", "usd", "source", "source_date", "confidence")
#: The region of prices that are the same everywhere.
GLOBAL = "global"
#: How much a price is trusted that must not be counted on: remembered, or not found at all.
NOT_USABLE = frozenset({"unconfirmed", "no-price-found"})
#: Spot prices of a moment: good for a comparison, not for a budget.
INDICATIVE = "indicative"
#: How much a price is trusted that the reader has set.
OWN = "own"


@dataclass(frozen=True)
class Price:
    """What one unit costs.

    Attributes:
        usd: USD for one unit; None if nobody knows.
        unit: e.g. ``hour``, ``GB-month``.
        source_date: when the source was current; a date, or words where the source has none.
        confidence: a word of ``prices.csv``, such as ``confirmed`` or ``derived-parity``.
    """

    service: str
    item: str
    region: str
    unit: str
    usd: Decimal | None
    source: str = ""
    source_date: str = ""
    confidence: str = "confirmed"

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.service, self.item, self.region)

    @property
    def usable(self) -> bool:
        """Whether a budget may rest on it."""
        return self.usd is not None and self.confidence not in NOT_USABLE and self.confidence != INDICATIVE

    @property
    def dated(self) -> date | None:
        """The date of the source, if it has one."""
        try:
            return date.fromisoformat(self.source_date)
        except ValueError:
            return None


class PriceList:
    """Prices by service, item and region."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices = {price.key: price for price in prices}

    def __iter__(self) -> Any:
        return iter(self._prices.values())

    def __len__(self) -> int:
        return len(self._prices)

    @classmethod
    def parse(cls, text: str, name: str = "the price list") -> PriceList:
        """Read a price list in CSV.

        Raises:
            CostError: naming the line that cannot be read.
        """
        reader = csv.DictReader(io.StringIO(text))
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise CostError(f"{name} must begin with the line {','.join(COLUMNS)}.")
        return cls(_price(row, f"{name}, line {reader.line_num}") for row in reader)

    def text(self) -> str:
        """Return it in CSV."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(COLUMNS)
        for price in self:
            usd = "" if price.usd is None else f"{price.usd:f}"
            head = (price.service, price.item, price.region, price.unit)
            writer.writerow((*head, usd, price.source, price.source_date, price.confidence))
        return buffer.getvalue()

    def find(self, service: str, item: str, region: str) -> Price | None:
        """Return the price in a region, or the one of all regions; None if the list has neither."""
        return self._prices.get((service, item, region)) or self._prices.get((service, item, GLOBAL))

    def usd(self, service: str, item: str, region: str, *, indicative: bool = False) -> Decimal | None:
        """Return USD for one unit; None if it is unknown.

        Args:
            indicative: whether a spot price of a moment will do.
        """
        price = self.find(service, item, region)
        if price is None or not (price.usable or (indicative and price.confidence == INDICATIVE)):
            return None
        return price.usd

    @property
    def as_of(self) -> date | None:
        """The latest date of a source, which is when the list was last looked after; None without any date."""
        return max((price.dated for price in self if price.dated), default=None)

    def age_days(self, today: date) -> int | None:
        """Return how many days ago the list was last looked after."""
        return (today - self.as_of).days if self.as_of else None

    def with_changes(self, changes: Iterable[Price]) -> PriceList:
        """Return the list with some prices set or added."""
        return PriceList({**self._prices, **{price.key: price for price in changes}}.values())

    def discounted(self, percent: Decimal) -> PriceList:
        """Return the list with all prices lower by so many per cent, as a private agreement has it."""
        if not percent:
            return self
        left = 1 - percent / 100
        return PriceList(replace(price, usd=None if price.usd is None else price.usd * left) for price in self)


def overridden(prices: PriceList, overrides: Sequence[Mapping[str, Any]], region: str) -> PriceList:
    """Return the list with the reader's own prices for a region.

    Args:
        overrides: each with service, item, usd, and the unit if the list has no such item.

    Raises:
        CostError: for an amount that is none, or an item whose unit nobody knows.
    """
    changes = []
    for index, row in enumerate(overrides):
        known = prices.find(str(row["service"]), str(row["item"]), region)
        unit = row.get("unit") or (known.unit if known else None)
        where = f"cost_price_overrides[{index}]"
        if not unit:
            raise CostError(f"{where}.unit is not set, and the list has no {row['service']} {row['item']}. Set it.")
        amount = decimal(row["usd"], f"{where}.usd")
        changes.append(Price(row["service"], row["item"], region, unit, amount, "the inventory", "", OWN))
    return prices.with_changes(changes)


def _price(row: Mapping[str, str], where: str) -> Price:
    if None in row or None in row.values():
        raise CostError(f"{where}: there must be {len(COLUMNS)} values.")
    amount = decimal(row["usd"], f"{where}: usd") if row["usd"].strip() else None
    return Price(**{**row, "usd": amount})  # type: ignore[arg-type]
