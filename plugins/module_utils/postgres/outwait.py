# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting, on a standby, until the lease of the leader has run out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.waiting import Patience, Progress, wait_until
from . import lease, statements

STILL = (
    "The leader still sends to the standby, and nothing proves that it is closed. Nothing was promoted. See why its "
    "guard does not close it, or close it with playbooks/dr_switchover.yml; to promote all the same, although two may "
    "then take writes, pass -e lease_is_over=true."
)


#: Seconds until the leader has ended, at its next look, what slipped in while it closed itself.
SETTLES = 2.5


@dataclass(frozen=True)
class Looked:
    """Moments, in seconds since 1970 by one clock.

    Attributes:
        now: the present.
        named: when the witness named the new leader.
        heard: when the standby heard from the old one at the latest.
        given_back: when it was first seen that the old one has ended its lease; None if it has not.
    """

    now: float
    named: float
    heard: float
    given_back: float | None = None


class Outwait:
    """Looks at a standby until its leader is closed for sure.

    Args:
        connection: to the standby.
        leader: the side that takes over.
        since: when the witness named it, in seconds since 1970 of this machine's clock.
        margin: seconds on top of the lease.
    """

    def __init__(self, connection: Any, leader: str, since: float, margin: float) -> None:
        self._connection, self._leader = connection, leader
        self._since, self._margin = since, margin
        self._silent_since: float | None = None
        self._given_back: float | None = None

    def verdict(self) -> dict[str, Any]:
        """Return what is known now: ``guaranteed``, ``over`` (whether there is nothing to wait for), and why."""
        found = lease.read(self._connection)
        replica = statements.standing(self._connection)["replica"]
        now = time.time()
        if found and found["leader"] == self._leader and not found["given"]:
            self._given_back = self._given_back or now
        looked = Looked(now, self._since, self._heard(now), self._given_back)
        return {"lease": found, **judge(found, self._leader, replica, looked, self._margin)}

    def _heard(self, now: float) -> float:
        """Return when the standby heard from its source at the latest."""
        age = lease.contact_age(self._connection)
        if age is not None:
            self._silent_since = None
            return now - age
        # It ended at some moment before the first look that found nothing.
        self._silent_since = self._silent_since or now
        return self._silent_since

    def wait(self, patience: Patience, progress: Progress) -> dict[str, Any]:
        """Wait until the leader is closed, and return the verdict.

        Raises:
            EngineError: if that cannot be known in time.
        """
        started = time.monotonic()

        def check() -> tuple[dict[str, Any] | None, str]:
            found = self.verdict()
            return (found if found["over"] else None), found["reason"]

        brisk = Patience(patience.timeout, min(0.5, patience.delay), report_every=5)
        found = wait_until(check, "the end of the leader's lease", 20, brisk, progress, STILL)
        return {**found, "seconds": round(time.monotonic() - started, 2)}


def judge(found: Mapping[str, Any] | None, leader: str, replica: bool, looked: Looked, margin: float) -> dict[str, Any]:
    """Return whether the former leader is closed for sure, whether that is all there is to wait for, and why. Pure.

    Args:
        found: the lease as the server has it.
        leader: the side that takes over.
        replica: whether the server is a replica still.
    """
    if not replica:
        return _said(True, True, "it is promoted already")
    if found is None:
        return _said(False, True, "the database has no write lease, so the leader may take writes behind a partition")
    if not found["enabled"]:
        return _said(False, True, "the write lease was released by hand, so the leader may take writes")
    if looked.given_back is not None:
        settled = looked.now - looked.given_back >= SETTLES
        return _said(settled, settled, "the leader has given its lease back, and has closed itself")
    left = max(looked.named, looked.heard) + found["seconds"] + margin - looked.now
    passed = (
        f"{looked.now - looked.named:.0f} s have passed since the witness named {leader}, and "
        f"{looked.now - looked.heard:.0f} s since the standby heard from the leader"
    )
    return _said(False, False, f"{passed}; {left:.0f} s are left") if left > 0 else _said(True, True, passed)


def _said(guaranteed: bool, over: bool, reason: str) -> dict[str, Any]:
    return {"guaranteed": guaranteed, "over": over, "reason": reason}
