# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pipeops_sandbox.clock import load_durations

from tests.performance.delivery import PIPELINE, TOGETHER, Step, schedule, steps


def ends(wanted: dict[str, Step]) -> dict[str, float]:
    return {one.name: one.ended for one in schedule(wanted)}


def test_a_step_begins_when_all_that_it_needs_is_over() -> None:
    wanted = {"late": Step(5, ("short", "long")), "short": Step(1), "long": Step(10)}
    bars = {one.name: (one.began, one.ended) for one in schedule(wanted)}
    assert bars == {"short": (0, 1), "long": (0, 10), "late": (10, 15)}


def test_a_run_begins_when_everything_of_the_one_before_is_over() -> None:
    bars = {one.name: one for one in schedule(steps(PIPELINE))}
    for earlier, later in (("staging", "prod"), ("prod", "dr")):
        last = max(one.ended for name, one in bars.items() if name.startswith(earlier))
        first = min(one.began for name, one in bars.items() if name.startswith(later))
        assert first == last


def test_side_by_side_the_replica_is_made_the_moment_that_the_primary_stands() -> None:
    bars = {one.name: one for one in schedule(steps(TOGETHER))}
    assert bars["dr replica"].began == bars["prod database"].ended == bars["prod replica a"].began
    assert bars["dr cluster"].began == bars["prod cluster"].began


def test_the_longest_way_is_that_of_the_databases() -> None:
    seconds, found = load_durations(), ends(steps(TOGETHER))
    primary = sum(seconds[f"rds:{step}"] for step in ("create_instance", "multi_az", "backup", "configure"))
    assert found["staging database"] == seconds["iam:propagation"] + primary
    assert max(found, key=lambda name: found[name]) == "dr replica"
    assert max(ends(steps(PIPELINE)).values()) > found["dr replica"]
