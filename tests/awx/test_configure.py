# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""configure_awx.yml against AWX's API: what a run makes, that the next writes nothing, that a check tells it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.awx import definitions
from tests.awx.definitions import ROOT, Json
from tests.awx.server import Server, serving

URL = "https://github.com/pipeops/platform.git"
SECRET = "a token of the tests"
CHANGED = re.compile(r"^changed: \[localhost\] => \(item=(.+?)\)(?: => \{)?$", re.MULTILINE)


@dataclass
class Run:
    """One run of the playbook: what it said was changed, and what it wrote."""

    status: int
    changed: list[str]
    writes: list[str]
    output: str


@dataclass
class Stand:
    server: Server
    folder: Path

    def run(self, *options: str, status: int = 0, **environment: str) -> Run:
        before = len(self.server.writes())
        done = subprocess.run(
            ["ansible-playbook", "playbooks/configure_awx.yml", "-e", f"awx_definitions={self.folder}", *options],
            cwd=ROOT,
            env={
                **os.environ,
                **self.server.environment(),
                "PIPEOPS_AWX_SLACK_TOKEN": SECRET,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_NOCOLOR": "1",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert done.returncode == status, output
        assert SECRET not in output
        return Run(done.returncode, CHANGED.findall(done.stdout), self.server.writes()[before:], output)

    def named(self, kind: str, name: str) -> Json:
        (found,) = [item for item in self.server.store.of(kind) if item.get("identifier", item.get("name")) == name]
        return found

    def related(self, item: Json, relation: str) -> list[str]:
        ids = self.server.store.related.get((item["id"], relation), [])
        others = [self.server.store.objects[number] for number in ids]
        return [other.get("identifier", other.get("name")) for other in others]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with serving({URL: ROOT}) as server:
        yield Stand(server, tmp_path / "awx")


def harder(content: Any) -> None:
    content["survey"][0]["max"] = 32


def test_a_sample_of_everything(stand: Stand) -> None:
    """First run, a changed survey, and nothing left: with one of each kind, so that it takes half a minute."""
    definitions.sample(stand.folder)
    announced = stand.run("--check")
    assert announced.writes == []
    first = stand.run()
    assert sorted(first.changed) == sorted(announced.changed)
    assert len(first.changed) == len(set(first.changed)) == 19
    _stands(stand)

    definitions.change(stand.folder / "job_templates/dr_switchover.yml", harder)
    template = stand.named("job_templates", "PipeOps dr_switchover")
    changed = stand.run()
    assert changed.changed == ["job_templates/PipeOps dr_switchover"]
    assert changed.writes == [f"POST /api/v2/job_templates/{template['id']}/survey_spec/"]
    assert stand.server.store.surveys[template["id"]]["spec"][0]["max"] == 32

    second = stand.run()
    assert (second.changed, second.writes) == ([], [])


def _stands(stand: Stand) -> None:
    template = stand.named("job_templates", "PipeOps dr_switchover")
    assert template["inventory"] == stand.named("inventories", "PipeOps prod and dr")["id"]
    assert stand.related(template, "credentials") == ["PipeOps AWS dr"]
    assert [item["variable"] for item in stand.server.store.surveys[template["id"]]["spec"]] == ["confirm"]
    kind = stand.named("credential_types", "PipeOps AWS web identity")
    assert kind["injectors"]["env"]["AWS_ROLE_ARN"] == "{{ role_arn }}"
    role = stand.named("credentials", "PipeOps AWS dr")["inputs"]
    assert role["role_arn"] == "arn:aws:iam::123456789012:role/pipeops/dr/deploy/pipeops-dr-deploy"
    assert role["region"] == "us-east-1"
    plan = stand.named("workflow_job_template_nodes", "plan")
    approve = stand.named("workflow_job_template_nodes", "approve")
    assert (plan["job_type"], stand.related(plan, "success_nodes")) == ("check", ["approve"])
    assert stand.related(approve, "success_nodes") == ["switch over"]
    assert stand.server.store.objects[approve["unified_job_template"]]["name"] == "Move the database"
    assert stand.named("workflow_job_template_nodes", "switch over")["job_type"] is None
    organization = stand.named("organizations", "PipeOps")
    for when in ("error", "approvals"):
        assert stand.related(organization, f"notification_templates_{when}") == ["PipeOps Slack"]
    assert stand.named("schedules", "Readiness of the pair")["enabled"]


@pytest.mark.thorough
def test_everything(stand: Stand) -> None:
    definitions.copy(stand.folder)
    announced = stand.run("--check")
    assert announced.writes == []
    first = stand.run()
    assert sorted(first.changed) == sorted(announced.changed)
    wanted = definitions.load()
    for kind, collection in (
        *((name, name) for name in ("credentials", "inventories", "inventory_sources", "job_templates", "schedules")),
        ("workflows", "workflow_job_templates"),
    ):
        made = {item["name"] for item in stand.server.store.of(collection)}
        assert made == {item["name"] for item in wanted[kind]}
    nodes = [f"{flow['name']}/{node['identifier']}" for flow in wanted["workflows"] for node in flow["nodes"]]
    assert len(stand.server.store.of("workflow_job_template_nodes")) == len(nodes)

    second = stand.run()
    assert (second.changed, second.writes) == ([], [])

    definitions.change(stand.folder / "job_templates/destroy.yml", harder)
    definitions.change(stand.folder / "workflows/failover.yml", _without_plan)
    announced = stand.run("--check")
    assert announced.writes == []
    third = stand.run()
    assert third.changed == announced.changed
    assert third.changed == ["job_templates/PipeOps destroy", "workflow_nodes/PipeOps failover/plan"]
    assert [write.split()[0] for write in third.writes] == ["POST", "DELETE"]


def _without_plan(content: Json) -> None:
    content["nodes"] = content["nodes"][1:]


@pytest.mark.thorough
def test_a_playbook_that_awx_has_not_seen_brings_an_update_of_the_project(stand: Stand, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "playbooks", checkout / "playbooks", ignore=shutil.ignore_patterns("tasks", "dr_status.yml"))
    stand.server.store.repositories[URL] = checkout
    definitions.sample(stand.folder)
    assert "Playbook not found for project" in stand.run(status=2).output
    shutil.copy(ROOT / "playbooks/dr_status.yml", checkout / "playbooks")
    project = stand.named("projects", "PipeOps Platform")
    done = stand.run()
    assert f"POST /api/v2/projects/{project['id']}/update/" in done.writes
    assert stand.named("job_templates", "PipeOps dr_status")


@pytest.mark.thorough
def test_secrets_are_written_once_and_again_when_asked(stand: Stand) -> None:
    definitions.sample(stand.folder)
    keys = {"PIPEOPS_AWX_ACCESS_KEY_ID_DR": "a key of the tests", "PIPEOPS_AWX_SECRET_ACCESS_KEY_DR": "first of two"}
    stand.run("-e", "awx_aws_identity=keys", **keys)
    credential = stand.named("credentials", "PipeOps AWS dr")
    assert credential["inputs"]["password"] == "first of two"
    keys["PIPEOPS_AWX_SECRET_ACCESS_KEY_DR"] = "second of two"
    assert stand.run("-e", "awx_aws_identity=keys", **keys).writes == []
    assert credential["inputs"]["password"] == "first of two"
    again = stand.run("-e", "awx_aws_identity=keys", "-e", "awx_update_secrets=true", **keys)
    assert {"credentials/PipeOps AWS dr", "notification_templates/PipeOps Slack"} == set(again.changed)
    assert credential["inputs"]["password"] == "second of two"


def test_what_is_missing_is_said_before_anything_is_written(stand: Stand) -> None:
    definitions.sample(stand.folder)
    refused = stand.run("-e", "awx_aws_identity=certificates", status=2)
    assert "one of web_identity, assumed_role and keys" in " ".join(refused.output.split())
    assert refused.writes == []
