# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application as it should be: it writes and reads all the time, and finds its database again by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from tests.drill.door import Closed, Door
from tests.drill.prober import PAUSE, PROBE
from tests.drill.records import Fate, Journal, Probe, Write

#: Seconds between two attempts to connect.
RETRY = 0.2
#: The most that a drill asks of the machine, in writes a second.
HIGHEST_RATE = 500
SCHEMA = (
    "CREATE SCHEMA IF NOT EXISTS drill",
    # Nothing keeps a row from standing twice, so that one that does is seen.
    "CREATE TABLE IF NOT EXISTS drill.writes (position bigserial PRIMARY KEY, writer integer NOT NULL,"
    " number bigint NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp())",
    "CREATE TABLE IF NOT EXISTS drill.probes (target text PRIMARY KEY, number bigint NOT NULL)",
)
WRITE = "INSERT INTO drill.writes (writer, number) VALUES (%s, %s)"
READ = "SELECT max(position) FROM drill.writes"


class Worker(threading.Thread):
    """One thread with one connection, which it replaces whenever it is lost."""

    def __init__(self, name: str, door: Door, journal: Journal, interval: float) -> None:
        super().__init__(name=name, daemon=True)
        self.door, self.journal, self.interval = door, journal, interval
        self.stopped, self.held, self.idle = threading.Event(), threading.Event(), threading.Event()
        self.failure: BaseException | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._address = ""

    def run(self) -> None:
        """Work until it is stopped."""
        try:
            self._work()
        except BaseException as error:  # a load that broke off must not pass for one that had no trouble
            self.failure = error
            raise
        finally:
            self._drop()

    def _work(self) -> None:
        """Keep to the wanted pace. What could not be done in time is not made up for."""
        due = time.monotonic()
        while not self.stopped.is_set():
            if self.held.is_set():
                self.idle.set()
                self.stopped.wait(0.02)
                continue
            self.idle.clear()
            pause = self.interval if self._turn() else RETRY
            due = max(due + pause, time.monotonic())
            self.stopped.wait(due - time.monotonic())

    def _turn(self) -> bool:
        """Do one thing and tell whether it was done."""
        if self._connection is None:
            try:
                self._connection, self._address = self.door.connect(self.name)
            except Closed as error:
                self.journal.trouble(self.name, "connect", error)
                return False
        return self.work(self._connection, self._address)

    def work(self, connection: psycopg.Connection[Any], address: str) -> bool:
        """Do the one thing that this worker is for."""
        raise NotImplementedError

    def failed(self, kind: str, connection: psycopg.Connection[Any], error: psycopg.Error) -> bool:
        """Note an error, and tell whether the server itself said that nothing was done."""
        self.journal.trouble(self.name, kind, error)
        said = error.sqlstate is not None and not connection.closed
        # A server that turned into a replica refuses each write; the name may lead to another one by now.
        self._drop()
        return said

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Writer(Worker):
    """Commits one row at a time."""

    def __init__(self, number: int, door: Door, journal: Journal, interval: float) -> None:
        super().__init__(f"writer {number}", door, journal, interval)
        self.number = number
        self.last = 0

    def work(self, connection: psycopg.Connection[Any], address: str) -> bool:
        """Write the next row. One of unknown fate is not written again, so none can stand twice."""
        self.last += 1
        began = time.monotonic()
        try:
            connection.execute(WRITE, [self.number, self.last])
            fate = Fate.ACKNOWLEDGED
        except psycopg.Error as error:
            fate = Fate.REFUSED if self.failed("write", connection, error) else Fate.UNKNOWN
        ended = time.monotonic()
        self.journal.write(Write(self.number, self.last, began, ended, time.time(), fate, address))
        return fate is Fate.ACKNOWLEDGED


class Reader(Worker):
    """Asks for the latest row."""

    def work(self, connection: psycopg.Connection[Any], address: str) -> bool:
        """Read once."""
        try:
            connection.execute(READ).fetchone()
        except psycopg.Error as error:
            self.failed("read", connection, error)
            return False
        self.journal.read(time.monotonic())
        return True


class Insider(Worker):
    """Writes to one instance by its endpoint from inside its region, also while nobody else reaches that.

    Args:
        target: the identifier of the instance.
        door: leads there from inside the region.
    """

    def __init__(self, target: str, door: Door, journal: Journal) -> None:
        # What it meets is no application's trouble, so that is kept apart.
        super().__init__(f"insider of {target}", door, Journal(), PAUSE)
        self.target, self._noted = target, journal

    def work(self, connection: psycopg.Connection[Any], address: str) -> bool:
        """Write once."""
        began = time.monotonic()
        try:
            connection.execute(PROBE, [f"inside, {self.target}"])
        except psycopg.Error as error:
            self.failed("write", connection, error)
            return False
        self._noted.probe_inside(Probe(self.target, began, time.monotonic(), accepted=True))
        return True


class Load:
    """All writers and readers.

    Args:
        rate: writes a second, of all writers together.
    """

    def __init__(self, door: Door, journal: Journal, writers: int, readers: int, rate: float) -> None:
        if not 0 < rate <= HIGHEST_RATE:
            raise ValueError(f"the rate is {rate:g} writes a second, allowed: above 0, up to {HIGHEST_RATE}")
        interval = writers / rate
        self.workers: list[Worker] = [Writer(number, door, journal, interval) for number in range(1, writers + 1)]
        self.workers += [Reader(f"reader {number}", door, journal, 0.05) for number in range(1, readers + 1)]

    def start(self) -> None:
        """Begin to write and read."""
        for worker in self.workers:
            worker.start()

    def hold(self, wait: Callable[[Callable[[], bool], str], None]) -> None:
        """Let everything under way come to its end, and begin nothing."""
        for worker in self.workers:
            worker.held.set()
        wait(lambda: all(worker.idle.is_set() or not worker.is_alive() for worker in self.workers), "the load to rest")

    def broken(self) -> str:
        """Return which worker has ended by an error that it should have met, and by which; empty if none has."""
        return next((f"{one.name}: {one.failure!r}" for one in self.workers if one.failure), "")

    def resume(self) -> None:
        """Go on."""
        for worker in self.workers:
            worker.held.clear()
            worker.idle.clear()

    def stop(self) -> None:
        """End all workers, and wait for them."""
        for worker in self.workers:
            worker.stopped.set()
        for worker in self.workers:
            if worker.is_alive():
                worker.join(timeout=10)
