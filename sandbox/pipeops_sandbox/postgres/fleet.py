"""The servers of all DB instances, and what is done with them in the background."""

from __future__ import annotations

import dataclasses
import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from dnslib.server import DNSServer

from pipeops_sandbox.overlays.rds.dataplane import NamedEndpoints
from pipeops_sandbox.overlays.rds.store import DbInstance, all_instances
from pipeops_sandbox.state import write_atomically

from . import names, upgrading, work
from .account import account, home
from .addresses import LINK_PORT, SERVER_PORT, free_address
from .binaries import nearest
from .bootstrap import Templates
from .copies import Copies
from .cron import Cron
from .health import Health
from .records import Record, Spec
from .roads import Roads
from .seats import Seat
from .server import ServerError, wait_until

log = logging.getLogger(__name__)
REPLAY_SECONDS = 5.0
DELETE_WAIT = 60.0
"""Seconds that a deletion lets unfinished work, like a final snapshot, take."""
UPGRADE_WAIT = 180.0
"""Seconds that a replica waits for its source's new major version."""


class Fleet(NamedEndpoints):
    """Holds a seat for each DB instance, and does the work behind the hooks of ``PostgresPlane``.

    Args:
        state_dir: the sandbox's; all data are below its ``postgres``.
        lock: the one around the control plane. Work in the background takes it for moments only.
        owner: the account id.
        down: the Regions that are down, kept by the sandbox.
    """

    def __init__(self, state_dir: Path, lock: threading.RLock, owner: str, down: set[str]) -> None:
        who = account()
        place = home(state_dir, who)
        self._lock, self._owner, self._down = lock, owner, down
        secret = _secret(place)
        self.shared = work.Shared(place, who, secret, Templates(who.own(place / "templates"), who, secret))
        self.servers: Path = who.own(place / "servers")
        self.seats: dict[str, Seat] = {}
        self._ending: dict[str, Future[None]] = {}
        self._enders = ThreadPoolExecutor(4, thread_name_prefix="ending")
        self.copies = Copies(self.shared, owner)
        self.roads = Roads(place, lock, owner, down, self.seats, lambda one: self.endpoint(one).address)
        self.health = Health(self.seats, self._tick)
        self.cron = Cron(self.seats)
        self._names = names.Names(owner, lock, self._hosts)
        self._dns: DNSServer | None = None
        self.dns = ""
        self._dns_from: dict[str, DNSServer] = {}

    def _seat(
        self, instance: DbInstance, origin: str, source: str = "", point: dict[str, object] | None = None
    ) -> Seat:
        taken = [seat.record.address for seat in self.seats.values()]
        ports = (SERVER_PORT, LINK_PORT, int(instance.settings["Port"]))
        major = nearest(instance.engine_version).major
        if source in self.seats:
            major = self.seats[source].record.major
        elif point:
            major = self.copies.major(point) or major
        address = free_address(self.shared.place, taken, ports)
        record = Record(instance.resource_id, address, major, origin, source, point or {})
        return self._take(record, instance)

    def _take(self, record: Record, instance: DbInstance) -> Seat:
        seat = Seat(record, Spec.of(instance), self.shared, self._failed)
        self.seats[record.resource_id] = seat
        return seat

    def _make(self, seat: Seat) -> None:
        """Give a seat its data, and start."""
        self.roads.refresh()
        server, record, spec = seat.server, seat.record, seat.spec
        if record.origin == "replica":
            source = self.seats[record.source]
            source.wait()
            work.replicate(server, record, spec, self.shared, source.server)
        elif record.origin == "restored":
            base = self.copies.base(record.point, self.seats, self._down)
            work.restore(server, record, spec, self.shared, base)
        else:
            work.create(server, record, spec, self.shared)
        record.complete = True
        seat.store()
        self._fine(seat)

    def _start(self, seat: Seat) -> None:
        work.start(seat.server, seat.record, seat.spec, self.shared)
        self.roads.sweep(seat)
        seat.store()
        self._fine(seat)

    def _upgrade(self, seat: Seat, major: int) -> None:
        """Bring a server to another major version."""
        seat.server.stop()
        before = seat.exchange(major)
        try:
            upgrading.upgrade(seat.server, before.binaries, self.shared)
        except Exception:
            seat.exchange(before.binaries.major)
            raise
        self._start(seat)

    def _follow(self, seat: Seat, major: int) -> None:
        """Make a replica anew from its source, once that has another major version."""
        source = self.seats[seat.record.source]
        seat.server.stop("immediate")
        if not wait_until(lambda: source.record.major == major and not source.busy, UPGRADE_WAIT):
            raise ServerError(f"the source {source.spec.identifier} did not become {major}")
        seat.exchange(major)
        self._make(seat)

    def _promote(self, seat: Seat) -> None:
        work.promote(seat.server, seat.record, seat.spec, self.shared)
        self._part(seat)

    def _part(self, seat: Seat) -> None:
        """End a replica's link: the door, and the slot on the source."""
        before = dataclasses.replace(seat.record)
        seat.record.source = ""
        seat.store()
        self.roads.refresh()
        self.roads.part(before)

    def _failed(self, seat: Seat, status: str, error: Exception) -> None:
        """Let the instance show that its server is in trouble: an error that nobody sees would look like waiting."""
        seat.trouble = status
        with self._lock:
            instance = self.instance(seat)
            if instance is not None:
                instance.resting = status
        log.error("%s in %s is %s: %s", seat.spec.identifier, seat.spec.region, status, error)

    def _fine(self, seat: Seat) -> None:
        """Take the trouble back that an instance shows."""
        if not seat.trouble:
            return
        with self._lock:
            instance = self.instance(seat)
            if instance is not None and instance.resting == seat.trouble:
                instance.resting = "available"
        seat.trouble = ""

    def _finish(self) -> None:
        """End what was begun for servers that are no more.

        An account that begins anew, or goes back, gives the same resource ids again: what is done late, like removing
        a directory or dropping a slot, would be done to the new servers.
        """
        wait(list(self._ending.values()))
        self._ending.clear()
        self.roads.forget()

    @staticmethod
    def _logged(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:
            log.exception("a server that is to go away")

    def instance(self, seat: Seat) -> DbInstance | None:
        """Return the instance that a seat is for, by whatever name it has now."""
        wanted = seat.record.resource_id
        return next((one for one in all_instances(self._owner) if one.resource_id == wanted), None)

    def _tick(self) -> None:
        """Every second: start again what has crashed, do what waited for a Region, follow time."""
        for seat in list(self.seats.values()):
            crashed = seat.record.complete and seat.record.running and not seat.server.running
            if crashed and not seat.busy and not seat.trouble:
                log.warning("the server of %s ended by itself: %s", seat.spec.identifier, seat.server.log_end())
                seat.submit(lambda seat=seat: self._start(seat))  # type: ignore[misc]
        self.roads.part_later()
        if self.seats:
            self.roads.refresh()

    def _hosts(self, origin: str = "") -> dict[str, str]:
        """Return where each endpoint's name leads, for callers outside or in a Region."""
        instances = [one for one in all_instances(self._owner) if one.reachable and one.resource_id in self.seats]
        seats = {self.endpoint(one).address: self.seats[one.resource_id] for one in instances}
        return {
            name: self.roads.address_from(origin, seat) if origin else seat.record.address
            for name, seat in seats.items()
        }

    def dns_from(self, region: str) -> str:
        """Return the DNS server, as ``HOST:PORT``, of callers that sit in a Region; it is there from the first time."""
        if region not in self._dns_from:
            self.roads.begin_in(region)
            inside = names.Names(self._owner, self._lock, lambda: self._hosts(region))
            self._dns_from[region], _port = names.serve(inside, 0)
        _host, port = self._dns_from[region].server.server_address[:2]
        return f"{names.LOOPBACK}:{port}"


def _secret(place: Path) -> str:
    """Return the password of RDS's own superuser, made once."""
    path = place / "rdsadmin.secret"
    if not path.exists():
        write_atomically(path, secrets.token_urlsafe(24).encode())
    return path.read_text("utf-8")
