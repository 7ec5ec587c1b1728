# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PostgreSQL itself tells that matters to an upgrade: what RDS's own check before a major one looks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..postgres.connection import MAINTENANCE, Server

#: RDS's own database, which its master user cannot enter.
OWN = "rdsadmin"
DATABASES = "SELECT datname, datallowconn, datconnlimit FROM pg_database WHERE NOT datistemplate ORDER BY datname"
#: What a slot keeps back: nobody has taken it yet.
SLOTS = """
    SELECT slot_name, coalesce(database, ''), active,
           coalesce(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), confirmed_flush_lsn), 0)::bigint
    FROM pg_replication_slots WHERE slot_type = 'logical' ORDER BY slot_name
"""
#: How many bytes of log each replica has still to replay, by its slot, in whose name RDS has the resource id.
REPLAYING = """
    SELECT slot.slot_name, pg_wal_lsn_diff(pg_current_wal_flush_lsn(), sender.replay_lsn)::bigint
    FROM pg_replication_slots AS slot JOIN pg_stat_replication AS sender ON sender.pid = slot.active_pid
    WHERE slot.slot_type = 'physical' AND sender.state = 'streaming' AND sender.replay_lsn IS NOT NULL
"""
PREPARED = "SELECT gid FROM pg_prepared_xacts ORDER BY prepared"
#: Types that pg_upgrade cannot take along: they hold numbers that differ between two clusters (RDS user guide).
TYPES = ("regproc", "regprocedure", "regoper", "regoperator", "regconfig", "regdictionary", "regcollation")
COLUMNS = """
    SELECT format('%%I.%%I.%%I', space.nspname, class.relname, att.attname)
    FROM pg_attribute AS att
    JOIN pg_class AS class ON class.oid = att.attrelid AND class.relkind IN ('r', 'm', 'i', 'p')
    JOIN pg_namespace AS space ON space.oid = class.relnamespace
    JOIN pg_type AS type ON type.oid = att.atttypid
    WHERE NOT att.attisdropped AND type.typname = ANY(%s)
      AND space.nspname NOT IN ('pg_catalog', 'information_schema') AND space.nspname NOT LIKE 'pg_toast%%'
    ORDER BY 1
"""
EXTENSIONS = """
    SELECT name, installed_version, default_version FROM pg_available_extensions
    WHERE installed_version IS NOT NULL AND installed_version <> default_version ORDER BY name
"""
LARGE_OBJECTS = "SELECT count(*) FROM pg_largeobject_metadata"


@dataclass(frozen=True)
class Slot:
    """A logical replication slot, and the bytes of log that nobody has taken from it yet."""

    name: str
    database: str
    active: bool
    behind: int


@dataclass(frozen=True)
class Inside:
    """What was found.

    Attributes:
        replaying: how many bytes of log each replica that streams has still to replay, by its slot.
        prepared: transactions that are prepared and neither committed nor rolled back.
        invalid: databases whose removal was interrupted.
        closed: databases that take no connections.
        columns: those of a type that pg_upgrade cannot take along, by database.
        extensions: name, installed version and the server's version of each that can be updated, by database.
        large_objects: how many there are, by database.
    """

    slots: Sequence[Slot] = ()
    replaying: Mapping[str, int] = field(default_factory=dict)
    prepared: Sequence[str] = ()
    invalid: Sequence[str] = ()
    closed: Sequence[str] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    extensions: Mapping[str, Sequence[tuple[str, str, str]]] = field(default_factory=dict)
    large_objects: Mapping[str, int] = field(default_factory=dict)

    def left_to_replay(self, resource_id: str) -> int | None:
        """Return the bytes that a replica has still to replay; None if the server does not know of it."""
        part = resource_id.lower().replace("-", "_")
        return next((left for slot, left in self.replaying.items() if part and slot.endswith(part)), None)


def look(server: Server) -> Inside:
    """Ask the server, database by database.

    Raises:
        EngineError: if it cannot be reached, or refuses.
    """
    with server.connect(MAINTENANCE) as connection:
        rows = [row for row in connection.execute(DATABASES).fetchall() if row[0] != OWN]
        slots = [Slot(*row) for row in connection.execute(SLOTS).fetchall()]
        replaying = {str(slot): int(left) for slot, left in connection.execute(REPLAYING).fetchall()}
        prepared = [gid for (gid,) in connection.execute(PREPARED).fetchall()]
    invalid, closed = [row[0] for row in rows if row[2] == -2], [row[0] for row in rows if not row[1] and row[2] != -2]
    parts = {name: _database(server, name) for name in open_databases(rows)}
    return Inside(
        slots,
        replaying,
        prepared,
        invalid,
        closed,
        {name: columns for name, (columns, _old, _count) in parts.items()},
        {name: old for name, (_columns, old, _count) in parts.items()},
        {name: count for name, (_columns, _old, count) in parts.items()},
    )


def open_databases(rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return the databases that can be entered, of rows of name, whether it takes connections, and its limit."""
    return [str(row[0]) for row in rows if row[0] != OWN and row[1] and row[2] != -2]


def databases(server: Server) -> list[str]:
    """Return the databases of a server that can be entered."""
    with server.connect(MAINTENANCE) as connection:
        return open_databases(connection.execute(DATABASES).fetchall())


def extensions(connection: Any) -> list[tuple[str, str, str]]:
    """Return the extensions of a database of which the server has another version."""
    return [(str(name), str(old), str(new)) for name, old, new in connection.execute(EXTENSIONS).fetchall()]


def _database(server: Server, name: str) -> tuple[list[str], list[tuple[str, str, str]], int]:
    with server.connect(name) as connection:
        columns = [str(column) for (column,) in connection.execute(COLUMNS, [list(TYPES)]).fetchall()]
        return columns, extensions(connection), int(connection.execute(LARGE_OBJECTS).fetchone()[0])
