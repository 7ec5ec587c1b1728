"""TLS for a psql that was built without it, as the wheel's is: it talks in the clear to this process only."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import struct
from collections.abc import Mapping, Sequence

from .greeting import TLS

CHUNK = 65536


def run(program: str, arguments: Sequence[str], environment: Mapping[str, str], address: str, port: int) -> int:
    """Run psql against a server behind TLS, and return its status.

    Args:
        address: the server's, with ``port``. What ``environment`` says of both is replaced.
    """
    return asyncio.run(_run([program, *arguments], dict(environment), address, port))


async def _run(command: list[str], environment: dict[str, str], address: str, port: int) -> int:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            far_reader, far = await _encrypted(address, port)
            await asyncio.gather(_pump(reader, far), _pump(far_reader, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    host, near_port = server.sockets[0].getsockname()
    environment |= {"PGHOSTADDR": host, "PGPORT": str(near_port)}
    # Ctrl-C is psql's own: it cancels a query.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = await asyncio.create_subprocess_exec(*command, env=environment, preexec_fn=_hear_ctrl_c)
    return await process.wait()


def _hear_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def _encrypted(address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(struct.pack("!II", 8, TLS))
    if await reader.readexactly(1) == b"S":
        # As sslmode=require: encrypted, whoever it is.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await writer.start_tls(context)
    return reader, writer


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
