# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database of this side: what it is now, and its write lease."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

import boto3
import dns.nameserver
import dns.resolver
import psycopg

from .settings import MAINTENANCE, Settings
from .witness import QUICK, Named

STATEMENT_SECONDS = 4
LOOK = """
    SELECT clock_timestamp(), pg_is_in_recovery(), to_regclass('pipeops.write_lease') IS NOT NULL,
           coalesce((SELECT slot_name FROM pg_stat_wal_receiver LIMIT 1), '')
"""
EXTEND = "SELECT pipeops.extend_lease(%s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Standing:
    """What the server is.

    Attributes:
        now: its own time, from before anything else was asked.
        standby: whether it follows another one.
        leased: whether there is a write lease on it.
        slot: the slot that a standby uses, as far as it is known.
    """

    now: datetime
    standby: bool
    leased: bool
    slot: str


class Database:
    """A session with the server's maintenance database, made anew whenever it is lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._login: dict[str, Any] = {}
        self._session: psycopg.Connection[Any] | None = None
        self._installed = False

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            if self._session is None or self._session.closed:
                self._session = self._connect()
            yield self._session
        except psycopg.OperationalError as error:
            self.forget(login="password authentication failed" in str(error))
            raise

    def forget(self, *, login: bool = False) -> None:
        """End the session; with ``login`` also read the secret again."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
        if login:
            self._login = {}

    def _connect(self) -> psycopg.Connection[Any]:
        settings = self._settings
        self._login = self._login or _secret(settings)
        return psycopg.connect(
            host=settings.endpoint, hostaddr=_address(settings), port=settings.port, dbname=MAINTENANCE,
            user=self._login["username"], password=self._login["password"], sslmode=settings.ssl_mode,
            connect_timeout=2, tcp_user_timeout=STATEMENT_SECONDS * 1000, application_name="write_guard",
            options=f"-c statement_timeout={STATEMENT_SECONDS}s", autocommit=True,
        )  # fmt: skip

    def look(self) -> Standing:
        """Return what the server is now."""
        with self._connected() as session:
            (row,) = session.execute(LOOK).fetchall()
            return Standing(*row)

    def extend(self, named: Named, asked_at: datetime, follower: str | None) -> datetime:
        """Give the lease to this side, or prolong it; return until when it holds by the server's clock."""
        settings = self._settings
        with self._connected() as session:
            if not self._installed:
                session.execute(_script("lease.sql"))
                self._installed = True
            values = (settings.database, settings.lease_seconds, *_pair(named), asked_at, follower)
            ((valid_until,),) = session.execute(EXTEND, values).fetchall()
            found: datetime = valid_until
            return found

    def end(self, named: Named) -> None:
        """Take the lease from this side."""
        with self._connected() as session:
            session.execute("SELECT pipeops.end_lease(%s, %s)", _pair(named))

    def enforce(self) -> None:
        """Let the lease do what it does every second anyway, if the server's own job runs."""
        with self._connected() as session:
            session.execute("SELECT pipeops.enforce_lease()")

    def remove(self) -> None:
        """Remove the lease, and open what it closed."""
        with self._connected() as session:
            session.execute(_script("lease_off.sql"))
            self._installed = False


def _pair(named: Named) -> tuple[str, int]:
    return named.leader, named.epoch


def _script(name: str) -> bytes:
    return resources.files(__package__).joinpath(name).read_bytes()


def _secret(settings: Settings) -> dict[str, Any]:
    client = boto3.client("secretsmanager", settings.region, config=QUICK)
    found = json.loads(client.get_secret_value(SecretId=settings.secret)["SecretString"])
    return dict(found)


def _address(settings: Settings) -> str | None:
    """Return the endpoint's address by the DNS server that is set, None for the system to find it."""
    if not settings.dns_server:
        return None
    host, _colon, port = settings.dns_server.partition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, int(port or 53))]
    return str(resolver.resolve(settings.endpoint, "A", lifetime=2, search=False)[0].address)
