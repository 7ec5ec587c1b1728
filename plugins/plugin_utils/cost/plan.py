# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the creations of a plan cost a month. Other actions do not say enough of a resource to be priced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from ...module_utils.cost.money import number, usd
from ...module_utils.cost.resources import price
from .pricing import PRICES, price_list


def with_price(action: Mapping[str, Any], region: str) -> dict[str, Any]:
    """Return an action with what it costs, if it makes something that costs anything.

    Args:
        action: as a task result carries it.
        region: where it is carried out.
    """
    if action.get("verb") != "create":
        return dict(action)
    attributes = {one["attribute"]: one["after"] for one in action["differences"]}
    found = price(str(action.get("kind")), attributes, region, price_list(PRICES))
    if found is None:
        return dict(action)
    return {**action, "monthly": {"usd": number(found.monthly), "note": found.note}}


def price_of(action: Mapping[str, Any]) -> str:
    """Return what an action costs a month, as a table shows it."""
    monthly = action.get("monthly")
    if not monthly:
        return ""
    if monthly["usd"] is None:
        return str(monthly["note"])
    return " ".join(filter(None, (usd(Decimal(str(monthly["usd"]))), monthly["note"])))


def sum_line(actions: Iterable[Mapping[str, Any]]) -> str:
    """Return the sentence about what a plan costs; empty if it makes nothing that does."""
    found = [action["monthly"]["usd"] for action in actions if action.get("monthly")]
    if not found:
        return ""
    known = sum((Decimal(str(one)) for one in found if one is not None), Decimal(0))
    return f"what is created costs {usd(known)} a month, beside nodes and what depends on usage"
