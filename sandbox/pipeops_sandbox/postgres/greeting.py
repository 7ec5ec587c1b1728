"""How a PostgreSQL client greets: it may ask for encryption before it says who it is."""

from __future__ import annotations

import asyncio
import functools
import ssl
import struct

CANCEL, TLS, GSS = 80877102, 80877103, 80877104
"""Codes that stand in place of the protocol's version."""
HEAD = 8
REFUSAL = "no pg_hba.conf entry for this host, no encryption: rds.force_ssl is on, connect with sslmode=require"


class Refused(Exception):
    """The client has its answer, and is not let through."""


@functools.cache
def context(certificate: str) -> ssl.SSLContext:
    """Return the TLS settings of a file with key and certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, certificate: str, forced: bool) -> bytes:
    """Answer what a client asks first, and return the bytes that the server is to see first.

    Raises:
        Refused: if it talks in the clear where it must not.
        OSError: if it goes away.
    """
    encrypted = False
    while True:
        try:
            head = await reader.readexactly(HEAD)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the client went away") from error
        (code,) = struct.unpack("!4xI", head)
        if code == TLS and not encrypted:
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context(certificate))
            encrypted = True
        elif code == GSS:
            writer.write(b"N")
            await writer.drain()
        elif forced and not encrypted and code != CANCEL:
            writer.write(_error(REFUSAL))
            await writer.drain()
            raise Refused
        else:
            return head


def _error(text: str) -> bytes:
    """Return an error as the protocol has it."""
    fields = b"".join(
        key + value.encode() + b"\0" for key, value in ((b"S", "FATAL"), (b"V", "FATAL"), (b"C", "28000"), (b"M", text))
    )
    return b"E" + struct.pack("!I", 4 + len(fields) + 1) + fields + b"\0"
