# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a guard is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "WRITE_GUARD_"
#: The database that every server has; jobs run in it also while the applications' own is closed.
MAINTENANCE = "postgres"


class SettingsError(Exception):
    """A variable is missing or wrong; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Each field is the variable of that name in capitals, after ``WRITE_GUARD_``.

    Attributes:
        environment: whose database this is, as the witness names it.
        pair: the environment on the other side.
        service: the database, as the witness has it.
        region: where the database and its secret are.
        endpoint: the instance's own endpoint, never the name that moves.
        secret: the name of the secret with ``username`` and ``password``.
        database: the one that applications use.
        witness_table, witness_region: where the witness is.
        lease_seconds: how long a proof counts; 0 removes the lease.
        interval_seconds: between two turns.
        dns_server: ``HOST:PORT`` that knows the endpoint, if the system's resolver does not.
        alive_file: is touched after each turn that came to its end, for a liveness probe.
    """

    environment: str
    pair: str
    service: str
    region: str
    endpoint: str
    secret: str
    witness_table: str
    witness_region: str
    lease_seconds: int
    database: str = "app"
    port: int = 5432
    interval_seconds: float = 3.0
    dns_server: str = ""
    ssl_mode: str = "require"
    alive_file: str = ""

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Settings:
        """Read all settings.

        Raises:
            SettingsError: if one is missing, is no number, or the lease is shorter than a few turns.
        """
        values: dict[str, object] = {}
        for name, kind in cls.__annotations__.items():
            text = variables.get(PREFIX + name.upper())
            if text is None and not hasattr(cls, name):
                raise SettingsError(f"{PREFIX}{name.upper()} is not set")
            if text is not None:
                values[name] = _typed(name, str(kind), text)
        made = cls(**values)  # type: ignore[arg-type]  # each value has its field's type
        if made.database == MAINTENANCE:
            raise SettingsError(f"{PREFIX}DATABASE is {MAINTENANCE}, whose jobs would end with it: use another one")
        least = 4 * made.interval_seconds
        if 0 < made.lease_seconds < least:
            raise SettingsError(f"{PREFIX}LEASE_SECONDS is {made.lease_seconds}, at least {least:g} or 0")
        return made


def _typed(name: str, kind: str, text: str) -> object:
    try:
        return {"int": int, "float": float}.get(kind, str)(text)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}{name.upper()} is {text!r}, which is no number") from error
