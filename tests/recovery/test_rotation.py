# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials change under load: no connection fails, whenever a run is killed, and both users own the same."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import botocore.client
import psycopg
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.rotation import users
from ansible_collections.pipeops.platform.plugins.modules import database_rotation
from dnslib import DNSRecord

from tests.recovery.conftest import EAST, NAME, SECRET, WEST, Recovery, done, text, why

MASTER, TWIN = "pipeops_admin", "pipeops_admin_clone"
#: How old what an application knows of the secret may be; External Secrets reads it every few minutes.
CACHED_SECONDS = 1.0
#: A busy machine is no failure of a rotation.
SLOW = 60
ROTATES = [
    "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
    "secretsmanager:UpdateSecretVersionStage",
]  # fmt: skip
RESETS = [ROTATES[0], "rds:ModifyDBInstance", *ROTATES[1:]]
OWNED = "SELECT count(*)::int FROM pg_class JOIN pg_roles AS own ON own.oid = relowner WHERE own.rolname = '{}'"


class Killed(BaseException):
    """The run ends here, as if its process had been killed."""


class Application(threading.Thread):
    """Opens a connection for each write, with credentials that it has read within the last second."""

    def __init__(self, pair: Recovery) -> None:
        super().__init__(daemon=True)
        self.pair, self.stopped = pair, threading.Event()
        self.writes, self.failures, self.users = 0, [], []  # type: int, list[str], list[str]
        self._secret: dict[str, str] = {}
        self._read_at = float("-inf")
        self._client = pair.client("secretsmanager")

    def run(self) -> None:
        """Write until it is stopped."""
        while not self.stopped.wait(0.01):
            try:
                self._write()
                self.writes += 1
            except Exception as error:  # whatever it is, an application would have failed
                self.failures.append(f"{self._secret.get('username')}: {error!r}")

    def _write(self) -> None:
        if time.monotonic() - self._read_at > CACHED_SECONDS:
            found = self._client.get_secret_value(SecretId=SECRET)
            self._secret, self._read_at = json.loads(found["SecretString"]), time.monotonic()
        with sign_in(self.pair, self._secret) as session:
            session.execute("INSERT INTO writes DEFAULT VALUES")
        if self.users[-1:] != [self._secret["username"]]:
            self.users.append(self._secret["username"])


def read(pair: Recovery, region: str = WEST, label: str = "AWSCURRENT") -> dict[str, str]:
    found = pair.client("secretsmanager", region).get_secret_value(SecretId=SECRET, VersionStage=label)
    return dict(json.loads(found["SecretString"]))


def sign_in(pair: Recovery, secret: dict[str, str], name: str = NAME) -> psycopg.Connection[Any]:
    host, port = pair.dns.split(":")
    answer = DNSRecord.parse(DNSRecord.question(name).send(host, int(port), timeout=SLOW))
    address = next(str(one.rdata) for one in answer.rr if one.rtype == 1)
    return psycopg.connect(
        host=name, hostaddr=address, port=5432, dbname="app", user=secret["username"], password=secret["password"],
        connect_timeout=SLOW, autocommit=True,
    )  # fmt: skip


@contextmanager
def load(pair: Recovery) -> Iterator[Application]:
    """Let an application write, and insist that none of its connections fails."""
    pair.rows("CREATE TABLE IF NOT EXISTS writes (number bigserial, at timestamptz DEFAULT clock_timestamp())")
    application = Application(pair)
    application.start()
    try:
        yield application
        # What it has read last has to work, too.
        target, deadline = application.writes + 20, time.monotonic() + 30
        while application.writes < target and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        application.stopped.set()
        application.join(timeout=30)
    assert application.failures == []
    assert application.writes >= 20
    assert pair.rows("SELECT count(*)::int FROM writes")[-1] >= application.writes


@pytest.fixture
def rotate(pair: Recovery, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Run the module in this process."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    def run(
        *, check: bool = False, region: str = WEST, identifier: str = "pipeops-prod", **more: Any
    ) -> dict[str, Any]:
        given = {
            "region": region, "endpoint_url": pair.url, "identifier": identifier, "secret_name": SECRET,
            "dns_servers": [pair.dns], "wait_timeout": 60, "wait_delay": 0.1, "overlap_seconds": 0, **more,
        }  # fmt: skip
        checked = ArgumentSpecValidator({**aws_argument_spec(), **database_rotation.ARGUMENT_SPEC}).validate(given)
        assert not checked.error_messages
        options = checked.validated_parameters
        found: dict[str, Any] = database_rotation.run(options, check_mode=check, progress=lambda _text: None)
        return found

    return run


def labels(pair: Recovery, region: str = WEST) -> dict[str, str]:
    """Return the version that each label is on."""
    stages = pair.client("secretsmanager", region).describe_secret(SecretId=SECRET)["VersionIdsToStages"]
    return {label: version for version, many in stages.items() for label in many}


