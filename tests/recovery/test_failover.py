# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The region of the leader is lost, and the standby takes over: what is refused, and what is waited out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Timer

import psycopg
import pytest

from tests.recovery.conftest import EAST, PROD_ARN, WEST, WITNESS, Recovery, done, refused

#: What a failover changes, in this order; a run that was killed after any of these is carried on.
CALLS = [
    "rds:AddTagsToResource",
    "dynamodb:PutItem",
    "rds:PromoteReadReplica",
    "route53:ChangeResourceRecordSets",
    "secretsmanager:StopReplicationToReplica",
    "secretsmanager:UpdateSecret",
    "secretsmanager:TagResource",
]


def test_a_lost_region_is_replaced_once(pair: Recovery) -> None:
    pair.down(WEST)
    assert "Not confirmed, nothing was changed" in refused(pair.dr("dr_failover", "dr"))
    first = pair.dr("dr_failover", "dr", confirm="prod")
    done(first)
    assert first.mutations == CALLS
    served = [call for call in first.calls if call["mutating"] and call["status"]]
    assert {call["region"] for call in served} == {EAST, WITNESS}
    report = pair.findings()
    assert (report["leader"], report["fence_owed"]) == ("dr", PROD_ARN)
    # RDS calls a replication broken once its source has been away for a while.
    assert all("the replication of pipeops-dr" in warning for warning in report["warnings"])
    assert pair.leads_to() == pair.endpoint(EAST, "pipeops-dr")
    assert pair.rows("INSERT INTO orders VALUES (2) RETURNING number", region=EAST) == [2]
    assert pair.tags(EAST, "pipeops-dr")["pipeops:fence-owed"] == PROD_ARN
    again = pair.dr("dr_failover", "dr")
    done(again)
    assert again.mutations == []
    assert pair.rows("SELECT number FROM orders ORDER BY 1", region=EAST) == [1, 2]


def test_clients_do_not_wait_for_what_aws_does_afterwards(pair: Recovery) -> None:
    """The server takes writes once it is detached; AWS shows it as available only after its first backup."""
    pair.down(WEST)
    pair.control("POST", "clock", profile="aws", scale=60)

    def lead_during_the_backup() -> None:
        """Let the backup last until clients are led to the database."""
        pair.await_status(EAST, "pipeops-dr", "backing-up")
        pair.control("POST", "clock", scale=0.001)
        pair.await_lead(EAST, "pipeops-dr")
        pair.await_status(EAST, "pipeops-dr", "backing-up")
        pair.control("POST", "clock", scale=60)

    with ThreadPoolExecutor(1) as pool:
        led = pool.submit(lead_during_the_backup)
        done(pair.dr("dr_failover", "dr", confirm="prod", platform_wait_delay_seconds=0.5))
        led.result(timeout=5)
    after = pair.instance(EAST, "pipeops-dr")
    assert (after["DBInstanceStatus"], "StatusInfos" in after) == ("available", False)


@pytest.mark.thorough
def test_a_leader_that_answers_is_kept_unless_it_is_given_up(pair: Recovery) -> None:
    said = refused(pair.dr("dr_failover", "dr", confirm="prod"))
    assert "The database of prod answers" in said and "playbooks/dr_switchover.yml" in said
    assert pair.rows("SELECT 1") == [1]
    forced = pair.dr("dr_failover", "dr", confirm="prod", leader_is_lost=True)
    done(forced)
    assert pair.findings()["fence_owed"] == "nothing"
    assert "pipeops:fenced" in pair.tags(WEST, "pipeops-prod")
    with pytest.raises(psycopg.OperationalError):
        pair.connect(pair.endpoint(WEST, "pipeops-prod"))


def test_a_standby_that_cannot_be_promoted_is_refused(pair: Recovery) -> None:
    """Before the leader is given up for good, even if it is known to be lost."""
    mends = {"storage-full": "Raise storage_gib", "insufficient-capacity": "Choose another instance_class"}
    for state, mend in mends.items():
        pair.control("POST", f"rds/{EAST}/pipeops-dr", status=state)
        said = refused(pair.dr("dr_failover", confirm="prod", leader_is_lost=True))
        assert f"is {state}" in said
        assert mend in said
    assert pair.rows("INSERT INTO orders VALUES (2) RETURNING number") == [2]


@pytest.mark.thorough
def test_a_standby_that_is_not_there_is_refused(pair: Recovery) -> None:
    rds = pair.client("rds", EAST)
    rds.modify_db_instance(DBInstanceIdentifier="pipeops-dr", DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier="pipeops-dr", SkipFinalSnapshot=True)
    pair.down(WEST)
    run = pair.dr("dr_failover", "dr", confirm="prod")
    assert "neither dr nor prod has a database that takes writes" in refused(run)


@pytest.mark.thorough
@pytest.mark.parametrize("state", ["terminated", "error"])
def test_a_replication_that_broke_before_is_no_obstacle(pair: Recovery, state: str) -> None:
    pair.control("POST", f"rds/{EAST}/pipeops-dr", replication=state, message="requested WAL segment was removed")
    pair.down(WEST)
    done(pair.dr("dr_failover", "dr", confirm="prod"))
    assert any(state in warning for warning in pair.findings()["warnings"])
    assert pair.rows("SELECT number FROM orders", region=EAST) == [1]


def test_a_backup_of_the_standby_is_waited_out(pair: Recovery) -> None:
    pair.control("POST", f"rds/{EAST}/pipeops-dr", status="backing-up")
    pair.down(WEST)
    path = f"rds/{EAST}/pipeops-dr"
    over = Timer(12, pair.control, ("POST", path), {"status": "available"})
    over.start()
    try:
        run = pair.dr("dr_failover", "dr", confirm="prod", platform_wait_delay_seconds=1)
    finally:
        over.join()
    done(run)
    assert run.mutations.count("rds:PromoteReadReplica") == 1
