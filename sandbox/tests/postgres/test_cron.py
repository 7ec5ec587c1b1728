"""pg_cron as clients meet it: where it may be made, whose its jobs are, when and where they run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from pipeops_sandbox.postgres import cron_schedule

WEST, EAST = "us-west-2", "us-east-1"
SCHEDULE = "SELECT cron.schedule('count', '1 seconds', 'INSERT INTO ran VALUES (current_user, clock_timestamp())')"


def preload(program: Any, name: str, region: str = WEST) -> None:
    """Give an instance a group that preloads pg_cron, and put it in force."""
    rds = program.client("rds", region)
    rds.create_db_parameter_group(
        DBParameterGroupName="cron", DBParameterGroupFamily="postgres16", Description="pg_cron"
    )
    wanted = {"shared_preload_libraries": "pg_stat_statements,pg_cron", "wal_receiver_timeout": "30000"}
    rds.modify_db_parameter_group(
        DBParameterGroupName="cron",
        Parameters=[
            {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for key, value in wanted.items()
        ],
    )
    rds.modify_db_instance(DBInstanceIdentifier=name, DBParameterGroupName="cron", ApplyImmediately=True)
    program.available(name, region)
    rds.reboot_db_instance(DBInstanceIdentifier=name)
    program.available(name, region)


@pytest.fixture(scope="module")
def scheduled(program: Any, west: str, east: str) -> Any:
    """A primary with a job that runs each second, and its replica in the other Region, both preloading pg_cron."""
    program.create("main", west)
    preload(program, "main")
    in_postgres(program, "CREATE EXTENSION pg_cron", "CREATE TABLE ran (who text, at timestamptz)", SCHEDULE)
    program.replicate("dr", "main", EAST, DBSubnetGroupName="data", VpcSecurityGroupIds=[east])
    preload(program, "dr", EAST)
    return program


def in_postgres(program: Any, *statements: str, name: str = "main", region: str = WEST) -> list[Any]:
    """Run statements in pg_cron's database, and return the first values of the last one."""
    with program.connect(name, region, dbname="postgres") as session:
        for statement in statements[:-1]:
            session.execute(statement)
        cursor = session.execute(statements[-1])
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


def runs(program: Any, name: str = "main", region: str = WEST) -> int:
    """Return how often the job has run."""
    return int(in_postgres(program, "SELECT count(*) FROM ran", name=name, region=region)[0])


def test_it_is_there_only_when_it_is_preloaded(program: Any, west: str) -> None:
    program.create("plain", west)
    with pytest.raises(psycopg.errors.UndefinedObject, match=r'unrecognized configuration parameter "cron\.'):
        in_postgres(program, "CREATE EXTENSION pg_cron", name="plain")


def test_it_is_made_in_one_database_only(scheduled: Any) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="can only create extension in database postgres"):
        scheduled.rows("CREATE EXTENSION pg_cron")


def test_a_job_runs_each_second_as_its_owner(scheduled: Any) -> None:
    before = runs(scheduled)
    scheduled.until(lambda: runs(scheduled) >= before + 3, 6)
    assert set(in_postgres(scheduled, "SELECT who FROM ran")) == {"dbadmin"}
    gaps = in_postgres(scheduled, "SELECT extract(epoch FROM at - lag(at) OVER (ORDER BY at)) FROM ran OFFSET 1")
    assert 0.7 < max(gaps) < 3


def test_runs_are_noted_with_what_came_of_them(scheduled: Any) -> None:
    in_postgres(scheduled, "SELECT cron.schedule('broken', '1 second', 'SELECT 1/0')")
    failed = "SELECT return_message FROM cron.job_run_details WHERE status = 'failed'"
    scheduled.until(lambda: in_postgres(scheduled, failed), 6)
    assert "division by zero" in in_postgres(scheduled, failed)[0]
    assert in_postgres(scheduled, "SELECT cron.unschedule('broken')") == [True]
    with pytest.raises(psycopg.errors.RaiseException, match="could not find valid entry"):
        in_postgres(scheduled, "SELECT cron.unschedule('broken')")
    with pytest.raises(psycopg.errors.RaiseException, match="invalid schedule"):
        in_postgres(scheduled, "SELECT cron.schedule('wrong', 'now and then', 'SELECT 1')")


def test_it_runs_on_while_its_region_is_cut_off_and_on_a_standby_only_once_that_is_promoted(scheduled: Any) -> None:
    scheduled.control("POST", f"regions/{WEST}", state="down")
    stopped = scheduled.until(lambda: runs(scheduled, "dr", EAST))
    scheduled.client("rds", EAST).promote_read_replica(DBInstanceIdentifier="dr")
    scheduled.until(lambda: runs(scheduled, "dr", EAST) >= stopped + 2, 10)
    scheduled.control("POST", f"regions/{WEST}", state="up")
    lost = "SELECT count(*) FROM ran WHERE at < clock_timestamp() - interval '1 second'"
    assert in_postgres(scheduled, lost)[0] > stopped, "it has run while nobody could see it"


@pytest.mark.parametrize(
    ("schedule", "at", "expected"),
    [
        ("* * * * *", "2026-11-25T10:00", True),
        ("*/15 3 * * *", "2026-11-25T03:30", True),
        ("*/15 3 * * *", "2026-11-25T03:31", False),
        ("0 9-17/4 * nov wed", "2026-11-25T13:00", True),
        ("0 9-17/4 * nov thu", "2026-11-25T13:00", False),
        ("0 0 25 * 7", "2026-11-25T00:00", True),
        ("0 0 24 * 7", "2026-11-29T00:00", True),
        ("@daily", "2026-11-25T00:00", True),
        ("not a schedule", "2026-11-25T00:00", False),
    ],
)
def test_fields_are_read_as_cron_reads_them(schedule: str, at: str, expected: bool) -> None:
    assert cron_schedule.due(schedule, datetime.fromisoformat(at).replace(tzinfo=UTC)) is expected
    assert cron_schedule.seconds(schedule) is None
    assert cron_schedule.seconds("30 seconds") == 30
