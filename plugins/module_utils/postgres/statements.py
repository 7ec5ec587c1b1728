# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the disaster-recovery playbooks ask of a PostgreSQL server, one function for each question or change.

All statements are those that RDS lets its master user run: it owns the database, may signal other users' sessions
and read the statistics, but is no superuser.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..engine.lease import insist
from ..engine.waiting import Patience, Progress, wait_until

try:
    from psycopg import sql
    from psycopg.rows import dict_row
except ImportError:
    # server_of refuses to begin, in Ansible's usual words.
    pass

#: One row a writer, renewed by each heartbeat, in a schema of its own.
HEARTBEAT = (
    "CREATE SCHEMA IF NOT EXISTS pipeops",
    "CREATE TABLE IF NOT EXISTS pipeops.heartbeat"
    " (writer text PRIMARY KEY, beat bigint NOT NULL, written_at timestamptz NOT NULL)",
)
BEAT = """
    INSERT INTO pipeops.heartbeat AS own (writer, beat, written_at) VALUES (%s, 1, clock_timestamp())
    ON CONFLICT (writer) DO UPDATE SET beat = own.beat + 1, written_at = excluded.written_at
    RETURNING beat, written_at
"""
#: What RDS itself does on a server is not ours to end; its own roles are superusers.
SESSIONS = """
    FROM pg_stat_activity AS session JOIN pg_roles AS role ON role.oid = session.usesysid
    WHERE session.datname = %s AND session.pid <> pg_backend_pid() AND NOT role.rolsuper
"""
STANDING = """
    SELECT pg_is_in_recovery() AS replica,
           current_setting('server_version') AS version,
           current_setting('default_transaction_read_only') = 'on' AS read_only,
           CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_flush_lsn()::text END AS written,
           pg_last_wal_receive_lsn()::text AS received,
           pg_last_wal_replay_lsn()::text AS replayed,
           pg_last_xact_replay_timestamp() AS replayed_commit_at,
           CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() ELSE '' END AS pause_state,
           clock_timestamp() AS now
"""
FOLLOWERS = """
    SELECT slot.slot_name AS name, slot.active, sender.state,
           pg_wal_lsn_diff(pg_current_wal_flush_lsn(), slot.restart_lsn)::bigint AS retained_bytes,
           sender.replay_lsn::text AS replayed, extract(epoch FROM sender.replay_lag)::float AS lag_seconds
    FROM pg_replication_slots AS slot LEFT JOIN pg_stat_replication AS sender ON sender.pid = slot.active_pid
    WHERE slot.slot_type = 'physical' ORDER BY slot.slot_name
"""


def standing(connection: Any) -> dict[str, Any]:
    """Return what a server is and how far it has come: positions as text, times with their zone."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found: dict[str, Any] = cursor.execute(STANDING).fetchone()
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in found.items()}


def followers(connection: Any) -> list[dict[str, Any]]:
    """Return the replicas of a primary by their slots, with the log that each of them keeps it from dropping."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(FOLLOWERS).fetchall())


def is_open(connection: Any, database: str) -> bool | None:
    """Tell whether a database takes connections; None if there is no such database."""
    row = connection.execute("SELECT datallowconn FROM pg_database WHERE datname = %s", [database]).fetchone()
    return None if row is None else bool(row[0])


def sessions(connection: Any, database: str) -> int:
    """Return how many sessions of clients a database has."""
    return int(connection.execute(f"SELECT count(*) {SESSIONS}", [database]).fetchone()[0])


def allow_connections(connection: Any, database: str, allowed: bool) -> None:
    """Open a database to clients, or close it. Unlike a parameter, no session can undo that for itself.

    It is kept in the catalogue, so it outlives restarts, and it is replicated: what was closed before a promotion is
    closed on the promoted server, too.
    """
    insist(f"{'opening' if allowed else 'closing'} the database {database}")
    change = "ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}"
    connection.execute(sql.SQL(change).format(sql.Identifier(database), sql.Literal(allowed)))


def end_sessions(connection: Any, database: str, patience: Patience, progress: Progress) -> int:
    """End all sessions of a database, wait until they are gone, and return how many there were.

    Raises:
        EngineError: if some do not end in time.
    """
    ended = 0

    def check() -> tuple[bool | None, str]:
        nonlocal ended
        insist(f"ending sessions of the database {database}")
        row = connection.execute(
            f"SELECT count(*) FILTER (WHERE pg_terminate_backend(session.pid)) {SESSIONS}", [database]
        ).fetchone()
        ended = max(ended, int(row[0]))
        left = sessions(connection, database)
        return (None if left else True), f"{left} left"

    wait_until(check, f"the end of all sessions in the database {database}", 1, patience, progress)
    return ended


def beat(connection: Any, writer: str) -> dict[str, Any]:
    """Write a row and return its number and time: a primary that takes writes can do that, and no other server."""
    insist("writing a heartbeat")
    if connection.execute("SELECT to_regclass('pipeops.heartbeat') IS NULL").fetchone()[0]:
        for statement in HEARTBEAT:
            connection.execute(statement)
    number, written_at = connection.execute(BEAT, [writer]).fetchone()
    return {"beat": int(number), "written_at": written_at.isoformat()}


def update_extension(connection: Any, name: str) -> None:
    """Bring an extension to the version that the server has."""
    insist(f"updating the extension {name}")
    connection.execute(sql.SQL("ALTER EXTENSION {} UPDATE").format(sql.Identifier(name)))


def analyze(connection: Any) -> None:
    """Make the planner's statistics of a database anew, however long that takes."""
    insist("running ANALYZE")
    connection.execute("SET statement_timeout = 0")
    connection.execute("ANALYZE")


def last_beats(connection: Any) -> dict[str, Mapping[str, Any]]:
    """Return the heartbeats that have arrived on a server, by writer, with their age in seconds."""
    if connection.execute("SELECT to_regclass('pipeops.heartbeat') IS NULL").fetchone()[0]:
        return {}
    rows = connection.execute(
        "SELECT writer, beat, written_at, extract(epoch FROM clock_timestamp() - written_at)::float"
        " FROM pipeops.heartbeat ORDER BY writer"
    ).fetchall()
    return {
        writer: {"beat": int(number), "written_at": at.isoformat(), "age_seconds": round(age, 3)}
        for writer, number, at, age in rows
    }
