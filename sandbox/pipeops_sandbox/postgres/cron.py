"""Runs the jobs of pg_cron: what a background worker of each server does, which the programs lack.

It talks to the servers beside the network, so it goes on while a Region is cut off; and it runs nothing on a standby.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from . import cron_schedule, pgcron
from .seats import Seat

log = logging.getLogger(__name__)
TICK = 0.1
"""Seconds between two looks whether a second has begun in which something may be due."""
WORKERS = 16
LOOK_SECONDS = 10
"""How long the look for jobs may take; a server that hangs holds up no other one."""
JOBS = "SELECT jobid, schedule, command, database, username FROM cron.job WHERE active ORDER BY jobid"
BEGUN = """
    INSERT INTO cron.job_run_details (jobid, job_pid, database, username, command, status, start_time)
    VALUES (%s, %s, %s, %s, %s, 'running', clock_timestamp()) RETURNING runid
"""
ENDED = """
    UPDATE cron.job_run_details SET status = %s, return_message = %s, end_time = clock_timestamp() WHERE runid = %s
"""


@dataclass(frozen=True)
class Job:
    """A row of ``cron.job``."""

    jobid: int
    schedule: str
    command: str
    database: str
    username: str


@dataclass
class Launcher:
    """What is kept of one server: a session to look for jobs, when each began last, and what is under way."""

    session: psycopg.Connection[Any] | None = None
    looking: Future[None] | None = None
    begun: dict[int, float] = field(default_factory=dict)
    minute: int = 0
    running: dict[int, Future[None]] = field(default_factory=dict)

    def hang_up(self) -> None:
        """End the session."""
        session, self.session = self.session, None
        if session is not None:
            session.close()


class Cron:
    """Runs the jobs of all servers, each server's beside the others'."""

    def __init__(self, seats: dict[str, Seat]) -> None:
        self._seats = seats
        self._launchers: dict[str, Launcher] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._workers: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Begin to run jobs."""
        self._stopping.clear()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="cron")
        self._thread = threading.Thread(target=self._keep_running, name="cron", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no more of them, and wait for those under way."""
        self._stopping.set()
        if self._thread:
            self._thread.join()
        if self._workers:
            self._workers.shutdown(cancel_futures=True)
        for launcher in self._launchers.values():
            launcher.hang_up()
        self._launchers.clear()

    def _keep_running(self) -> None:
        second = 0
        while not self._stopping.wait(TICK):
            if int(time.time()) == second:
                continue
            second = int(time.time())
            for resource_id in set(self._launchers) - set(self._seats):
                self._launchers.pop(resource_id).hang_up()
            for seat in list(self._seats.values()):
                self._look_at(seat)

    def _look_at(self, seat: Seat) -> None:
        """Look for due jobs of one server, unless an earlier look is not over."""
        if not (seat.record.complete and seat.server.running and pgcron.preloaded(seat.spec.parameters)):
            return
        if seat.server.standby or not self._workers:
            return
        launcher = self._launchers.setdefault(seat.record.resource_id, Launcher())
        if launcher.looking is None or launcher.looking.done():
            launcher.looking = self._workers.submit(self._look, seat, launcher)

    def _look(self, seat: Seat, launcher: Launcher) -> None:
        try:
            jobs = self._jobs(seat, launcher)
        except (psycopg.Error, OSError):
            # It is being started, stopped or restarted; a second later there is another look.
            launcher.hang_up()
            return
        now, minute = time.monotonic(), int(time.time() // 60)
        for job in jobs:
            under_way = launcher.running.get(job.jobid)
            if not (under_way and not under_way.done()) and _due(job, launcher, now, minute):
                launcher.begun[job.jobid] = now
                if self._workers and not self._stopping.is_set():
                    launcher.running[job.jobid] = self._workers.submit(run, seat, job)
        launcher.minute = minute

    @staticmethod
    def _jobs(seat: Seat, launcher: Launcher) -> list[Job]:
        if launcher.session is None or launcher.session.closed:
            launcher.session = seat.server.connect(pgcron.settings(seat.spec.parameters)["cron.database_name"])
            launcher.session.execute(f"SET statement_timeout = '{LOOK_SECONDS}s'")
        there = launcher.session.execute("SELECT to_regclass('cron.job') IS NOT NULL").fetchone()
        if not (there and there[0]):
            return []
        with launcher.session.cursor(row_factory=class_row(Job)) as cursor:
            return cursor.execute(JOBS).fetchall()


def _due(job: Job, launcher: Launcher, now: float, minute: int) -> bool:
    interval = cron_schedule.seconds(job.schedule)
    if interval is not None:
        # The looks are not exactly a second apart.
        return now - launcher.begun.get(job.jobid, 0.0) >= interval - 2 * TICK
    return minute > launcher.minute > 0 and cron_schedule.due(job.schedule, datetime.fromtimestamp(minute * 60, UTC))


def run(seat: Seat, job: Job) -> None:
    """Run a job as its user, in a session of its own, and note what came of it if the parameters say so."""
    with contextlib.suppress(psycopg.Error, OSError), seat.server.connect(job.database) as session:
        number = _noted(seat, BEGUN, job.jobid, session.info.backend_pid, job.database, job.username, job.command)
        try:
            session.execute("SET application_name = 'pg_cron'")
            session.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(job.username)))
            status, message = "succeeded", session.execute(job.command.encode()).statusmessage
        except psycopg.Error as error:
            status, message = "failed", f"ERROR: {' '.join(str(error).split())}"
            log.info("job %d of %s: %s", job.jobid, seat.spec.identifier, message)
        _noted(seat, ENDED, status, message, number)


def _noted(seat: Seat, statement: str, *values: Any) -> int | None:
    """Note something of a run, unless the parameters want no notes."""
    settings = pgcron.settings(seat.spec.parameters)
    if settings.get("cron.log_run") in ("0", "off"):
        return None
    with seat.server.connect(settings["cron.database_name"]) as session:
        cursor = session.execute(statement.encode(), values)
        row = cursor.fetchone() if cursor.description else None
        return int(row[0]) if row else None
