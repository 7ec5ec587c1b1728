# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.performance.figures import rows
from tests.performance.measure import Failed, Sample, Subject, median, ratio, rounds, sample
from tests.performance.page import page
from tests.performance.subjects import copies

SUMMARY = {"wall": 1.0, "cpu": 1.0, "peak_mib": 90}


def subject(code: str) -> Subject:
    return Subject("python", [sys.executable, "-c", code], Path.cwd(), {})


def samples(*walls: float) -> list[Sample]:
    return [Sample(wall, wall / 2, 80) for wall in walls]


def delivered(minutes: float) -> dict[str, object]:
    bars = [{"name": "apply prod", "began": 0, "ended": minutes * 60}]
    seen = [
        {"name": "pipeops-prod in us-west-2", "status": "creating", "began": 60, "ended": 900},
        {"name": "pipeops-prod in us-west-2", "status": "available", "began": 900, "ended": 1200},
    ]
    return {
        "minutes": minutes,
        "critical_minutes": 40,
        "of_critical": minutes / 40,
        "runs": bars,
        "least": bars,
        "seen": seen,
    }


def measured(of_stock: float = 0.1, of_reads: float = 4.0, total: int = 100, minutes: float = 44) -> dict[str, object]:
    return {
        "began_at": "2026-11-30T12:00:00+00:00",
        "commit": "0123abc",
        "machine": {"name": "x86_64", "processors": 2, "python": "3.11.9", "ansible": "2.21.0"},
        "converged": {
            "seconds": {"ours": {"wall": 2.0}, "stock": {"wall": 20.0}, "reads": {"wall": 0.5}},
            "of_stock_modules": of_stock,
            "of_reads": of_reads,
            "cpu_of_stock_modules": 0.1,
        },
        "calls": {"total": total, "by_operation": {"ec2:DescribeVpcs": 1}, "growth": {"roles": {"1": 90, "8": 118}}},
        "scale": {"runs": {"1": SUMMARY, "16": {**SUMMARY, "wall": 7.5}}, "of_one": 7.5},
        "crowded": {"others": {"0": {**SUMMARY, "calls": 90}, "500": {**SUMMARY, "calls": 92}}, "of_alone": 1.0},
        "plans": {"seconds": 39.9},
        "delivery": {"pipeline": delivered(minutes), "together": delivered(40)},
    }


def test_a_run_is_measured_with_what_its_children_took() -> None:
    spin = "import time\nwhile time.process_time() < 0.2: pass"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])"
    found = sample(subject(child))
    assert found.wall >= 0.2
    assert found.cpu >= 0.2
    assert found.peak_mib > 1


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(Failed, match=r"python ended with 3:\ntold"):
        sample(subject("print('told'); raise SystemExit(3)"))


def test_commands_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []
    two = [
        Subject(name, [sys.executable, "-c", ""], Path.cwd(), {}, lambda name=name: order.append(name)) for name in "ab"
    ]
    found = rounds(two, 2, lambda _text: None)
    assert order == ["a", "b"] * 3
    assert {name: len(rows) for name, rows in found.items()} == {"a": 2, "b": 2}


def test_ratios_are_taken_round_by_round() -> None:
    # The machine was three times slower in the last round, for both.
    assert ratio(samples(1, 1, 3), samples(2, 2, 6)) == 0.5
    assert median(samples(1, 1, 3)) == 1
    assert median(samples(4), "cpu") == 2


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, set()),
        ({"of_stock": 0.151}, {"A run of prod with nothing to do, of the same as stock modules"}),
        ({"of_reads": 6.01}, {"The same, times what reads alone take"}),
        ({"total": 121}, {"Calls of a run of prod with nothing to do"}),
        (
            {"minutes": 56},
            {
                "staging, prod and dr from an empty account, one job after the other, each proven by a plan",
                "The same, times AWS's own critical path",
            },
        ),
    ],
)
def test_figures_are_held_against_the_targets(changes: dict[str, float], missed: set[str]) -> None:
    assert {row.name for row in rows(measured(**changes)) if row.met is False} == missed


def test_the_page_has_the_figures_and_a_drawing_of_each_part() -> None:
    text = page(measured(total=121))
    assert "not met" in text
    assert text.count("<svg") == 4
    assert "0123abc" in text


def test_environments_are_copies_of_dev_by_other_names(tmp_path: Path) -> None:
    folder = copies(tmp_path, 3)
    assert (folder / "hosts.yml").read_text("utf-8").count("bench0") == 3
    assert "platform_environment: bench02" in (folder / "host_vars" / "bench02" / "platform.yml").read_text("utf-8")
