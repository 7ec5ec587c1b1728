# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The write guards of both sides, each a program that sits in its region, as its Deployment does."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import IO

from tests.drill.stand import ROOT, Stand

HOME = ROOT / "extensions" / "write_guard"
SECONDS_TO_END = 10
#: As the inventories of prod and dr have it.
LEASE_SECONDS = 15


class Guards:
    """Starts guards, and ends them."""

    def __init__(self, stand: Stand, secret: str) -> None:
        self._stand, self._secret = stand, secret
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []

    def start(self, environment: str, pair: str, region: str, endpoint: str) -> None:
        """Start the guard of an environment; its log is in the drill's folder."""
        log = (self._stand.folder / "logs" / f"guard-{environment}.log").open("wb")
        self._logs.append(log)
        inside = self._stand.variables_in(region)
        settings = {
            "ENVIRONMENT": environment,
            "PAIR": pair,
            "SERVICE": "prod",
            "REGION": region,
            "ENDPOINT": endpoint,
            "SECRET": self._secret,
            "WITNESS_TABLE": "pipeops-prod-witness",
            "WITNESS_REGION": "us-east-2",
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "DNS_SERVER": inside["PIPEOPS_DNS_SERVERS"],
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PIPEOPS_"))}
        own = {f"WRITE_GUARD_{name}": value for name, value in settings.items()}
        self._programs[environment] = subprocess.Popen(
            [sys.executable, "-m", "write_guard"], cwd=HOME, env={**kept, **inside, **own}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def broken(self) -> str:
        """Return which guard has ended, empty if none has."""
        ended = (name for name, program in self._programs.items() if program.poll() is not None)
        return next((f"the guard of {name} has ended, see logs/guard-{name}.log" for name in ended), "")

    def stop(self) -> None:
        """End all guards, and wait for them."""
        for program in self._programs.values():
            program.terminate()
        for program in self._programs.values():
            try:
                program.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        for log in self._logs:
            log.close()
        self._programs, self._logs = {}, []