@pytest.mark.thorough
def test_a_playbook_rotates_under_load_once_and_says_before_what_it_will_do(pair: Recovery) -> None:
    pair.rows("CREATE EXTENSION pg_cron", database="postgres")
    pair.rows("SELECT cron.schedule('nightly', '0 3 * * *', 'SELECT 1')", database="postgres")
    former, calm = read(pair), pair.dr("rotate_secrets")
    assert (calm.status, calm.mutations) == (0, []), why(calm)
    assert "not due: the credentials are 0" in text(calm)
    announced = pair.dr("rotate_secrets", check=True, rotate_secrets_force=True, rotate_secrets_overlap_seconds=0)
    assert (announced.status, announced.mutations) == (0, []), why(announced)
    with load(pair) as application:
        run = pair.dr("rotate_secrets", rotate_secrets_force=True, rotate_secrets_overlap_seconds=0)
    done(run)
    assert announced.actions("prod") == run.actions("prod")
    assert run.mutations == ROTATES
    assert application.users == [MASTER, TWIN]
    secret, found = read(pair), pair.findings()
    assert secret["username"] == found["username"] == TWIN
    assert {**secret, "username": MASTER, "password": former["password"]} == former
    assert (found["rotated"], len(found["servers"]), set(found["copies"])) == (True, 4, {EAST})
    assert not any(one["password"] in run.output + json.dumps(found) for one in (former, secret))
    assert (
        labels(pair)
        == labels(pair, EAST)
        == {"AWSCURRENT": found["version_id"], "AWSPREVIOUS": labels(pair)["AWSPREVIOUS"]}
    )
    sign_in(pair, former).close()
    sign_in(pair, read(pair, EAST), pair.endpoint(EAST, "pipeops-dr")).close()
    for database in ("app", "postgres"):
        assert pair.rows(OWNED.format(MASTER), database=database) == [0]
    assert pair.rows("SELECT username FROM cron.job", database="postgres") == [TWIN]


@pytest.mark.thorough
def test_three_in_a_row_and_both_users_own_what_either_makes(pair: Recovery, rotate: Callable[..., Any]) -> None:
    with load(pair) as application:
        for number, user in enumerate((TWIN, MASTER, TWIN)):
            secret = read(pair)
            with sign_in(pair, secret) as session:
                session.execute(f"CREATE TABLE made_{number} (a int)")
            # An application has to read the secret within a rotation's time, or it would be two behind.
            time.sleep(CACHED_SECONDS + 0.5)
            found = rotate(force=True)
            assert (found["username"], read(pair)["username"]) == (user, user)
            assert found["copies"] == {EAST: labels(pair)["AWSCURRENT"]}
        assert rotate()["changed"] is False
    assert application.users == [MASTER, TWIN, MASTER, TWIN]
    for label in ("AWSCURRENT", "AWSPREVIOUS"):
        with sign_in(pair, read(pair, label=label)) as session:
            for number in range(3):
                session.execute(f"ALTER TABLE made_{number} ADD {label.lower()} int")
            session.execute("INSERT INTO orders VALUES (2)")


@pytest.mark.thorough
def test_clients_that_lock_in_any_order_are_no_victims_of_a_rotation(
    pair: Recovery, rotate: Callable[..., Any]
) -> None:
    for table in ("first", "second"):
        pair.rows(f"CREATE TABLE {table} (a int)")
    writes = ("INSERT INTO first SELECT 1 FROM pg_sleep(0.05)", "INSERT INTO second SELECT 1 FROM pg_sleep(0.05)")
    secret, stopped = read(pair), threading.Event()

    def work(order: Sequence[str]) -> int:
        count = 0
        with sign_in(pair, secret) as session:
            while not stopped.wait(0.02):
                with session.transaction():
                    for write in order:
                        session.execute(write)
                count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        working = [pool.submit(work, order) for order in (writes, writes[::-1])]
        try:
            time.sleep(0.5)
            assert rotate(force=True)["username"] == TWIN
        finally:
            stopped.set()
        assert all(one.result() > 3 for one in working)
    assert pair.rows(OWNED.format(MASTER)) == [0]


