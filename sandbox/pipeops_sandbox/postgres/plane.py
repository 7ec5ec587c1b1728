"""The data plane: what RDS's control plane tells, done with real servers in the background."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from pipeops_sandbox.overlays.rds import parameters
from pipeops_sandbox.overlays.rds.dataplane import Measurement, ReplicationState, RestorePoint
from pipeops_sandbox.overlays.rds.store import DbInstance, Snapshot, all_instances, find_instance
from pipeops_sandbox.runtime import runtime

from . import names, work
from .binaries import nearest
from .fleet import Fleet
from .records import Record, Spec, stored
from .seats import Seat
from .server import tidy, wait_until

log = logging.getLogger(__name__)
REPLAY_SECONDS = 5.0
DELETE_WAIT = 60.0
"""Seconds that a deletion lets unfinished work, like a final snapshot, take."""


class PostgresPlane(Fleet):
    """Keeps a server for each DB instance. Names and ports are AWS's; the sandbox's DNS leads to the addresses."""

    # What the control plane tells. It holds the lock, so nothing here waits.

    def created(self, instance: DbInstance) -> None:
        """Begin an empty database."""
        seat = self._seat(instance, "created")
        seat.submit(lambda: self._make(seat))

    def replicating(self, instance: DbInstance, source: DbInstance) -> None:
        """Begin a standby of the source's server."""
        seat = self._seat(instance, "replica", source=source.resource_id)
        seat.submit(lambda: self._make(seat))

    def restored(self, instance: DbInstance, point: RestorePoint) -> None:
        """Begin a database from a copy, and from logs up to a moment if it is not a snapshot's."""
        wall = 0.0 if point.snapshot else runtime.clock.real_time(point.at)
        target = {"resource_id": point.resource_id, "snapshot": point.snapshot, "wall": wall}
        seat = self._seat(instance, "restored", point=target)
        seat.submit(lambda: self._make(seat), "restore-error")

    def modified(self, instance: DbInstance) -> None:
        """Let the server read its configuration again, and set the master password."""
        seat = self.seats.get(instance.resource_id)
        if seat is None:
            return
        seat.spec = spec = Spec.of(instance)
        if seat.record.running:
            seat.submit(lambda: work.modify(seat.server, seat.record, spec, self.shared), "incompatible-parameters")

    def rebooted(self, instance: DbInstance, failover: bool) -> None:
        """Restart; a failover is a crash, from which the standby recovers."""
        seat = self.seats.get(instance.resource_id)
        if seat is None:
            return
        seat.spec = Spec.of(instance)

        def restart() -> None:
            seat.server.stop("immediate" if failover else "fast")
            self._start(seat)

        seat.submit(restart, "incompatible-parameters")

    def upgraded(self, instance: DbInstance) -> None:
        """Exchange the programs and bring the data along; where there are no others, restart."""
        seat, major = self.seats.get(instance.resource_id), nearest(instance.engine_version).major
        if seat is None or seat.record.major == major:
            self.rebooted(instance, failover=False)
            return
        seat.spec = Spec.of(instance)
        if seat.record.source:
            seat.submit(lambda: self._follow(seat, major), "incompatible-restore")
        else:
            seat.submit(lambda: self._upgrade(seat, major), "incompatible-restore")

    def promoted(self, instance: DbInstance) -> None:
        """Promote; the group's static parameters hold afterwards, because AWS reboots here."""
        seat = self.seats.get(instance.resource_id)
        if seat is None:
            return
        in_force = parameters.in_force(instance, keep_static=False)
        seat.spec = dataclasses.replace(Spec.of(instance), parameters=in_force)
        seat.submit(lambda: self._promote(seat))

    def detached(self, instance: DbInstance) -> None:
        """Follow nobody any more, and stay read-only."""
        seat = self.seats.get(instance.resource_id)
        if seat is None:
            return

        def detach() -> None:
            self._part(seat)
            work.configure(seat.server, seat.record, seat.spec, self.shared)
            seat.server.reload()

        seat.submit(detach)

    def stopped(self, instance: DbInstance) -> None:
        """Stop, with all logs in the archive."""
        seat = self.seats.get(instance.resource_id)
        if seat is None:
            return
        seat.record.running = False

        def stop() -> None:
            if seat.spec.archives and seat.server.running:
                work.archive_now(seat.server)
            seat.server.stop()
            seat.store()

        seat.submit(stop)

    def started(self, instance: DbInstance) -> None:
        """Start again."""
        seat = self.seats.get(instance.resource_id)
        if seat is None:
            return
        seat.spec, seat.record.running = Spec.of(instance), True
        seat.submit(lambda: self._start(seat), "incompatible-parameters")

    def snapshotted(self, instance: DbInstance, snapshot: Snapshot) -> None:
        """Copy the data directory as it is at one moment."""
        seat = self.seats.get(instance.resource_id)
        if seat is not None:
            self.copies.begin(seat, snapshot)

    def forgotten(self, snapshot: Snapshot) -> None:
        """Drop the copy, unless another snapshot or a retained backup lives on it."""
        self.copies.forget(snapshot)

    def deleted(self, instance: DbInstance) -> None:
        """Stop the server and remove its data, after what has begun; its slot on the source goes too."""
        seat = self.seats.pop(instance.resource_id, None)
        if seat is None:
            return

        def end() -> None:
            seat.wait(DELETE_WAIT)
            if seat.spec.archives and seat.server.running and not seat.server.standby:
                work.archive_now(seat.server)
            seat.remove()
            self.copies.drop_logs(seat.record.resource_id)
            self.roads.part(seat.record)
            self.roads.refresh()

        self._ending[instance.resource_id] = self._enders.submit(self._logged, end)

    def ready(self, instance: DbInstance) -> bool:
        """Tell whether nothing is under way for the instance."""
        ending, seat = self._ending.get(instance.resource_id), self.seats.get(instance.resource_id)
        return not (ending and not ending.done()) and not (seat and seat.busy)

    def replication(self, instance: DbInstance) -> ReplicationState | None:
        """Return what the replica's server says, with RDS's patience for a link that is cut for a while."""
        seat = self.seats.get(instance.resource_id)
        if seat is None or not seat.record.source or not seat.record.complete:
            return None
        return self.health.replication(seat)

    def measurements(self, instance: DbInstance) -> list[Measurement]:
        """Return what the server said in the last minutes."""
        return [(sample.at, sample.values) for sample in self.health.samples(instance.resource_id)]

    def replay(self, instance: DbInstance, *, running: bool) -> None:
        """Let a replica stop replaying what it receives, or go on.

        Raises:
            ValueError: if it is no replica that runs.
        """
        seat = self.seats.get(instance.resource_id)
        if seat is None or not seat.server.running or not seat.server.standby:
            raise ValueError(f"a read replica whose server runs; {instance.identifier} is none")
        seat.server.sql(f"SELECT pg_wal_replay_{'resume' if running else 'pause'}()")
        wanted = "not paused" if running else "paused"
        wait_until(lambda: seat.server.sql("SELECT pg_get_wal_replay_pause_state()")[0][0] == wanted, REPLAY_SECONDS)

    # The sandbox's own life.

    def answer_names(self, port: int) -> None:
        """Answer DNS on a UDP port of 127.0.0.1, or on a free one if it is taken; ``dns`` says where."""
        self._dns, port = names.serve(self._names, port)
        self.dns = f"{names.LOOPBACK}:{port}"

    def resume(self) -> None:
        """Bring up what stood when the sandbox was stopped or killed."""
        records = stored(self.servers)
        if records:
            self.roads.open()
        left = tidy(self.servers)
        if left:
            log.warning("%d servers of an earlier sandbox were still running; they are stopped", left)
        with self._lock:
            for instance in all_instances(self._owner):
                if instance.phases and instance.phases[0].status == "deleting":
                    continue
                self._again(instance, records.pop(instance.resource_id, None))
        for resource_id in records:
            self.shared.discard(self.servers / resource_id)
        self.roads.refresh()
        self.health.start()
        self.cron.start()

    def _again(self, instance: DbInstance, record: Record | None) -> None:
        """Continue one instance: start it, or begin again what was not finished."""
        if record is None:
            source = find_instance(instance.replication.source_arn) if instance.replication else None
            if source:
                self.replicating(instance, source)
            else:
                self.created(instance)
            return
        seat = self._take(record, instance)
        record.running = record.running and instance.resting != "stopped"
        if not record.complete:
            seat.submit(lambda: self._make(seat))
        elif record.running:
            seat.submit(lambda: self._start(seat))

    def close(self) -> None:
        """Stop all servers cleanly, and the network."""
        for server in filter(None, (self._dns, *self._dns_from.values())):
            server.stop()
        self.health.stop()
        self.cron.stop()
        _end(list(self.seats.values()), "fast")
        self._enders.shutdown()
        self.roads.close()

    def clear(self) -> None:
        """Remove every server, its data, snapshots and logs."""
        with self._lock:
            seats = list(self.seats.values())
            self.seats.clear()
        with ThreadPoolExecutor(8) as removing:
            list(removing.map(Seat.remove, seats))
        self._finish()
        self.copies.clear(keep=set(self.seats))
        self.roads.refresh()

    def settle(self) -> None:
        """Wait until no work is under way."""
        for seat in list(self.seats.values()):
            seat.wait()
        wait(list(self._ending.values()))

    def save(self, name: str) -> None:
        """Keep all data under a name, as they are at one moment. The caller holds the lock."""
        self.copies.save(name, [seat.server for seat in self.seats.values()])

    def go_back(self, name: str, restore: Callable[[], None]) -> None:
        """Put kept data in place of the present ones, together with the control plane's state."""
        self.health.stop()
        self.cron.stop()
        with self._lock:
            seats = list(self.seats.values())
            self.seats.clear()
        # Not inside the lock, which the seats' work may be waiting for.
        _end(seats, "immediate")
        self._finish()
        with self._lock:
            restore()
            self.copies.bring_back(name)
        self.resume()


def _end(seats: list[Seat], mode: str) -> None:
    """Stop servers, replicas first: a source waits for those that follow it."""
    for following in (True, False):
        group = [seat for seat in seats if bool(seat.record.source) == following]
        with ThreadPoolExecutor(8) as stopping:
            list(stopping.map(lambda seat: seat.close(mode), group))
