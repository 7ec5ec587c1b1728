"""The whole sandbox goes back to a snapshot: what was begun before does not reach what comes back."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pipeops_sandbox.postgres.plane import PostgresPlane

WEST, EAST = "us-west-2", "us-east-1"
STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"


@pytest.fixture(scope="module")
def pair(program: Any, west: str, east: str) -> Any:
    """A primary that has just got its first backup, and its replica in another Region, kept under a name."""
    program.create("main", west)
    program.replicate("dr", "main", EAST, DBSubnetGroupName="data", VpcSecurityGroupIds=[east])
    program.until(lambda: program.rows(STREAMING) == [1])
    program.control("POST", "snapshot", name="pair")
    return program


@pytest.fixture(autouse=True)
def _found_again(pair: Any) -> Iterator[None]:
    """No test leaves a Region lost."""
    yield
    pair.control("POST", f"regions/{WEST}", state="up")


def streams(program: Any) -> bool:
    """Tell whether the replica follows its source."""
    try:
        return bool(program.rows(STREAMING) == [1])
    except psycopg.OperationalError:
        return False


def test_the_latest_restorable_time_can_be_restored_at_once(pair: Any, west: str) -> None:
    """The first backup was made a moment ago, so that moment is the latest one."""
    pair.control("POST", "restore", name="pair")
    for name, moment in (
        ("latest", {"UseLatestRestorableTime": True}),
        ("named", {"RestoreTime": pair.available("main")["LatestRestorableTime"].replace(microsecond=0)}),
    ):
        pair.client("rds").restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="main", TargetDBInstanceIdentifier=name, DBSubnetGroupName="data",
            VpcSecurityGroupIds=[west], **moment,
        )  # fmt: skip
        pair.available(name)
        # The table was made later.
        assert pair.rows("SELECT to_regclass('t')", name) == [None]


def test_replicated_backups_can_be_restored_while_their_source_is_away(pair: Any, east: str) -> None:
    """What is in the other Region by then is all there is; the source archives nothing more."""
    pair.control("POST", "restore", name="pair")
    pair.until(lambda: streams(pair))
    started = pair.client("rds", EAST).start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=pair.show("main")["DBInstanceArn"]
    )
    pair.control("POST", f"regions/{WEST}", state="down")
    pair.client("rds", EAST).restore_db_instance_to_point_in_time(
        SourceDBInstanceAutomatedBackupsArn=started["DBInstanceAutomatedBackup"]["DBInstanceAutomatedBackupsArn"],
        TargetDBInstanceIdentifier="rescue", DBSubnetGroupName="data", VpcSecurityGroupIds=[east],
        UseLatestRestorableTime=True,
    )  # fmt: skip
    pair.available("rescue", EAST)
    pair.rows("SELECT 1", "rescue", EAST)


def test_a_replica_that_left_a_lost_region_follows_again(pair: Any) -> None:
    """Its slot was to be dropped once that Region is back; the one that comes back has a slot of the same name."""
    pair.control("POST", "restore", name="pair")
    pair.until(lambda: streams(pair))
    pair.control("POST", f"regions/{WEST}", state="down")
    pair.client("rds", EAST).promote_read_replica(DBInstanceIdentifier="dr")
    pair.until(lambda: "StatusInfos" not in pair.available("dr", EAST))
    pair.control("POST", "restore", name="pair")
    pair.control("POST", f"regions/{WEST}", state="up")
    pair.until(lambda: streams(pair))
    pair.rows("INSERT INTO t VALUES (1)")
    pair.until(lambda: pair.rows("SELECT n FROM t", "dr", EAST) == [1])
    # What waited for a Region is done in the data plane's rounds, each of which leaves a sample.
    seen = len(pair.metric("DatabaseConnections", "main"))
    pair.until(lambda: len(pair.metric("DatabaseConnections", "main")) >= seen + 2)
    assert streams(pair)


@pytest.fixture
def plane() -> Iterator[PostgresPlane]:
    """A data plane without servers, in this process."""
    directory = Path(tempfile.mkdtemp(prefix="plane-"))
    directory.chmod(0o755)
    made = PostgresPlane(directory, threading.RLock(), "123456789012", set())
    yield made
    made.close()
    for thread in threading.enumerate():
        if thread.name in ("spare", "trash"):
            thread.join()
    shutil.rmtree(directory)


@pytest.mark.parametrize("way", ["back", "anew"])
def test_a_removal_under_way_ends_first(plane: PostgresPlane, way: str) -> None:
    """It removes a directory that is named after the instance, which comes back with the same resource id."""
    told: list[str] = []
    going = threading.Event()

    def remove() -> None:
        going.wait(20)
        told.append("removed")

    plane._ending["db-ONE"] = plane._enders.submit(remove)
    threading.Timer(0.3, going.set).start()
    if way == "back":
        plane.go_back("nothing", lambda: told.append("restored"))
    else:
        plane.clear()
        told.append("restored")
    assert told == ["removed", "restored"]
