"""Copies of data directories: RDS's snapshots, the start of a point-in-time restore, the sandbox's own snapshots."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from pipeops_sandbox.overlays.rds.store import Snapshot, stores_of
from pipeops_sandbox.state import write_atomically

from . import work
from .files import pack, unpack
from .seats import Seat
from .server import PgServer, ServerError, frozen

PARTS = ("servers", "copies", "wal")
DATA = "data.tar"


class Copies:
    """Keeps copies below ``copies``, one directory each, with a note of whose and when."""

    def __init__(self, shared: work.Shared, owner: str) -> None:
        self._shared, self._owner = shared, owner
        self._begun: dict[str, Future[None]] = {}

    @property
    def _place(self) -> Path:
        return self._shared.who.own(self._shared.place / "copies")

    @property
    def _saves(self) -> Path:
        return self._shared.who.own(self._shared.place / "saves")

    def _directory(self, key: str) -> Path:
        return self._place / hashlib.sha256(key.encode()).hexdigest()[:24]

    def begin(self, seat: Seat, snapshot: Snapshot) -> None:
        """Begin to copy a server's data under the snapshot's key."""
        key = snapshot.data_of
        self._begun[key] = seat.submit(lambda: self._copy(seat, key), "available")

    def _copy(self, seat: Seat, key: str) -> None:
        """Copy the data as they are at one moment; a start from them is a recovery after a crash."""
        directory = self._directory(key)
        if directory.exists():
            return
        scratch = self._shared.who.own(directory.with_suffix(".new"))
        with frozen([seat.server]):
            wall = time.time()
            pack(seat.server.data, scratch / DATA)
        note = {"key": key, "resource_id": seat.record.resource_id, "wall": wall, "major": seat.record.major}
        write_atomically(scratch / "note.json", json.dumps(note).encode())
        scratch.rename(directory)

    def _notes(self) -> list[tuple[dict[str, Any], Path]]:
        return [(json.loads(path.read_text("utf-8")), path.parent) for path in self._place.glob("*/note.json")]

    def major(self, point: Mapping[str, Any]) -> int | None:
        """Return the major version of the data that a restore begins with."""
        majors = [note["major"] for note, _path in self._notes() if note["resource_id"] == point["resource_id"]]
        return int(majors[-1]) if majors else None

    def base(self, point: Mapping[str, Any], seats: Mapping[str, Seat], down: Collection[str]) -> Path:
        """Return the packed data that a restore begins with, once it is complete; its logs are archived then.

        Raises:
            ServerError: if there is none.
        """
        if point["snapshot"]:
            begun = self._begun.get(point["snapshot"])
            if begun:
                begun.result()
            data = self._directory(point["snapshot"]) / DATA
            if not data.exists():
                raise ServerError(f"the data of the snapshot {point['snapshot']} are not there")
            return data
        source = seats.get(point["resource_id"])
        if source:
            source.wait()
            if source.spec.region not in down and source.server.running and not source.server.standby:
                work.archive_now(source.server)
        bases = [
            (note["wall"], path / DATA)
            for note, path in self._notes()
            if note["resource_id"] == point["resource_id"] and note["wall"] <= point["wall"]
        ]
        if not bases:
            raise ServerError(f"no backup of {point['resource_id']} is from before {point['wall']:.3f}")
        return max(bases)[1]

    def forget(self, snapshot: Snapshot) -> None:
        """Drop a copy that nothing refers to any more."""
        shared = any(
            one.data_of == snapshot.data_of for store in stores_of(self._owner) for one in store.snapshots.values()
        )
        if not shared and not self._retained(snapshot.resource_id):
            self._shared.discard(self._directory(snapshot.data_of))

    def _retained(self, resource_id: str) -> bool:
        return any(
            backup.resource_id == resource_id for store in stores_of(self._owner) for backup in store.backups.values()
        )

    def drop_logs(self, resource_id: str) -> None:
        """Drop the archived logs of an instance that is gone, unless automated backups of it are kept."""
        if not self._retained(resource_id):
            self._shared.discard(self._shared.place / "wal" / resource_id)

    def clear(self, keep: Collection[str]) -> None:
        """Drop all copies and logs, but for the logs of instances that were made meanwhile."""
        self._begun.clear()
        self._shared.discard(self._place)
        for logs in (self._shared.place / "wal").glob("*"):
            if logs.name not in keep:
                self._shared.discard(logs)

    def save(self, name: str, servers: list[PgServer]) -> None:
        """Keep everything under a name, all servers held still meanwhile."""
        target = self._saves / name
        self._shared.discard(target)
        self._shared.who.own(target)
        with frozen(servers):
            for part in PARTS:
                pack(self._shared.who.own(self._shared.place / part), target / f"{part}.tar")

    def bring_back(self, name: str) -> None:
        """Put what was kept in place of what is there; where nothing was kept, everything begins empty."""
        self._begun.clear()
        for part in PARTS:
            place, saved = self._shared.place / part, self._saves / name / f"{part}.tar"
            self._shared.discard(place)
            self._shared.who.own(place)
            if saved.exists():
                unpack(saved, place, self._shared.who)
