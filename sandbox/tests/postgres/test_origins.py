"""Callers that sit in a Region: what they reach while it, or another one, is cut off."""

from __future__ import annotations

from typing import Any

import boto3
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import HTTPClientError
from dnslib import DNSRecord

WEST, EAST = "us-west-2", "us-east-1"
PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def pair(program: Any, west: str, east: str) -> Any:
    """A primary in the west, and a replica in the east."""
    program.create("main", west)
    program.replicate("dr", "main", EAST, DBSubnetGroupName="data", VpcSecurityGroupIds=[east])
    return program


def caller(program: Any, region: str) -> dict[str, str]:
    """Return the variables that lead a program in a Region to AWS."""
    shown = program.run("env", "--from", region).stdout
    lines = (line.removeprefix("export ").partition("=") for line in shown.splitlines() if line.startswith("export "))
    return {name: value for name, _equals, value in lines}


def ask(variables: dict[str, str], region: str) -> int:
    """Call AWS in a Region, and return how many DB instances it has."""
    rds = boto3.client(
        "rds", region, endpoint_url=variables["AWS_ENDPOINT_URL"], aws_access_key_id="AKIASANDBOX000000001",
        aws_secret_access_key="sandbox", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    return len(rds.describe_db_instances()["DBInstances"])


def connect(program: Any, variables: dict[str, str], name: str, region: str) -> psycopg.Connection[Any]:
    """Connect to an instance from where the variables are for; its endpoint is known already."""
    host, port = variables["PIPEOPS_DNS_SERVERS"].split(":")
    answer = DNSRecord.parse(DNSRecord.question(program.endpoints[name]).send(host, int(port), timeout=5))
    address = str(answer.rr[0].rdata)
    return psycopg.connect(
        host=program.endpoints[name], hostaddr=address, port=5432, user="dbadmin", password=PASSWORD, dbname="app",
        connect_timeout=2, autocommit=True,
    )  # fmt: skip


def test_a_caller_in_a_lost_region_reaches_that_region_alone(pair: Any) -> None:
    pair.endpoints = {
        name: pair.show(name, region)["Endpoint"]["Address"] for name, region in (("main", WEST), ("dr", EAST))
    }
    inside, elsewhere = caller(pair, WEST), caller(pair, EAST)
    assert (ask(inside, WEST), ask(inside, EAST), ask(elsewhere, WEST)) == (1, 1, 1)
    with connect(pair, inside, "main", WEST) as held, connect(pair, elsewhere, "main", WEST) as far:
        held.execute("INSERT INTO t VALUES (1)")
        pair.control("POST", f"regions/{WEST}", state="down")
        held.execute("INSERT INTO t VALUES (2)")
        with pytest.raises(psycopg.OperationalError):
            far.execute("INSERT INTO t VALUES (3)")
    assert ask(inside, WEST) == 1
    for variables, region in ((inside, EAST), (inside, "us-east-2"), (elsewhere, WEST)):
        with pytest.raises(HTTPClientError):
            ask(variables, region)
    assert ask(elsewhere, EAST) == 1
    connect(pair, inside, "main", WEST).close()
    connect(pair, elsewhere, "dr", EAST).close()
    with pytest.raises(psycopg.OperationalError):
        connect(pair, inside, "dr", EAST)
    pair.control("POST", f"regions/{WEST}", state="up")
    assert pair.rows("SELECT n FROM t ORDER BY n") == [1, 2]
    connect(pair, inside, "dr", EAST).close()


def test_a_region_that_is_none_is_no_place_to_call_from(pair: Any) -> None:
    answer = pair.run("env", "--from", "us-west-9")
    assert answer.returncode == 1
    assert "us-west-9" in answer.stderr
