# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.cost.estimate import Estimate, estimate
from ansible_collections.pipeops.platform.plugins.module_utils.cost.lines import SCENARIOS, Counts, Line
from ansible_collections.pipeops.platform.plugins.module_utils.cost.money import CostError

from .shipped import CARRIED, estimated, inventory

#: What the shipped inventories cost: of the fewest nodes, in an ordinary month, of the most.
SHIPPED = {
    "dev": ("277.64", "277.64", "414.42", "within"),
    "staging": ("678.26", "752.69", "1021.79", "within, but $221.79 over with the most nodes"),
    "prod": ("1864.60", "2119.27", "3435.74", "within, but $935.74 over with the most nodes"),
    "dr": ("890.80", "890.80", "1291.10", "within"),
}


def line(found: Estimate, name: str) -> Line:
    (one,) = (one for one in found.lines if one.name == name)
    return one


def names(found: Estimate) -> set[str]:
    return {one.name for one in found.lines}


@pytest.mark.parametrize("environment", SHIPPED)
def test_what_the_shipped_inventories_cost(environment: str) -> None:
    found, (*totals, verdict) = estimated(environment), SHIPPED[environment]
    assert [found.total(scenario) for scenario in SCENARIOS] == [Decimal(one) for one in totals]
    assert found.verdict == verdict
    assert not found.over
    assert not found.unpriced


def test_lines_have_names_of_their_own() -> None:
    for environment in SHIPPED:
        found = [(one.category, one.name) for one in estimated(environment).lines]
        assert len(found) == len(set(found))


def test_the_fewest_nodes_are_of_the_cheapest_type_and_the_most_of_the_dearest() -> None:
    found = estimated("prod", eks_node_instance_types=["m5.xlarge", "m5.large"])
    assert line(found, "EC2 m5.large").counts == Counts(Decimal(3), Decimal(6), Decimal(0))
    assert line(found, "EC2 m5.xlarge").counts == Counts(Decimal(0), Decimal(0), Decimal(10))
    assert line(found, "Auto Mode fee of m5.xlarge").amount("maximum") == Decimal("168.19")


def test_a_type_without_a_price_is_unpriced_and_never_free() -> None:
    found = estimated("prod", eks_node_instance_types=["m5.large", "x9.huge"])
    unknown = line(found, "EC2 x9.huge")
    assert unknown.each is None
    assert unknown.amount("maximum") is None
    assert "no price of ondemand:linux:x9.huge in us-west-2" in unknown.note
    assert {one.name for one in found.unpriced} == {"EC2 x9.huge", "Auto Mode fee of x9.huge"}


def test_a_remembered_price_is_none() -> None:
    found = estimated("staging", rds_instance_class="db.r7g.large", rds_multi_az=False)
    assert [one.name for one in found.unpriced] == ["Primary, db.r7g.large Single-AZ"]


def test_a_verdict_without_all_prices_says_so() -> None:
    assert estimated("staging", rds_instance_class="db.r8g.large").verdict == "within, without what has no price"


def test_a_price_of_ones_own_makes_it_one() -> None:
    own = [{"service": "AmazonRDS", "item": "postgres:single-az:db.r7g.large", "usd": 0.239}]
    found = estimated("staging", rds_instance_class="db.r7g.large", rds_multi_az=False, cost_price_overrides=own)
    assert line(found, "Primary, db.r7g.large Single-AZ").amount("desired") == Decimal("174.47")
    assert not found.unpriced


def test_what_depends_on_usage_is_no_nought() -> None:
    found = estimated("dev", cost_usage={})
    data = line(found, "Data through NAT")
    assert data.counts is None
    assert data.amount("desired") is None
    assert data.price == "$0.045 per GB"
    assert data in found.uncounted
    assert found.total("desired") == found.baseline("desired")


def test_usage_is_told_from_what_is_there_anyway() -> None:
    found = estimated("dev")
    assert found.total("desired") - found.baseline("desired") == Decimal("14.65")


@pytest.mark.parametrize(
    ("changes", "gone", "there"),
    [
        ({"vpc_nat": "none"}, "NAT gateway, zonal", "EKS control plane"),
        ({"vpc_nat": "regional"}, "NAT gateway, zonal", "NAT gateway, regional"),
        ({"vpc_flow_logs_enabled": False}, "Flow logs", "Logs taken in"),
        ({"rds_performance_insights": False}, "Database Insights, 7 days", "Logs taken in"),
        ({"rds_monitoring_interval_seconds": 0}, "Enhanced Monitoring of databases", "Logs taken in"),
        ({"rds_replicas": []}, "Replica a, db.r6g.xlarge Single-AZ", "Primary, db.r6g.xlarge Multi-AZ"),
        ({"vpc_interface_endpoints": ["ecr.api"]}, "", "Interface endpoints"),
        ({"eks_support_type": "EXTENDED"}, "", "EKS extended support"),
        ({"rds_backup_retention_days": 0}, "Backups above the free amount", "Logs taken in"),
    ],
)
def test_lines_follow_the_variables(changes: dict[str, Any], gone: str, there: str) -> None:
    found = names(estimated("prod", **changes))
    assert there in found
    assert gone not in found


