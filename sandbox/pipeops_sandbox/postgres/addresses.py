"""Loopback addresses of the servers, one for each, and the ports below RDS's own on them."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable
from pathlib import Path

SERVER_PORT, LINK_PORT = 1100, 1101
"""Where a server listens, and where a replica's link to its source begins. RDS's own ports begin at 1150."""


def seen_from(address: str, number: int) -> str:
    """Return the address under which the callers of a Region find what outside goes by another one.

    Args:
        number: of the Region, from 1.
    """
    first, second, third, last = address.split(".")
    return f"{first}.{second}.{(int(third) + number) % 256}.{last}"


def free_address(place: Path, taken: Iterable[str], ports: Iterable[int]) -> str:
    """Return a loopback address that nobody has: the same in each run for the same directory and order of instances.

    Raises:
        OSError: if none of the sandbox's 254 is free.
    """
    digest = hashlib.sha256(str(place).encode()).digest()
    prefix = f"127.{16 + digest[0] % 200}.{digest[1]}"
    used = set(taken)
    for number in range(1, 255):
        address = f"{prefix}.{number}"
        if address not in used and all(_free(address, port) for port in ports):
            return address
    raise OSError(f"no free address in {prefix}.0/24 on this machine")


def _free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
