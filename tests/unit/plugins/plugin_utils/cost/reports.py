# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of shipped inventories."""

from __future__ import annotations

from datetime import date
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.cost.difference import compare
from ansible_collections.pipeops.platform.plugins.module_utils.cost.estimate import Estimate
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.report import PriceFacts, Report

from tests.unit.plugins.module_utils.cost.shipped import CARRIED, estimated

FRESH = PriceFacts(CARRIED.as_of, date(2026, 11, 1), 180)


def report(*estimates: Estimate, prices: PriceFacts = FRESH) -> Report:
    """Return a report without a base."""
    return Report(estimates, prices)


def changed(name: str, **changes: Any) -> Report:
    """Return a report of a shipped inventory with some variables changed, compared with it as it is."""
    after = [estimated(name, **changes)]
    return Report(after, FRESH, compare([estimated(name)], after), "main")
