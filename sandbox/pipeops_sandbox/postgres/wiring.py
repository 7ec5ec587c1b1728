"""The sandbox's side of the network: the process, and which doors there are to be."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .network import Door

log = logging.getLogger(__name__)
HOME = Path(__file__).resolve().parents[2]


class Wiring:
    """Starts the network's process on first use, and tells it what there is to be.

    Args:
        module: what the process runs; it also ends what a sandbox that was killed has left in ``place``.
    """

    def __init__(self, place: Path, module: str = f"{__package__}.network") -> None:
        self._place, self._module = place, module
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._sent: dict[str, Door] = {}
        self._number = 0

    def start(self) -> None:
        """Start the process unless it runs. It waits until the one of an earlier sandbox has tidied up and gone."""
        with self._lock:
            self._running()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            path = os.pathsep.join(filter(None, (str(HOME), os.environ.get("PYTHONPATH"))))
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", self._module, str(self._place)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}, start_new_session=True,
            )  # fmt: skip
            self._sent = {}
            self._answer(self._process)
        return self._process

    @staticmethod
    def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise OSError(f"the network's process ended with status {process.wait()}")
        return dict(json.loads(line))

    def put(self, doors: dict[str, Door]) -> dict[str, str]:
        """Let there be these doors and no others; return why some of them cannot be. It is done on return."""
        with self._lock:
            if doors == self._sent:
                return {}
            try:
                errors = self._tell(doors)
            except OSError as error:
                log.error("the network ended, it is started again with the next change: %s", error)
                self._process, self._sent = None, {}
                return {"network": str(error)}
            # One that could not be is tried again with the next change.
            self._sent = {name: door for name, door in doors.items() if name not in errors}
        for name, why in errors.items():
            log.error("no way to %s: %s", name, why)
        return errors

    def _tell(self, doors: dict[str, Door]) -> dict[str, str]:
        process = self._running()
        self._number += 1
        request = {"n": self._number, "doors": {name: asdict(door) for name, door in doors.items()}}
        if process.stdin:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        errors: dict[str, str] = self._answer(process)["errors"]
        return errors

    def close(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process, self._sent = self._process, None, {}
        if process and process.stdin and process.stdout:
            process.stdin.close()
            process.stdout.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
