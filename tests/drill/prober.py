# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches which servers take writes: each instance by its own endpoint, and whatever the published name leads to."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import Any

import psycopg
from botocore.exceptions import BotoCoreError, ClientError

from tests.drill.door import Closed, Door
from tests.drill.records import Journal, Probe

#: Seconds between two probes of a target.
PAUSE = 0.12
#: Seconds after which an attempt to connect is given up for the next one: a fenced server does not answer at all.
CONNECT_SECONDS = 0.6
ANSWER_SECONDS = 2.0
#: Seconds between two looks at which instances there are.
LOOK = 1.0
PROBE = (
    "INSERT INTO drill.probes AS own (target, number) VALUES (%s, 1)"
    " ON CONFLICT (target) DO UPDATE SET number = own.number + 1"
)
Connection = psycopg.AsyncConnection[Any]
#: A connection that is lost, refused or not made in time.
TROUBLE = (psycopg.Error, OSError, TimeoutError, Closed)


class Prober(threading.Thread):
    """Probes all targets side by side in a thread of its own, and commits what it writes.

    Attributes:
        addresses: the instances by the addresses that their endpoints have led to.
    """

    def __init__(self, door: Door, journal: Journal) -> None:
        super().__init__(name="prober", daemon=True)
        self.door, self.journal = door, journal
        self.addresses: dict[str, str] = {}
        self.failure: BaseException | None = None
        self._endpoints: dict[str, tuple[str, str]] = {}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Probe until it is stopped."""
        try:
            asyncio.run(self._watch())
        except BaseException as error:  # a watch that broke off must not pass for one that saw nothing
            self.failure = error
            raise

    def stop(self) -> None:
        """End it, and wait for it."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=15)

    async def _watch(self) -> None:
        tasks = {"": asyncio.create_task(self._watch_name())}
        while not self._stopped.is_set():
            await asyncio.to_thread(self._look)
            for identifier in self._endpoints.keys() - tasks.keys():
                tasks[identifier] = asyncio.create_task(self._watch_instance(identifier))
            for identifier in tasks.keys() - self._endpoints.keys() - {""}:
                tasks.pop(identifier).cancel()
            for task in tasks.values():
                if task.done():
                    task.result()
            await asyncio.sleep(LOOK)
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _look(self) -> None:
        """See which instances there are. Those of a region that does not answer may well run on."""
        found: dict[str, tuple[str, str]] = {}
        for region in self.door.regions:
            try:
                instances = self.door.client("rds", region).describe_db_instances()["DBInstances"]
            except (BotoCoreError, ClientError):
                found |= {name: place for name, place in self._endpoints.items() if place[0] == region}
                continue
            for one in instances:
                if one.get("Endpoint"):
                    found[one["DBInstanceIdentifier"]] = (region, one["Endpoint"]["Address"])
        self._endpoints = found

    async def _watch_instance(self, identifier: str) -> None:
        connection: Connection | None = None
        try:
            while (place := self._endpoints.get(identifier)) is not None:
                began = time.monotonic()
                try:
                    connection = connection or await self._open(place[1], identifier)
                    accepted = await attempt(connection, identifier)
                except TROUBLE:
                    await close(connection)
                    accepted, connection = False, None
                self.journal.probe(Probe(identifier, began, time.monotonic(), accepted), by_name=False)
                await asyncio.sleep(PAUSE)
        finally:
            await close(connection)

    async def _open(self, endpoint: str, identifier: str) -> Connection:
        address = await self.door.resolve_soon(endpoint)
        self.addresses[address] = identifier
        return await self._connect(endpoint, address)

    async def _connect(self, host: str, address: str) -> Connection:
        options = await asyncio.to_thread(self.door.options, host, address, "drill prober")
        async with asyncio.timeout(CONNECT_SECONDS):
            return await psycopg.AsyncConnection.connect(**options)

    async def _watch_name(self) -> None:
        """Probe what the name leads to, and on what it led to before for as long as those connections live."""
        held: dict[str, Connection] = {}
        try:
            while True:
                with contextlib.suppress(*TROUBLE):
                    address = await self.door.resolve_soon(self.door.name)
                    if address not in held:
                        held[address] = await self._connect(self.door.name, address)
                for address, connection in list(held.items()):
                    await self._probe_named(held, address, connection)
                await asyncio.sleep(PAUSE)
        finally:
            for connection in held.values():
                await close(connection)

    async def _probe_named(self, held: dict[str, Connection], address: str, connection: Connection) -> None:
        began = time.monotonic()
        try:
            accepted = await attempt(connection, "by name")
        except TROUBLE:
            accepted = False
            await close(held.pop(address))
        self.journal.probe(Probe(address, began, time.monotonic(), accepted), by_name=True)


async def attempt(connection: Connection, target: str) -> bool:
    """Write, and tell whether the server took it; a replica does not.

    Raises:
        psycopg.Error, TimeoutError: if the connection is of no use any more.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.execute(PROBE, [target])
    except psycopg.errors.ReadOnlySqlTransaction:
        return False
    return True


async def close(connection: Connection | None) -> None:
    """Close a connection that may be broken already."""
    if connection is not None:
        with contextlib.suppress(*TROUBLE):
            await connection.close()
