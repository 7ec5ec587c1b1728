"""Engine upgrades exchange the servers where there are programs for both versions."""

from __future__ import annotations

from typing import Any

import pytest
from pipeops_sandbox.postgres.binaries import nearest

MAJORS = ("16.13", "18.3")
pytestmark = pytest.mark.skipif(
    nearest(MAJORS[0]).major == nearest(MAJORS[1]).major, reason="there are programs of one of both majors only"
)


def major(program: Any, name: str) -> int:
    return int(program.rows("SELECT current_setting('server_version_num')::int / 10000", name)[0])


def test_a_major_upgrade_brings_the_data_along_and_the_replica_of_the_region(program: Any, west: str) -> None:
    program.create("main", west)
    program.replicate("copy", "main", VpcSecurityGroupIds=[west])
    program.rows("INSERT INTO t VALUES (1)")
    assert [major(program, name) for name in ("main", "copy")] == [16, 16]
    program.client("rds").modify_db_instance(
        DBInstanceIdentifier="main", EngineVersion=MAJORS[1], AllowMajorVersionUpgrade=True, ApplyImmediately=True
    )
    program.until(lambda: program.show("main")["EngineVersion"] == MAJORS[1], 60)
    for name in ("main", "copy"):
        shown = program.available(name)
        assert (shown["EngineVersion"], shown["DBParameterGroups"][0]["DBParameterGroupName"]) == (
            MAJORS[1],
            "default.postgres18",
        )
    assert [major(program, name) for name in ("main", "copy")] == [18, 18]
    program.rows("INSERT INTO t VALUES (2)")
    program.until(lambda: sorted(program.rows("SELECT n FROM t", "copy")) == [1, 2], 30)
    # Statistics are not brought along by RDS before the new version runs ANALYZE itself.
    assert program.rows("SELECT 1 FROM pg_extension WHERE extname = 'plpgsql'") == [1]


def test_a_minor_upgrade_restarts_the_server(program: Any) -> None:
    program.until(lambda: program.show("main")["EngineVersion"] == MAJORS[1], 5)
    program.client("rds").create_db_instance(
        DBInstanceIdentifier="small", Engine="postgres", EngineVersion="16.12", DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20, MasterUsername="dbadmin", MasterUserPassword="correct-horse-battery", DBName="app",
        DBSubnetGroupName="data", VpcSecurityGroupIds=[
            program.show("main")["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
        ], BackupRetentionPeriod=0,
    )  # fmt: skip
    program.available("small")
    (before,) = program.rows("SELECT pg_postmaster_start_time()", "small")
    program.client("rds").modify_db_instance(DBInstanceIdentifier="small", EngineVersion="16.13", ApplyImmediately=True)
    program.until(lambda: program.show("small")["EngineVersion"] == "16.13", 30)
    program.available("small")
    assert program.rows("SELECT pg_postmaster_start_time()", "small")[0] > before
