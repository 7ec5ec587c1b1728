# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Money: exact decimals, rounded to cents once, where a line is shown."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

CENT = Decimal("0.01")
#: Hours of a month, by the convention of AWS's calculator.
HOURS = Decimal(730)


class CostError(Exception):
    """Something cannot be priced. The message says what, and what to write instead."""


def cents(amount: Decimal) -> Decimal:
    """Return an amount of USD in whole cents."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def usd(amount: Decimal | None, *, sign: bool = False) -> str:
    """Return an amount as people read it: ``$1,234.56``, with a sign if it is a change."""
    if amount is None:
        return "unpriced"
    rounded = cents(amount)
    mark = "-" if rounded < 0 else "+" if sign and rounded > 0 else ""
    return f"{mark}${abs(rounded):,.2f}"


def price_text(amount: Decimal) -> str:
    """Return the price of one unit with all its digits, at least two after the point: ``$0.0416``."""
    text = f"{amount.normalize():f}"
    whole, _point, fraction = text.partition(".")
    return f"${int(whole):,}.{fraction.ljust(2, '0')}"


def decimal(value: Any, name: str) -> Decimal:
    """Return a number that somebody wrote.

    Raises:
        CostError: naming what is no number, or below 0.
    """
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise CostError(f"{name} is {value!r}: it must be a number, 0 or more. Write digits alone, without a unit.")
    return number


def number(amount: Decimal | None) -> float | None:
    """Return a number as JSON carries it; ``Decimal(str(...))`` makes the same decimal of it again."""
    return None if amount is None else float(amount)
