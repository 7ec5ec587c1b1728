# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.cost.money import CostError, price_text, usd
from ansible_collections.pipeops.platform.plugins.module_utils.cost.prices import COLUMNS, PriceList, overridden

from .shipped import CARRIED

HEAD = ",".join(COLUMNS)
ROWS = """
AmazonRDS,known,us-west-2,hour,0.5,https://a,2026-01-02,confirmed
AmazonRDS,remembered,us-west-2,hour,0.5,https://a,not read,unconfirmed
AmazonRDS,blank,us-west-2,hour,,https://a,not read,no-price-found
AmazonEC2,spot,us-west-2,hour,0.1,https://a,2026-03-04,indicative
AmazonRoute53,zone,global,zone-month,0.5,https://a,2025-01-01,confirmed-older
"""
PRICES = PriceList.parse(HEAD + ROWS)


@pytest.mark.parametrize(
    ("service", "item", "usd_of_one"),
    [
        ("AmazonRDS", "known", "0.5"),
        ("AmazonRoute53", "zone", "0.5"),
        ("AmazonRDS", "remembered", None),
        ("AmazonRDS", "blank", None),
        ("AmazonEC2", "spot", None),
        ("AmazonRDS", "never heard of", None),
    ],
)
def test_only_what_can_be_relied_on_is_a_price(service: str, item: str, usd_of_one: str | None) -> None:
    assert PRICES.usd(service, item, "us-west-2") == (Decimal(usd_of_one) if usd_of_one else None)


def test_a_spot_price_is_given_to_those_who_ask_for_one() -> None:
    assert PRICES.usd("AmazonEC2", "spot", "us-west-2", indicative=True) == Decimal("0.1")
    assert PRICES.usd("AmazonRDS", "remembered", "us-west-2", indicative=True) is None


def test_the_age_is_that_of_the_latest_source() -> None:
    assert PRICES.as_of == date(2026, 3, 4)
    assert PRICES.age_days(date(2026, 3, 14)) == 10
    assert PriceList([]).age_days(date(2026, 3, 14)) is None


def test_a_list_is_written_as_it_was_read() -> None:
    assert PriceList.parse(CARRIED.text()).text() == CARRIED.text()
    assert len(CARRIED) == 289


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n", "must begin with the line service,item"),
        (f"{HEAD}\nAmazonRDS,x,us-west-2,hour,dear,s,d,c\n", "line 2: usd is 'dear'"),
        (f"{HEAD}\nAmazonRDS,x,us-west-2,hour,-1,s,d,c\n", "line 2: usd is '-1'"),
        (f"{HEAD}\nAmazonRDS,x,us-west-2\n", "line 2: there must be 8 values"),
        (f"{HEAD}\nAmazonRDS,x,us-west-2,hour,1,s,d,c,more\n", "line 2: there must be 8 values"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CostError, match=reason):
        PriceList.parse(text)


def test_prices_of_ones_own_replace_those_of_the_list() -> None:
    rows = [{"service": "AmazonRDS", "item": "blank", "usd": 1.25}]
    own = overridden(PRICES, rows, "us-west-2")
    assert own.usd("AmazonRDS", "blank", "us-west-2") == Decimal("1.25")
    assert PRICES.usd("AmazonRDS", "blank", "us-west-2") is None
    with pytest.raises(CostError, match=r"cost_price_overrides\[0\].unit is not set"):
        overridden(PRICES, [{"service": "AmazonRDS", "item": "new", "usd": 1}], "us-west-2")


def test_a_discount_lowers_all_prices() -> None:
    assert PRICES.discounted(Decimal(10)).usd("AmazonRDS", "known", "us-west-2") == Decimal("0.45")
    assert PRICES.discounted(Decimal(0)) is PRICES


@pytest.mark.parametrize(
    ("amount", "sign", "text"),
    [
        ("1234.565", False, "$1,234.57"),
        ("-5", False, "-$5.00"),
        ("5", True, "+$5.00"),
        ("0", True, "$0.00"),
    ],
)
def test_amounts_read_as_people_write_them(amount: str, sign: bool, text: str) -> None:
    assert usd(Decimal(amount), sign=sign) == text


def test_a_price_keeps_its_digits() -> None:
    assert price_text(Decimal("0.0004")) == "$0.0004"
    assert price_text(Decimal("73.000")) == "$73.00"
