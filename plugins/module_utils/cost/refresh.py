# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list of prices, renewed: each price is asked for, and only believed if it is the one of its kind, and likely."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ..engine.aws import Aws
from .money import price_text
from .offers import Offer, offer, price_in
from .prices import Price, PriceList

#: Regions in which the Pricing API is, nearest to this platform's first.
API_REGIONS = ("us-east-1", "eu-central-1", "ap-south-1")
#: Names the origin of a price that was read here.
SOURCE = "AWS Price List Query API, GetProducts"
WORKERS = 8


@dataclass(frozen=True)
class Renewal:
    """What came of asking for one price.

    Attributes:
        after: the price as it is in the renewed list.
        kept: why the former one was kept; empty if it was not.
    """

    before: Price
    after: Price
    kept: str = ""

    @property
    def changed(self) -> bool:
        """Whether the amount is another one."""
        return self.before.usd != self.after.usd

    def as_dict(self) -> dict[str, Any]:
        """Return it as the task result shows it."""
        then, now = (price_text(one.usd) if one.usd is not None else None for one in (self.before, self.after))
        place = {"service": self.after.service, "item": self.after.item, "region": self.after.region}
        return {**place, "before": then, "after": now, **({"reason": self.kept} if self.kept else {})}


def wanted(prices: PriceList, regions: Sequence[str], more: Iterable[Mapping[str, str]]) -> list[tuple[Price, Offer]]:
    """Return the prices that can be asked for, each with the question.

    Args:
        more: items that the list does not have yet, each with service, item and unit.
    """
    new = [Price(one["service"], one["item"], region, one["unit"], None) for one in more for region in regions]
    known = {price.key for price in prices}
    listed = [*(price for price in prices if price.region in regions), *(one for one in new if one.key not in known)]
    pairs = ((price, offer(price.service, price.item, price.region)) for price in listed)
    return [(price, asked) for price, asked in pairs if asked]


def ask(
    aws: Aws, region: str, pairs: Sequence[tuple[Price, Offer]], today: str, limit_percent: Decimal
) -> list[Renewal]:
    """Ask for prices, several at once.

    Args:
        region: where the Pricing API is asked.
        limit_percent: how far a price may be from the former one to be believed.
    """
    client = aws.client("pricing", region=region)

    def one(pair: tuple[Price, Offer]) -> Renewal:
        price, asked = pair
        pages = client.get_paginator("get_products").paginate(ServiceCode=asked.service_code, Filters=asked.filters)
        products = [json.loads(text) for page in pages for text in page["PriceList"]]
        return judged(price, *price_in(asked, products), today, limit_percent)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, pairs))


def judged(price: Price, found: Decimal | None, reason: str, today: str, limit_percent: Decimal) -> Renewal:
    """Return what becomes of a price for which this was found."""
    if found is None:
        return Renewal(price, price, reason)
    if price.usd and abs(found - price.usd) / price.usd * 100 > limit_percent:
        far = f"AWS's list says {price_text(found)}, more than {limit_percent:f} % from {price_text(price.usd)}"
        return Renewal(price, price, f"{far}; look at it, and raise max_change_percent if it is right")
    return Renewal(price, replace(price, usd=found, source=SOURCE, source_date=today, confidence="confirmed"))
