# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that keeps a lease of a run: renews it while the controller goes on, and frees the lock at its end.

It is forked from the worker that took the lock, so it has its libraries and its credentials already, and it belongs to
a session of its own: Ctrl-C and the end of the controller do not reach it. It sees the end through a pipe, so a lock is
freed after a success, a failure, an interruption and a kill alike, and never while a worker is left that may change
something. When it is killed itself, or the machine is, the lease ends by itself.
"""

from __future__ import annotations

import gc
import math
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..module_utils.engine.aws import is_aws_error
from ..module_utils.engine.lease import Lease, now
from ..module_utils.locking.item import Claim
from ..module_utils.locking.table import LockTable, Lost
from .run_life import RunLife

#: Tries to free a lock at the end; one that cannot be freed ends with its lease.
FREE_TRIES = 3


def fork_keeper(life: RunLife, keeper: Callable[[], Keeper]) -> None:
    """Start a process that keeps a lease.

    Args:
        keeper: makes the keeper, in that process, with clients of its own.
    """
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    # From here on nothing may return into the worker's code, whatever happens.
    try:
        os.setsid()
        if os.fork() == 0:
            _become_keeper(life, keeper)
    finally:
        os._exit(0)


def _become_keeper(life: RunLife, keeper: Callable[[], Keeper]) -> None:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    # What the worker left behind is not to be cleaned up here.
    gc.disable()
    life.outlive()
    me = keeper()
    try:
        me.keep()
    finally:
        me.free()


class Keeper:
    """Keeps one lease until the run is over.

    Args:
        folder: where the run's processes read its leases.
        lapses: whether the run goes on without this lock if its region stops answering.
    """

    def __init__(
        self, life: RunLife, claim: Claim, table: LockTable, lease: Lease, folder: Path, *, lapses: bool = False
    ) -> None:
        self._life, self._claim, self._table, self._folder, self._lapses = life, claim, table, folder, lapses
        self.lease = replace(lease, keeper=os.getpid())

    def keep(self) -> None:
        """Renew the lease whenever it is due, until the run is over."""
        self._put(self.lease)
        lease_seconds = self._table.lease_seconds
        while not self._life.over(min(1.0, lease_seconds / 10)):
            # A controller that is stopped, or gone while a worker is left, does not go on: its lease ends.
            if self._life.silent_seconds < max(2.0, lease_seconds / 6):
                self.tend()

    def tend(self) -> None:
        """Renew the lease if it is time; one that has ended is never brought to life again."""
        if self.lease.lost:
            return
        if self.lease.problem:
            self._put(replace(self.lease, lost=self.lease.problem))
        elif self._seconds_left < self._table.lease_seconds * 3 / 4 - self._table.margin:
            self._renew()

    @property
    def _seconds_left(self) -> float:
        return self.lease.deadline - now()

    def _renew(self) -> None:
        try:
            self._put(self._table.renew(self._claim, self.lease))
        except Lost as error:
            self._put(replace(self.lease, lost=str(error)))
        except Exception as error:
            # No answer, or a slow one: there is time for more tries until the lease ends.
            if not is_aws_error(error):
                raise
            if self._lapses and self._seconds_left < self._table.lease_seconds / 3:
                self._put(replace(self.lease, deadline=math.inf))

    def _put(self, lease: Lease) -> None:
        self.lease = lease
        # The run's folder goes with the controller; a worker that is left takes that for the loss of the lease.
        with suppress(FileNotFoundError):
            lease.write(self._folder)

    def free(self) -> None:
        """Free the lock, if it is still held."""
        for _try in range(FREE_TRIES):
            try:
                self._table.release(self._claim, self.lease.token)
                return
            except Exception as error:
                if not is_aws_error(error):
                    raise
