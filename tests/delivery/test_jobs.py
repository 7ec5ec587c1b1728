# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of the workflows, run here. What takes minutes is marked thorough: ``make delivery-test``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.jobs import ROOT, Runner, deployer
from tests.github_server import REPOSITORY, TOKEN, Hub, github
from tests.platform_runs import Platform, platform

MARK = "<!-- pipeops.platform: pull request -->"
CHECKS = ("lint", "unit", "sanity", "security", "secrets")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with github() as found:
        yield found


def test_the_comment_is_kept_by_its_job(runner: Runner, hub: Hub) -> None:
    runner.expressions = {"github.token": TOKEN, "github.event.pull_request.number": "7"}
    runner.variables = {"GITHUB_API_URL": hub.url, "GITHUB_REPOSITORY": REPOSITORY}
    report = runner.artifact("pull-request") / "pr-report.md"
    report.parent.mkdir(parents=True)
    for text in ("first", "second"):
        report.write_text(f"{MARK}\n\n{text}\n", "utf-8")
        assert runner.run("pull-request", "comment"), runner.output
    assert [one["body"] for one in hub.comments] == [f"{MARK}\n\nsecond\n"]


@pytest.mark.parametrize(("results", "passes"), [("success " * 6, True), ("success " * 5 + "failure", False)])
def test_the_required_check_insists_on_all(runner: Runner, results: str, passes: bool) -> None:
    runner.expressions = {"join(needs.*.result, ' ')": results.strip()}
    assert runner.run("pull-request", "required") is passes


@pytest.mark.thorough
@pytest.mark.parametrize("job", CHECKS)
def test_a_pull_request_is_checked(runner: Runner, job: str) -> None:
    assert runner.run("pull-request", job), runner.output[-6000:]


@pytest.fixture
def base() -> Iterator[str]:
    """A branch of the remote that stands where this checkout does."""
    name = f"delivery-{os.getpid()}"
    subprocess.run(["git", "update-ref", f"refs/remotes/origin/{name}", "HEAD"], cwd=ROOT, check=True)
    yield name
    subprocess.run(["git", "update-ref", "-d", f"refs/remotes/origin/{name}"], cwd=ROOT, check=True)


@pytest.mark.thorough
def test_a_pull_request_is_planned_and_priced(runner: Runner, base: str) -> None:
    inventory = ROOT / "inventories" / "dev" / "host_vars" / "dev" / "eks.yml"
    before = inventory.read_text("utf-8")
    assert "eks_node_maximum: 4" in before
    runner.expressions = {"github.event.pull_request.head.sha": "abc", "github.base_ref": base}
    try:
        inventory.write_text(before.replace("eks_node_maximum: 4", "eks_node_maximum: 5"), "utf-8")
        passed = runner.run("pull-request", "plan")
    finally:
        inventory.write_text(before, "utf-8")
    assert passed, runner.output[-6000:]
    report = (runner.artifact("pull-request") / "pr-report.md").read_text("utf-8")
    assert report == runner.summary
    assert report.startswith(MARK)
    for environment in ("dr", "prod", "staging"):
        assert f"### {environment}: no change" in report
    assert "## Cost: ±$0.00 (fewest nodes), ±$0.00 (ordinary month), +$" in report


@pytest.fixture(scope="module")
def stand() -> Iterator[Platform]:
    with platform() as found:
        found.begin()
        yield found


@pytest.mark.thorough
@pytest.mark.parametrize("environment", ["prod", "dr"])
def test_an_environment_is_planned_deployed_and_watched(runner: Runner, stand: Platform, environment: str) -> None:
    deployer(runner, stand, environment)
    for folder in ("plans", "deploy", "reports"):
        shutil.rmtree(ROOT / "build" / folder, ignore_errors=True)
    assert runner.run("deploy-environment", "plan"), runner.output[-6000:]
    assert f"### {environment}: " in runner.summary
    assert " to create, 0 to change, 0 to delete" in runner.summary
    assert runner.run("deploy-environment", "deploy"), runner.output[-6000:]
    assert f"## {environment}: deployed" in runner.summary
    assert "| prove |" in runner.summary
    kept = runner.artifact(f"deploy-{environment}") / "deploy"
    assert environment in json.loads((kept / f"{environment}.outputs.json").read_text("utf-8"))
    assert runner.run("drift", "drift"), runner.output[-6000:]
    assert "## Drift: 0 left" in runner.summary
