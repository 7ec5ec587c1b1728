# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The write lease on real servers: what keeps a database open, what closes it, and who may open it again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.postgres import lease, statements
from dnslib import DNSRecord
from write_guard.database import Database
from write_guard.settings import Settings
from write_guard.witness import Named

from tests.drill.stand import Stand
from tests.lease.waiting import until

WEST, EAST = "us-west-2", "us-east-1"
PASSWORD = "correct-horse-battery"
SECONDS = 4
PARAMETERS = {"shared_preload_libraries": "pg_stat_statements,pg_cron", "cron.log_run": "0"}
FIRST, SECOND, THIRD = Named("prod", 1), Named("dr", 2), Named("prod", 3)


class Pair:
    """A primary in the west and its replica in the east, both with pg_cron, and the ways to them."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.inside = stand.variables_in(WEST)
        self.groups: dict[str, str] = {}

    def client(self, service: str, region: str) -> Any:
        keys = {"aws_access_key_id": "AKIASANDBOX000000001", "aws_secret_access_key": "sandbox"}
        return boto3.client(service, region, endpoint_url=self.stand.url, **keys)

    def stand_up(self) -> None:
        """Make both, and wait for them."""
        for region, cidr in ((WEST, "10.0"), (EAST, "10.1")):
            self._lay(region, cidr)
            self.client("secretsmanager", region).create_secret(
                Name="app/master", SecretString=json.dumps({"username": "dbadmin", "password": PASSWORD})
            )
        west, east = self.client("rds", WEST), self.client("rds", EAST)
        made = west.create_db_instance(
            DBInstanceIdentifier="main", Engine="postgres", EngineVersion="16.13", DBInstanceClass="db.t4g.micro",
            AllocatedStorage=20, MasterUsername="dbadmin", MasterUserPassword=PASSWORD, DBName="app",
            DBSubnetGroupName="data", VpcSecurityGroupIds=[self.groups[WEST]], BackupRetentionPeriod=1,
            DBParameterGroupName="lease",
        )["DBInstance"]  # fmt: skip
        self.available("main", WEST)
        east.create_db_instance_read_replica(
            DBInstanceIdentifier="dr", SourceDBInstanceIdentifier=made["DBInstanceArn"], DBSubnetGroupName="data",
            VpcSecurityGroupIds=[self.groups[EAST]],
        )  # fmt: skip
        self.available("dr", EAST)
        east.modify_db_instance(DBInstanceIdentifier="dr", DBParameterGroupName="lease", ApplyImmediately=True)
        self.available("dr", EAST)
        east.reboot_db_instance(DBInstanceIdentifier="dr")
        self.available("dr", EAST)

    def _lay(self, region: str, cidr: str) -> None:
        ec2, rds = self.client("ec2", region), self.client("rds", region)
        vpc = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"{cidr}.{n}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"]
            for n, zone in enumerate("ab")
        ]
        group = ec2.create_security_group(GroupName="data", Description="data", VpcId=vpc)["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        self.groups[region] = group
        rds.create_db_subnet_group(
            DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=[one["SubnetId"] for one in subnets]
        )
        rds.create_db_parameter_group(
            DBParameterGroupName="lease", DBParameterGroupFamily="postgres16", Description="lease"
        )
        wanted = [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in PARAMETERS.items()
        ]
        rds.modify_db_parameter_group(DBParameterGroupName="lease", Parameters=wanted)

    def endpoint(self, name: str, region: str) -> dict[str, Any]:
        found = self.client("rds", region).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return dict(found)

    def available(self, name: str, region: str) -> None:
        until(lambda: self.endpoint(name, region)["DBInstanceStatus"] == "available", 40)

    def connect(self, host: str, database: str, *, inside: bool = False) -> psycopg.Connection[Any]:
        """Connect from outside, or from inside the west."""
        server = (self.inside if inside else self.stand.variables)["PIPEOPS_DNS_SERVERS"]
        address, port = server.split(":")
        answer = DNSRecord.parse(DNSRecord.question(host).send(address, int(port), timeout=5))
        return psycopg.connect(
            host=host, hostaddr=str(answer.rr[0].rdata), port=5432, dbname=database, user="dbadmin",
            password=PASSWORD, connect_timeout=2, autocommit=True,
        )  # fmt: skip


class Side:
    """One database, its guard's hands, and a client that sits beside it."""

    def __init__(self, pair: Pair, name: str, region: str, *, inside: bool) -> None:
        self.pair, self.region, self._inside = pair, region, inside
        self.host = str(pair.endpoint(name, region)["Endpoint"]["Address"])
        variables = pair.inside if inside else pair.stand.variables
        self.hands = Database(
            Settings(
                environment="prod", pair="dr", service="prod", region=region, endpoint=self.host, secret="app/master",
                witness_table="none", witness_region="us-east-2", lease_seconds=SECONDS,
                dns_server=variables["PIPEOPS_DNS_SERVERS"],
            )
        )  # fmt: skip

    def now(self) -> datetime:
        return self.hands.look().now

    def extend(self, named: Named, follower: str | None = None) -> None:
        self.hands.extend(named, self.now(), follower)

    def ask(self, query: str) -> Any:
        """Ask something in the maintenance database."""
        with self.pair.connect(self.host, "postgres", inside=self._inside) as session:
            row = session.execute(query).fetchone()
            return row[0] if row else None

    def lease(self) -> dict[str, Any]:
        with self.pair.connect(self.host, "postgres", inside=self._inside) as session:
            return lease.read(session) or {}

    def is_open(self) -> bool:
        """Tell whether an application can write."""
        try:
            with self.pair.connect(self.host, "app", inside=self._inside) as session:
                session.execute("INSERT INTO written VALUES (1)")
        except psycopg.Error:
            return False
        return True


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    folder = Path(__file__).parent.parent.parent / "build" / "lease"
    with Stand(folder, 0.5) as stand:
        made = Pair(stand)
        made.stand_up()
        yield made


