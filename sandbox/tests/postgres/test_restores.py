"""Restores: from a snapshot, to a point in time, of the whole sandbox."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest


@pytest.fixture(scope="module")
def main(program: Any, west: str) -> Any:
    """A primary with backups, and a row."""
    program.create("main", west)
    program.rows("INSERT INTO t VALUES (1)")
    program.available("main")
    return program


def restored(program: Any, west: str, name: str, operation: str, **wanted: Any) -> list[int]:
    """Restore to a new instance, and return the rows of its table."""
    call = getattr(program.client("rds"), operation)
    call(DBSubnetGroupName="data", VpcSecurityGroupIds=[west], **wanted)
    program.available(name)
    return sorted(program.rows("SELECT n FROM t", name))


def test_a_snapshot_has_the_data_of_its_moment(main: Any, west: str) -> None:
    rds = main.client("rds")
    rds.create_db_snapshot(DBInstanceIdentifier="main", DBSnapshotIdentifier="before")
    main.available("main")
    main.rows("INSERT INTO t VALUES (2)")
    rows = restored(
        main, west, "copy", "restore_db_instance_from_db_snapshot",
        DBInstanceIdentifier="copy", DBSnapshotIdentifier="before",
    )  # fmt: skip
    assert rows == [1]
    main.rows("INSERT INTO t VALUES (3)", "copy")
    assert sorted(main.rows("SELECT n FROM t")) == [1, 2]


def test_a_point_in_time_is_one_between_two_commits(main: Any, west: str) -> None:
    main.rows("INSERT INTO t VALUES (10)")
    between = main.control("GET", "clock")["time"]
    # A restore's time has whole seconds: the next commit is in the next one.
    main.until(lambda: main.control("GET", "clock")["time"] > int(between) + 1)
    between = int(between) + 1
    main.rows("INSERT INTO t VALUES (11)")
    main.control("POST", "clock", advance=600)
    rows = restored(
        main, west, "then", "restore_db_instance_to_point_in_time", SourceDBInstanceIdentifier="main",
        TargetDBInstanceIdentifier="then", RestoreTime=datetime.fromtimestamp(between, tz=UTC),
    )  # fmt: skip
    assert (10 in rows, 11 in rows) == (True, False)
    main.rows("INSERT INTO t VALUES (12)", "then")


def test_the_latest_restorable_time_has_everything(main: Any, west: str) -> None:
    rows = restored(
        main, west, "latest", "restore_db_instance_to_point_in_time", SourceDBInstanceIdentifier="main",
        TargetDBInstanceIdentifier="latest", UseLatestRestorableTime=True,
    )  # fmt: skip
    assert {10, 11} <= set(rows)


def test_a_final_snapshot_outlives_its_instance(main: Any, west: str) -> None:
    main.client("rds").delete_db_instance(DBInstanceIdentifier="then", FinalDBSnapshotIdentifier="last")
    rds = main.client("rds")
    main.until(
        lambda: "then" not in [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]]
    )
    rows = restored(
        main, west, "again", "restore_db_instance_from_db_snapshot",
        DBInstanceIdentifier="again", DBSnapshotIdentifier="last",
    )  # fmt: skip
    assert 12 in rows


def test_the_whole_sandbox_goes_back_to_its_snapshot(main: Any) -> None:
    before = sorted(main.rows("SELECT n FROM t"))
    main.control("POST", "snapshot", name="all")
    main.rows("INSERT INTO t VALUES (1000)")
    main.client("rds").delete_db_instance(DBInstanceIdentifier="copy", SkipFinalSnapshot=True)
    main.control("POST", "restore", name="all")
    main.until(lambda: main.show("main")["DBInstanceStatus"] == "available")
    main.until(lambda: _rows(main, "main") == before)
    main.until(lambda: _rows(main, "copy") == [1, 3])
    main.rows("INSERT INTO t VALUES (1001)")


def _rows(program: Any, name: str) -> list[int]:
    import psycopg  # noqa: PLC0415 - for its error only

    try:
        return sorted(program.rows("SELECT n FROM t", name))
    except psycopg.OperationalError:
        return []
