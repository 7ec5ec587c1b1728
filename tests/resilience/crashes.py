# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed right after any of its changes, before it hears of it, is carried on by the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from tests.platform_runs import Platform, Run
from tests.resilience.account import difference, standing
from tests.resilience.proof import Case, Proof

#: What is stood up, and what stands by then.
RUNS: dict[str, tuple[str, ...]] = {"prod": (), "dr": ("prod",)}
#: Taking, renewing and freeing the lock is no step of the deployment.
STEP = "(?!UpdateItem).*"
QUICK = {"platform_wait_delay_seconds": 0.2}
#: The lock of a killed run is free after this; the next run waits for it.
LEASE = {"deployment_lock_lease_seconds": 5}
WAITS = {"deployment_lock_wait_seconds": 120, "deployment_lock_lease_seconds": 3600}


def prepare(stand: Platform) -> Sequence[Case]:
    """Stand each up once undisturbed, and return a case for each of its changes."""
    cases = []
    for name, before in RUNS.items():
        stand.begin()
        for other in before:
            stood_up(stand, other)
        stand.control("POST", "snapshot", name=f"before-{name}")
        mark = stand.last_call()
        stood_up(stand, name)
        changes = sum(
            call["mutating"] and call["status"] == 200 and call["operation"] != "UpdateItem"
            for call in stand.calls(since=mark)
        )
        expected = standing(stand)
        cases += [
            Case(
                f"{name}, change {nth} of {changes}",
                partial(crash, name=name, nth=nth, expected=expected),
            )
            for nth in range(1, changes + 1)
        ]
    return cases


def stood_up(stand: Platform, name: str) -> Run:
    """Stand an environment up, undisturbed."""
    run = stand.playbook(name, extra=QUICK)
    assert run.status == 0, run.output[-4000:]
    return run


def crash(stand: Platform, name: str, nth: int, expected: Counter[str]) -> list[str]:
    """Kill a run after its n-th change and run it again twice; return what is not as if nothing had happened."""
    stand.begin()
    stand.control("DELETE", "faults")
    stand.control("POST", "restore", name=f"before-{name}")
    rule = {"effect": "kill_client", "mutating": True, "operation": STEP, "nth": nth, "when": "after"}
    stand.control("POST", "faults", **rule, also="ansible-playbook")
    killed = stand.playbook(name, extra={**QUICK, **LEASE})
    stand.control("DELETE", "faults")
    if killed.status >= 0:
        return [f"it was not killed, and ended with {killed.status}"]
    again = stand.playbook(name, extra={**QUICK, **WAITS})
    if again.status:
        return [f"the next run ended with {again.status}: {again.output[-1500:]}"]
    faults = difference(standing(stand), expected)
    third = stand.playbook(name, extra=QUICK)
    if third.status or third.mutations or third.tasks(name):
        faults.append(f"a third run ended with {third.status} and changed {third.mutations} {dict(third.tasks(name))}")
    return faults


PROOF = Proof("crashes", prepare, sample=4)
