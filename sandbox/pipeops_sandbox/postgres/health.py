"""How the servers are, asked once a second: CloudWatch's metrics and the state of replication come from here."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pipeops_sandbox.overlays.rds.dataplane import ReplicationState
from pipeops_sandbox.runtime import runtime

from .seats import Seat
from .work import beat

log = logging.getLogger(__name__)
INTERVAL = 1.0
KEPT = 300
"""Samples kept of each server: five minutes."""
PATIENCE = 30.0
"""Seconds that a replica may be without its source before RDS calls that an error."""
BEAT_SECONDS = 300.0
"""Model seconds between two commits of RDS's own on an idle primary."""
GIB = 1024**3

COMMON = """
SELECT pg_is_in_recovery(),
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> 'rdsadmin'),
       (SELECT sum(size) FROM pg_ls_waldir()),
       (SELECT sum(pg_database_size(oid)) FROM pg_database)
"""
PRIMARY = """
SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)),
       sum(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))
FROM pg_replication_slots WHERE restart_lsn IS NOT NULL
"""
REPLICA = """
SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp()),
       (SELECT status FROM pg_stat_wal_receiver LIMIT 1)
"""


@dataclass
class Sample:
    """What a server said at one moment, in real time as CloudWatch's clients have it, by metric name."""

    at: float
    values: dict[str, float]


@dataclass
class Pulse:
    """What is kept of one server. ``streamed_at``: real time at which it was last seen following its source."""

    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=KEPT))
    session: psycopg.Connection[Any] | None = None
    streamed_at: float = field(default_factory=time.monotonic)
    beaten_at: float = 0.0


class Health:
    """Asks the servers in a thread of its own.

    Args:
        also: what else is to be done at each round.
    """

    def __init__(self, seats: dict[str, Seat], also: Callable[[], None]) -> None:
        self._seats, self._also = seats, also
        self._pulses: dict[str, Pulse] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._keep_asking, name="health", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        for pulse in self._pulses.values():
            _hang_up(pulse)
        self._pulses.clear()

    def _keep_asking(self) -> None:
        while not self._stopping.is_set():
            for resource_id in set(self._pulses) - set(self._seats):
                _hang_up(self._pulses.pop(resource_id))
            for seat in list(self._seats.values()):
                if seat.server.running and seat.record.complete:
                    self._ask(seat, self._pulses.setdefault(seat.record.resource_id, Pulse()))
            try:
                self._also()
            except Exception:
                log.exception("the round of the data plane")
            self._stopping.wait(INTERVAL)

    def _ask(self, seat: Seat, pulse: Pulse) -> None:
        try:
            if pulse.session is None or pulse.session.closed:
                pulse.session = seat.server.connect()
            values = self._values(seat, pulse, pulse.session)
        except psycopg.Error:
            # It restarts or is being stopped: there is no sample of that second.
            _hang_up(pulse)
            return
        pulse.samples.append(Sample(time.time(), values))

    def _values(self, seat: Seat, pulse: Pulse, session: psycopg.Connection[Any]) -> dict[str, float]:
        standby, connections, logs, size = _row(session, COMMON)
        values = {"DatabaseConnections": connections, "TransactionLogsDiskUsage": logs}
        values["FreeStorageSpace"] = seat.spec.storage_gib * GIB - float(size) - float(logs)
        if standby:
            lag, status = _row(session, REPLICA)
            if status == "streaming":
                pulse.streamed_at = time.monotonic()
            values["ReplicaLag"] = -1.0 if lag is None else max(0.0, float(lag))
        else:
            oldest, used = _row(session, PRIMARY)
            values["OldestReplicationSlotLag"] = -1.0 if oldest is None else oldest
            values["ReplicationSlotDiskUsage"] = used or 0.0
            self._beat(seat, pulse)
        return {name: float(value) for name, value in values.items()}

    @staticmethod
    def _beat(seat: Seat, pulse: Pulse) -> None:
        now = runtime.clock.now()
        if now - pulse.beaten_at >= BEAT_SECONDS:
            pulse.beaten_at = now
            beat(seat.server)

    def samples(self, resource_id: str) -> list[Sample]:
        """Return what is kept of a server, oldest first."""
        pulse = self._pulses.get(resource_id)
        return list(pulse.samples) if pulse else []

    def replication(self, seat: Seat) -> ReplicationState:
        """Return a replica's state: an error once it has been without its source for a while."""
        pulse = self._pulses.get(seat.record.resource_id)
        if pulse is None or time.monotonic() - pulse.streamed_at < PATIENCE:
            return ReplicationState("replicating")
        return ReplicationState("error", f"Replication has stopped: {seat.server.last_error()}")


def _row(session: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    found = session.execute(query).fetchone()
    return tuple(found) if found else ()


def _hang_up(pulse: Pulse) -> None:
    session, pulse.session = pulse.session, None
    if session is not None:
        session.close()
