# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the write lease would do its work: the leader closes itself when cut off, and the new one stays open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .checks import Check

#: A guard speaks up every few seconds; who has not for this long is not there.
GUARD_SILENT = 30.0
START = "See why its guard does not run: kubectl logs deployment/write-guard in its cluster."


def lease_checks(more: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks. Pure.

    Args:
        more: ``leader`` and ``standby``, environments; ``witness``, the answer of the module write_witness_info;
            ``held``, the lease as the leader has it, or None.
    """
    yield _witness(more["witness"], more["leader"])
    guards = {guard["environment"]: guard for guard in more["witness"].get("guards") or ()}
    held = more["held"]
    for environment in (more["leader"], more["standby"]):
        seen = (guards.get(environment) or {}).get("seen_seconds_ago")
        yield _guard(environment, seen, leads=environment == more["leader"], leased=held is not None)
    yield _held(held, more["leader"])


def _witness(witness: Mapping[str, Any], leader: str) -> Check:
    if not witness.get("reachable"):
        mend = "The replica keeps the leader open meanwhile. A failover now needs -e witness_is_lost=true."
        return Check("witness", "warning", f"it cannot be asked: {witness.get('reason')}", mend)
    named = witness.get("leader")
    if named != leader:
        mend = "Run the recovery playbook again that was not finished, or site.yml if there was none yet."
        return Check("witness", "bad", f"it names {named or 'nobody'}, and {leader} leads", mend)
    return Check("witness", "good", f"it names {leader}, in epoch {witness['epoch']}")


def _guard(environment: str, seen: float | None, *, leads: bool, leased: bool) -> Check:
    name = f"guard of {environment}"
    if seen is not None and seen <= GUARD_SILENT:
        return Check(name, "good", f"it spoke up {seen:g} s ago")
    said = "it never spoke up" if seen is None else f"it last spoke up {seen:.0f} s ago"
    if leads:
        return Check(name, "warning", f"{said}, so only the replica keeps the database open", START)
    # Nobody else prolongs the lease of a database that has just taken over.
    said += ", so the database would close itself soon after a failover" if leased else ""
    return Check(name, "bad" if leased else "warning", said, START)


def _held(held: Mapping[str, Any] | None, leader: str) -> Check:
    if held is None:
        return Check(
            "write lease", "warning", f"{leader} has none yet, or cannot be asked, so it would not close itself", START
        )
    if not held["enabled"]:
        mend = "Put it on again with SELECT pipeops.resume_lease() in the database postgres of the leader."
        return Check("write lease", "warning", "it was released by hand: a leader that is cut off stays open", mend)
    left = held["left_seconds"]
    if left is None or left <= 0:
        return Check("write lease", "bad", "it has run out, and the database is closed", START)
    ages = ((held["named_seconds_ago"], "the witness"), (held["followed_seconds_ago"], "the replica"))
    proofs = [f"{who} {age:.1f} s ago" for age, who in ages if age is not None]
    return Check("write lease", "good", f"{left:.1f} of {held['seconds']} s are left; proved by {', '.join(proofs)}")
