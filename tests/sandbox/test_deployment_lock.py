# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock table: one holder at a time, whoever else tries, and whatever becomes of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import Lease, now
from ansible_collections.pipeops.platform.plugins.module_utils.locking.acquire import (
    Held,
    NoLock,
    Wish,
    acquire,
    free,
    look,
)
from ansible_collections.pipeops.platform.plugins.module_utils.locking.item import Claim, Standing
from ansible_collections.pipeops.platform.plugins.module_utils.locking.table import GRACE, PATIENCE, LockTable, Lost
from pipeops_sandbox.faults import Rule

from tests.sandbox.conftest import Account

NAME = "pipeops-prod-locks"
ALICE = Claim("a1", "alice@laptop", 4711, "site.yml --limit prod")
BOB = Claim("b2", "bob@ci", 12, "database.yml", "https://github.com/a/b/actions/runs/7")
CONTENDERS = 20


def quiet(_text: str) -> None:
    pass


@pytest.fixture
def table(account: Account) -> Callable[..., LockTable]:
    """Open the lock table of prod, under a name of one's own in the journal."""
    key = [{"AttributeName": "lock_id", "KeyType": "HASH"}]
    account.client("dynamodb").create_table(
        TableName=NAME,
        KeySchema=key,
        AttributeDefinitions=[{"AttributeName": "lock_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def open_table(
        who: str = "testing", lease_seconds: float = 60, name: str = NAME, patience: float = PATIENCE
    ) -> LockTable:
        options = {"region": account.region, "endpoint_url": account.url, "access_key": who, "secret_key": "x"}
        return LockTable(Aws(options), account.region, "prod", name, lease_seconds, patience)

    return open_table


Opener = Callable[..., LockTable]


def taken(table: LockTable, claim: Claim) -> Lease:
    found = table.take(claim)
    assert isinstance(found, Lease), found
    return found


def test_a_free_lock_is_taken_in_one_call_and_freed_in_one(account: Account, table: Opener) -> None:
    locks, before, began = table(), account.journal_length(), now()
    lease = taken(locks, ALICE)
    assert began + 48 <= lease.deadline <= now() + 48, "a fifth of the lease is left for calls that are under way"
    standing = locks.read()
    assert standing
    assert (standing.claim, standing.held, standing.token) == (ALICE, True, lease.token)
    assert 40 < standing.ends_at - time.time() < 62
    locks.release(ALICE, lease.token)
    calls = [entry.operation for entry in account.sandbox.journal.entries() if entry.n > before]
    assert calls == ["UpdateItem", "GetItem", "UpdateItem"]


def test_another_one_learns_who_holds_it(table: Opener) -> None:
    taken(table(), ALICE)
    found = table().take(BOB)
    assert isinstance(found, Standing)
    assert found.claim == ALICE
    with pytest.raises(Held, match=r"Refused, nothing was changed.*prod in us-west-2 is held by alice@laptop") as held:
        acquire(table(), Wish(BOB), quiet)
    for part in ("process 4711", "site.yml --limit prod", "deployment_lock_wait_seconds", "playbooks/unlock.yml"):
        assert part in str(held.value)


def test_each_holder_has_a_greater_number(table: Opener) -> None:
    tokens = []
    for claim in (ALICE, BOB, ALICE):
        lease = taken(table(), claim)
        table().release(claim, lease.token)
        tokens.append(lease.token)
    assert tokens == sorted(set(tokens))
    assert tokens[0] > 1_700_000_000, "greater than those of a table that was here before"


def test_a_holder_keeps_it_by_renewing(table: Opener) -> None:
    locks = table(lease_seconds=5)
    lease = taken(locks, ALICE)
    first = locks.read()
    # A moment in which the lease grows older; AWS tells its time in whole seconds.
    time.sleep(2)
    renewed = locks.renew(ALICE, lease)
    second = locks.read()
    assert renewed.deadline >= lease.deadline + 1
    assert first and second and second.ends_at > first.ends_at


def test_it_is_taken_over_only_after_its_end(table: Opener) -> None:
    lease = taken(table(lease_seconds=3), ALICE)
    found = table().read()
    other, _waited = acquire(table(lease_seconds=3), Wish(BOB, wait_seconds=60), quiet)
    # AWS tells its time in whole seconds.
    assert found and time.time() > found.ends_at + GRACE - 1
    assert other.token > lease.token
    with pytest.raises(Lost, match=r"taken over by bob@ci .*actions/runs/7"):
        table().renew(ALICE, lease)
    table().release(ALICE, lease.token)
    found = table().read()
    assert found and found.held and found.claim == BOB, "who lost it frees nothing"


def test_an_end_with_other_digits_than_ours_is_taken_over_too(account: Account, table: Opener) -> None:
    taken(table(), ALICE)
    account.client("dynamodb").update_item(
        TableName=NAME,
        Key={"lock_id": {"S": "deployment"}},
        UpdateExpression="SET ends_at = :end",
        ExpressionAttributeValues={":end": {"N": "1700000000.123456789"}},
    )
    taken(table(), BOB)


def test_a_holder_that_is_asked_to_stop_hears_of_it(table: Opener) -> None:
    lease = taken(table(lease_seconds=60), ALICE)
    with ThreadPoolExecutor() as pool:
        other = pool.submit(acquire, table(), Wish(BOB, insist=True), quiet)
        while not (found := table().read()) or not found.asked_by:
            time.sleep(0.05)
        with pytest.raises(Lost, match=r"bob@ci .* has asked for it"):
            table().renew(ALICE, lease)
        assert not other.done(), "it waits until the holder has stopped"
        table().release(ALICE, lease.token)
        assert other.result()[0].token == lease.token + 1


def test_a_dead_holder_is_freed_after_its_lease(table: Opener) -> None:
    taken(table(lease_seconds=1), ALICE)
    found = free(table(), BOB, quiet)
    assert found and found.claim == ALICE
    assert look(table()) is None
    assert free(table(), BOB, quiet) is None


def test_a_lost_answer_gives_the_lock_all_the_same(account: Account, table: Opener) -> None:
    account.sandbox.faults.add(Rule("reset_after", operation="UpdateItem", nth=1))
    lease = taken(table(), ALICE)
    found = table().read()
    assert found and (found.claim, found.token) == (ALICE, lease.token)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_changes_nothing(table: Opener, hours: int) -> None:
    """A machine whose clock is wrong holds its lease for its time, and judges those of others rightly."""
    locks = table()
    locks.clock._offset += hours * 3600
    lease = taken(locks, ALICE)
    found = table().read()
    assert found and 40 < found.ends_at - time.time() < 62
    wrong = table()
    wrong.clock._offset += 3600
    assert isinstance(wrong.take(BOB), Standing)
    table().release(ALICE, lease.token)


def test_without_a_table_or_a_region_it_says_so(account: Account, table: Opener) -> None:
    with pytest.raises(NoLock, match="There is no lock table nothing of prod in us-west-2") as missing:
        acquire(table(name="nothing"), Wish(ALICE), quiet)
    assert missing.value.reason == "table"
    account.sandbox.faults.down.add("us-west-2")
    try:
        with pytest.raises(NoLock, match=f"Could not reach the lock table {NAME} of prod in us-west-2") as unreached:
            acquire(table(patience=0), Wish(ALICE), quiet)
    finally:
        account.sandbox.faults.down.discard("us-west-2")
    assert unreached.value.reason == "region"


@pytest.mark.parametrize("effect", ["throttle", "error_500", "reset_after"])
def test_a_lock_that_aws_is_slow_to_give_is_waited_for(account: Account, table: Opener, effect: str) -> None:
    account.sandbox.faults.add(Rule(effect=effect, service="dynamodb", operation="UpdateItem", times=7))
    try:
        lease, waited = acquire(table(lease_seconds=5), Wish(ALICE), quiet)
    finally:
        account.sandbox.faults.clear()
    assert waited == 0, "by nobody"
    standing = table().read()
    assert standing
    assert (standing.claim, standing.token) == (ALICE, lease.token)
    assert free(table(), BOB, quiet) == standing


def test_who_can_go_on_without_the_lock_does_not_wait_for_answers_that_are_lost(
    account: Account, table: Opener
) -> None:
    account.sandbox.faults.add(Rule(effect="reset", service="dynamodb", operation="UpdateItem", times=4))
    try:
        with pytest.raises(NoLock, match="Could not reach"):
            acquire(table(patience=0), Wish(ALICE), quiet)
    finally:
        account.sandbox.faults.clear()


def test_of_many_exactly_one_holds_it_at_any_time(account: Account, table: Opener) -> None:
    """Each waits for its turn, holds the lock for a moment, renews it and frees it; the journal tells who had it."""
    random.seed(5)

    def run(number: int) -> int:
        name, locks = f"contender-{number}", table(f"contender-{number}", lease_seconds=20)
        claim = Claim(name, name, number, "test")
        lease, _waited = acquire(locks, Wish(claim, wait_seconds=120), quiet)
        time.sleep(random.uniform(0, 0.05))
        lease = locks.renew(claim, lease)
        locks.release(claim, lease.token)
        return lease.token

    before = account.journal_length()
    with ThreadPoolExecutor(CONTENDERS) as pool:
        tokens = list(pool.map(run, range(CONTENDERS)))
    assert len(set(tokens)) == CONTENDERS
    writes = [
        entry.principal
        for entry in account.sandbox.journal.entries()
        if entry.n > before and entry.operation == "UpdateItem" and entry.status == 200
    ]
    assert len(writes) == 3 * CONTENDERS, "take, renew and free, once each"
    turns = [writes[start : start + 3] for start in range(0, len(writes), 3)]
    assert all(len(set(turn)) == 1 for turn in turns), turns
    refused = [e for e in account.sandbox.journal.entries() if e.n > before and e.status == 400]
    assert refused, "they did contend"
    order: list[Any] = [turn[0] for turn in turns]
    assert len(set(order)) == CONTENDERS
