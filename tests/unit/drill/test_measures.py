# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the figures are computed from."""

from __future__ import annotations

import pytest

from tests.drill.measures import longest_gap, lost_of, model_seconds, quantile, rate, step_of
from tests.drill.records import Fate, Write

REPORT = {
    "began_at": "2026-11-25T14:00:00+00:00",
    "steps": [
        {"task": "Promote the standby", "start": 2.0, "end": 5.0},
        {"task": "Open the database", "start": 5.0, "end": 5.5},
    ],
}


def test_the_longest_gap_counts_the_limits() -> None:
    assert longest_gap([1, 2, 3], 0.5, 9) == (3, 9)
    assert longest_gap([5, 8.5], 0, 9) == (0, 5)
    assert longest_gap([], 2, 9) == (2, 9)


def test_a_rate_is_that_of_its_step() -> None:
    assert rate([0.1, 0.2, 0.6, 5], 0, 1, step=0.5) == [(0.25, 4.0), (0.75, 2.0)]


def test_a_task_is_found_in_a_report() -> None:
    began, ended = step_of(REPORT, "Promote the standby") or (0.0, 0.0)
    assert ended - began == pytest.approx(3.0)
    assert step_of(REPORT, "No such task") is None
    assert step_of({}, "Promote the standby") is None


def test_only_the_promotion_is_in_model_time() -> None:
    found = model_seconds(to_first_write=30.0, promotion=20.0, scale=20.0)
    assert found == {"promotion": 400.0, "ours": 10.0, "to_first_write": 410.0}


def test_a_promotion_cannot_take_longer_than_everything() -> None:
    assert model_seconds(1.0, 1.1, 1.0)["ours"] == 0.0


def test_lost_writes_are_told_in_the_order_of_their_acknowledgements() -> None:
    lost = [
        Write(1, 8, 3, 3.5, 1_800_000_003.5, Fate.ACKNOWLEDGED),
        Write(2, 4, 3, 3.25, 1_800_000_003.25, Fate.UNKNOWN),
    ]
    told = lost_of(lost, zero=3)
    assert [(one["writer"], one["acknowledged"]) for one in told] == [(2, 0.25), (1, 0.5)]
    assert told[0]["acknowledged_at"] == "2027-01-15T08:00:03.250+00:00"


def test_quantiles_of_nothing_are_zero() -> None:
    assert quantile([], 0.5) == 0.0
    assert quantile([3, 1, 2], 0.5) == 2
