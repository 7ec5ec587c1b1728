# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import Lease, now, read_leases
from ansible_collections.pipeops.platform.plugins.module_utils.locking.item import Claim
from ansible_collections.pipeops.platform.plugins.module_utils.locking.table import Lost
from ansible_collections.pipeops.platform.plugins.plugin_utils.lease_keeper import Keeper

CLAIM = Claim("a1", "alice@laptop", 4711, "site.yml")
UNANSWERED = botocore.exceptions.ConnectTimeoutError(endpoint_url="https://dynamodb")


@dataclass
class Table:
    """A lock table that answers as a test says."""

    answer: Callable[[Lease], Lease] = lambda lease: replace(lease, deadline=now() + 48)
    lease_seconds: float = 60
    margin: float = 12
    calls: list[str] = field(default_factory=list)

    def renew(self, claim: Claim, lease: Lease) -> Lease:
        self.calls.append("renew")
        return self.answer(lease)

    def release(self, claim: Claim, token: int) -> None:
        self.calls.append(f"release {token}")
        if len(self.calls) < 3:
            raise UNANSWERED


@dataclass
class Life:
    """A run that is over after some looks."""

    looks: int = 3
    silent_seconds: float = 0.1

    def over(self, timeout: float) -> bool:
        self.looks -= 1
        return self.looks < 0


def failing(error: Exception) -> Callable[[Lease], Lease]:
    def answer(_lease: Lease) -> Lease:
        raise error

    return answer


@pytest.fixture
def keeper_of(tmp_path: Path) -> Callable[..., Keeper]:
    def make(table: Table, left: float, life: Any = None, *, lapses: bool = False) -> Keeper:
        lease = Lease("prod", 7, now() + left)
        return Keeper(life or Life(), CLAIM, table, lease, tmp_path, lapses=lapses)  # type: ignore[arg-type]

    return make


def test_a_lease_is_renewed_after_a_quarter_of_it(keeper_of: Callable[..., Keeper], tmp_path: Path) -> None:
    fresh, due = Table(), Table()
    keeper_of(fresh, 40).tend()
    keeper = keeper_of(due, 32)
    keeper.tend()
    assert (fresh.calls, due.calls) == ([], ["renew"])
    assert read_leases(tmp_path)["prod"] == keeper.lease
    assert keeper.lease.deadline > now() + 40
    assert keeper.lease.keeper > 0


def test_a_lease_that_has_ended_is_never_renewed(keeper_of: Callable[..., Keeper], tmp_path: Path) -> None:
    table = Table()
    keeper = keeper_of(table, -5)
    for _time in range(2):
        keeper.tend()
    assert table.calls == []
    assert "was not renewed in time" in read_leases(tmp_path)["prod"].lost


def test_who_took_it_is_told(keeper_of: Callable[..., Keeper], tmp_path: Path) -> None:
    keeper_of(Table(failing(Lost("it was taken over by bob@ci"))), 10, lapses=True).tend()
    assert read_leases(tmp_path)["prod"].lost == "it was taken over by bob@ci"


@pytest.mark.parametrize(
    ("left", "lapses", "deadline"),
    [
        pytest.param(10, False, 10, id="a strict one ends"),
        pytest.param(25, True, 25, id="there is time for more tries"),
        pytest.param(10, True, math.inf, id="the run goes on without it"),
    ],
)
def test_a_region_that_does_not_answer(
    keeper_of: Callable[..., Keeper], left: float, lapses: bool, deadline: float
) -> None:
    keeper = keeper_of(Table(failing(UNANSWERED)), left, lapses=lapses)
    keeper.tend()
    assert keeper.lease.lost == ""
    assert keeper.lease.deadline - now() == pytest.approx(deadline, abs=1)


@pytest.mark.parametrize(("silent", "renewals"), [(0.1, 1), (11, 0)], ids=["goes on", "stopped"])
def test_a_controller_that_stands_still_gets_no_renewal(
    keeper_of: Callable[..., Keeper], silent: float, renewals: int
) -> None:
    table = Table()
    keeper_of(table, 20, Life(silent_seconds=silent)).keep()
    assert table.calls.count("renew") == renewals


def test_a_lock_is_freed_with_more_than_one_try(keeper_of: Callable[..., Keeper]) -> None:
    table = Table()
    keeper_of(table, 40).free()
    assert table.calls == ["release 7"] * 3
