# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is published is printed as people and programs want it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.platform_runs import ROOT, Platform, Run, commands_of


def outputs(stand: Platform, *inventories: str, **extra: Any) -> Run:
    run = stand.playbook(*inventories, playbook="playbooks/outputs.yml", extra=extra)
    assert (run.mutations, run.lock_writes) == ([], 0)
    return run


def test_both_sides_are_printed_side_by_side(pair: Platform, tmp_path: Path) -> None:
    table = outputs(pair, "prod", "dr")
    assert table.status == 0, table.output[-3000:]
    assert re.search(r"^prod · us-west-2 · version \d+, 20.*, schema 1$", table.output, flags=re.MULTILINE)
    assert re.search(r"^database\.primary\.identifier +pipeops-prod$", table.output, flags=re.MULTILINE)
    path = tmp_path / "new" / "both.json"
    assert outputs(pair, "prod", "dr", format="json", to=str(path)).status == 0
    both = json.loads(path.read_text("utf-8"))
    assert both["dr"]["outputs"]["database"]["replica"]["source_arn"].endswith(":db:pipeops-prod")
    assert both["prod"]["version"] >= 1


def test_a_pipeline_gets_variables(prod: Platform, tmp_path: Path) -> None:
    path = tmp_path / "prod.env"
    run = outputs(prod, "prod", format="dotenv", to=str(path))
    assert run.status == 0, run.output[-3000:]
    lines = dict(line.partition("=")[::2] for line in path.read_text("utf-8").splitlines())
    assert lines["PROD_DATABASE_PRIMARY_PORT"] == "5432"
    assert lines["PROD_NETWORK_VPC_ID"].startswith("vpc-")
    assert outputs(prod, "prod", format="dotenv", to=str(path)).tasks("prod").total() == 0, "written once"


def test_what_is_missing_or_stale_says_what_to_do(prod: Platform) -> None:
    missing = outputs(prod, "dev")
    assert missing.status == 2
    assert "Run site.yml for it first" in " ".join(missing.output.split())
    stale = outputs(prod, "prod", max_age_days=0)
    assert stale.status == 2
    assert "max_age_days is 0. Look whether they still hold" in " ".join(stale.output.split())


def test_the_commands_of_the_page_work(prod: Platform) -> None:
    commands = commands_of(ROOT / "docs" / "outputs.md")
    assert commands
    for command in commands:
        done = prod.shell(command)
        assert done.returncode == 0, f"{command}\n{(done.stdout + done.stderr)[-3000:]}"
