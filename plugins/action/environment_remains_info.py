# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.cost.money import cents, number, usd
from ansible_collections.pipeops.platform.plugins.module_utils.cost.sheet import monthly
from ansible_collections.pipeops.platform.plugins.modules import environment_remains_info
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.pricing import PRICES, price_list
from ansible_collections.pipeops.platform.plugins.plugin_utils.function_action import FunctionActionModule


class ActionModule(FunctionActionModule):
    """Runs M(pipeops.platform.environment_remains_info), and adds what only the controller knows: prices."""

    module = environment_remains_info

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        if "remains" not in result:
            return result
        total = Decimal(0)
        for one in result["remains"]:
            amount = _usd(one)
            one["usd_month"] = None if amount is None else number(amount)
            total += (amount or Decimal(0)) if one["kept"] else Decimal(0)
        return {**result, "usd_month": number(total), "lines": _lines(result["remains"])}


def _usd(one: dict[str, Any]) -> Decimal | None:
    if not one["price"]:
        return None
    service, item, count = one["price"]
    found = price_list(PRICES).find(service, item, one["region"])
    each = monthly(found) if found and found.usable else None
    return None if each is None else cents(each * Decimal(str(count)))


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    """Return a line for each thing: where, what, whether it is kept and why, what it costs."""
    return [
        f"{'kept' if one['kept'] else 'LEFT'}  {one['region']}  {one['type']} {one['name']}: "
        f"{one['reason'] or 'left over'}{_cost(one)}"
        for one in rows
    ]


def _cost(one: dict[str, Any]) -> str:
    amount = "" if one["usd_month"] is None else f"{usd(Decimal(str(one['usd_month'])))} a month"
    told = ", ".join(filter(None, (amount, one["note"])))
    return f" ({told})" if told else ""