@pytest.mark.thorough
def test_what_must_not_be_is_refused_before_anything_changes(pair: Recovery, rotate: Callable[..., Any]) -> None:
    before = labels(pair)
    with pytest.raises(EngineError, match=r"rotated \d+ s ago.* safe from 86400 s on"):
        rotate(force=True, overlap_seconds=86400)
    with pytest.raises(EngineError, match=r"is a replica of arn:aws:rds:us-west-2.* Rotate there"):
        rotate(region=EAST, identifier="pipeops-dr", force=True)
    with pytest.raises(EngineError, match=r"secret pipeops/prod/database in us-east-1 is a copy of that in us-west-2"):
        pair.client("rds", EAST).promote_read_replica(DBInstanceIdentifier="pipeops-dr")
        pair.await_status(EAST, "pipeops-dr")
        rotate(region=EAST, identifier="pipeops-dr", force=True)
    pair.rows("ALTER DATABASE app ALLOW_CONNECTIONS false", database="postgres")
    with pytest.raises(EngineError, match=r"database app at .* is closed to its clients"):
        rotate(force=True)
    pair.rows("ALTER DATABASE app ALLOW_CONNECTIONS true", database="postgres")
    client = pair.client("secretsmanager")
    client.put_secret_value(SecretId=SECRET, SecretString=json.dumps({**read(pair), "username": "somebody"}))
    with pytest.raises(EngineError, match="of the user 'somebody'"):
        rotate(force=True)
    assert "AWSPENDING" not in before and "AWSPENDING" not in labels(pair)


class Trap:
    """Ends a run at one of its changes, be it a call of AWS or a statement."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left, self.after, self.met = 0, False, []  # type: int, bool, list[str]
        call, run = botocore.client.BaseClient._make_api_call, users._run
        threads = threading.get_ident()

        def guarded_call(client: Any, operation: str, params: Any) -> Any:
            mine = threading.get_ident() == threads
            if not mine or operation.startswith(("Describe", "Get", "List")):
                return call(client, operation, params)
            return self._guard(operation, lambda: call(client, operation, params))

        def guarded_run(connection: Any, words: str, *names: str) -> None:
            self._guard(words, lambda: run(connection, words, *names))

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", guarded_call)
        monkeypatch.setattr(users, "_run", guarded_run)
        for name in ("_make", "_hand_over_jobs"):
            monkeypatch.setattr(users, name, self._guarded(name, getattr(users, name)))

    def _guarded(self, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *words: self._guard(name, lambda: do(*words))

    def _guard(self, what: str, do: Callable[[], Any]) -> Any:
        self.met.append(what)
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        answer = do()
        if self.left == 0:
            raise Killed
        return answer

    def set(self, nth: int, *, after: bool) -> None:
        """Spring at the nth change from here, before or after it is made."""
        self.left, self.after, self.met = nth, after, []


def killed_everywhere(pair: Recovery, rotate: Callable[..., Any], trap: Trap, user: str, passes: range) -> int:
    """Rotate to a user again and again, each time killed at another change; return how many changes there are."""
    for nth in passes:
        for after in (False, True):
            pair.control("POST", "restore", name="before")
            pair.await_streaming()
            before = read(pair)
            with load(pair) as application:
                trap.set(nth, after=after)
                with suppress(Killed):
                    rotate(force=True)
                    return nth - 1
                sign_in(pair, read(pair)).close()
                trap.set(0, after=False)
                # What was killed before its first change has left nothing to carry on.
                rotate(force=nth == 1 and not after)
                assert rotate()["changed"] is False
            assert application.users[-1] == read(pair)["username"] == user, (nth, after, trap.met)
            assert set(labels(pair)) == {"AWSCURRENT", "AWSPREVIOUS"}
            sign_in(pair, before).close()
            sign_in(pair, read(pair, EAST), pair.endpoint(EAST, "pipeops-dr")).close()
    return passes[-1]


@pytest.mark.thorough
@pytest.mark.parametrize("user", [TWIN, MASTER])
def test_whenever_a_run_is_killed_the_next_one_carries_on(
    pair: Recovery, rotate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    if user == MASTER:
        rotate(force=True)
    pair.control("POST", "snapshot", name="before")
    count = killed_everywhere(pair, rotate, Trap(monkeypatch), user, range(1, 40))
    assert count >= (len(ROTATES) + 5 if user == TWIN else len(RESETS))


@pytest.mark.thorough
def test_what_was_rotated_fails_over_and_rotates_there(pair: Recovery) -> None:
    force = {"rotate_secrets_force": True, "rotate_secrets_overlap_seconds": 0}
    done(pair.dr("rotate_secrets", "prod", **force))
    standby = pair.dr("rotate_secrets", "dr", **force)
    assert (standby.status, standby.mutations) == (0, []), why(standby)
    assert "The database of prod leads, not that of dr" in text(standby)
    pair.await_streaming()
    pair.down(WEST)
    done(pair.dr("dr_failover", "dr", confirm="prod"))
    done(pair.dr("rotate_secrets", "dr", **force))
    assert read(pair, EAST)["username"] == MASTER
    assert pair.rows("SELECT number FROM orders", region=EAST) == [1]
    pair.up(WEST)
    former = pair.dr("rotate_secrets", "prod", **force)
    assert (former.status, former.mutations) == (0, []), why(former)
    assert "The database of dr leads, not that of prod" in text(former)
