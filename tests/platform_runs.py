# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks run as people run them, against a sandbox of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import requests
from pipeops_sandbox.server import Sandbox, serve

ROOT = Path(__file__).parent.parent
#: How the deployment lock is taken, renewed and freed, and nothing else of ours: it changes an item, no resource.
LOCK_WRITE = "dynamodb:UpdateItem"
#: The access key of runs. The sandbox takes any; it tells their calls from those of others.
PRINCIPAL = "testing"


@dataclass
class Run:
    """One ``ansible-playbook``: how it ended, what it printed, and what it did or would do."""

    status: int
    output: str
    hosts: dict[str, dict[str, Any]]
    calls: list[dict[str, Any]] = field(default_factory=list)

    def tasks(self, host: str) -> Counter[tuple[str, str | None]]:
        """Return the (task, item) pairs that reported a change, with how often."""
        return Counter((entry["task"], entry["item"]) for entry in self.hosts.get(host, {}).get("changed", []))

    def actions(self, host: str) -> Counter[str]:
        """Return the identities of all actions."""
        return Counter(action["action"] for action in self.hosts.get(host, {}).get("actions", []))

    @property
    def mutations(self) -> list[str]:
        """The mutating calls that it made, those of its deployment lock left aside: see ``lock_writes``."""
        return [name for name in self._writes if name != LOCK_WRITE]

    @property
    def lock_writes(self) -> int:
        """How often it took, renewed or freed a deployment lock: twice an environment, and not at all in a dry run."""
        return self._writes.count(LOCK_WRITE)

    @property
    def _writes(self) -> list[str]:
        return [f"{call['service']}:{call['operation']}" for call in self.calls if call["mutating"]]


@dataclass
class Platform:
    """A sandbox and the commands that people type."""

    url: str

    def playbook(
        self, *inventories: str, check: bool = False, playbook: str = "site.yml", extra: dict[str, Any] | None = None
    ) -> Run:
        """Run a playbook and return what came of it; a failed run is returned like any other."""
        with tempfile.TemporaryDirectory() as folder:
            plan = Path(folder) / "plan.json"
            command = ["ansible-playbook", playbook, *(f"-iinventories/{name}" for name in inventories)]
            command += ["--check"] if check else []
            command += ["-e", json.dumps(extra)] if extra else []
            before = self.last_call()
            done = subprocess.run(
                command,
                check=False,
                cwd=ROOT,
                env=self.environment(PIPEOPS_PLAN_JSON=str(plan)),
                capture_output=True,
                text=True,
            )
            hosts = json.loads(plan.read_text("utf-8"))["hosts"] if plan.exists() else {}
        own = [call for call in self.calls(since=before) if call["principal"] == PRINCIPAL]
        return Run(done.returncode, done.stdout + done.stderr, hosts, own)

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command line as it stands in the documentation."""
        return subprocess.run(
            command, shell=True, check=False, cwd=ROOT, env=self.environment(), capture_output=True, text=True
        )

    def environment(self, **more: str) -> dict[str, str]:
        """Return the process environment that leads to the sandbox, and nowhere else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        credentials = {"AWS_ACCESS_KEY_ID": PRINCIPAL, "AWS_SECRET_ACCESS_KEY": "testing"}
        own = {"AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true", "ANSIBLE_NOCOLOR": "1"}
        # These sandboxes have no API servers behind EKS.
        own["PIPEOPS_KUBERNETES_ENABLED"] = "false"
        return {**kept, **credentials, **own, **more}

    def client(self, service: str, region: str = "us-west-2") -> Any:
        """Return a plain boto3 client, as an operator at a console."""
        keys = {"aws_access_key_id": "operator", "aws_secret_access_key": "operator"}
        return boto3.client(service, region_name=region, endpoint_url=self.url, **keys)

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the sandbox's control interface and return its answer."""
        answer = requests.request(method, f"{self.url}/_sandbox/{path}", json=body or None, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def begin(self) -> None:
        """Empty the account, and let no step take time: the sandbox shares its clock with others of this process."""
        self.control("POST", "reset")
        self.control("POST", "clock", profile="instant", scale=1)

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the calls that were made after the one with this number."""
        made: list[dict[str, Any]] = self.control("GET", f"journal?since={since}")["calls"]
        return made

    def last_call(self) -> int:
        """Return the number of the latest call."""
        return int(self.control("GET", f"journal?since={10**9}")["last"])


def commit() -> str:
    """Return which commit this checkout is of, for reports."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"


def commands_of(page: Path) -> list[str]:
    """Return the commands of a page, but for blocks after a comment that begins with "needs"."""
    text = re.sub(r"<!-- needs [^\n]* -->\n```bash\n.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    blocks = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@contextmanager
def platform() -> Iterator[Platform]:
    """Start a sandbox for as long as the block runs."""
    os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    server = serve(Sandbox())
    try:
        yield Platform(server.url)
    finally:
        server.shutdown()
