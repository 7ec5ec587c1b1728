"""Replication, promotion and the loss of a Region, with real servers."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

EAST = "us-east-1"


@pytest.fixture(scope="module")
def pair(program: Any, west: str, east: str) -> Any:
    """A primary in the west with a replica beside it, and one in the east."""
    program.create("main", west)
    program.replicate("near", "main", VpcSecurityGroupIds=[west])
    program.replicate("dr", "main", EAST, DBSubnetGroupName="data", VpcSecurityGroupIds=[east])
    return program


def test_replicas_follow_and_take_no_writes(pair: Any) -> None:
    pair.rows("INSERT INTO t VALUES (1)")
    pair.until(lambda: pair.rows("SELECT n FROM t", "near") == [1])
    pair.until(lambda: pair.rows("SELECT n FROM t", "dr", EAST) == [1])
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        pair.rows("INSERT INTO t VALUES (2)", "dr", EAST)
    (info,) = pair.show("dr", EAST)["StatusInfos"]
    assert (info["Status"], info["Normal"]) == ("replicating", True)
    assert len(pair.rows("SELECT slot_name FROM pg_replication_slots WHERE active")) == 2


def test_the_way_between_regions_takes_its_time(pair: Any) -> None:
    def commit(wait: str) -> float:
        with pair.connect("main") as session:
            began = time.monotonic()
            session.execute("INSERT INTO t VALUES (1)")
            query = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()"
            pair.until(lambda: session.execute(query).fetchone() == (2,), 5)
            assert wait
            return time.monotonic() - began

    assert commit("default") >= 0.07
    assert pair.control("POST", "network", link_rtt_ms=400)["link_rtt_ms"] == 400
    assert commit("far") >= 0.4
    pair.control("POST", "network", link_rtt_ms=70)


def test_metrics_come_from_the_servers(pair: Any) -> None:
    # It is -1 until the replica has replayed a transaction.
    pair.until(lambda: [lag for lag in pair.metric("ReplicaLag", "dr", EAST)[:1] if lag >= 0])
    assert pair.until(lambda: pair.metric("OldestReplicationSlotLag", "main", "us-west-2"))[0] >= 0
    with pair.connect("main"):
        pair.until(lambda: pair.metric("DatabaseConnections", "main", "us-west-2")[0] == 1)
    assert 0 < pair.metric("FreeStorageSpace", "main", "us-west-2")[0] < 20 * 1024**3
    assert pair.metric("TransactionLogsDiskUsage", "main", "us-west-2")[0] >= 4 * 1024**2


def test_replay_pauses_and_goes_on(pair: Any) -> None:
    pair.control("POST", f"rds/{EAST}/dr", replay="paused")
    pair.rows("INSERT INTO t VALUES (77)")
    pair.until(lambda: 77 in pair.rows("SELECT n FROM t", "near"))
    assert 77 not in pair.rows("SELECT n FROM t", "dr", EAST)
    pair.control("POST", f"rds/{EAST}/dr", replay="running")
    pair.until(lambda: 77 in pair.rows("SELECT n FROM t", "dr", EAST))


def test_a_region_that_is_down_takes_clients_and_replication_with_it(pair: Any) -> None:
    with pair.connect("main") as session:
        host = pair.show("main")["Endpoint"]["Address"]
        pair.control("POST", "regions/us-west-2", state="down")
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    with pytest.raises(psycopg.errors.ConnectionTimeout):
        psycopg.connect(host=host, hostaddr=pair.resolve(host), user="dbadmin", dbname="app", connect_timeout=2)
    query = "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'"
    pair.until(lambda: pair.rows(query, "dr", EAST) == [0])
    # It does not look broken at once: RDS has patience.
    assert pair.show("dr", EAST)["StatusInfos"][0]["Status"] == "replicating"
    pair.control("POST", "regions/us-west-2", state="up")
    pair.rows("INSERT INTO t VALUES (88)")
    pair.until(lambda: 88 in pair.rows("SELECT n FROM t", "dr", EAST))


def test_promotion_parts_the_two_and_the_last_writes_of_a_lost_region_are_lost(pair: Any) -> None:
    pair.control("POST", "network", link_rtt_ms=1000)
    pair.rows("INSERT INTO t VALUES (99)")
    pair.control("POST", "regions/us-west-2", state="down")
    pair.control("POST", "network", link_rtt_ms=70)
    pair.client("rds", EAST).promote_read_replica(DBInstanceIdentifier="dr")
    pair.until(lambda: "StatusInfos" not in pair.available("dr", EAST))
    numbers = pair.rows("SELECT n FROM t", "dr", EAST)
    assert 88 in numbers
    assert 99 not in numbers
    pair.rows("INSERT INTO t VALUES (100)", "dr", EAST)
    pair.control("POST", "regions/us-west-2", state="up")
    assert 99 in pair.rows("SELECT n FROM t")
    assert 100 not in pair.rows("SELECT n FROM t")
    # The source was away when the replica left it, so its slot goes now.
    pair.until(lambda: len(pair.rows("SELECT slot_name FROM pg_replication_slots")) == 1)


def test_deleting_a_source_promotes_the_replica_beside_it(pair: Any) -> None:
    pair.client("rds").delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)
    pair.until(lambda: "StatusInfos" not in pair.available("near"))
    pair.rows("INSERT INTO t VALUES (101)", "near")
    assert 101 in pair.rows("SELECT n FROM t", "near")
