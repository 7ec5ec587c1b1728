# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The design's environments, line by line, against amounts that were computed by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pipeops.platform.plugins.module_utils.cost.lines import (
    AUTO_MODE,
    BALANCERS,
    CATEGORIES,
    LOGS,
    SECURITY,
    STATE,
    Line,
)

from .shipped import estimated, sheet

TABLE: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("design_table.yml").read_text("utf-8"))
ROWS = {row["environment"]: row for row in TABLE}
OTHER = (BALANCERS, LOGS, SECURITY)
#: The hand took 12 % of the price of all nodes; AWS lists the fee of one, rounded to five decimals, and so do we.
ROUNDING = Decimal("0.02")


def design(environment: str) -> Any:
    return estimated(environment, **ROWS[environment]["variables"])


def amounts(environment: str, category: str) -> list[Decimal]:
    found = design(environment)
    names = OTHER if category == "other" else (category,)
    return [sum((found.of(name, scenario) for name in names), Decimal(0)) for scenario in ("minimum", "maximum")]


@pytest.mark.parametrize(
    ("environment", "category"), [(row["environment"], category) for row in TABLE for category in row["amounts"]]
)
def test_a_line_of_the_table_is_right_to_the_cent(environment: str, category: str) -> None:
    expected = [Decimal(str(amount)) for amount in ROWS[environment]["amounts"][category]]
    off = [abs(own - wanted) for own, wanted in zip(amounts(environment, category), expected, strict=True)]
    assert max(off) <= (ROUNDING if category == AUTO_MODE else 0), (amounts(environment, category), expected)


@pytest.mark.parametrize("environment", ROWS)
def test_nothing_else_costs_anything_but_the_zone(environment: str) -> None:
    found, named = design(environment), {*ROWS[environment]["amounts"], *OTHER}
    rest = {category: found.of(category, "maximum") for category in CATEGORIES if category not in named}
    assert {category: amount for category, amount in rest.items() if amount} == {STATE: Decimal("0.50")}
    assert not found.unpriced


@pytest.mark.parametrize("environment", ROWS)
def test_the_totals_are_those_of_the_table(environment: str) -> None:
    found = design(environment)
    totals = [round(found.total(scenario) - Decimal("0.50")) for scenario in ("minimum", "maximum")]
    assert totals == ROWS[environment]["total"]


def test_the_grand_total_is_that_of_the_table() -> None:
    zones = len(ROWS) * Decimal("0.50")
    found = [
        sum((design(name).total(scenario) for name in ROWS), Decimal(0)) - zones for scenario in ("minimum", "maximum")
    ]
    assert [round(amount) for amount in found] == [3748, 5194]


@pytest.mark.parametrize(
    ("service", "item", "monthly"),
    [
        ("AmazonEKS", "control-plane:standard-support", "73.00"),
        ("AmazonVPC", "nat-gateway:zonal", "32.85"),
        ("AmazonVPC", "public-ipv4:in-use-or-idle", "3.65"),
        ("AmazonVPC", "interface-endpoint", "7.30"),
        ("AmazonEC2", "ondemand:linux:t3.medium", "30.368"),
        ("AmazonEC2", "ondemand:linux:t3.large", "60.736"),
        ("AmazonEC2", "ondemand:linux:m5.large", "70.08"),
        ("AmazonRDS", "postgres:single-az:db.t3.medium", "52.56"),
        ("AmazonRDS", "postgres:multi-az:db.r6g.large", "328.50"),
        ("AmazonRDS", "postgres:multi-az:db.r6g.xlarge", "656.27"),
        ("AmazonRDS", "postgres:single-az:db.r6g.xlarge", "328.50"),
        ("awskms", "customer-managed-key", "1"),
        ("AWSSecretsManager", "secret", "0.4"),
    ],
)
@pytest.mark.parametrize("environment", ["prod", "dr"])
def test_a_month_of_one_is_what_aws_bills(environment: str, service: str, item: str, monthly: str) -> None:
    assert sheet(environment).each(service, item) == Decimal(monthly)


def test_a_line_says_where_its_price_is_from() -> None:
    for line in design("prod").lines:
        assert isinstance(line, Line)
        assert line.source.startswith("https://"), line.name
        assert line.source_date, line.name
