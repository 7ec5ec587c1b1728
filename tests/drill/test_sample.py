# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One disaster and the way back, as ``make drill`` runs them, held against what the platform promises."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.drill.__main__ import drill
from tests.drill.guards import LEASE_SECONDS
from tests.drill.stage import Plan
from tests.drill.stand import ROOT

SEED = 20261125


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What a drill with a bounded load leaves behind."""
    folder = ROOT / "build" / "drill_sample"
    drill(Plan(SEED, parts=("disaster",), rate=100), folder)
    found: dict[str, Any] = json.loads((folder / "drill.json").read_text("utf-8"))
    assert found["failure"] == ""
    return found


def figures(report: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return what was measured in the only part of a kind."""
    (found,) = (phase["figures"] for phase in report["phases"] if phase["kind"] == kind)
    return dict(found)


def test_nothing_is_wrong(report: dict[str, Any]) -> None:
    assert report["faults"] == []
    assert report["summary"]["acknowledged_writes"] > 1000
    assert report["summary"]["probes"] > 500


def test_a_disaster_loses_what_was_on_its_way_and_nothing_else(report: dict[str, Any]) -> None:
    disaster = figures(report, "disaster")
    assert disaster["lost_writes"] == len(disaster["lost"])
    assert disaster["recovery_point_seconds"] < 1, "half of the 70 ms between the regions, with time to spare"
    assert disaster["unknown_present"] + disaster["unknown_absent"] <= Plan.writers
    assert (disaster["history"], disaster["holes"]) == ("whole", 0)


def test_our_own_steps_add_less_than_a_minute(report: dict[str, Any]) -> None:
    disaster = figures(report, "disaster")
    assert 0 < disaster["own_seconds"] <= 60
    assert disaster["fence_owed"] == "nothing"


def test_the_way_back_loses_nothing(report: dict[str, Any]) -> None:
    back = figures(report, "failback")
    assert (back["lost_writes"], back["history"]) == (0, "whole")
    assert figures(report, "check")["left_to_change"] == 0


def test_the_name_never_leads_to_two_that_take_writes(report: dict[str, Any]) -> None:
    assert report["summary"]["two_writable_primaries_seen_by_name"]["count"] == 0


def test_two_never_take_writes_whoever_asks(report: dict[str, Any]) -> None:
    assert report["summary"]["two_writable_primaries_seen"] == {"count": 0, "longest_seconds": 0.0, "intervals": []}


def test_behind_the_partition_the_leader_closes_itself_before_the_other_one_opens(report: dict[str, Any]) -> None:
    disaster = figures(report, "disaster")
    # The lease ran on for as long as it has, and a second or two until the job of the next second had come.
    assert 5 < disaster["closed_itself_seconds"] < LEASE_SECONDS + 3
    assert disaster["closed_before_first_write_seconds"] > 0


def test_applications_follow_the_database(report: dict[str, Any]) -> None:
    disaster, back = figures(report, "disaster"), figures(report, "failback")
    if "applications" not in disaster:
        pytest.skip("no programs of Kubernetes: python -m pipeops_sandbox kubernetes build")
    for move in (disaster, back):
        assert str(move["applications"]).startswith("ready: 4 of 4 ready")
        assert 0 <= move["seconds_to_first_application"] <= move["seconds_to_all_applications"]
    assert disaster["loss_to_first_application_seconds"] >= disaster["to_first_write_seconds"]


def test_a_page_is_left_that_needs_nothing_else(report: dict[str, Any]) -> None:
    page = (ROOT / "build" / "drill_sample" / "drill.html").read_text("utf-8")
    assert page.count("<svg") == 2
    for outside in ("<script", "<link", 'src="http', "@import"):
        assert outside not in page
