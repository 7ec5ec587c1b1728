# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main playbook as people run it."""

from __future__ import annotations

import re

from tests.platform_runs import ROOT, Platform
from tests.playbooks.conftest import CONVERGED_CALLS


def test_environments_stand_side_by_side(empty: Platform) -> None:
    first = empty.playbook("prod", "staging")
    assert first.status == 0, first.output[-4000:]
    again = empty.playbook("prod", "staging")
    assert again.mutations == []
    vpcs = empty.client("ec2").describe_vpcs()["Vpcs"]
    owners = {tag["Value"] for vpc in vpcs for tag in vpc.get("Tags", []) if tag["Key"] == "pipeops:environment"}
    assert owners == {"prod", "staging"}


def test_a_converged_run_is_cheap_in_calls(prod: Platform) -> None:
    run = prod.playbook("prod")
    assert run.mutations == []
    assert len(run.calls) <= CONVERGED_CALLS, sorted({f"{call['service']}:{call['operation']}" for call in run.calls})


def test_a_finished_run_says_what_stands_where(prod: Platform) -> None:
    output = prod.playbook("prod").output
    for part in ("0 created", "10.0.0.0/16", "pipeops-prod", "3-10 nodes (m5.large, m5.xlarge)", "Multi-AZ"):
        assert part in output
    assert output.count("read replica") == 2


def test_a_layer_alone_changes_nothing_that_stands(prod: Platform) -> None:
    for playbook in ("network", "cluster", "database"):
        run = prod.playbook("prod", playbook=f"playbooks/{playbook}.yml")
        assert run.status == 0, run.output[-3000:]
        assert run.mutations == []


def test_the_commands_of_the_readme_work(prod: Platform) -> None:
    text = re.sub(r"<!-- needs AWS -->\n```bash\n.*?```", "", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL)
    commands = [line for line in text.splitlines() if line.startswith("ansible-playbook ")]
    assert commands
    for command in commands:
        done = prod.shell(command)
        assert done.returncode == 0, done.stdout[-3000:]