def test_a_regional_gateway_is_billed_for_each_zone() -> None:
    found = estimated("dev", vpc_nat="regional")
    assert line(found, "NAT gateway, regional").amount("desired") == Decimal("98.55")
    assert line(found, "Public IPv4 addresses of NAT").amount("desired") == Decimal("10.95")


def test_interface_endpoints_are_billed_for_each_zone() -> None:
    found = estimated("dev", vpc_interface_endpoints=["ecr.api", "ecr.dkr"])
    assert line(found, "Interface endpoints").amount("desired") == Decimal("43.80")


def test_a_replica_may_be_of_another_class() -> None:
    replicas = [{"name": "a", "availability_zone": "us-west-2a", "instance_class": "db.r6g.large"}]
    found = estimated("prod", rds_replicas=replicas)
    assert line(found, "Replica a, db.r6g.large Single-AZ").amount("desired") == Decimal("164.25")


def test_the_region_that_sends_pays_for_the_way() -> None:
    assert line(estimated("prod"), "To us-east-1").amount("desired") == Decimal("6.00")
    assert not any(name.startswith("To us-") for name in names(estimated("dr")))
    pair = {"environment": "prod", "region": "us-west-2"}
    swapped = estimated("dr", platform_database_role="primary", platform_pair=pair, cost_usage={"cross_region_gb": 100})
    assert line(swapped, "To us-west-2").amount("desired") == Decimal("2.00")


def test_the_internet_becomes_cheaper_in_steps() -> None:
    found = estimated("dev", cost_usage={"internet_out_gb": 60_000})
    assert line(found, "To the internet").amount("desired") == Decimal("921.60")
    assert line(found, "To the internet, next 40 TB").amount("desired") == Decimal("3481.60")
    assert line(found, "To the internet, above 50 TB").each is None


@pytest.mark.parametrize(
    ("basis", "budget", "over", "verdict"),
    [
        ("desired", 277.64, False, "within, but $136.78 over with the most nodes"),
        ("desired", 277.63, True, "OVER by $0.01"),
        ("maximum", 400, True, "OVER by $14.42"),
        ("minimum", 414.42, False, "within"),
    ],
)
def test_a_budget_is_kept_to_the_cent(basis: str, budget: float, over: bool, verdict: str) -> None:
    found = estimated("dev", cost_budget_basis=basis, platform_budget_usd_month=budget)
    assert (found.over, found.verdict) == (over, verdict)


def test_without_a_budget_nothing_is_over() -> None:
    found = estimate(inventory("dev", without=("platform_budget_usd_month",)), CARRIED)
    assert (found.over, found.verdict) == (False, "no budget")


def test_a_discount_is_for_the_prices_of_the_list() -> None:
    assert estimated("dev", cost_discount_percent=10).total("desired") == pytest.approx(
        Decimal("249.88"), abs=Decimal("0.05")
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cost_usage": {"nodes": 5}}, "cost_usage.nodes is 5: there are 2 to 4 nodes"),
        ({"cost_usage": {"nat_gb": "much"}}, "cost_usage.nat_gb is 'much'"),
        ({"cost_usage": {"nat_gb": -1}}, "cost_usage.nat_gb is -1"),
        ({"cost_usage": {"nat_gb": {"maximum": 1}}}, "cost_usage.nat_gb must be a number, or have minimum"),
        ({"cost_usage": {"nat_gb": {"desired": 1, "most": 2}}}, "cost_usage.nat_gb must be a number, or have minimum"),
        ({"cost_discount_percent": 100}, "cost_discount_percent is 100"),
        ({"cost_hours_per_week": 0}, "cost_hours_per_week is 0"),
        ({"cost_hours_per_week": 169}, "cost_hours_per_week is 169"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(CostError, match=reason):
        estimated("dev", **changes)


def test_an_inventory_without_what_matters_is_refused() -> None:
    with pytest.raises(CostError, match="dev cannot be priced: it has no rds_instance_class"):
        estimate(inventory("dev", without=("rds_instance_class",)), CARRIED)


def test_an_estimate_outlives_json() -> None:
    found = estimated("prod")
    assert Estimate.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    with pytest.raises(CostError, match="This is no estimate"):
        Estimate.from_dict({"environment": "prod"})


def test_a_guard_costs_the_turns_of_its_two_pods() -> None:
    guarded = estimated("prod", write_guard_image="registry.example.com/write-guard:1.0.0")
    assert names(guarded) - names(estimated("prod")) == {"Writes of the write guard", "Reads of the write guard"}
    # 730 hours of 1,200 turns, twice: 1.752 million writes at 0.625, and twice as many reads at 0.125.
    assert line(guarded, "Writes of the write guard").amount("desired") == Decimal("1.10")
    assert line(guarded, "Reads of the write guard").amount("desired") == Decimal("0.44")
    assert guarded.total("desired") - estimated("prod").total("desired") == Decimal("1.54")
