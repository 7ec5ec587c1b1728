# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands at AWS's pace, without sitting through it.

While a command works, the sandbox's clock goes as fast as the real one, so that its own seconds count as what they are.
While it does nothing but wait for AWS, the clock goes faster: what passes then is AWS's time.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.performance.measure import Failed
from tests.platform_runs import ROOT, Platform

#: Model seconds in a real one while a command waits.
FAST = 20.0
#: Real seconds between two looks of a command that waits; with FAST, a quarter of a minute of AWS's time.
WAIT_DELAY = 0.75
#: Real seconds over which it is told whether a command works, how often it is looked at meanwhile, and from which share
#: of these looks on it does. Ansible looks after its workers a thousand times a second, which is seen now and then.
WINDOW, SAMPLES, BUSY = 0.2, 10, 0.35
#: Real seconds between two looks at what AWS says of slow things.
LOOK = 1.0
REGIONS = ("us-west-2", "us-east-1")


@dataclass(frozen=True)
class Span:
    """How long something had a status, in seconds of AWS's time since the beginning."""

    name: str
    status: str
    began: float
    ended: float


@dataclass
class Watch:
    """Notes the states of clusters, databases and gateways as an operator at a console would see them."""

    stand: Platform
    spans: list[Span] = field(default_factory=list)
    _since: dict[str, tuple[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._clients = {
            (name, region): self.stand.client(name, region) for name in ("eks", "rds") for region in REGIONS
        }

    def look(self, at: float) -> None:
        """Note what has changed by this time."""
        for name, status in self._states():
            earlier, since = self._since.get(name, (None, at))
            if status != earlier:
                if earlier is not None:
                    self.spans.append(Span(name, earlier, since, at))
                self._since[name] = (status, at)

    def _states(self) -> Iterator[tuple[str, str]]:
        for (service, region), client in self._clients.items():
            if service == "eks":
                for name in client.list_clusters()["clusters"]:
                    yield f"cluster {name} in {region}", client.describe_cluster(name=name)["cluster"]["status"]
            else:
                for instance in client.describe_db_instances()["DBInstances"]:
                    yield f"{instance['DBInstanceIdentifier']} in {region}", instance["DBInstanceStatus"]


class Pace:
    """Runs commands one after the other from an empty account, and tells how long each took in AWS's time."""

    def __init__(self, stand: Platform) -> None:
        stand.begin()
        self._stand, self._scale = stand, 1.0
        self._begin: float = stand.control("POST", "clock", profile="aws", scale=1)["time"]
        self.watch = Watch(stand)

    def run(self, command: Sequence[str]) -> tuple[float, float]:
        """Run a command; return when it began and ended.

        Raises:
            Failed: with the end of what it printed.
        """
        began = self._time()
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as printed,
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._stand.environment(),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
            ) as process,
        ):
            self._follow(process)
            if process.returncode:
                printed.seek(0)
                raise Failed(f"{' '.join(command)} ended with {process.returncode}:\n{printed.read()[-4000:]}")
        return began, self._time()

    def _follow(self, process: subprocess.Popen[Any]) -> None:
        looked = time.monotonic()
        while process.poll() is None:
            self._go(1.0 if _works(process.pid) else FAST)
            if time.monotonic() - looked > LOOK:
                self.watch.look(self._time())
                looked = time.monotonic()
        self._go(1.0)
        self.watch.look(self._time())

    def _go(self, scale: float) -> None:
        if scale != self._scale:
            self._stand.control("POST", "clock", scale=scale)
            self._scale = scale

    def _time(self) -> float:
        return float(self._stand.control("GET", "clock")["time"]) - self._begin

    def end(self) -> None:
        """Let things take no time again."""
        self._stand.control("POST", "clock", profile="instant", scale=1)


def _works(pid: int) -> bool:
    """Look for a while whether a process, anything that it has started, or this one, which is the sandbox, works."""
    try:
        started = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return False
    pids = [pid, os.getpid(), *(process.pid for process in started)]
    seen = 0
    for _sample in range(SAMPLES):
        time.sleep(WINDOW / SAMPLES)
        seen += any(_runs(one) for one in pids)
    return seen / SAMPLES > BUSY


def _runs(pid: int) -> bool:
    """Tell whether a thread of a process, other than this one, is on a processor, or waits for one."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        # It may have ended meanwhile.
        with contextlib.suppress(OSError):
            state = stat.read_text("utf-8").rpartition(") ")[2][:1]
            if state == "R" and int(stat.parent.name) != threading.get_native_id():
                return True
    return False
