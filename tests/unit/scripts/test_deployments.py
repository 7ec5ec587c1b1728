# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import deploy
import job_summary
import pytest


class Runs:
    """Stands in for ansible-playbook: ends as it is told, and leaves the report that the plan callback would leave."""

    def __init__(self, *results: tuple[int, dict[str, int]]) -> None:
        self.results = list(results)
        self.commands: list[list[str]] = []

    def __call__(self, arguments: Sequence[str], variables: dict[str, str]) -> int:
        self.commands.append(list(arguments))
        status, totals = self.results.pop(0)
        if "PIPEOPS_PLAN_JSON" in variables:
            Path(variables["PIPEOPS_PLAN_JSON"]).write_text(json.dumps({"hosts": {"dev": {"totals": totals}}}), "utf-8")
        if "PIPEOPS_PLAN_MARKDOWN" in variables:
            Path(variables["PIPEOPS_PLAN_MARKDOWN"]).write_text("### dev: the plan\n", "utf-8")
        return status


def test_a_deployment_is_applied_proven_and_its_outputs_kept(tmp_path: Path) -> None:
    runs = Runs((0, {"create": 3, "delete": 0}), (0, {"create": 0}), (0, {}))
    done = deploy.deploy("dev", tmp_path, runs)
    assert not done.failed
    assert [(one.name, one.told) for one in done.phases] == [
        ("apply", "3 create"), ("prove", "nothing left to do"), ("outputs", "dev.outputs.json"),
    ]  # fmt: skip
    assert [command[0] for command in runs.commands] == ["site.yml", "site.yml", "playbooks/outputs.yml"]
    assert "--check" in runs.commands[1]
    assert done.markdown().startswith("## dev: deployed\n")
    assert "### dev: the plan" in done.markdown()


@pytest.mark.parametrize(
    ("results", "last"),
    [([(2, {"create": 1})], "apply"), ([(0, {}), (0, {"update": 1})], "prove"), ([(0, {}), (2, {})], "prove")],
)
def test_the_first_part_that_fails_is_the_last(
    tmp_path: Path, results: list[tuple[int, dict[str, int]]], last: str
) -> None:
    done = deploy.deploy("dev", tmp_path, Runs(*results))
    assert done.failed
    assert done.phases[-1].name == last
    assert done.markdown().startswith("## dev: failed\n")


def test_a_report_of_another_run_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "dev.run.json").write_text('{"hosts": {"dev": {"totals": {"create": 9}}}}', "utf-8")
    done = deploy.deploy("dev", tmp_path, lambda arguments, variables: 4)
    assert done.phases[0].told == "no report"


@pytest.mark.parametrize("arguments", [[], ["dev", "prod"], ["qa"]])
def test_exactly_one_environment_is_deployed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main(arguments) == 2
    assert "must be one of: dev, dr, prod, staging" in capsys.readouterr().err


DRIFT = {
    "kind": "drift",
    "left": 1,
    "failed": {"dr": "AccessDenied"},
    "environments": {
        "prod": {
            "findings": [
                {
                    "category": "changed", "label": "DB instance", "name": "a|b", "who": {},
                    "differences": [{"attribute": "multi_az", "found": False, "wanted": True}],
                }
            ]
        }
    },
}  # fmt: skip


def test_a_report_of_drift_becomes_a_table(tmp_path: Path) -> None:
    page = tmp_path / "drift-20261130T031700Z.json"
    page.write_text(json.dumps(DRIFT), "utf-8")
    text = job_summary.text_of(page)
    assert text.startswith("## Drift: 1 left\n")
    assert "> dr was not compared: AccessDenied" in text
    assert "| `~` | prod | DB instance | a\\|b | multi_az is false, not true |  |" in text


def test_the_summary_takes_the_latest_of_each_kind(tmp_path: Path) -> None:
    for name, title in (
        ("drill-20261101T000000Z", "old"),
        ("drill-20261102T000000Z", "new"),
        ("status-20261101T0Z", "status"),
    ):
        report = {"kind": "drill", "title": title, "findings": {"first_write_at": "now", "lost": 3}}
        (tmp_path / f"{name}.json").write_text(json.dumps(report), "utf-8")
    (tmp_path / "plan.md").write_text("### a plan\n", "utf-8")
    summary = tmp_path / "summary"
    summary.write_text("before\n", "utf-8")
    paths = [*map(str, tmp_path.glob("*.json")), str(tmp_path / "plan.md"), str(tmp_path / "missing.md")]
    assert job_summary.main(paths, {"GITHUB_STEP_SUMMARY": str(summary)}) == 0
    text = summary.read_text("utf-8")
    assert text.startswith("before\n")
    assert "## new" in text
    assert "## old" not in text
    assert "## status" in text
    assert "| first write at | now |" in text
    assert "### a plan" in text


def test_a_job_that_left_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert job_summary.main([str(tmp_path / "missing.md")], {}) == 0
    assert "No report was left" in capsys.readouterr().out
