# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A planned move: it loses nothing, or it does not happen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.recovery.conftest import EAST, WEST, Recovery, done, refused, text


def takes_writes(pair: Recovery) -> None:
    """Insist that prod leads as before, open to its clients, and that nothing remembers a move."""
    assert pair.leads_to() == pair.endpoint(WEST, "pipeops-prod")
    assert pair.rows("INSERT INTO orders VALUES (9) RETURNING number") == [9]
    assert pair.tags(EAST, "pipeops-dr") == {}


def test_it_is_refused_before_anything_is_touched(pair: Recovery) -> None:
    pair.control("POST", f"rds/{EAST}/pipeops-dr", replay="paused")
    pair.rows("INSERT INTO orders VALUES (2)")
    said = refused(pair.dr("dr_switchover", confirm="prod", recovery_catch_up_seconds=3))
    assert "replay" in said
    takes_writes(pair)
    pair.control("POST", f"rds/{EAST}/pipeops-dr", replay="running")
    unconfirmed = pair.dr("dr_switchover")
    assert "Not confirmed, nothing was changed" in refused(unconfirmed)
    assert unconfirmed.actions("dr") == {}
    asked = pair.dr("dr_switchover", check=True)
    done(asked)
    assert asked.mutations == []
    assert asked.actions("dr")
    takes_writes(pair)


def test_it_loses_nothing_and_happens_once(pair: Recovery) -> None:
    pair.rows("INSERT INTO orders VALUES (2)")
    replicas = pair.instance(WEST, "pipeops-prod")["ReadReplicaDBInstanceIdentifiers"]
    replicas = [name for name in replicas if not name.startswith("arn:")]
    assert len(replicas) == 2
    with pair.connect() as session, pair.connect(pair.endpoint(WEST, replicas[0])) as reader:
        done(pair.dr("dr_switchover", confirm="prod"))
        with pytest.raises(psycopg.OperationalError):
            session.execute("INSERT INTO orders VALUES (3)")
        # What it reads would be out of date from now on.
        with pytest.raises(psycopg.OperationalError):
            reader.execute("SELECT 1")
    report = pair.findings()
    assert (report["leader"], report["acknowledged_writes_lost"], report["fence_owed"]) == ("dr", 0, "nothing")
    assert report["sessions_ended"] == 1
    assert pair.leads_to() == pair.endpoint(EAST, "pipeops-dr")
    assert pair.rows("SELECT number FROM orders ORDER BY 1", region=EAST) == [1, 2]
    for name in ("pipeops-prod", *replicas):
        assert "pipeops:fenced" in pair.tags(WEST, name)
        for database in ("app", "postgres"):
            with pytest.raises(psycopg.OperationalError):
                pair.connect(pair.endpoint(WEST, name), database=database)
    for answer in ("prod", "dr"):
        said = refused(pair.dr("dr_switchover", confirm=answer))
        assert "playbooks/dr_failback.yml makes prod a standby again" in said
    assert "platform_database_role" in refused(pair.playbook("prod"))


def test_a_leader_whose_standby_does_not_catch_up_is_opened_again(pair: Recovery) -> None:
    """The standby stops replaying after everything was found well, while the run notes that it begins."""
    rule = pair.control("POST", "faults", effect="latency", operation="AddTagsToResource", latency=4000, nth=1)

    def pause() -> None:
        while not next(one["fired"] for one in pair.control("GET", "faults")["faults"] if one["id"] == rule["id"]):
            pass
        pair.control("POST", f"rds/{EAST}/pipeops-dr", replay="paused")

    with ThreadPoolExecutor(1) as pool:
        paused = pool.submit(pause)
        run = pair.dr("dr_switchover", confirm="prod", recovery_catch_up_seconds=5)
        paused.result(timeout=5)
    assert run.status == 2
    assert "prod leads as before; its database is open again" in text(run)
    assert "rds:PromoteReadReplica" not in run.mutations
    pair.control("POST", f"rds/{EAST}/pipeops-dr", replay="running")
    takes_writes(pair)


def refuse_promotion(pair: Recovery) -> None:
    """Let AWS refuse each promotion, for a reason that no look before can foresee."""
    pair.control(
        "POST", "faults", effect="error", operation="PromoteReadReplica", code="KMSKeyNotAccessibleFault",
        message="the key is gone", status=400,
    )  # fmt: skip


@pytest.mark.thorough
def test_a_refusal_by_aws_puts_everything_back(pair: Recovery) -> None:
    refuse_promotion(pair)
    run = pair.dr("dr_switchover", confirm="prod")
    assert run.status == 2
    said = text(run)
    assert "KMSKeyNotAccessibleFault: the key is gone" in said
    assert "prod leads as before; its database is open again" in said
    takes_writes(pair)
    pair.control("DELETE", "faults")
    done(pair.dr("dr_switchover", confirm="prod"))
    assert pair.rows("SELECT number FROM orders ORDER BY 1", region=EAST) == [1, 9]


@pytest.mark.thorough
def test_an_answer_that_was_lost_leaves_the_leader_closed(pair: Recovery) -> None:
    """Nobody knows whether the first call was carried out; two databases that take writes would be worse than none."""
    pair.control("POST", "faults", effect="error_500", operation="PromoteReadReplica", nth=1)
    refuse_promotion(pair)
    run = pair.dr("dr_switchover", confirm="prod")
    assert run.status == 2
    assert "Whether the promotion has begun is not known, so prod stays closed" in text(run)
    with pytest.raises(psycopg.OperationalError):
        pair.connect()
    pair.control("DELETE", "faults")
    done(pair.dr("dr_failover"))
    assert pair.leads_to() == pair.endpoint(EAST, "pipeops-dr")
    assert pair.rows("SELECT number FROM orders", region=EAST) == [1]


@pytest.mark.thorough
def test_one_that_was_killed_after_the_promotion_is_carried_on(pair: Recovery) -> None:
    """Prod is closed and dr promoted, but no client is led there yet."""
    pair.control(
        "POST", "faults", effect="kill_client", operation="PromoteReadReplica", nth=1, when="after",
        also="ansible-playbook",
    )  # fmt: skip
    assert pair.dr("dr_switchover", confirm="prod").status < 0
    assert "playbooks/dr_failover.yml carries it on" in refused(pair.dr("dr_switchover", confirm="prod"))
    done(pair.dr("dr_failover"))
    assert pair.leads_to() == pair.endpoint(EAST, "pipeops-dr")
    assert "pipeops:fenced" in pair.tags(WEST, "pipeops-prod")
    assert pair.rows("SELECT number FROM orders", region=EAST) == [1]
