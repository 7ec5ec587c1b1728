# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An inventory goes through AWX's database: what jobs get of it is what the repository says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.awx.definitions import ROOT


def ansible(*command: str) -> str:
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PIPEOPS_GITOPS_REPOSITORY": ""}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_job_gets_the_inventory_of_the_repository(tmp_path: Path) -> None:
    # AWX imports with --export, and hands jobs a script that prints what it has.
    imported = json.loads(
        ansible("ansible-inventory", "-i", "inventories/prod", "-i", "inventories/dr", "--list", "--export")
    )
    assert sorted(imported["environments"]["hosts"]) == ["dr", "prod"]
    assert "{{" in imported["_meta"]["hostvars"]["prod"]["cluster_addons_gitops_repository"]
    script = tmp_path / "hosts"
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(imported)}\nEND\n", "utf-8")
    script.chmod(0o700)
    asked = "platform_region ~ ' ' ~ cluster_addons_gitops_repository"
    answer = ansible(
        "ansible", "environments", "-i", str(script), "-m", "ansible.builtin.debug", "-a", f"msg={{{{ {asked} }}}}"
    )
    for region in ("us-west-2", "us-east-1"):
        assert f"{region} https://github.com/pipeops/platform.git" in answer
