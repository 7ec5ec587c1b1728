"""A sandbox with PostgreSQL servers for the tests: a program of its own, as people run it."""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
import psycopg
import pytest
from dnslib import DNSRecord

PACKAGE_HOME = str(Path(__file__).resolve().parents[2])
PASSWORD = "correct-horse-battery"
WEST, EAST = "us-west-2", "us-east-1"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """A sandbox on the command line, and clients for it."""

    def __init__(self, directory: Path) -> None:
        self.port = _free_port()
        self.directory = directory

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Return what a condition gives once it is true."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.05)
        return found

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the sandbox to its end."""
        at, separator, rest = list(words), [], []
        if "--" in at:
            cut = at.index("--")
            at, separator, rest = at[:cut], ["--"], at[cut + 1 :]
        command = [sys.executable, "-m", "pipeops_sandbox", *at, "--port", str(self.port), *separator, *rest]
        return subprocess.run(
            command, cwd=self.directory, env={**os.environ, "PYTHONPATH": PACKAGE_HOME, **variables},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Call the control interface."""
        data = json.dumps(body).encode() if body else None
        with urlopen(Request(f"http://127.0.0.1:{self.port}/_sandbox/{path}", data, method=method), timeout=60) as got:
            return json.load(got)

    @functools.cache  # noqa: B019 - a program lives as long as its tests
    def client(self, service: str, region: str = WEST) -> Any:
        """Return a boto3 client."""
        return boto3.client(
            service, region, endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="AKIASANDBOX000000001", aws_secret_access_key="sandbox",
        )  # fmt: skip

    def resolve(self, name: str) -> str | None:
        """Ask the sandbox's DNS for an address."""
        host, port = self.control("GET", "health")["dns"].split(":")
        answer = DNSRecord.parse(DNSRecord.question(name).send(host, int(port), timeout=5))
        return next((str(one.rdata) for one in answer.rr if one.rtype == 1), None)

    def show(self, name: str, region: str = WEST) -> dict[str, Any]:
        """Describe a DB instance."""
        rds = self.client("rds", region)
        return dict(rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])

    def available(self, name: str, region: str = WEST) -> dict[str, Any]:
        """Wait until a DB instance is available."""

        def look() -> dict[str, Any] | None:
            shown = self.show(name, region)
            assert shown["DBInstanceStatus"] not in ("failed", "restore-error", "incompatible-parameters"), shown
            return shown if shown["DBInstanceStatus"] == "available" else None

        return dict(self.until(look, 40))

    def connect(self, name: str, region: str = WEST, **options: Any) -> psycopg.Connection[Any]:
        """Connect to a DB instance as an application does: by its name, as its master user."""
        endpoint = self.show(name, region)["Endpoint"]
        wanted = {"password": PASSWORD, "connect_timeout": 2, "user": "dbadmin", "dbname": "app"} | options
        return psycopg.connect(
            host=endpoint["Address"], hostaddr=self.resolve(endpoint["Address"]), port=endpoint["Port"],
            autocommit=True, **wanted,
        )  # fmt: skip

    def rows(self, query: str, name: str = "main", region: str = WEST, **options: Any) -> list[Any]:
        """Run a statement on a DB instance in a session of its own."""
        with self.connect(name, region, **options) as session:
            cursor = session.execute(query)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def metric(self, name: str, identifier: str, region: str = WEST) -> list[float]:
        """Return CloudWatch's maxima of the last minutes, one for each look at the server, newest first."""
        now = datetime.now(tz=UTC)
        stat = {
            "Metric": {
                "Namespace": "AWS/RDS", "MetricName": name,
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
            },
            "Period": 1, "Stat": "Maximum",
        }  # fmt: skip
        answer = self.client("cloudwatch", region).get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": stat}],
            StartTime=now - timedelta(minutes=2),
            EndTime=now + timedelta(seconds=1),
        )
        return list(answer["MetricDataResults"][0]["Values"])

    def lay_network(self, region: str, cidr: str) -> str:
        """Make a VPC with a DB subnet group and a security group that lets PostgreSQL in; return its id."""
        ec2 = self.client("ec2", region)
        vpc = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
        zones = sorted(zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"])[:2]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"{cidr}.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for n, zone in enumerate(zones)
        ]
        group = ec2.create_security_group(GroupName="data", Description="data", VpcId=vpc)["GroupId"]
        self.let_in(region, group)
        self.client("rds", region).create_db_subnet_group(
            DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=subnets
        )
        return str(group)

    def let_in(self, region: str, group: str) -> None:
        """Let PostgreSQL's port into a security group."""
        rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        self.client("ec2", region).authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    def create(self, name: str, group: str, **changes: Any) -> None:
        """Create a primary in the west with a table ``t``, and wait for it."""
        self.client("rds").create_db_instance(
            **{
                "DBInstanceIdentifier": name, "Engine": "postgres", "EngineVersion": "16.13",
                "DBInstanceClass": "db.t4g.micro", "AllocatedStorage": 20, "MasterUsername": "dbadmin",
                "MasterUserPassword": PASSWORD, "DBName": "app", "DBSubnetGroupName": "data",
                "VpcSecurityGroupIds": [group], "BackupRetentionPeriod": 7,
            } | changes
        )  # fmt: skip
        self.available(name)
        self.rows("CREATE TABLE t (n int)", name)

    def replicate(self, name: str, source: str, region: str = WEST, **changes: Any) -> None:
        """Create a replica of an instance in the west, and wait for it."""
        given = self.show(source)["DBInstanceArn"] if region != WEST else source
        wanted = {"DBInstanceIdentifier": name, "SourceDBInstanceIdentifier": given} | changes
        self.client("rds", region).create_db_instance_read_replica(**wanted)
        self.available(name, region)


@contextmanager
def running() -> Iterator[Program]:
    """Run a sandbox in a directory that the servers' account can enter, which pytest's own is not."""
    directory = Path(tempfile.mkdtemp(prefix="sandbox-"))
    directory.chmod(0o755)
    made = Program(directory)
    try:
        started = made.run("up")
        assert started.returncode == 0, started.stderr
        yield made
        made.run("down")
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def shared_program() -> Iterator[Program]:
    """A sandbox for several files: starting one takes longer than most tests."""
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def program(shared_program: Program) -> Program:
    """A sandbox with nothing in it."""
    shared_program.control("POST", "reset")
    return shared_program


@pytest.fixture(scope="module")
def own_program() -> Iterator[Program]:
    """A sandbox that the tests of one file may stop and kill."""
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def west(program: Program) -> str:
    """The security group of the west."""
    return program.lay_network(WEST, "10.0")


@pytest.fixture(scope="module")
def east(program: Program) -> str:
    """The security group of the east."""
    return program.lay_network(EAST, "10.1")
