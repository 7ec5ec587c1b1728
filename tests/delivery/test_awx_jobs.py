# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks run as AWX runs them, and its events tell what they did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.delivery.awx import Template
from tests.platform_runs import Platform

NETWORK = "Bring the network to the wanted state"


def template(folder: Path, stand: Platform, playbook: str, *inventories: str, **extra: object) -> Template:
    # Whoever runs the tests may have set where Ansible's settings are.
    credentials = {name: value for name, value in stand.environment().items() if not name.startswith("ANSIBLE_")}
    made = Template(folder / "job", playbook, inventories, credentials, extra)
    made.folder.mkdir()
    made.prepare()
    return made


def test_a_plan_is_told_by_the_events(empty: Platform, tmp_path: Path) -> None:
    before = empty.last_call()
    job = template(tmp_path, empty, "site.yml", "dev").launch("plan", check=True)
    assert job.status == "successful", job.output[-4000:]
    assert job.changed > 0
    (started, _finished) = job.results(NETWORK)
    assert "create/ec2_vpc/main" in {action["action"] for action in started["actions"]}
    assert started["outputs"]["vpc_id"].startswith("pending:")
    assert not [call for call in empty.calls(since=before) if call["mutating"]]


@pytest.mark.thorough
def test_the_main_job_runs_twice(empty: Platform, tmp_path: Path) -> None:
    made = template(tmp_path, empty, "site.yml", "dev")
    first = made.launch("first")
    assert first.status == "successful", first.output[-4000:]
    assert first.changed > 0
    *_started, finished = first.results(NETWORK)
    assert finished["outputs"]["vpc_id"].startswith("vpc-")
    before = empty.last_call()
    second = made.launch("second")
    assert second.status == "successful", second.output[-4000:]
    assert second.changed == 0
    writes = [call["operation"] for call in empty.calls(since=before) if call["mutating"]]
    assert set(writes) == {"UpdateItem"}, "the deployment lock, and nothing else"
    *_started, known = second.results(NETWORK)
    assert known["outputs"] == finished["outputs"]
    assert known["actions"] == []


@pytest.mark.thorough
def test_a_refusal_is_told_by_the_events(empty: Platform, tmp_path: Path) -> None:
    job = template(tmp_path, empty, "site.yml", "dev", vpc_cidr="10.0.0.0/8").launch("refused")
    assert job.status == "failed"
    (failed,) = (event["event_data"]["res"] for event in job.events if event["event"] == "runner_on_failed")
    assert "vpc_cidr is 10.0.0.0/8" in failed["msg"]
