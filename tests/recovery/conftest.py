# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox with PostgreSQL servers on which prod and dr stand; each test begins with both as site.yml left them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, wait_until
from dnslib import DNSRecord

from tests.platform_runs import ROOT, Platform, Run

WEST, EAST = "us-west-2", "us-east-1"
WITNESS = "us-east-2"
NAME = "database.prod.pipeops.internal"
SECRET = "pipeops/prod/database"
PROD_ARN = f"arn:aws:rds:{WEST}:123456789012:db:pipeops-prod"
BOTH = ("prod", "dr")
#: For what takes seconds, on a machine that may be busy.
PATIENCE = Patience(timeout=90, delay=0.2)
#: Two in prod's region, and the one in dr's.
REPLICAS = 3
CAUGHT_UP = """
    SELECT count(*)::int FROM pg_stat_replication
    WHERE state = 'streaming' AND replay_lsn >= pg_current_wal_flush_lsn()
"""


@dataclass
class Recovery(Platform):
    """Both environments, their servers, and the playbooks for disasters.

    Attributes:
        dns: HOST:PORT of the sandbox's DNS.
        reports: where runs leave their reports.
        untouched: whether everything is as it was stood up, so that no test has to go back to that.
    """

    dns: str
    reports: Path
    untouched: bool = False

    def environment(self, **more: str) -> dict[str, str]:
        """Return the process environment that leads to the sandbox and its servers."""
        own = {"PIPEOPS_DNS_SERVERS": self.dns, "PIPEOPS_REPORT_DIR": str(self.reports)}
        return super().environment(**own, **more)

    def dr(self, what: str, *inventories: str, check: bool = False, **extra: Any) -> Run:
        """Run a recovery playbook, with both inventories unless they are given."""
        return self.playbook(*(inventories or BOTH), check=check, playbook=f"playbooks/{what}.yml", extra=extra)

    def findings(self) -> dict[str, Any]:
        """Return the findings of the latest report."""
        latest = max(self.reports.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return dict(json.loads(latest.read_text("utf-8"))["findings"])

    def instance(self, region: str, identifier: str) -> dict[str, Any]:
        """Describe a DB instance."""
        found = self.client("rds", region).describe_db_instances(DBInstanceIdentifier=identifier)
        return dict(found["DBInstances"][0])

    def tags(self, region: str, identifier: str) -> dict[str, str]:
        """Return the tags of a DB instance that tell of moves."""
        found = self.instance(region, identifier)["TagList"]
        moves = ("pipeops:takes-over", "pipeops:fence")
        return {tag["Key"]: tag["Value"] for tag in found if tag["Key"].startswith(moves)}

    def connect(
        self, name: str = NAME, region: str = WEST, database: str = "app", secret: str = SECRET
    ) -> psycopg.Connection[Any]:
        """Connect as an application does: by a name, with what the secret of the region says."""
        client = self.client("secretsmanager", region)
        known = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
        host, port = self.dns.split(":")
        answer = DNSRecord.parse(DNSRecord.question(name).send(host, int(port), timeout=5))
        address = next(str(one.rdata) for one in answer.rr if one.rtype == 1)
        return psycopg.connect(
            host=name, hostaddr=address, port=5432, dbname=database, user=known["username"],
            password=known["password"], connect_timeout=2, autocommit=True,
        )  # fmt: skip

    def rows(
        self, query: str, name: str = NAME, region: str = WEST, database: str = "app", secret: str = SECRET
    ) -> list[Any]:
        """Run a statement in a session of its own."""
        with self.connect(name, region, database, secret) as session:
            cursor = session.execute(query)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def await_streaming(self) -> None:
        """Wait until all replicas have everything: until then, losing prod's region would lose what a test knows."""

        def check() -> tuple[bool | None, str]:
            try:
                (caught_up,) = self.rows(CAUGHT_UP)
            except psycopg.OperationalError as error:
                return None, str(error)
            return (True if caught_up == REPLICAS else None), f"{caught_up} of {REPLICAS} have caught up"

        wait_until(check, "the replicas", 5, PATIENCE, lambda _text: None)

    def await_status(self, region: str, identifier: str, wanted: str = "available") -> None:
        """Wait until AWS shows a DB instance in a status."""

        def check() -> tuple[bool | None, str]:
            status = self.instance(region, identifier)["DBInstanceStatus"]
            return (True if status == wanted else None), status

        wait_until(check, identifier, 5, PATIENCE, lambda _text: None)

    def await_lead(self, region: str, identifier: str) -> None:
        """Wait until the name that clients use leads to a DB instance."""
        endpoint = self.endpoint(region, identifier)

        def check() -> tuple[bool | None, str]:
            found = self.leads_to()
            return (True if found == endpoint else None), found

        wait_until(check, NAME, 5, PATIENCE, lambda _text: None)

    def endpoint(self, region: str, identifier: str) -> str:
        """Return the name at which a DB instance answers."""
        return str(self.instance(region, identifier)["Endpoint"]["Address"])

    def leads_to(self) -> str:
        """Return where the name that clients use leads to."""
        route53 = self.client("route53", EAST)
        zones = route53.list_hosted_zones()["HostedZones"]
        zone = next(zone["Id"] for zone in zones if zone["Name"] == "prod.pipeops.internal.")
        records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        (record,) = [one for one in records if one["Name"] == f"{NAME}."]
        return str(record["ResourceRecords"][0]["Value"])

    def down(self, region: str) -> None:
        """Lose a region."""
        self.control("POST", f"regions/{region}", state="down")

    def up(self, region: str) -> None:
        """Find it again."""
        self.control("POST", f"regions/{region}", state="up")


def why(run: Run) -> str:
    """Return the errors that a run printed, and its end."""
    errors = [line for line in run.output.splitlines() if line.startswith(("[ERROR]", "fatal:"))]
    return "\n".join([*errors, run.output[-1500:]])


def text(run: Run) -> str:
    """Return what a run printed, without its line breaks."""
    return " ".join(run.output.split())


def refused(run: Run) -> str:
    """Insist that a run failed before it changed anything, and return what it printed."""
    assert run.status == 2, why(run)
    assert run.mutations == []
    return text(run)


def done(run: Run) -> None:
    """Insist that a run went well."""
    assert run.status == 0, why(run)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def _stand() -> Iterator[Recovery]:
    """Start a sandbox in a directory that the servers' account can enter, and stand both up in it, once."""
    os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    directory, port = Path(tempfile.mkdtemp(prefix="recovery-")), _free_port()
    directory.chmod(0o755)

    def sandbox(*words: str) -> None:
        command = [sys.executable, "-m", "pipeops_sandbox", *words, "--port", str(port)]
        subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=120)

    try:
        sandbox("up", "--data-plane", "postgres")
        stand = Recovery(f"http://127.0.0.1:{port}", "", directory / "reports")
        stand.dns = stand.control("GET", "health")["dns"]
        stand.begin()
        done(stand.playbook(*BOTH))
        stand.rows("CREATE TABLE orders (number int)")
        stand.rows("INSERT INTO orders VALUES (1)")
        stand.await_streaming()
        stand.control("POST", "snapshot", name="pair")
        stand.untouched = True
        yield stand
    finally:
        sandbox("down")
        shutil.rmtree(directory)


def as_stood_up(stand: Recovery, *, changes: bool) -> Recovery:
    """Go back to the pair as it was stood up, unless nobody has changed it since."""
    stand.control("DELETE", "faults")
    for region in (WEST, EAST):
        stand.up(region)
    stand.control("POST", "network", link_rtt_ms=10)
    if not stand.untouched:
        stand.control("POST", "restore", name="pair")
        stand.control("POST", "clock", profile="instant", scale=1)
        stand.await_streaming()
    stand.untouched = not changes
    return stand


@pytest.fixture
def pair(_stand: Recovery) -> Recovery:
    """Prod leads, dr follows, and one order is known."""
    return as_stood_up(_stand, changes=True)


@pytest.fixture
def calm(_stand: Recovery) -> Recovery:
    """The same for a test that changes nothing, so that the next one need not go back."""
    return as_stood_up(_stand, changes=False)


@pytest.fixture(scope="module")
def shared(_stand: Recovery) -> Recovery:
    """The same for the tests of a file that leave alone what the others look at."""
    return as_stood_up(_stand, changes=True)
