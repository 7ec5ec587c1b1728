# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an application finds its database: the published name, asked anew for each connection, and the shared secret."""

from __future__ import annotations

import ipaddress
import json
import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver
import psycopg
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

DNS_SECONDS = 1.0
#: libpq knows no less. What hangs for longer is given up, and the name asked again.
CONNECT_SECONDS = 2
SILENCE_MILLISECONDS = 3000
STATEMENT_MILLISECONDS = 5000


class Closed(Exception):
    """There is no way to the database now; the message says why."""


@dataclass(frozen=True)
class Login:
    """Who to be on the server."""

    user: str
    password: str = field(repr=False)
    database: str


@dataclass
class Door:
    """The way to the database of one environment.

    Attributes:
        url: the sandbox.
        dns_server: ``HOST:PORT`` of the DNS that knows private names.
        name: the published name.
        regions: where the secret may be found, the usual one first.
    """

    url: str
    dns_server: str
    name: str
    secret: str
    regions: tuple[str, ...]
    port: int = 5432
    _login: Login | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str, region: str) -> Any:
        """Return a boto3 client that gives up soon: a region that is down resets connections."""
        config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
        keys = {"aws_access_key_id": "AKIADRILL00000000001", "aws_secret_access_key": "drill"}
        return boto3.client(service, region, endpoint_url=self.url, config=config, **keys)

    def login(self) -> Login:
        """Return who to be, from the secret of the first region that answers; kept until it fails.

        Raises:
            Closed: if no region has the secret.
        """
        with self._lock:
            self._login = self._login or self._read_login()
            return self._login

    def forget_login(self) -> None:
        """Read the secret again next time: the server knows the password no more."""
        with self._lock:
            self._login = None

    def _read_login(self) -> Login:
        reasons = []
        for region in self.regions:
            try:
                found = self.client("secretsmanager", region).get_secret_value(SecretId=self.secret)
            except (BotoCoreError, ClientError) as error:
                reasons.append(f"{region}: {error}")
                continue
            value = json.loads(found["SecretString"])
            return Login(value["username"], value["password"], value.get("dbname") or "app")
        raise Closed(f"the secret {self.secret} is nowhere: {'; '.join(reasons)}")

    def resolve(self, name: str) -> str:
        """Return the address of a name.

        Raises:
            Closed: if there is none, or it is not on this machine.
        """
        try:
            answer = self._resolver(dns.resolver.Resolver).resolve(name, "A", lifetime=DNS_SECONDS, search=False)
        except dns.exception.DNSException as error:
            raise Closed(f"{name} leads nowhere: {error}") from error
        return loopback(str(answer[0].address))

    async def resolve_soon(self, name: str) -> str:
        """Return the address of a name, without holding up an event loop.

        Raises:
            Closed: as in resolve.
        """
        asked = self._resolver(dns.asyncresolver.Resolver).resolve(name, "A", lifetime=DNS_SECONDS, search=False)
        try:
            answer = await asked
        except dns.exception.DNSException as error:
            raise Closed(f"{name} leads nowhere: {error}") from error
        return loopback(str(answer[0].address))

    def _resolver(self, kind: Any) -> Any:
        host, _colon, port = self.dns_server.partition(":")
        resolver = kind(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host, int(port or 53))]
        return resolver

    def options(self, host: str, address: str, application: str) -> dict[str, Any]:
        """Return libpq's options for a server."""
        login = self.login()
        return {
            "host": host,
            "hostaddr": address,
            "port": self.port,
            "user": login.user,
            "password": login.password,
            "dbname": login.database,
            "sslmode": "require",
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": SILENCE_MILLISECONDS,
            "application_name": application,
            "options": f"-c statement_timeout={STATEMENT_MILLISECONDS}",
            "autocommit": True,
        }

    def connect(self, application: str = "drill") -> tuple[psycopg.Connection[Any], str]:
        """Return a connection to what the published name leads to now, and its address.

        Raises:
            Closed: if there is none that takes writes.
        """
        address = self.resolve(self.name)
        wanted = {**self.options(self.name, address, application), "target_session_attrs": "read-write"}
        try:
            return psycopg.connect(**wanted), address
        except psycopg.Error as error:
            if "password authentication failed" in str(error):
                self.forget_login()
            raise Closed(" ".join(str(error).split())) from error


def loopback(address: str) -> str:
    """Return an address of this machine as it is.

    Raises:
        Closed: for any other one: a drill sends nothing elsewhere.
    """
    if not ipaddress.ip_address(address).is_loopback:
        raise Closed(f"{address} is not on this machine, so the drill does not go there")
    return address
