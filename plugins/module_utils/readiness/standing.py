# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of two databases leads, from what both sides say of themselves. Pure: no AWS, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: The tags of an instance that takes over, set before it is promoted; they say what was meant and what is still owed.
TAG_FROM, TAG_MODE, TAG_SINCE = "pipeops:takes-over-from", "pipeops:takes-over-mode", "pipeops:takes-over-since"
TAG_FENCE_OWED = "pipeops:fence-owed"
#: The tag of an instance that was taken off the network because another one leads.
TAG_FENCED = "pipeops:fenced"


@dataclass(frozen=True)
class Side:
    """One instance of a pair.

    Attributes:
        reachable: whether its region answered.
        role: ``primary``, ``replica``, or empty if there is no instance or nobody knows.
        source: the ARN that a replica follows.
    """

    name: str
    arn: str
    reachable: bool
    exists: bool
    role: str
    source: str
    tags: Mapping[str, str]

    @classmethod
    def parse(cls, name: str, arn: str, facts: Mapping[str, Any]) -> Side:
        """Return a side from the facts of M(pipeops.platform.rds_cross_region_replica_info)."""
        exists = bool(facts.get("reachable") and facts.get("exists"))
        role, source = (str(facts.get(key) or "") if exists else "" for key in ("role", "source_arn"))
        return cls(name, arn, bool(facts.get("reachable")), exists, role, source, facts.get("tags") or {})

    def follows(self, other: Side) -> bool:
        """Tell whether this is a replica of the other one."""
        return self.role == "replica" and self.source == other.arn


@dataclass(frozen=True)
class Standing:
    """How the pair stands.

    Attributes:
        leader: the environment whose database is written to; empty if that cannot be told.
        standby: the other one, if its database can take over or could be made to.
        protected: whether the standby replicates the leader.
        fence_owed: ARN of a former leader that nobody has taken off the network yet.
        unfinished: the mode of a move that was begun and not finished; empty if there is none.
        reason: the sentence for people.
    """

    leader: str
    standby: str
    protected: bool = False
    fence_owed: str = ""
    unfinished: str = ""
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as a task result carries it."""
        return dict(vars(self))


def standing(one: Side, other: Side) -> Standing:
    """Return which side leads; the same for both orders."""
    one, other = sorted((one, other), key=lambda side: side.name)
    for leader, standby in ((one, other), (other, one)):
        if standby.follows(leader):
            # A replica takes no writes, so its source leads, reachable or not.
            unfinished = standby.tags.get(TAG_MODE, "") if standby.tags.get(TAG_FROM) == leader.arn else ""
            reason = f"{standby.name} replicates {leader.name}"
            return Standing(leader.name, standby.name, leader.role != "replica", "", unfinished, reason)
    primaries = [side for side in (one, other) if side.role == "primary"]
    if len(primaries) == 2:
        return _of_two(one, other)
    if len(primaries) == 1:
        leader = primaries[0]
        former = other if leader is one else one
        what = (
            "does not answer" if not former.reachable else "has no database" if not former.exists else "follows another"
        )
        owed = leader.tags.get(TAG_FENCE_OWED, "")
        return Standing(
            leader.name, former.name, False, owed, "", f"{leader.name} is a primary, and {former.name} {what}"
        )
    return Standing("", "", reason=f"neither {one.name} nor {other.name} has a database that takes writes")


def _of_two(one: Side, other: Side) -> Standing:
    took = [(new, old) for new, old in ((one, other), (other, one)) if new.tags.get(TAG_FROM) == old.arn]
    if len(took) == 2:
        # One of them took over before the other one did, and could not be told to forget it.
        latest = max(new.tags.get(TAG_SINCE, "") for new, _old in took)
        took = [(new, old) for new, old in took if new.tags.get(TAG_SINCE, "") == latest]
    if len(took) != 1:
        reason = f"{one.name} and {other.name} are both primaries, and neither says that it took over from the other"
        return Standing("", "", reason=reason)
    ((new, old),) = took
    owed = "" if TAG_FENCED in old.tags else old.arn
    return Standing(new.name, old.name, False, owed, "", f"{new.name} took over from {old.name}")