@pytest.fixture(scope="module")
def prod(pair: Pair, aws: None) -> Side:
    """The primary, whose guard has just been given the lease; the replica's slot is known."""
    side = Side(pair, "main", WEST, inside=True)
    with pair.connect(side.host, "app") as session:
        session.execute("CREATE TABLE written (n int)")
    return side


@pytest.fixture(scope="module")
def aws(pair: Pair) -> Iterator[None]:
    """The environment in which the guard's own clients find AWS."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in pair.stand.variables.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def slot(pair: Pair, aws: None) -> str:
    """What the standby's guard says of its slot."""
    dr = Side(pair, "dr", EAST, inside=False)
    return str(until(lambda: dr.hands.look().slot, 20))


def test_what_nobody_guards_is_open(prod: Side) -> None:
    assert prod.is_open()
    assert prod.lease() == {}


def test_the_witness_alone_keeps_it_open_and_its_silence_closes_it(prod: Side) -> None:
    prod.extend(FIRST)
    held = prod.pair.connect(prod.host, "app")
    assert prod.is_open()
    assert 0 < prod.lease()["left_seconds"] <= SECONDS
    began = time.monotonic()
    until(lambda: not prod.is_open(), SECONDS + 4)
    assert time.monotonic() - began >= SECONDS - 1
    with pytest.raises(psycopg.OperationalError):
        held.execute("INSERT INTO written VALUES (2)")
    assert prod.lease()["closed"] is True
    prod.extend(FIRST)
    assert prod.is_open()
    assert prod.lease()["closed"] is False


def test_the_lease_counts_from_before_the_witness_was_asked(prod: Side) -> None:
    asked_at = prod.now()
    time.sleep(1)
    valid_until = prod.hands.extend(FIRST, asked_at, None)
    assert (valid_until - asked_at).total_seconds() == SECONDS


def test_the_replica_alone_keeps_it_open(prod: Side, slot: str) -> None:
    prod.extend(FIRST, slot)
    until(lambda: prod.lease()["followed_seconds_ago"] is not None, 5)
    deadline = time.monotonic() + SECONDS + 3
    while time.monotonic() < deadline:
        assert prod.is_open()
        time.sleep(0.2)
    assert prod.lease()["named_seconds_ago"] > SECONDS


def test_cut_off_from_both_it_closes_itself_and_opens_when_the_replica_follows_again(prod: Side) -> None:
    prod.pair.stand.control(f"regions/{WEST}", state="down")
    lost = time.monotonic()
    assert prod.is_open(), "a client in the region goes on writing"
    until(lambda: not prod.is_open(), SECONDS + 4)
    assert time.monotonic() - lost <= SECONDS + 3
    prod.pair.stand.control(f"regions/{WEST}", state="up")
    until(prod.is_open, 15)


def test_what_a_person_closed_stays_closed(prod: Side) -> None:
    with prod.pair.connect(prod.host, "postgres") as session:
        statements.allow_connections(session, "app", False)
        prod.extend(FIRST)
        assert prod.ask("SELECT pipeops.enforce_lease()") is True
        assert not prod.is_open()
        statements.allow_connections(session, "app", True)
    assert prod.is_open()


def test_by_hand_it_can_be_released_and_resumed(prod: Side) -> None:
    prod.pair.stand.control(f"regions/{WEST}", state="down")
    until(lambda: not prod.is_open(), SECONDS + 4)
    assert prod.ask("SELECT pipeops.release_lease()") is True
    assert prod.is_open()
    assert prod.ask("SELECT pipeops.resume_lease()") is False
    assert not prod.is_open()
    prod.pair.stand.control(f"regions/{WEST}", state="up")
    until(prod.is_open, 15)


def test_a_witness_that_names_the_other_side_closes_it_although_the_replica_follows(prod: Side) -> None:
    prod.hands.end(SECOND)
    assert not prod.is_open()
    with pytest.raises(psycopg.errors.RaiseException, match="too late"):
        prod.extend(FIRST)
    assert prod.ask("SELECT pipeops.enforce_lease()") is False
    prod.extend(THIRD)
    assert prod.is_open()


def test_the_module_and_the_lease_end_the_same_sessions() -> None:
    script = (Path(__file__).parent.parent.parent / "extensions/write_guard/write_guard/lease.sql").read_text("utf-8")
    ours = " ".join(statements.SESSIONS.replace("%s", "name").split())
    assert ours.removeprefix("FROM ") in " ".join(script.split())


def test_a_copy_that_is_promoted_closes_itself_until_it_is_named(pair: Pair, prod: Side, slot: str) -> None:
    prod.extend(THIRD, slot)
    pair.client("rds", EAST).promote_read_replica(DBInstanceIdentifier="dr")
    dr = Side(pair, "dr", EAST, inside=False)
    until(lambda: not dr.hands.look().standby, 20)
    until(lambda: not dr.is_open(), 5)
    assert dr.lease()["left_seconds"] is None
    dr.extend(Named("dr", 4))
    assert dr.is_open()
    dr.hands.remove()
    assert (dr.is_open(), dr.hands.look().leased) == (True, False)
