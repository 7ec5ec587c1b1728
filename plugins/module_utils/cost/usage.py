# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an environment uses of things that are billed by quantity, as its inventory says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .lines import SCENARIOS, Counts
from .money import CostError, decimal


@dataclass(frozen=True)
class Usage:
    """Quantities by name; what is not among them, nobody has said."""

    quantities: Mapping[str, Counts]

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Usage:
        """Read the variable ``cost_usage``.

        Raises:
            CostError: for a quantity that is none.
        """
        return cls({name: _counts(value, f"cost_usage.{name}") for name, value in given.items() if value is not None})

    def get(self, name: str) -> Counts | None:
        """Return a quantity; None if nobody has said."""
        return self.quantities.get(name)


def _counts(value: Any, name: str) -> Counts:
    if not isinstance(value, Mapping):
        return Counts.same(decimal(value, name))
    unknown = sorted(value.keys() - set(SCENARIOS))
    if unknown or "desired" not in value:
        raise CostError(f"{name} must be a number, or have {', '.join(SCENARIOS)}, of which desired is needed.")
    numbers = {scenario: decimal(value.get(scenario, value["desired"]), f"{name}.{scenario}") for scenario in SCENARIOS}
    return Counts(**numbers)
