# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: ansible-runner, with a private data directory for each template.

AWX clones the project, reads the inventory out of it once, and gives each job what it read as a script; credentials are
variables of the process, and answers to a survey are extra variables. Its path of collections has the project's own in
it only because they lie beside the playbook.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.platform_runs import ROOT

#: As AWX sets it, whatever the project's ansible.cfg says.
COLLECTIONS = "/runner/requirements_collections:~/.ansible/collections:/usr/share/ansible/collections"


@dataclass(frozen=True)
class Job:
    """One run of a template: how it ended, and what it reported."""

    status: str
    output: str
    events: list[dict[str, Any]]

    def results(self, task: str) -> list[dict[str, Any]]:
        """Return the results of a task, in the order in which they came."""
        data = (event["event_data"] for event in self.events if event["event"] == "runner_on_ok")
        return [one["res"] for one in data if one["task"] == task]

    @property
    def changed(self) -> int:
        """How many tasks changed something, by the last event of all."""
        (stats,) = (event["event_data"] for event in self.events if event["event"] == "playbook_on_stats")
        return sum(stats["changed"].values())


@dataclass
class Template:
    """A job template: a playbook of the project, with an inventory and variables."""

    folder: Path
    playbook: str
    inventories: tuple[str, ...]
    credentials: Mapping[str, str]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def prepare(self) -> None:
        """Check the project out, and read the inventory."""
        check_out(self.folder / "project")
        sources = [f"-iinventories/{name}" for name in self.inventories]
        read = subprocess.run(
            ["ansible-inventory", *sources, "--list", "--export"],
            check=True,
            cwd=self.folder / "project",
            env=dict(self.credentials),
            capture_output=True,
            text=True,
        ).stdout
        script = self.folder / "inventory" / "hosts"
        script.parent.mkdir()
        script.write_text(f"#!/usr/bin/env python3\nprint({read!r})\n", "utf-8")
        script.chmod(0o700)
        variables = {"ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_RETRY_FILES_ENABLED": "False"}
        own = {name: value for name, value in self.credentials.items() if name.startswith(("AWS_", "PIPEOPS_"))}
        for name, content in (("envvars", {**variables, **own}), ("extravars", self.extra)):
            path = self.folder / "env" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(content), "utf-8")

    def launch(self, ident: str, *, check: bool = False) -> Job:
        """Run it, once."""
        command = ["ansible-runner", "run", str(self.folder), "--playbook", self.playbook, "--ident", ident]
        command += ["--cmdline=--check"] if check else []
        done = subprocess.run(command, check=False, env=dict(self.credentials), capture_output=True, text=True)
        artifacts = self.folder / "artifacts" / ident
        assert (artifacts / "status").exists(), done.stdout + done.stderr
        paths = sorted(artifacts.glob("job_events/*.json"), key=lambda path: int(path.name.partition("-")[0]))
        events = [json.loads(path.read_text("utf-8")) for path in paths]
        return Job((artifacts / "status").read_text("utf-8"), done.stdout + done.stderr, events)


def check_out(folder: Path) -> None:
    """Copy what git has of the repository, links as links, and nothing else that lies there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_symlink() or source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
