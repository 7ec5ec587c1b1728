# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The write lease as a server has it. What it means and how it works is in extensions/write_guard."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

with suppress(ImportError):
    # Without it server_of refuses to begin, in Ansible's usual words.
    from psycopg.rows import dict_row

#: A proof that was never given has no age. A standby cannot tell its timeline, and needs no lease.
LEASE = """
    SELECT lease.leader, lease.epoch, lease.seconds, lease.enabled, lease.closed, lease.follower,
           lease.timeline <> '' AS given,
           CASE WHEN pg_is_in_recovery() THEN NULL ELSE lease.timeline = pipeops.present_timeline() END AS here,
           CASE WHEN isfinite(lease.named_at)
                THEN extract(epoch FROM clock_timestamp() - lease.named_at)::float END AS named_seconds_ago,
           CASE WHEN isfinite(lease.followed_at)
                THEN extract(epoch FROM clock_timestamp() - lease.followed_at)::float END AS followed_seconds_ago
    FROM pipeops.write_lease AS lease
"""
#: Null if nothing is received now.
CONTACT = """
    SELECT extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float
    FROM pg_stat_wal_receiver WHERE status = 'streaming'
"""
EXTEND = """
    SELECT pipeops.extend_lease(own.database, own.seconds, %s, %s, %s) FROM pipeops.write_lease AS own
"""


def exists(connection: Any) -> bool:
    """Tell whether a server has a write lease."""
    return bool(connection.execute("SELECT to_regclass('pipeops.write_lease') IS NOT NULL").fetchone()[0])


def read(connection: Any) -> dict[str, Any] | None:
    """Return the write lease, None if there is none.

    ``left_seconds`` is how long the proofs count still, below zero if they have run out; None if there is none that
    counts on this server.
    """
    if not exists(connection):
        return None
    with connection.cursor(row_factory=dict_row) as cursor:
        found: dict[str, Any] | None = cursor.execute(LEASE).fetchone()
    if found is None:
        return None
    ages = [age for age in (found["named_seconds_ago"], found["followed_seconds_ago"]) if age is not None]
    counts = bool(ages) and found["given"] and found["here"] is not False
    return {**found, "left_seconds": round(found["seconds"] - min(ages), 3) if counts else None}


def contact_age(connection: Any) -> float | None:
    """Return how many seconds ago a standby heard from its source, None if nothing is received."""
    row = connection.execute(CONTACT).fetchone()
    return float(row[0]) if row and row[0] is not None else None


def present_time(connection: Any) -> datetime:
    """Return the server's clock."""
    found: datetime = connection.execute("SELECT clock_timestamp()").fetchone()[0]
    return found


def extend(connection: Any, leader: str, epoch: int, asked_at: datetime) -> None:
    """Give the lease to a server whose side the witness named after ``asked_at``."""
    connection.execute(EXTEND, [leader, epoch, asked_at])


def release(connection: Any) -> None:
    """Let the lease close nothing any more, and open what it closed."""
    connection.execute("SELECT pipeops.release_lease()")


def disown(connection: Any) -> None:
    """Let a closed database be somebody's decision: the lease does not open it again."""
    if exists(connection):
        connection.execute("UPDATE pipeops.write_lease SET closed = false WHERE closed")
