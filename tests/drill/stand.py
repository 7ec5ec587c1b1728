# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox of the drill's own, and the playbooks as an operator runs them against it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

ROOT = Path(__file__).parent.parent.parent
#: The longest that one playbook may take, in seconds.
PLAYBOOK_SECONDS = 900
CONTROL_SECONDS = 60


class StandFailure(Exception):
    """The sandbox, or a playbook, did not do what it should; the message says where to look."""


@dataclass(frozen=True)
class PlaybookRun:
    """One ``ansible-playbook``.

    Attributes:
        began, ended: on the monotonic clock.
        report: what the callback C(report) wrote, empty for a playbook without a report.
        changed: tasks and actions that changed something, or would.
    """

    name: str
    status: int
    began: float
    ended: float
    log: Path
    report: dict[str, Any] = field(default_factory=dict)
    changed: int = 0

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def findings(self) -> dict[str, Any]:
        """What the playbook itself says."""
        found: dict[str, Any] = self.report.get("findings", {})
        return found


class Stand:
    """The sandbox and the way to it, for as long as a ``with`` block runs.

    Args:
        folder: holds everything that the drill leaves: logs, reports, and the sandbox's state while it runs.
        delay: seconds between two looks of a playbook that waits; in real time, so it shrinks with the clock's scale.
        kubernetes: whether clusters have API servers; else what is inside them is left alone.
    """

    def __init__(self, folder: Path, delay: float, *, kubernetes: bool = False) -> None:
        self.folder, self.delay, self.kubernetes = folder, delay, kubernetes
        self.state = folder / "sandbox"
        self.port = 0
        self.variables: dict[str, str] = {}
        self.log = folder
        self._runs = 0
        self._program: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stand:
        self._claim()
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "logs").mkdir(parents=True)
        self.port = free_port()
        try:
            servers = "all" if self.kubernetes else "postgres"
            options = ("--profile", "instant", "--scale", "1", "--data-plane", servers)
            self._sandbox("up", "--state-dir", str(self.state), *options)
            self.variables = self._variables()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.port:
            subprocess.run(self._command("down"), check=False, cwd=ROOT, capture_output=True, timeout=60)
        shutil.rmtree(self.state, ignore_errors=True)
        self._lock.close()

    def _claim(self) -> None:
        """Keep another drill out of the folder, which is emptied at the beginning."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._lock = self.folder.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise StandFailure(
                f"Another drill runs in {self.folder}; wait for it, or choose another --output"
            ) from error

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pipeops_sandbox", *words, "--port", str(self.port)]

    def _sandbox(self, *words: str) -> str:
        done = subprocess.run(self._command(*words), check=False, cwd=ROOT, capture_output=True, text=True)
        if done.returncode or "names only" in done.stderr:
            raise StandFailure(f"The sandbox does not start with servers: {done.stderr.strip()}")
        return done.stdout

    def variables_in(self, region: str) -> dict[str, str]:
        """Return the environment of a program that sits in a region."""
        return self._variables("--from", region)

    def _variables(self, *words: str) -> dict[str, str]:
        lines = [line for line in self._sandbox("env", *words).splitlines() if line.startswith("export ")]
        pairs = (line.removeprefix("export ").partition("=") for line in lines)
        return {name: value.strip("\"'") for name, _equals, value in pairs}

    @property
    def url(self) -> str:
        """Where the sandbox is."""
        return self.variables["AWS_ENDPOINT_URL"]

    def control(self, path: str, **body: Any) -> Any:
        """Tell the sandbox something through its control interface, and return its answer."""
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=CONTROL_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def look(self, path: str) -> Any:
        """Ask the sandbox something through its control interface."""
        answer = requests.get(f"{self.url}/_sandbox/{path}", timeout=CONTROL_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def playbook(self, name: str, inventories: Sequence[str], *, check: bool = False, **extra: Any) -> PlaybookRun:
        """Run a playbook to its end, and return what came of it; a failed one is returned like any other."""
        self._runs += 1
        stem = f"{self._runs:02}-{Path(name).stem}{'-check' if check else ''}"
        self.log = log = self.folder / "logs" / f"{stem}.log"
        plan = log.with_suffix(".json")
        reports = self.folder / "reports" / stem
        command = ["ansible-playbook", name, *(f"-iinventories/{one}" for one in inventories)]
        command += ["--check"] if check else []
        command += ["-e", json.dumps({**extra, "platform_wait_delay_seconds": self.delay})]
        variables = {"PIPEOPS_PLAN_JSON": str(plan), "PIPEOPS_REPORT_DIR": str(reports), "ANSIBLE_NOCOLOR": "1"}
        began = time.monotonic()
        status = self._run(command, log, self._environment(variables))
        ended = time.monotonic()
        return PlaybookRun(name, status, began, ended, log, _report(reports), _changed(plan))

    def output(self) -> str:
        """Return what the latest playbook has printed so far."""
        return self.log.read_text("utf-8", "replace") if self.log.is_file() else ""

    def end_playbook(self) -> None:
        """End the playbook that runs, with all that it started, if one does."""
        if self._program is not None and self._program.poll() is None:
            end_tree(self._program.pid)

    def _run(self, command: list[str], log: Path, environment: dict[str, str]) -> int:
        """Run a program with its output in a file, and return its exit status; on any error, end it."""
        with log.open("wb") as output:
            self._program = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
            try:
                return self._program.wait(timeout=PLAYBOOK_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise StandFailure(f"{command[1]} took more than {PLAYBOOK_SECONDS} s, see {log}") from error
            finally:
                self.end_playbook()
                self._program.wait()

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PIPEOPS_"))}
        kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        return {**kept, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), **self.variables, **more}


def end_tree(pid: int) -> None:
    """End a process and all that it started. Ansible's workers leave its session, so a signal to that misses them."""
    try:
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=5)


def free_port() -> int:
    """Return a port of this machine that nothing has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _report(folder: Path) -> dict[str, Any]:
    files = sorted(folder.glob("*.json"))
    found: dict[str, Any] = json.loads(files[-1].read_text("utf-8")) if files else {}
    return found


def _changed(plan: Path) -> int:
    if not plan.exists():
        return 0
    hosts = json.loads(plan.read_text("utf-8"))["hosts"].values()
    return sum(len(host.get("changed", ())) + len(host.get("actions", ())) for host in hosts)
