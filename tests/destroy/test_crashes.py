# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A destroy that is killed anywhere is carried on by the next run, and ends as one that was not."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.destroy.conftest import Doomed

#: Taking and freeing the lock is no step of the destroy.
STEP = "(?!UpdateItem).*"
#: Mutating calls that the destroy of each environment makes at least.
CALLS = {"dev": 105, "staging": 105, "prod": 125, "dr": 105}
CRASHES = [
    (name, nth) for name, calls in CALLS.items() for nth in sorted(random.Random(name).sample(range(1, calls), 5))
]


def _crash(stand: Doomed, name: str, nth: int) -> None:
    rule = {"effect": "kill_client", "mutating": True, "operation": STEP, "nth": nth, "when": "after"}
    stand.control("POST", "faults", **rule, also="ansible-playbook")
    killed = stand.destroy(name)
    assert killed.status < 0, killed.output[-2000:]
    assert len(killed.mutations) >= nth
    stand.control("DELETE", "faults")
    again = stand.destroy(name, deployment_lock_wait_seconds=90)
    assert again.status == 0, again.output[-3000:]
    assert stand.standing(name) == []
    final = [
        row["DBSnapshotIdentifier"]
        for row in stand.client("rds", "us-west-2").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    ]
    assert len(final) == (0 if name == "dr" else 1), "one final snapshot, whenever the run was killed"
    third = stand.destroy(name)
    assert (third.status, third.mutations, dict(third.tasks(name))) == (0, [], {}), third.output[-2000:]


def test_a_killed_run_is_carried_on(stand: Callable[[str], Doomed]) -> None:
    # In the middle of the removal of the network.
    _crash(stand("dev"), "dev", 70)


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "nth"), CRASHES)
def test_a_run_that_was_killed_anywhere_is_carried_on(stand: Callable[[str], Doomed], name: str, nth: int) -> None:
    _crash(stand("prod-dr" if name == "dr" else name), name, nth)
