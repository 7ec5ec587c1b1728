"""Which doors the network has: from Regions, security groups, ports and replication, looked at after each change."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from pipeops_sandbox.origins import apart
from pipeops_sandbox.overlays.rds import catalog, ties
from pipeops_sandbox.overlays.rds.lifecycle import settle
from pipeops_sandbox.overlays.rds.store import DbInstance, all_instances
from pipeops_sandbox.runtime import runtime

from . import work
from .addresses import LINK_PORT, SERVER_PORT, seen_from
from .network import Door
from .records import Record
from .seats import Seat
from .tls import Authority
from .wiring import Wiring

log = logging.getLogger(__name__)
LINK_RTT_MS = 70.0
"""Round trip between two Regions; Oregon and Virginia are about that far apart."""


class Roads:
    """Keeps the network as the control plane wants it."""

    def __init__(
        self,
        place: Path,
        lock: threading.RLock,
        owner: str,
        down: set[str],
        seats: dict[str, Seat],
        name_of: Callable[[DbInstance], str],
    ) -> None:
        self._wiring = Wiring(place)
        self._authority = Authority(place / "tls")
        self._name_of = name_of
        self._lock, self._owner, self._down, self._seats = lock, owner, down, seats
        # Taken before the lock and never inside it: whoever looked last also tells last.
        self._order = threading.Lock()
        self._parted: list[Record] = []
        self._used = False
        self.rtt_ms = LINK_RTT_MS
        self._origins: list[str] = []

    def begin_in(self, region: str) -> None:
        """Let there be ways for callers that sit in a Region: they go on inside it while it is cut off."""
        with self._lock:
            if region not in self._origins:
                self._origins.append(region)
        self.refresh()

    def address_from(self, region: str, seat: Seat) -> str:
        """Return the address of an instance for the callers of a Region."""
        return seen_from(seat.record.address, self._origins.index(region) + 1)

    def open(self) -> None:
        """Start the network; an earlier one, which may be ending servers still, is gone then."""
        self._used = True
        self._wiring.start()

    def refresh(self) -> None:
        """Bring the network up to date; it is, on return. The caller does not hold the lock."""
        if not self._seats and not self._used:
            return
        with self._order:
            with self._lock:
                settle(self._owner, runtime.clock.now())
                doors = self._doors()
            self._used = True
            self._wiring.put(doors)

    def _doors(self) -> dict[str, Door]:
        doors = {}
        for instance in all_instances(self._owner):
            seat = self._seats.get(instance.resource_id)
            if seat is None:
                continue
            doors[f"client {instance.resource_id}"] = entrance = self._entrance(instance, seat)
            for region in self._origins:
                doors[f"{region} {instance.resource_id}"] = self._entrance_from(region, instance, seat, entrance)
            link = self._link(instance, seat)
            if link:
                doors[f"link {instance.resource_id}"] = link
        return doors

    def _entrance(self, instance: DbInstance, seat: Seat) -> Door:
        port, address = int(instance.settings["Port"]), seat.record.address
        admits = ties.admits(self._owner, instance.region, instance.security_groups, port)
        return Door(
            address, port, address, SERVER_PORT, open=admits, alive=instance.region not in self._down,
            certificate=self._authority.certificate(self._name_of(instance)), forced=_forces_tls(instance),
        )  # fmt: skip

    def _entrance_from(self, region: str, instance: DbInstance, seat: Seat, outside: Door) -> Door:
        alive = not apart(region, instance.region, self._down)
        delay = self.rtt_ms / 2000 if region != instance.region else 0.0
        return dataclasses.replace(outside, host=self.address_from(region, seat), alive=alive, delay=delay)

    def _link(self, instance: DbInstance, seat: Seat) -> Door | None:
        source = self._seats.get(seat.record.source)
        if source is None:
            return None
        far = source.spec.region != instance.region
        alive = not far or not ({source.spec.region, instance.region} & self._down)
        delay = self.rtt_ms / 2000 if far else 0.0
        return Door(seat.record.address, LINK_PORT, source.record.address, SERVER_PORT, alive=alive, delay=delay)

    def part(self, replica: Record) -> None:
        """Drop a former replica's slot on its source; while the source's Region is down it stays, as on AWS."""
        source = self._seats.get(replica.source)
        if source is None:
            return
        if source.spec.region in self._down or not source.server.running:
            self._parted.append(replica)
            return
        try:
            work.drop_slot(source.server, replica.slot)
        except Exception:
            log.exception("the slot %s on %s stays", replica.slot, source.spec.identifier)

    def forget(self) -> None:
        """Give up what waits for a Region: other servers bear those names now, which keep their slots."""
        self._parted = []

    def part_later(self) -> None:
        """Try again what waited for a Region."""
        waiting, self._parted = self._parted, []
        for replica in waiting:
            self.part(replica)

    def sweep(self, source: Seat) -> None:
        """Drop the slots of replicas that left while nobody could tell the source, e.g. before a restart."""
        if source.server.standby:
            return
        # Before the seats: a replica that is made meanwhile has its seat first, then its slot.
        found = work.slots(source.server)
        # The lock: while the sandbox comes up, not all seats are taken yet.
        with self._lock:
            followed = {
                one.record.slot for one in self._seats.values() if one.record.source == source.record.resource_id
            }
        for slot in found - followed:
            work.drop_slot(source.server, slot)

    def close(self) -> None:
        """End the network."""
        self._wiring.close()
        self._used = False


def _forces_tls(instance: DbInstance) -> bool:
    default = catalog.parameters(instance.family)["rds.force_ssl"].default
    return instance.in_force.get("rds.force_ssl", default) == "1"
