# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drill notes of applications, from the report of the playbook that moved them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.drill.scenario import _applications
from tests.drill.stand import PlaybookRun

#: The monotonic clock showed 100 when it was 2026-11-25T20:00:00Z.
ZERO, ZERO_WALL = 100.0, 1795636800.0


class Stage:
    """As much of a stage as notes need."""

    def __init__(self, *, kubernetes: bool) -> None:
        self.stand = SimpleNamespace(kubernetes=kubernetes)
        self.journal = SimpleNamespace(zero=ZERO, zero_wall=ZERO_WALL)
        self.marks: list[tuple[str, float]] = []

    def mark(self, text: str, at: float) -> float:
        self.marks.append((text, at))
        return at


def run(**findings: Any) -> PlaybookRun:
    return PlaybookRun("playbooks/dr_failover.yml", 0, 0.0, 1.0, Path("log"), {"findings": findings})


READY = {
    "applications": "ready: 4 of 4 ready, 3 nodes",
    "seconds_to_first_application": 2.0,
    "seconds_to_all_applications": 5.0,
    "first_application_ready_at": "2026-11-25T20:00:40Z",
}


def test_the_first_application_is_dated_on_the_clock_of_the_drill() -> None:
    stage = Stage(kubernetes=True)
    found = _applications(stage, run(**READY), lost=110.0)  # type: ignore[arg-type]
    assert found["loss_to_first_application_seconds"] == 31.0
    assert stage.marks == [("first application ready in dr", 141.0)]
    assert found["seconds_to_all_applications"] == 5.0


def test_one_that_never_came_is_not_dated() -> None:
    stage = Stage(kubernetes=True)
    found = _applications(stage, run(applications="unknown", first_application_ready_at="never"), lost=110.0)  # type: ignore[arg-type]
    assert (found["applications"], found["seconds_to_first_application"]) == ("unknown", None)
    assert stage.marks == []


def test_without_api_servers_nothing_is_noted() -> None:
    assert _applications(Stage(kubernetes=False), run(**READY), lost=110.0) == {}  # type: ignore[arg-type]
