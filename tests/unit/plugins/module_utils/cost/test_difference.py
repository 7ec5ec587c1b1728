# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from decimal import Decimal

from ansible_collections.pipeops.platform.plugins.module_utils.cost.difference import compare
from ansible_collections.pipeops.platform.plugins.module_utils.cost.lines import SCENARIOS

from .shipped import estimated


def test_a_higher_node_maximum_is_right_to_the_cent() -> None:
    found = compare([estimated("dev")], [estimated("dev", eks_node_maximum=5)])
    # One more t3.medium, its fee and its 80 GB: 30.368, 3.6427 and 6.40, each line rounded by itself.
    assert [found.change(scenario) for scenario in SCENARIOS] == [0, 0, Decimal("40.41")]
    assert {(change.sign, change.line.name, change.amount("maximum")) for change in found.changes} == {
        ("~", "EC2 t3.medium", Decimal("30.37")),
        ("~", "Auto Mode fee of t3.medium", Decimal("3.64")),
        ("~", "Volumes of nodes", Decimal("6.40")),
    }


def test_a_line_that_is_new_or_gone_counts_in_full() -> None:
    found = compare([estimated("prod")], [estimated("prod", rds_replicas=[], vpc_interface_endpoints=["ecr.api"])])
    signs = {change.line.name: (change.sign, change.amount("desired")) for change in found.changes}
    assert signs["Replica a, db.r6g.xlarge Single-AZ"] == ("-", Decimal("-328.50"))
    assert signs["Interface endpoints"] == ("+", Decimal("21.90"))


def test_nothing_changed_is_no_change() -> None:
    found = compare([estimated("prod"), estimated("dr")], [estimated("prod"), estimated("dr")])
    assert found.changes == ()
    assert found.crossed() == []


def test_an_environment_that_is_new_or_gone_counts_in_full() -> None:
    found = compare([estimated("dev")], [estimated("staging")])
    assert found.environments == ["staging", "dev"]
    assert found.total("dev", "desired") == (Decimal("277.64"), Decimal(0))
    assert found.change("desired") == Decimal("752.69") - Decimal("277.64")
    assert {change.sign for change in found.changes} == {"+", "-"}


def test_a_budget_is_crossed_once() -> None:
    within, over = estimated("staging"), estimated("staging", platform_budget_usd_month=700)
    assert compare([within], [over]).crossed() == ["staging"]
    assert compare([over], [over]).crossed() == []
    assert compare([], [over]).crossed() == ["staging"]
