# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Getting a lock, at once or after a wait, or a refusal that names who holds it."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ..engine.aws import describe_error, error_code, is_ambiguous, is_aws_error, is_throttled
from ..engine.errors import EngineError
from ..engine.lease import Lease, now
from ..engine.waiting import Progress
from .item import Claim, Standing
from .table import GRACE, PATIENCE, LockTable

with suppress(ImportError):
    # Without it, the way to AWS refuses to begin, in Ansible's usual words.
    import botocore.exceptions

T = TypeVar("T")
#: Seconds between two looks at a lock that somebody else holds, at the most.
LOOK_EVERY = 2
#: Seconds between two reports of who is being waited for.
REPORT_EVERY = 30


class Held(EngineError):
    """Somebody else holds the lock, and the time to wait for it is over."""


class NoLock(Exception):
    """There is no lock to be taken: no table, or no answer from its region. The text says which."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        #: ``table`` or ``region``.
        self.reason = reason


@dataclass(frozen=True)
class Wish:
    """How a run wants the lock.

    Attributes:
        wait_seconds: how long to wait for another holder; 0 refuses at once.
        insist: whether to ask a holder to stop, which it does before its next change.
    """

    claim: Claim
    wait_seconds: float = 0
    insist: bool = False

    def waits_on(self, table: LockTable, found: Standing, waited: float) -> bool:
        """Tell whether to go on waiting: one that was asked to stop is not renewed any more, so its lease ends."""
        ends = found.ends_at + GRACE + LOOK_EVERY
        return waited < self.wait_seconds or (self.insist and table.clock.time() < ends)


def acquire(table: LockTable, wish: Wish, progress: Progress) -> tuple[Lease, float]:
    """Take the lock, and return its lease and for how many seconds others held it meanwhile.

    Raises:
        Held: if somebody else has it for longer than the wish allows.
        NoLock: if there is no table, or its region does not answer.
        EngineError: if AWS refuses.
    """
    began, reported = now(), float("-inf")
    while True:
        found = _asked(table, lambda: table.take(wish.claim))
        waited = now() - began
        if isinstance(found, Lease):
            return found, 0 if reported < 0 else waited
        if wish.insist and not found.asked_by:
            _asked(table, partial(table.ask, wish.claim, found))
        if not wish.waits_on(table, found, waited):
            raise Held(_refusal(table, wish, found, waited))
        if now() - reported >= REPORT_EVERY:
            progress(f"Waiting for the deployment lock of {table.environment}: held by {found}.")
            reported = now()
        # Not all at once: many may wait for the same one.
        time.sleep(random.uniform(0.3, 1) * min(LOOK_EVERY, table.lease_seconds / 4))


def free(table: LockTable, claim: Claim, progress: Progress) -> Standing | None:
    """Free the lock: whoever holds it stops before its next change. Return who held it, None if nobody did.

    Raises:
        NoLock: if there is no table, or its region does not answer.
        EngineError: if AWS refuses.
    """
    found = look(table)
    if found is not None:
        lease, _waited = acquire(table, Wish(claim, insist=True), progress)
        _asked(table, lambda: table.release(claim, lease.token))
    return found


def look(table: LockTable) -> Standing | None:
    """Return who holds the lock; None if nobody does.

    Raises:
        NoLock: if there is no table, or its region does not answer.
        EngineError: if AWS refuses.
    """
    found = _asked(table, table.read)
    return found if found and found.held else None


def _asked(table: LockTable, call: Callable[[], T]) -> T:
    """Make a call, again while its error may clear, and tell a lock that is not there from one that AWS refuses.

    Each of them may be sent twice: it goes by the run, or by the fencing token.
    """
    began = now()
    for attempt in itertools.count():
        try:
            return call()
        except Exception as error:
            if not is_aws_error(error):
                raise
            if now() - began >= _patience(table, error):
                raise _told(table, error) from error
        time.sleep(random.uniform(0, min(2.0, 0.25 * 2**attempt)))
    raise AssertionError("the last attempt either returns or raises")


def _patience(table: LockTable, error: BaseException) -> float:
    """Return for how many seconds a call that ends in this error is worth another try."""
    if is_throttled(error) or (is_ambiguous(error) and error_code(error)):
        return PATIENCE  # the region answers
    return table.patience if is_ambiguous(error) else 0


def _told(table: LockTable, error: BaseException) -> NoLock | EngineError:
    where = f"the lock table {table.name} of {table.environment} in {table.region}"
    if error_code(error) == "ResourceNotFoundException":
        return NoLock("table", f"There is no {where.removeprefix('the ')}.")
    unreached = (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectTimeoutError)
    if is_ambiguous(error) or isinstance(error, unreached):
        return NoLock("region", f"Could not reach {where}: {describe_error(error)}")
    return EngineError(f"Could not use {where}: {describe_error(error)}")


def _refusal(table: LockTable, wish: Wish, found: Standing, waited: float) -> str:
    waiting = f" after {waited:.0f} s" if waited >= 1 else ""
    mend = (
        "It was asked to stop, and has not."
        if wish.insist
        else "Wait for it (-e deployment_lock_wait_seconds=600), or ask it to stop before its next change with "
        "playbooks/unlock.yml."
    )
    return (
        f"Refused{waiting}, nothing was changed. The deployment lock of {table.environment} in {table.region} is held "
        f"by {found}. {mend}"
    )
