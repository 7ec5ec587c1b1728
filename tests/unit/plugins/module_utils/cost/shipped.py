# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Estimates of the shipped inventories, with some variables changed."""

from __future__ import annotations

from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.cost.estimate import Estimate, estimate
from ansible_collections.pipeops.platform.plugins.module_utils.cost.prices import PriceList
from ansible_collections.pipeops.platform.plugins.module_utils.cost.sheet import Sheet
from ansible_collections.pipeops.platform.plugins.module_utils.cost.usage import Usage
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.inventory import Inventory
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.pricing import PRICES, price_list
from ansible_collections.pipeops.platform.plugins.plugin_utils.environments import COLLECTION, defaults_of

from tests.inventories import SITE_RULES, shipped

CARRIED: PriceList = price_list(PRICES)


def inventory(name: str = "prod", without: tuple[str, ...] = (), **changes: Any) -> Inventory:
    """Return a shipped inventory, with the defaults of all roles."""
    values = {**defaults_of(COLLECTION), **shipped(name, changes, without).values}
    made = Inventory(name, values, SITE_RULES.specs)
    assert not made.type_problems, made.type_problems
    return made


def estimated(name: str = "prod", prices: PriceList = CARRIED, **changes: Any) -> Estimate:
    """Return what a shipped inventory costs."""
    return estimate(inventory(name, **changes), prices)


def sheet(name: str = "prod", prices: PriceList = CARRIED, **changes: Any) -> Sheet:
    """Return what lines of a shipped inventory are made of."""
    made = inventory(name, **changes)
    return Sheet(made, Usage.parse(made.record("cost_usage")), prices)
