# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.check import Host, check
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.inventory import (
    Inventory,
    as_network,
    range_fault,
)
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.windows import (
    BackupWindow,
    MaintenanceWindow,
    overlap,
)

from tests.inventories import SITE_RULES, shipped


def no_aws(_region: str) -> NoReturn:
    raise AssertionError("AWS was asked about an inventory that is wrong without it")


def test_nothing_set_names_everything_that_has_no_default() -> None:
    verdict = check(Host("new", {}), [], SITE_RULES, no_aws)
    assert {problem.variable for problem in verdict.problems} == {
        "platform_environment",
        "platform_region",
        "platform_account_id",
        "platform_database_role",
        "vpc_cidr",
        "vpc_zones",
        "rds_instance_class",
    }
    assert all("host_vars/new/" in problem.mend for problem in verdict.problems)
    assert verdict.facts is None


def test_a_template_without_its_parts_is_reported_once() -> None:
    host = shipped("dev", without=("vpc_cidr",))
    verdict = check(Host("dev", host.values, {"vpc_cidr": "'x' is undefined"}), [], SITE_RULES, no_aws)
    (problem,) = verdict.problems
    assert problem.variable == "vpc_cidr"
    assert "'x' is undefined" in problem.reason


def test_everything_is_reported_at_once() -> None:
    host = shipped("prod", {"vpc_cidr": "x", "eks_node_minimum": 12, "eks_vers": 1, "eks_version": 1.3})
    verdict = check(host, [], SITE_RULES, no_aws)
    assert sorted(problem.variable for problem in verdict.problems) == [
        "eks_node_minimum",
        "eks_vers",
        "eks_version",
        "vpc_cidr",
    ]


def test_a_problem_with_a_default_says_so() -> None:
    made = Inventory("prod", {"eks_node_maximum": 1}, SITE_RULES.specs)
    assert str(made.problem("eks_node_minimum", "r", "M.")) == "eks_node_minimum is 2 (the default): r. M."


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("10.0.0.0/16", None),
        ("0.0.0.0/0", None),
        ("10.0.0.1/16", "Write 10.0.0.0/16."),
        ("10.0.0.1", "Write 10.0.0.1/32 for this one address."),
        ("10.0.0.0/x", "Write it as address"),
        ("10.0.0/16", "Write it as address"),
        ("::/0", "Write it as address"),
        ("", "Write it as address"),
    ],
)
def test_ranges_are_read_strictly(text: str, fault: str | None) -> None:
    found = range_fault(text)
    assert (found is None) == (as_network(text) is not None) == (fault is None)
    if found and fault:
        assert fault in found[1]


@pytest.mark.parametrize(
    ("backup", "maintenance", "expected"),
    [
        ("08:00-08:30", "sun:09:30-sun:10:30", False),
        ("08:00-09:31", "sun:09:30-sun:10:30", True),
        ("08:00-09:30", "sun:09:30-sun:10:30", False),
        ("23:30-00:30", "mon:00:00-mon:01:00", True),
        ("00:00-00:30", "sun:23:45-mon:00:15", True),
        ("00:30-01:00", "sun:23:45-mon:00:15", False),
        ("12:00-13:00", "tue:11:00-wed:11:00", True),
    ],
)
def test_windows_overlap_over_the_ends_of_day_and_week(backup: str, maintenance: str, expected: bool) -> None:
    night, week = BackupWindow.parse(backup), MaintenanceWindow.parse(maintenance)
    assert night
    assert week
    assert overlap(night, week) is expected


def test_other_hosts_may_be_wrong_themselves() -> None:
    broken: dict[str, Any] = {"vpc_cidr": 5, "platform_pair": "prod", "platform_region": None}
    host = shipped("prod", {"eks_node_minimum": 99})
    verdict = check(host, [shipped("dr", broken)], SITE_RULES, no_aws)
    assert [problem.variable for problem in verdict.problems] == ["eks_node_minimum"]
