# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recovery playbooks with the write lease on: what they show, refuse and carry on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg
import pytest

from tests.drill.door import Door
from tests.drill.guards import Guards
from tests.drill.stage import EAST, NAME, SECRET, WEST
from tests.drill.stand import ROOT, PlaybookRun, Stand
from tests.lease.waiting import until

BOTH = ("prod", "dr")
WITNESS = "us-east-2"


class Platform:
    """prod and dr with their guards, and the operator's hands."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        dns_server = stand.variables["PIPEOPS_DNS_SERVERS"].split(",")[0]
        self.door = Door(stand.url, dns_server, NAME, SECRET, (WEST, EAST))
        self.guards = Guards(stand, SECRET)
        self._endpoints: dict[str, str] = {}

    def guard(self, *environments: str) -> None:
        """Start guards."""
        for environment, pair, region in (("prod", "dr", WEST), ("dr", "prod", EAST)):
            if environment in environments:
                self.guards.start(environment, pair, region, self.endpoint(environment, region))

    def endpoint(self, environment: str, region: str) -> str:
        """Return the endpoint of an instance, as it was when it was asked for first: it is always the same."""
        if environment in self._endpoints:
            return self._endpoints[environment]
        rds = boto3.client("rds", region, endpoint_url=self.stand.url, aws_access_key_id="A", aws_secret_access_key="B")
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=f"pipeops-{environment}")["DBInstances"]
        self._endpoints[environment] = str(found["Endpoint"]["Address"])
        return self._endpoints[environment]

    def ask(self, environment: str, query: str, database: str = "postgres") -> Any:
        """Ask a server something, by the endpoint of the instance."""
        host = self.endpoint(environment, WEST if environment == "prod" else EAST)
        options = self.door.options(host, self.door.resolve(host), "test") | {"dbname": database}
        with psycopg.connect(**options) as connection:
            row = connection.execute(query).fetchone()
            return row[0] if row else None

    def takes_writes(self, environment: str) -> bool:
        try:
            # A transaction of its own is what a replica, a closed database and one without sessions refuse.
            self.ask(environment, "SELECT txid_current()", "app")
        except psycopg.Error:
            return False
        return True

    def named(self) -> str:
        """Return whom the witness names."""
        client = boto3.client(
            "dynamodb", WITNESS, endpoint_url=self.stand.url, aws_access_key_id="A", aws_secret_access_key="B"
        )
        key = {"database": {"S": "prod"}}
        return str(client.get_item(TableName="pipeops-prod-witness", Key=key)["Item"]["leader"]["S"])

    def run(self, playbook: str, *inventories: str, **extra: str) -> PlaybookRun:
        return self.stand.playbook(f"playbooks/{playbook}.yml", inventories or BOTH, **extra)

    def region(self, name: str, state: str) -> None:
        self.stand.control(f"regions/{name}", state=state)

    def leased(self) -> bool:
        there = self.ask("prod", "SELECT to_regclass('pipeops.write_lease') IS NOT NULL")
        query = "SELECT isfinite(named_at) AND isfinite(followed_at) FROM pipeops.write_lease"
        return bool(there and self.ask("prod", query))


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with Stand(ROOT / "build" / "lease_moves", 0.5) as stand:
        made = Platform(stand)
        stood = stand.playbook("site.yml", BOTH)
        assert stood.status == 0, stand.output()[-3000:]
        try:
            made.guard("prod", "dr")
            until(made.leased, 30)
            yield made
        finally:
            made.guards.stop()


def test_the_status_shows_the_lease(platform: Platform) -> None:
    run = platform.run("dr_status")
    assert run.status == 0, platform.stand.output()[-3000:]
    told = run.findings["write_lease"]
    assert (told["on"], told["witness_names"], told["lease"]["seconds"]) == (True, "prod", 15)
    checks = {check["name"]: check["grade"] for check in run.findings["checks"]}
    wanted = ("witness", "guard of prod", "guard of dr", "write lease")
    assert [checks[name] for name in wanted] == ["good"] * 4, json.dumps(run.findings["checks"])


def test_a_failover_without_the_witness_is_refused(platform: Platform) -> None:
    platform.region(WEST, "down")
    platform.region(WITNESS, "down")
    try:
        run = platform.run("dr_failover", "dr", confirm="prod")
    finally:
        platform.region(WITNESS, "up")
        platform.region(WEST, "up")
    assert run.status != 0
    assert "cannot be asked" in platform.stand.output()
    assert platform.ask("dr", "SELECT pg_is_in_recovery()") is True
    assert platform.named() == "prod"
    until(lambda: platform.takes_writes("prod"), 20)


def test_a_switchover_that_is_killed_after_the_witness_moved_is_carried_on(platform: Platform) -> None:
    platform.guards.stop()
    rule = {"effect": "kill_client", "service": "dynamodb", "operation": "PutItem", "nth": 1, "when": "after"}
    platform.stand.control("faults", **rule, also="ansible-playbook")
    killed = platform.run("dr_switchover", confirm="prod")
    assert killed.status != 0
    assert (platform.named(), platform.ask("dr", "SELECT pg_is_in_recovery()")) == ("dr", True)
    assert not platform.takes_writes("prod")
    platform.guard("prod", "dr")
    carried_on = platform.run("dr_switchover", confirm="prod")
    assert carried_on.status == 0, platform.stand.output()[-3000:]
    assert platform.takes_writes("dr")
    assert not platform.takes_writes("prod")


def test_a_failback_brings_the_lease_back(platform: Platform) -> None:
    run = platform.run("dr_failback", confirm="prod")
    assert run.status == 0, platform.stand.output()[-3000:]
    assert platform.named() == "prod"
    until(platform.leased, 30)
    assert platform.takes_writes("prod")


def test_a_leader_that_still_replicates_is_not_believed_to_be_closed(platform: Platform) -> None:
    platform.guards.stop()
    given = {"confirm": "prod", "leader_is_lost": "true"}
    # Its fence would close it; what is tested is a region whose API is gone while its database replicates on.
    rule = {"effect": "reset", "service": "rds", "region": WEST}
    platform.stand.control("faults", **rule)
    refused = platform.run("dr_failover", "dr", **given, recovery_lease_timeout_seconds="4")
    assert refused.status != 0
    assert "nothing proves that it is closed" in platform.stand.output()
    assert (platform.named(), platform.ask("dr", "SELECT pg_is_in_recovery()")) == ("dr", True)
    # Its guard comes back, reads the witness, and closes it: that is replicated, and proof enough.
    platform.guard("prod")
    carried_on = platform.run("dr_failover", "dr", **given)
    assert carried_on.status == 0, platform.stand.output()[-3000:]
    assert carried_on.findings["leader_closed_itself"] is True
    assert carried_on.findings["seconds_for_the_lease"] < 15
    assert platform.takes_writes("dr")
