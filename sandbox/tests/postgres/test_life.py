"""Servers live as long as the sandbox, their data longer."""

from __future__ import annotations

import os
import signal
from typing import Any

import psutil
import psycopg

from .conftest import wait_until


def servers(program: Any) -> list[psutil.Process]:
    """Return the PostgreSQL servers of a sandbox."""
    place = str(program.directory)
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "-D" in words and any(word.startswith(place) for word in words):
            found.append(process)
    return found
