"""The TCP network in front of the servers, in a process of its own: ``python -m pipeops_sandbox.postgres.network``.

It gets the doors that there are to be as lines of JSON on its standard input, and answers each line on its
standard output. A door listens on an address and leads to a server. When the input ends, the sandbox is gone:
then the servers below the directory in the first argument are ended too.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import signal
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .greeting import Refused, welcome

CHUNK = 65536
IN_FLIGHT = 1024
"""Chunks that a link holds before it slows its sender down."""

_Line = asyncio.Queue[tuple[float, bytes]]


@dataclass(frozen=True)
class Door:
    """Where clients come in, and where that leads to.

    Attributes:
        open: whether new connections get through. Otherwise they hang, as with a packet filter.
        alive: whether there is a network at all. When it goes, what is connected is cut.
        delay: seconds that data are on the way, in each direction.
        certificate: the file with key and certificate for TLS, which ends at the door; empty: bytes pass as they are.
        forced: whether clients must use TLS.
    """

    host: str
    port: int
    target: str
    target_port: int
    open: bool = True
    alive: bool = True
    delay: float = 0.0
    certificate: str = ""
    forced: bool = False


def cut(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset, and drop what is on its way."""
    found = writer.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Gate:
    """A door at work."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._server: asyncio.Server | None = None
        self._flows: set[asyncio.StreamWriter] = set()
        self._waiting: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._accept, self.door.host, self.door.port, limit=CHUNK)

    async def close(self) -> None:
        """Take none any more, and cut those there are."""
        if self._server:
            self._server.close()
        self._cut(self._flows | self._waiting)

    def change(self, door: Door) -> None:
        """Take over what has changed; flows that stand stay as long as there is a network."""
        old, self.door = self.door, door
        if old.alive and not door.alive:
            self._cut(self._flows)
        if (door.alive and door.open) and not (old.alive and old.open):
            # Whoever waits tries again, and gets through.
            self._cut(self._waiting)

    @staticmethod
    def _cut(writers: set[asyncio.StreamWriter]) -> None:
        for writer in list(writers):
            cut(writer)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if not (self.door.open and self.door.alive):
                await self._hold(reader, writer)
            else:
                await self._connect(reader, writer)

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a client wait for an answer that does not come, until it gives up."""
        self._waiting.add(writer)
        try:
            while await reader.read(CHUNK):
                pass
        finally:
            self._waiting.discard(writer)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._flows.add(writer)
        far: asyncio.StreamWriter | None = None
        refused = False
        try:
            first = b""
            if self.door.certificate:
                first = await welcome(reader, writer, self.door.certificate, self.door.forced)
            await asyncio.sleep(2 * self.door.delay)
            far_reader, far = await asyncio.open_connection(self.door.target, self.door.target_port, limit=CHUNK)
            self._flows.add(far)
            far.write(first)
            if not writer.transport.is_closing():
                await self._carry((reader, far), (far_reader, writer))
        except Refused:
            refused = True
        finally:
            for one in filter(None, (writer, far)):
                self._flows.discard(one)
                # Whoever is refused is to read why, so that is no reset.
                one.close() if refused else cut(one)

    async def _carry(self, *directions: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Carry both directions until both have ended, or one has failed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for reader, writer in directions:
                    line: _Line = asyncio.Queue(IN_FLIGHT)
                    tasks.create_task(self._send(reader, line))
                    tasks.create_task(self._deliver(line, writer))
        except* OSError:
            pass

    async def _send(self, reader: asyncio.StreamReader, line: _Line) -> None:
        """Put what comes on the line. Its last chunk is empty: the end of a stream travels like data."""
        clock = asyncio.get_running_loop().time
        data = b"-"
        while data:
            data = await reader.read(CHUNK)
            await line.put((clock() + self.door.delay, data))

    @staticmethod
    async def _deliver(line: _Line, writer: asyncio.StreamWriter) -> None:
        """Hand on each chunk after its time on the way; several are on the way at once."""
        clock = asyncio.get_running_loop().time
        while True:
            due, data = await line.get()
            if (left := due - clock()) > 0:
                await asyncio.sleep(left)
            if not data:
                # TLS has no half-closed connections.
                writer.write_eof() if writer.can_write_eof() else writer.close()
                return
            writer.write(data)
            await writer.drain()


class Network:
    """All doors."""

    def __init__(self) -> None:
        self._gates: dict[str, Gate] = {}

    async def take(self, wanted: dict[str, Door]) -> dict[str, str]:
        """Bring the doors to what is wanted; return why those that cannot be are not there."""
        errors: dict[str, str] = {}
        for name, gate in list(self._gates.items()):
            door = wanted.get(name)
            if door is None or _place(door) != _place(gate.door):
                await gate.close()
                del self._gates[name]
            else:
                gate.change(door)
        for name, door in wanted.items():
            if name not in self._gates:
                gate = Gate(door)
                try:
                    await gate.listen()
                    self._gates[name] = gate
                except OSError as error:
                    errors[name] = f"{door.host}:{door.port}: {error}"
        return errors


def _place(door: Door) -> tuple[str, int, str, int]:
    return door.host, door.port, door.target, door.target_port


async def serve() -> None:
    """Follow the lines of the standard input until it ends."""
    reader = asyncio.StreamReader(limit=2**24)
    # What becomes of single connections is nobody's news.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    network = Network()
    _say({"ready": True})
    while line := await reader.readline():
        request: dict[str, Any] = json.loads(line)
        doors = {name: Door(**door) for name, door in request["doors"].items()}
        _say({"n": request["n"], "errors": await network.take(doors)})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main(place: Path) -> None:
    """Serve while the sandbox lives, then end the servers that it left."""
    # Ctrl-C is for the sandbox, which then ends this process by closing its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with (place / "network.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        from .server import tidy  # noqa: PLC0415 - the network is up sooner without it

        try:
            asyncio.run(serve())
        finally:
            tidy(place / "servers")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
