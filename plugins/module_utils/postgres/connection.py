# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to a database: names through the platform's own DNS servers, credentials from their secret."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import env_fallback, missing_required_lib

from ..engine.aws import Aws, describe_error, is_aws_error
from ..engine.errors import EngineError
from ..resources.secret import PASSWORD, read_credentials

try:
    import dns.exception
    import dns.nameserver
    import dns.resolver
    import psycopg
except ImportError:
    HAS_LIBRARIES = False
else:
    HAS_LIBRARIES = True

#: The database that every server has, and that clients of the platform do not use.
MAINTENANCE = "postgres"
APPLICATION_NAME = "pipeops.platform"
#: Seconds after which a peer that has fallen silent counts as gone; a region that is lost closes no connection.
SILENCE = 6

#: The options that every module has that talks to PostgreSQL, described in the doc fragment pipeops.platform.postgres.
POSTGRES_ARGUMENT_SPEC: dict[str, Any] = {
    "endpoint": {"type": "str", "required": True},
    "port": {"type": "int", "default": 5432},
    "secret_name": {"type": "str", "required": True, "no_log": False},
    "database": {"type": "str", "default": "app"},
    "connect_timeout": {"type": "int", "default": 5},
    "ssl_mode": {
        "type": "str",
        "choices": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
        "fallback": (env_fallback, ["PGSSLMODE"]),
    },
    "dns_servers": {"type": "list", "elements": "str", "fallback": (env_fallback, ["PIPEOPS_DNS_SERVERS"])},
    "wait_timeout": {"type": "int", "default": 600},
    "wait_delay": {"type": "float", "default": 1.0},
}


class Unreachable(EngineError):
    """No connection could be made; the database may be well. Somebody on the other side may still reach it."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server, and who we are there.

    Attributes:
        host: its name; the certificate is held against it, whatever address it leads to.
        ssl_mode: as in libpq; encrypted without fail unless somebody asks for less.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    connect_timeout: int = 5
    ssl_mode: str = "require"
    dns_servers: Sequence[str] = ()

    @contextmanager
    def connect(self, database: str = MAINTENANCE) -> Iterator[Any]:
        """Give a connection in which each statement commits by itself, for as long as the block runs.

        Raises:
            Unreachable: if there is no way to the server, it takes no connection now, or the connection is lost.
            EngineError: if it refuses a statement.
        """
        where = f"PostgreSQL at {self.host}:{self.port}, database {database}"
        try:
            with psycopg.connect(**self._options(database)) as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Unreachable(f"{where}: {_sentence(error)}") from error
        except psycopg.Error as error:
            raise EngineError(f"{where} refuses: {_sentence(error)}") from error

    def _options(self, database: str) -> dict[str, Any]:
        return {
            "host": self.host,
            "hostaddr": address_of(self.host, self.dns_servers, self.connect_timeout),
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": database,
            "sslmode": self.ssl_mode,
            "connect_timeout": self.connect_timeout,
            "application_name": APPLICATION_NAME,
            "keepalives_idle": SILENCE // 3,
            "keepalives_interval": SILENCE // 3,
            "keepalives_count": 2,
            "tcp_user_timeout": SILENCE * 1000,
            "autocommit": True,
        }


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())


def insist_on_libraries() -> None:
    """Refuse to begin without what talks to servers.

    Raises:
        EngineError: if a library is missing.
    """
    if not HAS_LIBRARIES:
        raise EngineError(missing_required_lib("psycopg and dnspython"))


def server_of(params: Mapping[str, Any]) -> Server:
    """Return the server that a module's options name, with the credentials from its secret.

    Raises:
        EngineError: if a library is missing, or the secret cannot be used.
    """
    insist_on_libraries()
    credentials = _credentials(Aws(params), params["secret_name"])
    return Server(
        host=params["endpoint"],
        port=params["port"],
        user=str(credentials["username"]),
        password=str(credentials[PASSWORD]),
        connect_timeout=params["connect_timeout"],
        ssl_mode=params["ssl_mode"] or "require",
        dns_servers=tuple(params["dns_servers"] or ()),
    )


def _credentials(aws: Aws, name: str) -> Mapping[str, Any]:
    try:
        return read_credentials(aws, name)
    except Exception as error:
        if not is_aws_error(error):
            raise
        raise EngineError(f"Could not read the secret {name} in {aws.region}: {describe_error(error)}") from error


def address_of(host: str, servers: Sequence[str], timeout: float) -> str | None:
    """Return the address of a name as these DNS servers have it; None, for the system to find it, without any.

    Args:
        servers: each as ``ADDRESS`` or ``ADDRESS:PORT``, e.g. an inbound endpoint of Route 53 Resolver: private zones
            and private addresses are not known outside their VPCs.
        timeout: seconds for all servers together.

    Raises:
        Unreachable: if none of them knows the name.
    """
    if not servers:
        return None
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [_name_server(server) for server in servers]
    try:
        # A search list would try other names than the one that was asked for.
        answer = resolver.resolve(host, "A", lifetime=timeout, search=False)
    except dns.exception.DNSException as error:
        where = f"the DNS servers {', '.join(servers)} (dns_servers, {os.environ.get('PIPEOPS_DNS_SERVERS', 'unset')})"
        raise Unreachable(f"{host} is not known to {where}: {error}") from error
    return str(answer[0].address)


def _name_server(server: str) -> Any:
    address, _colon, port = server.partition(":")
    return dns.nameserver.Do53Nameserver(address, int(port or 53))
