# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Positions in PostgreSQL's write-ahead log, which it writes as ``0/3000148``."""

from __future__ import annotations

import re

#: Two numbers of 32 bits in hexadecimal (PostgreSQL manual, "pg_lsn Type").
POSITION = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")


def bytes_of(position: str) -> int:
    """Return a position as the number of bytes since the log began, so that positions can be compared.

    Raises:
        ValueError: if it is no position.
    """
    found = POSITION.fullmatch(position)
    if not found:
        raise ValueError(f"{position!r} is no position in the write-ahead log, such as 0/3000148")
    return (int(found[1], 16) << 32) + int(found[2], 16)


def missing(position: str, replayed: str | None) -> int | None:
    """Return how many bytes of log lie between a position and what has been replayed, 0 if it has been passed.

    None if it is not known what has been replayed.
    """
    return None if replayed is None else max(0, bytes_of(position) - bytes_of(replayed))
