# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m write_guard``: guard until SIGTERM. Exit status: 0 ended, 2 the settings are wrong."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psycopg
from botocore.exceptions import BotoCoreError, ClientError
from dns.exception import DNSException

from .database import Database
from .guard import turn
from .settings import Settings, SettingsError
from .witness import Witness

log = logging.getLogger("write_guard")
#: What ends a turn, and is tried again in the next one.
TROUBLE = (psycopg.Error, BotoCoreError, ClientError, DNSException, OSError)


def guard(settings: Settings, stop: threading.Event) -> None:
    """Take turns until it is stopped."""
    server, witness = Database(settings), Witness(settings)
    last, due = "", time.monotonic()
    while not stop.is_set():
        try:
            step = turn(settings, server, witness)
            if step != last:
                log.warning("%s: %s", settings.environment, step)
            last = step
            if settings.alive_file:
                Path(settings.alive_file).touch()
        except TROUBLE as error:
            said = " ".join(str(error).split())
            if said != last:
                log.warning("%s: %s", settings.endpoint, said)
            last = said
        due = max(due + settings.interval_seconds, time.monotonic())
        stop.wait(due - time.monotonic())
    server.forget()


def main() -> int:
    """Run the guard that the environment describes, and return the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = Settings.read(os.environ)
    except SettingsError as error:
        log.error("%s", error)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    guard(settings, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
