# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every workflow: pinned actions, least rights, nothing of others in a shell, people's commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS = ROOT / ".github" / "actions" / "tools" / "action.yml"
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
ENVIRONMENTS = ("dev", "staging", "prod", "dr")


def load(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def workflow(name: str) -> dict[Any, Any]:
    return load(ROOT / ".github" / "workflows" / f"{name}.yml")


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            yield path.stem, name, job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for file, name, job in jobs():
        for step in job.get("steps", []):
            yield f"{file}/{name}", step
    for step in load(TOOLS)["runs"]["steps"]:
        yield "tools", step


def test_actions_of_others_are_pinned_by_digest_and_each_is_so_once() -> None:
    lines = [line for path in (*WORKFLOWS, TOOLS) for line in path.read_text("utf-8").splitlines() if "uses:" in line]
    pins: dict[str, set[str]] = {}
    for line in lines:
        used = line.split("uses:")[1].strip()
        if used.startswith("./"):
            assert (ROOT / used).exists(), used
            continue
        found = re.fullmatch(r"([\w-]+/[\w-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", used)
        assert found, line
        pins.setdefault(found[1], set()).add(found[2])
    assert all(len(digests) == 1 for digests in pins.values()), pins
    assert pins.keys() == {
        "actions/checkout",
        "actions/download-artifact",
        "actions/setup-python",
        "actions/upload-artifact",
        "aws-actions/configure-aws-credentials",
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_rights_and_each_job_says_its_own(path: Path) -> None:
    whole = load(path)
    assert whole["permissions"] == {}
    for name, job in whole["jobs"].items():
        rights = job["permissions"]
        assert {key for key, value in rights.items() if value == "write"} <= {"id-token", "pull-requests"}, name
        if "uses" not in job:
            assert job["timeout-minutes"] <= 240, name
            # Whoever can sign in to AWS is held by the rules of an environment.
            assert ("id-token" in rights) == any(
                "configure-aws-credentials" in one.get("uses", "") for one in job["steps"]
            )
            assert "environment" in job or "id-token" not in rights, name


def test_nothing_that_others_say_gets_into_a_shell_as_text() -> None:
    for where, step in steps():
        assert "${{" not in step.get("run", ""), where


def test_steps_are_commands_that_people_type() -> None:
    for where, step in steps():
        command = step.get("run")
        if command is None or where == "pull-request/required":
            continue
        found = re.fullmatch(r"make ([a-z-]+)( [A-Z]+=\S+)*", command)
        assert found, f"{where}: {command}"
        assert re.search(rf"^{found[1]}:.*##", MAKEFILE, re.MULTILINE), (
            f"{where}: make {found[1]} is no command with a help text"
        )


def test_a_checkout_keeps_no_credentials() -> None:
    for where, step in steps():
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False, where


def test_the_required_check_needs_every_job_but_the_comment() -> None:
    found = workflow("pull-request")["jobs"]
    assert set(found["required"]["needs"]) == found.keys() - {"comment", "required"}
    (command,) = (step["run"] for step in found["required"]["steps"])
    assert command.count("success") == len(found["required"]["needs"])
    rules = load(ROOT / "playbooks" / "vars" / "github_protection.yml")["github_rulesets"][0]["rules"]
    (checks,) = (
        rule["parameters"]["required_status_checks"] for rule in rules if rule["type"] == "required_status_checks"
    )
    assert checks == [{"context": found["required"]["name"]}]


def test_staging_prod_and_dr_follow_one_another() -> None:
    found = workflow("main")["jobs"]
    assert [(name, job.get("needs"), job["with"]["environment"]) for name, job in found.items()] == [
        ("staging", None, "staging"), ("prod", "staging", "prod"), ("dr", "prod", "dr"),
    ]  # fmt: skip
    assert workflow("main")[True]["push"]["branches"] == ["main"]
    assert workflow("develop")[True]["push"]["branches"] == ["develop"]
    for name in ("main", "develop"):
        assert workflow(name)["concurrency"]["cancel-in-progress"] is False


def test_a_deployment_waits_for_its_plan_and_its_environment() -> None:
    found = workflow("deploy-environment")["jobs"]
    assert found["plan"]["environment"] == "${{ inputs.environment }}-unattended"
    assert found["deploy"]["environment"] == "${{ inputs.environment }}"
    assert found["deploy"]["needs"] == "plan"
    assert found["deploy"]["concurrency"] == {"group": "deploy-${{ inputs.environment }}", "cancel-in-progress": False}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_aws_trusts_both_environments_of_github_and_nothing_else(environment: str) -> None:
    inventory = load(ROOT / "inventories" / environment / "host_vars" / environment / "ci_access.yml")
    ends = [subject.rpartition(":environment:")[2] for subject in inventory["ci_access_subjects"]]
    assert ends == ["{{ platform_environment }}", "{{ platform_environment }}-unattended"]


def test_every_environment_is_watched_for_drift() -> None:
    assert workflow("drift")["jobs"]["drift"]["strategy"]["matrix"]["environment"] == list(ENVIRONMENTS)
    for name in ("drift", "readiness", "drill"):
        assert workflow(name)[True]["schedule"]
