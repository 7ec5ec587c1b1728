# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long CloudWatch Logs keeps what is written."""

from __future__ import annotations

from collections.abc import Iterable

from ..resources.log_group import RETENTION_DAYS
from .inventory import Inventory
from .problems import Problem


def retention_problem(inventory: Inventory, variable: str) -> Iterable[Problem]:
    """Yield what is wrong with a retention in days, with the next longer one that can be."""
    days = inventory.number(variable)
    if days is not None and days not in RETENTION_DAYS:
        longer = next((choice for choice in RETENTION_DAYS if choice >= days > 0), 0)
        reason = f"CloudWatch Logs keeps for {', '.join(map(str, RETENTION_DAYS[1:]))} days only, or with 0 for ever"
        yield inventory.problem(variable, reason, f"Write {longer}." if longer else "Write one of them.")
