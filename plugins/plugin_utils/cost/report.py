# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is said of the cost of the environments of a run, before it is put into a form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ...module_utils.cost.difference import Difference
from ...module_utils.cost.estimate import Estimate
from ...module_utils.cost.lines import SCENARIOS
from ...module_utils.cost.money import number, usd
from ...module_utils.cost.saving import Saving

#: What the columns are called.
TITLES = {"minimum": "fewest nodes", "desired": "ordinary month", "maximum": "most nodes"}


@dataclass(frozen=True)
class PriceFacts:
    """How old the prices are.

    Attributes:
        as_of: when the list was last looked after; None if it says no date at all.
        limit_days: the age above which it is said.
    """

    as_of: date | None
    today: date
    limit_days: int

    @property
    def age_days(self) -> int | None:
        return (self.today - self.as_of).days if self.as_of else None

    @property
    def warning(self) -> str:
        """The sentence about prices that are too old; empty if they are not."""
        if self.age_days is None:
            return "The list of prices says no date, so nobody knows how old they are."
        if self.age_days <= self.limit_days:
            return ""
        return (
            f"The prices are of {self.as_of}, {self.age_days} days ago. Renew them with playbooks/refresh_prices.yml, "
            "or see for yourself that they still hold."
        )


@dataclass(frozen=True)
class Report:
    """The cost of environments.

    Attributes:
        difference: what has changed since a base; None if nothing was compared.
        base: the name of the base.
    """

    estimates: Sequence[Estimate]
    prices: PriceFacts
    difference: Difference | None = None
    base: str = ""

    def total(self, scenario: str) -> Decimal:
        """Return USD a month over all environments."""
        return sum((one.total(scenario) for one in self.estimates), Decimal(0))

    def savings(self) -> Iterator[tuple[Estimate, Saving]]:
        """Yield what could be saved, the most first; what is done already comes last."""
        pairs = [(one, saving) for one in self.estimates for saving in one.savings]
        yield from sorted(
            pairs, key=lambda pair: (pair[1].taken, pair[1].monthly is None, -(pair[1].monthly or Decimal(0)))
        )

    def saved_together(self) -> Decimal:
        """Return USD a month of all savings that add up."""
        return sum((s.monthly or Decimal(0) for _one, s in self.savings() if s.together and not s.taken), Decimal(0))

    @property
    def over_budget(self) -> list[str]:
        """A sentence for each environment above its budget."""
        return [
            f"{one.environment} costs {usd(one.total(one.basis))} a month in the column {TITLES[one.basis]!r} "
            f"({one.basis}), its budget is {usd(one.budget)}, so it is over by {usd(one.excess(one.basis))}"
            for one in self.estimates
            if one.over
        ]

    @property
    def warnings(self) -> list[str]:
        """What a reader should not miss."""
        found = [self.prices.warning] if self.prices.warning else []
        for one in self.estimates:
            if one.unpriced:
                names = ", ".join(line.name for line in one.unpriced)
                found.append(f"{one.environment} has lines without a price, which are in no total: {names}.")
            beyond = one.excess("maximum")
            if beyond > 0 and not one.over:
                found.append(
                    f"{one.environment} is within its budget of {usd(one.budget)} in an ordinary month, and would be "
                    f"{usd(beyond)} over it with the most nodes."
                )
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return it as the JSON file carries it."""
        return {
            "prices": {
                "as_of": self.prices.as_of.isoformat() if self.prices.as_of else None,
                "age_days": self.prices.age_days,
            },
            "monthly": {scenario: number(self.total(scenario)) for scenario in SCENARIOS},
            "over_budget": self.over_budget,
            "warnings": self.warnings,
            "savings_together": number(self.saved_together()),
            "environments": [one.as_dict() for one in self.estimates],
            "difference": {"base": self.base, **self.difference.as_dict()} if self.difference else None,
        }
