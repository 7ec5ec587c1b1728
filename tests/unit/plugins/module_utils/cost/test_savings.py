# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Savings against amounts that were computed by hand, for the design's sizes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.cost.saving import Saving
from ansible_collections.pipeops.platform.plugins.module_utils.cost.savings import savings

from .shipped import sheet
from .test_design_table import ROWS


def found(environment: str, **changes: Any) -> dict[str, Saving]:
    by_lever: dict[str, Saving] = {}
    for one in savings(sheet(environment, **{**ROWS[environment]["variables"], **changes})):
        by_lever.setdefault(one.lever, one)
    return by_lever


def amount(lever: str, *environments: str) -> Decimal:
    return sum((found(name)[lever].monthly or Decimal(0) for name in environments), Decimal(0))


@pytest.mark.parametrize(
    ("lever", "environments", "usd"),
    [
        ("rds_reserved_1yr", ("staging", "prod", "dr"), 971),
        ("rds_reserved_3yr", ("staging", "prod", "dr"), 1448),
        ("savings_plan_convertible", ("dev", "staging", "prod", "dr"), 126),
        ("savings_plan_standard", ("dev", "staging", "prod", "dr"), 169),
        ("sleep_nodes", ("dev",), 39),
        ("sleep_database", ("dev",), 34),
        ("replica_single_az", ("dr",), 328 + 23),
        ("standby_nodes", ("dr",), 68),
        ("nat_zonal", ("dev",), 73),
        ("standard_support", ("dev",), 365),
    ],
)
def test_a_lever_is_worth_what_the_hand_computed(lever: str, environments: tuple[str, ...], usd: int) -> None:
    assert round(amount(lever, *environments)) == usd


def test_the_cluster_and_its_gateway_are_only_saved_if_they_are_removed() -> None:
    rest = found("dev")["sleep_rest"]
    assert rest.monthly == Decimal("70.39")
    assert not rest.together


def test_an_environment_that_sleeps_is_not_committed_to() -> None:
    dev, staging = found("dev"), found("staging")
    assert not dev["rds_reserved_1yr"].together
    assert not dev["savings_plan_convertible"].together
    assert staging["rds_reserved_1yr"].together
    assert "sleep_nodes" not in staging


def test_a_pair_gets_no_spot_and_no_smaller_database() -> None:
    for name in ("prod", "dr"):
        assert not {"spot", "database_single_az", "nodes_smaller"} & found(name).keys()
    assert found("staging")["database_single_az"].monthly == Decimal("187.25") - Decimal("11.50")


def test_a_spot_price_that_nobody_knows_is_unknown() -> None:
    dev, staging = found("dev")["spot"], found("staging")["spot"]
    assert dev.monthly is None
    assert "no spot price" in dev.assumption
    assert staging.monthly == Decimal("53.58")


def test_machines_of_another_kind_are_priced() -> None:
    assert found("prod")["nodes_arm64"].monthly == Decimal("31.54")
    assert found("dev")["database_arm64"].monthly == Decimal("5.11")


def test_what_is_done_already_says_so() -> None:
    assert found("dev")["nat_zonal"].taken
    assert not found("dev", vpc_nat="regional")["nat_zonal"].taken
    assert "nat_zonal" not in found("dev", vpc_nat="none")


def test_nothing_is_promised_for_what_has_no_price() -> None:
    unknown = found("prod", eks_node_instance_types=["x9.huge"], rds_instance_class="db.x9.huge", rds_replicas=[])
    assert "rds_reserved_1yr" not in unknown
    assert unknown["savings_plan_convertible"].monthly is None
    asleep = found("dev", eks_node_instance_types=["x9.huge"], rds_instance_class="db.x9.huge")
    assert {asleep[lever].monthly for lever in ("sleep_nodes", "sleep_auto_mode", "sleep_database")} == {None}
    assert asleep["sleep_rest"].monthly == Decimal("70.39")
    assert found("dr", eks_node_instance_types=["x9.huge"])["standby_nodes"].monthly is None


def test_a_regional_gateway_is_saved_with_all_its_zones() -> None:
    # 73.00, and 98.55 and 10.95 for three zones, for 108 of 168 hours.
    assert found("dev", vpc_nat="regional")["sleep_rest"].monthly == Decimal("117.32")


def test_volumes_of_the_standby_have_the_size_of_the_inventory() -> None:
    usage = {"node_volume_gib": 20}
    assert found("dr", cost_usage=usage)["standby_volumes"].monthly == Decimal("3.20")


def test_a_standby_without_nodes_saves_none() -> None:
    assert "standby_nodes" not in found("dr", eks_node_minimum=0, cost_usage={})
    assert "savings_plan_convertible" not in found("dr", eks_node_minimum=0, cost_usage={})
