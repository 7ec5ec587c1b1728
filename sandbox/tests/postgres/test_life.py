"""Servers live as long as the sandbox, their data longer."""

from __future__ import annotations

import os
import signal
from typing import Any

import psutil
import psycopg
import pytest


def servers(program: Any) -> list[psutil.Process]:
    """Return the PostgreSQL servers of a sandbox."""
    place = str(program.directory)
    found = {}
    for process in psutil.process_iter(["cmdline", "ppid"]):
        words = process.info["cmdline"] or []
        if "-D" in words and any(word.startswith(place) for word in words):
            found[process.pid] = process
    # A new session's process has the server's own command line for a moment.
    return [process for process in found.values() if process.info["ppid"] not in found]


@pytest.fixture(scope="module")
def main(own_program: Any) -> Any:
    """A primary and its replica in another Region."""
    program = own_program
    east = program.lay_network("us-east-1", "10.1")
    program.create("main", program.lay_network("us-west-2", "10.0"))
    program.rows("INSERT INTO t VALUES (1)")
    program.replicate("dr", "main", "us-east-1", DBSubnetGroupName="data", VpcSecurityGroupIds=[east])
    return program


def rows(program: Any, name: str = "main", region: str = "us-west-2") -> list[int]:
    """Return the rows of the table, none while there is no answer."""
    try:
        return sorted(program.rows("SELECT n FROM t", name, region))
    except psycopg.OperationalError:
        return []


def test_data_and_address_outlive_a_restart_of_the_sandbox(main: Any) -> None:
    address = main.resolve(main.show("main")["Endpoint"]["Address"])
    assert len(servers(main)) == 2
    main.client("rds", "us-east-1").modify_db_instance(DBInstanceIdentifier="dr", BackupRetentionPeriod=1)
    stopped = main.run("down")
    assert (stopped.returncode, servers(main)) == (0, []), stopped.stderr
    assert main.run("up").returncode == 0
    assert main.available("main")["Endpoint"]["Port"] == 5432
    main.until(lambda: rows(main) == [1])
    assert main.resolve(main.show("main")["Endpoint"]["Address"]) == address
    main.rows("INSERT INTO t VALUES (2)")
    main.until(lambda: rows(main, "dr", "us-east-1") == [1, 2])


def test_a_killed_sandbox_leaves_no_server_behind(main: Any) -> None:
    left = servers(main)
    assert len(left) == 2
    os.kill(main.control("GET", "health")["pid"], signal.SIGKILL)
    _gone, alive = psutil.wait_procs(left, timeout=10)
    assert not alive
    assert main.run("up").returncode == 0
    main.until(lambda: rows(main) == [1, 2])
    main.rows("INSERT INTO t VALUES (3)")
    main.until(lambda: rows(main, "dr", "us-east-1") == [1, 2, 3])


def test_servers_that_even_the_network_could_not_end_are_ended_by_the_next_start(main: Any) -> None:
    left = servers(main)
    children = psutil.Process(main.control("GET", "health")["pid"]).children()
    network = next(one for one in children if "pipeops_sandbox.postgres.network" in one.cmdline())
    network.suspend()
    os.kill(main.control("GET", "health")["pid"], signal.SIGKILL)
    network.kill()
    assert all(process.is_running() for process in left)
    assert main.run("up").returncode == 0
    main.until(lambda: rows(main) == [1, 2, 3])
    assert not any(process.is_running() for process in left)


def test_reset_removes_servers_and_data(main: Any) -> None:
    main.control("POST", "reset")
    assert servers(main) == []
    assert list(main.directory.glob("build/sandbox/postgres/servers/*")) == []
    assert main.client("rds").describe_db_instances()["DBInstances"] == []


def test_names_only_when_asked(main: Any) -> None:
    main.run("down")
    assert main.run("up", "--data-plane", "names").returncode == 0
    assert main.control("GET", "health")["data_plane"] == "names"
    assert "RDS has names only" in main.run("up").stderr
    assert "PIPEOPS_DNS_SERVERS" not in main.run("env").stdout
    refused = main.run("resolve", "any.internal")
    assert (refused.returncode, "--data-plane postgres" in refused.stderr) == (1, True)
