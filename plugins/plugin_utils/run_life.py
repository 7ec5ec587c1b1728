# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a run of Ansible goes on, told to a process that outlives it.

The controller makes this before it forks its workers. A pipe is open for writing in the controller and in all of its
workers, and in nothing else: it reads as ended once the last of them is gone, whichever way it went. A pulse tells
whether the controller itself goes on: it stands still when that process is stopped or killed.
"""

from __future__ import annotations

import atexit
import mmap
import os
import select
import struct
import threading
import uuid
from pathlib import Path

from ansible import constants

from ..module_utils.engine.lease import now

#: Seconds between two beats.
BEAT = 0.5
#: Seconds for which the controller, at its end, waits for those who clean up after it.
FAREWELL = 10

_TIME = struct.Struct("d")


def leases_folder() -> Path:
    """Return where the processes of this run read its leases: in the folder that Ansible makes for each run."""
    return Path(constants.DEFAULT_LOCAL_TMP) / "leases"


class RunLife:
    """One run, from the controller's process.

    Attributes:
        id: names this run, and no other.
        pid: the controller's process.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.pid = os.getpid()
        self._alive, self._alive_end = os.pipe()
        self._done, self._done_end = os.pipe()
        self._pulse = mmap.mmap(-1, _TIME.size)
        self._beat()
        # A thread that holds no lock but the interpreter's, so that a fork at any moment leaves nothing locked.
        self._stopped = threading.Event()
        threading.Thread(target=self._beat_on, name="pulse of the run", daemon=True).start()
        atexit.register(self._end)

    def _beat(self) -> None:
        _TIME.pack_into(self._pulse, 0, now())

    def _beat_on(self) -> None:
        while not self._stopped.wait(BEAT):
            self._beat()

    @property
    def silent_seconds(self) -> float:
        """For how long the controller has not gone on."""
        beat: float = _TIME.unpack_from(self._pulse, 0)[0]
        return now() - beat

    def outlive(self) -> None:
        """Make the calling process one that outlives the run: no part of it, and deaf to what ends it."""
        os.close(self._alive_end)
        kept = {0, 1, 2, self._alive, self._done_end}
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in [int(path.name) for path in Path("/dev/fd").iterdir()]:
            if descriptor not in kept and descriptor != silence:
                # Put in its place instead of closed: Python objects of the former life may close it once more.
                _replace(silence, descriptor)

    def over(self, timeout: float) -> bool:
        """Wait until controller and workers are all gone, and tell whether they are; for one that outlives them."""
        ready, _writable, _exceptional = select.select([self._alive], [], [], timeout)
        return bool(ready)

    def _end(self) -> None:
        """Let those who outlive the run do what is left to do before this process ends, and its container with it."""
        if os.getpid() != self.pid:
            return
        self._stopped.set()
        os.close(self._alive_end)
        os.close(self._done_end)
        select.select([self._done], [], [], FAREWELL)


def _replace(source: int, target: int) -> None:
    try:
        os.fstat(target)
    except OSError:
        # The descriptor that listed them.
        return
    os.dup2(source, target, inheritable=False)
