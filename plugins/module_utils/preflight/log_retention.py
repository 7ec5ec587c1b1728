# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long CloudWatch Logs keeps what is written."""

from __future__ import annotations

from collections.abc import Iterable

from .inventory import Inventory
from .problems import Problem

#: Days, after the documentation of ``RetentionInDays`` in the CloudWatch Logs API; no others are taken.
DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def retention_problem(inventory: Inventory, variable: str) -> Iterable[Problem]:
    """Yield what is wrong with a retention in days, with the next longer one that can be."""
    days = inventory.number(variable)
    if days is not None and days not in DAYS:
        longer = next((choice for choice in DAYS if choice >= days), DAYS[-1])
        reason = f"CloudWatch Logs keeps for {', '.join(map(str, DAYS))} days only"
        yield inventory.problem(variable, reason, f"Write {longer}.")
