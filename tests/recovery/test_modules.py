# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that talk to PostgreSQL, each by itself, on the servers of the pair."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError

from tests.recovery.conftest import EAST, SECRET, WEST, Recovery

MODULES = "ansible_collections.pipeops.platform.plugins.modules"
DR = (EAST, "pipeops-dr")


class Caller:
    """Runs modules in this process, with their options validated as Ansible would."""

    def __init__(self, pair: Recovery) -> None:
        self.pair = pair
        self.prod, self.dr = pair.endpoint(WEST, "pipeops-prod"), pair.endpoint(*DR)

    def __call__(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        loaded = importlib.import_module(f"{MODULES}.{module}")
        given = {
            "region": EAST, "endpoint_url": self.pair.url, "endpoint": self.prod, "secret_name": SECRET,
            "dns_servers": [self.pair.dns], "connect_timeout": 2, "wait_timeout": 10, "wait_delay": 0.05, **options,
        }  # fmt: skip
        checked = ArgumentSpecValidator({**aws_argument_spec(), **loaded.ARGUMENT_SPEC}).validate(given)
        assert not checked.error_messages, checked.error_messages
        result: dict[str, Any] = loaded.run(checked.validated_parameters, check_mode=check, progress=lambda _text: None)
        return result


@pytest.fixture
def call(shared: Recovery, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """Both databases open, and replay running."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    made = Caller(shared)
    yield made
    shared.control("POST", "rds/{}/{}".format(*DR), replay="running")
    made("postgres_access", state="open")


def test_info_tells_a_primary_from_its_replicas_and_from_nobody(call: Caller) -> None:
    nobody = "nobody.prod.pipeops.internal"
    with call.pair.connect():
        servers = call("postgres_info", replicas=[call.dr, nobody])["servers"]
    prod, dr = servers[call.prod], servers[call.dr]
    assert (prod["reachable"], prod["replica"], prod["open"], prod["sessions"]) == (True, False, True, 1)
    assert [follower["state"] for follower in prod["followers"]] == ["streaming"] * 3
    assert prod["written"]
    assert (dr["replica"], dr["written"], dr["pause_state"], dr["followers"]) == (True, None, "not paused", [])
    assert servers[nobody]["reachable"] is False
    assert "is not known to the DNS servers" in servers[nobody]["reason"]
    assert call("postgres_info", database="none")["servers"][call.prod]["open"] is None


def test_access_closes_once_ends_sessions_and_opens(call: Caller) -> None:
    with call.pair.connect() as session:
        foreseen = call("postgres_access", check=True, state="closed")
        assert (foreseen["changed"], foreseen["position"]) == (True, None)
        session.execute("SELECT 1")
        closed = call("postgres_access", state="closed")
        assert (closed["changed"], closed["sessions_ended"]) == (True, 1)
        assert (closed["diff"]["before"]["sessions"], closed["diff"]["after"]["sessions"]) == (1, 0)
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        call.pair.connect()
    again = call("postgres_access", state="closed")
    assert (again["changed"], again["sessions_ended"]) == (False, 0)
    assert call("postgres_replay", endpoint=call.dr, position=closed["position"])["missing_bytes"] == 0
    assert call("postgres_access", state="open")["changed"] is True
    assert call("postgres_access", state="open")["changed"] is False
    assert call.pair.rows("SELECT number FROM orders") == [1]


def test_access_on_a_replica_follows_its_primary_and_ends_what_nothing_else_ends(call: Caller) -> None:
    with pytest.raises(EngineError, match=r"to be closed .* still open.* set state: closed there"):
        call("postgres_access", endpoint=call.dr, state="closed", wait_timeout=0)
    with call.pair.connect(call.dr) as reader:
        call("postgres_access", state="closed")
        reader.execute("SELECT 1")
        closed = call("postgres_access", endpoint=call.dr, state="closed")
        assert (closed["sessions_ended"], closed["position"]) == (1, None)
        with pytest.raises(psycopg.OperationalError):
            reader.execute("SELECT 1")


def test_access_to_what_is_not_there_is_an_error_or_told(call: Caller) -> None:
    with pytest.raises(EngineError, match="There is no database 'none'"):
        call("postgres_access", state="closed", database="none")
    call.pair.down(WEST)
    try:
        told = call("postgres_access", state="closed", required=False)
        assert (told["reachable"], told["changed"], told["sessions_ended"]) == (False, False, 0)
        assert call.prod in told["reason"]
        with pytest.raises(EngineError, match="database postgres"):
            call("postgres_access", state="closed")
    finally:
        call.pair.up(WEST)


def test_replay_waits_for_a_position_and_says_why_it_does_not_come(call: Caller) -> None:
    call.pair.control("POST", "rds/{}/{}".format(*DR), replay="paused")
    call.pair.rows("CREATE TABLE IF NOT EXISTS more (number int)")
    position = call("postgres_info")["servers"][call.prod]["written"]
    behind = call("postgres_replay", check=True, endpoint=call.dr, position=position)
    assert behind["missing_bytes"] > 0
    assert behind["evidence"]["primary_lsn"] == position
    with pytest.raises(EngineError, match="its replay is paused: it will not catch up"):
        call("postgres_replay", endpoint=call.dr, position=position)
    call.pair.control("POST", "rds/{}/{}".format(*DR), replay="running")
    assert call("postgres_replay", endpoint=call.dr, position=position)["missing_bytes"] == 0
    with pytest.raises(EngineError, match=r"Gave up on the replica at .* bytes behind"):
        call("postgres_replay", endpoint=call.dr, position="F/0", wait_timeout=1)
    with pytest.raises(EngineError, match="is no replica"):
        call("postgres_replay", position=position)
    with pytest.raises(EngineError, match="'soon' is no position in the write-ahead log"):
        call("postgres_replay", endpoint=call.dr, position="soon")


def test_a_heartbeat_counts_and_arrives(call: Caller) -> None:
    assert call("postgres_heartbeat", check=True, writer="test") == {
        "beat": None, "written_at": None, "seconds": 0.0, "lag_seconds": None, "changed": True,
    }  # fmt: skip
    first = call("postgres_heartbeat", writer="test")
    assert (first["beat"], first["lag_seconds"]) == (1, None)
    second = call("postgres_heartbeat", writer="test", replica=call.dr)
    assert second["beat"] == 2
    assert 0 <= second["lag_seconds"] < 10
    assert second["written_at"] > first["written_at"]
    with pytest.raises(EngineError, match="Gave up on a write to the database app"):
        call("postgres_heartbeat", endpoint=call.dr, writer="test", wait_timeout=1)


def test_a_secret_that_is_not_there_is_named(call: Caller) -> None:
    with pytest.raises(EngineError, match="Could not read the secret pipeops/none in us-east-1"):
        call("postgres_info", secret_name="pipeops/none")
