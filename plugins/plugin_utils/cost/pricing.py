# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the variables of an environment to its estimate, by the list of prices that a run goes by."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ...module_utils.cost.estimate import Estimate, estimate
from ...module_utils.cost.money import CostError
from ...module_utils.cost.prices import PriceList
from ...module_utils.preflight.inventory import Inventory
from ...module_utils.preflight.specs import Specs
from ..environments import COLLECTION, Environment

#: The list that the collection carries.
PRICES = COLLECTION / "playbooks" / "files" / "prices.csv"


@cache
def price_list(path: Path) -> PriceList:
    """Read a list of prices.

    Raises:
        CostError: if there is none.
    """
    try:
        return PriceList.parse(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise CostError(f"The list of prices cannot be read: {error}. Mend cost_prices_file.") from error


def priced(host: Environment, defaults: Mapping[str, Any], specs: Specs, prices: PriceList) -> Estimate:
    """Return what an environment costs.

    Args:
        host: the environment.
        defaults: the defaults of all roles.
        specs: the variables that there are.

    Raises:
        CostError: if its variables cannot be priced, with every reason that is known.
    """
    inventory = Inventory(host.name, {**defaults, **host.values}, specs)
    faults = [f"{name} cannot be filled in: {error}" for name, error in sorted(host.unresolved.items())]
    faults += [str(problem) for problem in inventory.type_problems]
    if faults:
        raise CostError("\n".join([f"{host.name} cannot be priced.", *faults]))
    return estimate(inventory, prices)
