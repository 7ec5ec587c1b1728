# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries out the rotation of a database's credentials, so that a run that is killed is carried on by the next one.

The order is that of Secrets Manager's rotation contract: the next version is written, the server is told, every server
has let its user in, and only then whoever reads the secret gets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.waiting import wait_until
from ..postgres import statements
from ..postgres.connection import Server
from ..resources import rds_calls
from ..resources.rds_describe import Instance, describe
from . import users, versions
from .turns import MOVE, WRITE, Plan, Wish
from .versions import Credentials, Standing

AGAIN = "Applications use the former credentials, which are still valid. Mend that, then run again: it goes on here."


@dataclass(frozen=True)
class Fleet:
    """The servers of a database: the primary, and every replica in whichever region."""

    identifier: str
    master: str
    primary: tuple[str, int]
    replicas: tuple[tuple[str, int], ...]

    @property
    def all(self) -> tuple[tuple[str, int], ...]:
        """Their endpoints, the primary's first."""
        return (self.primary, *self.replicas)


def find_fleet(aws: Aws, identifier: str) -> Fleet:
    """Return the servers of a database.

    Raises:
        EngineError: if there is no such instance, it is a replica, or a server has no address yet.
    """
    instance = describe(aws, identifier)
    if instance is None:
        raise EngineError(f"There is no DB instance {identifier} in {aws.region}. Run site.yml for its environment.")
    source = instance.get("ReadReplicaSourceDBInstanceIdentifier")
    if source:
        raise EngineError(
            f"DB instance {identifier} in {aws.region} is a replica of {source} and has its credentials. Rotate there."
        )
    if instance.get("MasterUserSecret"):
        raise EngineError(f"The master password of DB instance {identifier} in {aws.region} is rotated by RDS itself.")
    names = [*(instance.get("ReadReplicaDBInstanceIdentifiers") or ())]
    replicas = tuple(_endpoint(_replica(aws, name), name) for name in sorted(names))
    return Fleet(identifier, str(instance["MasterUsername"]), _endpoint(instance, identifier), replicas)


def _replica(aws: Aws, name: str) -> Instance:
    """Return a replica: those of the region go by their identifiers, others by their ARNs."""
    region = name.split(":")[3] if name.startswith("arn:") else aws.region
    found = describe(aws, name.rpartition(":")[2], region=region, probe=region != aws.region)
    if found is None:
        raise EngineError(f"The replica {name} is gone. Run site.yml, then run again. Nothing was changed.")
    return found


def _endpoint(instance: Instance, name: str) -> tuple[str, int]:
    found = instance.get("Endpoint")
    if not found:
        status = instance.get("DBInstanceStatus")
        raise EngineError(f"DB instance {name} has no endpoint yet, it is {status}. Nothing was changed. Run again.")
    return str(found["Address"]), int(found["Port"])


@dataclass
class Rotation:
    """One rotation of one database.

    Attributes:
        options: how servers are reached: ``database``, ``connect_timeout``, ``ssl_mode``, ``dns_servers``.
    """

    aws: Aws
    secret: str
    fleet: Fleet
    wish: Wish
    options: Mapping[str, Any]

    def server(self, credentials: Credentials, endpoint: tuple[str, int] | None = None) -> Server:
        """Return a server, and who to be there."""
        host, port = endpoint or self.fleet.primary
        return Server(
            host=host,
            port=port,
            user=credentials.user,
            password=credentials.password,
            connect_timeout=self.options["connect_timeout"],
            ssl_mode=self.options["ssl_mode"] or "require",
            dns_servers=tuple(self.options["dns_servers"] or ()),
        )

    def insist_on_open(self, current: Credentials) -> None:
        """Refuse to begin where applications cannot sign in now anyway.

        Raises:
            EngineError: if the server cannot be reached, or the database is closed.
        """
        database = self.options["database"]
        with self.server(current).connect() as connection:
            users.refuse_closed(self.server(current), database, statements.is_open(connection, database))

    def carry_out(self, standing: Standing, plan: Plan) -> Credentials:
        """Do what is planned, and return the credentials that are in force then."""
        current, pending = standing.current, standing.pending
        if MOVE not in plan.steps:
            versions.tidy(self.aws, self.secret, current.version.id)
            return current
        if WRITE in plan.steps or pending is None:
            pending = versions.write_pending(self.aws, self.secret, current, plan.user)
        self._set(current, pending)
        self.prove(pending)
        versions.move_current(self.aws, self.secret, current, pending)
        versions.tidy(self.aws, self.secret, pending.version.id)
        return pending

    def _set(self, current: Credentials, pending: Credentials) -> None:
        """Let the primary know the password of the next user, and let the two own the same."""
        if pending.user == self.wish.twin:
            users.prepare_twin(self.server(current), self.server(pending), self.aws.patience, self.aws.progress)
        elif users.signs_in(self.server(pending), self.options["database"]):
            # RDS keeps the master password, too, and sets it again when it likes: so it has to come from there.
            password = {"MasterUserPassword": pending.password}
            rds_calls.modify(self.aws, self.fleet.identifier, "its master password changes", 60, **password)

    def prove(self, credentials: Credentials) -> None:
        """Sign in everywhere: what the primary knows reaches the replicas with everything else.

        Raises:
            EngineError: if a server does not let the user in, in time.
        """
        for endpoint in self.fleet.all:
            self._prove(self.server(credentials, endpoint))

    def _prove(self, server: Server) -> None:
        def check() -> tuple[bool | None, str]:
            reason = users.signs_in(server, self.options["database"])
            return (None if reason else True), f"refused: {reason}"

        what = f"{server.host} to let {server.user} in with the new password"
        wait_until(check, what, 2, self.aws.patience, self.aws.progress, AGAIN)


def endpoints(fleet: Fleet) -> Sequence[str]:
    """Return the names of all servers, the primary's first."""
    return [host for host, _port in fleet.all]
