# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The repository is protected, at a server that answers as GitHub does. No AWS is there, and none is asked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.github_server import TOKEN, Hub, github
from tests.platform_runs import ROOT

ENVIRONMENTS = ("dev", "prod")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with github() as found:
        yield found


def protect(hub: Hub, *options: str) -> tuple[int, str, list[str]]:
    """Run the playbook, and return its status, what it said, and the calls that changed something."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
    own = {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": hub.url,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "ANSIBLE_NOCOLOR": "1",
    }
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{kept['PATH']}"
    before = len(hub.changes)
    inventories = [f"-iinventories/{name}" for name in ENVIRONMENTS]
    done = subprocess.run(
        ["ansible-playbook", "playbooks/github_protection.yml", *inventories, *options],
        cwd=ROOT,
        env={**kept, **own, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr, hub.changes[before:]


def test_a_repository_is_protected_and_stays_so(hub: Hub) -> None:
    status, said, changes = protect(hub, "--check", "--diff")
    assert (status, changes) == (0, []), said
    assert '+    "enforcement": "active"' in said
    assert '"team:platform"' in said

    status, said, changes = protect(hub)
    assert status == 0, said
    assert said.count("changed=") == len(ENVIRONMENTS)
    assert sorted(hub.environments) == ["dev", "dev-unattended", "galaxy", "prod", "prod-unattended"]
    assert [one["name"] for one in hub.policies["prod"]] == ["main"]
    assert {one["name"] for one in hub.policies["dev-unattended"]} == {"main", "develop"}
    assert [(one["name"], one["type"]) for one in hub.policies["galaxy"]] == [("v*", "tag")]
    assert hub.variables["prod-unattended"] == hub.variables["prod"] == {
        "AWS_REGION": "us-west-2",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/pipeops/prod/deploy/pipeops-prod-deploy",
    }  # fmt: skip
    rules = {rule["type"] for rule in hub.environments["prod"]["protection_rules"]}
    assert rules == {"required_reviewers", "branch_policy"}
    assert not hub.environments["prod-unattended"]["protection_rules"][0].get("reviewers")
    assert TOKEN not in said

    status, said, changes = protect(hub)
    assert (status, changes) == (0, []), said
    assert "changed=0" in said
