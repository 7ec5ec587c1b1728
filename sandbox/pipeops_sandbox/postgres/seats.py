"""A seat: one DB instance's server, its record, and the thread on which its work is done, in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from .account import within_reach
from .binaries import nearest
from .records import Record, Spec
from .server import PgServer
from .work import Shared

log = logging.getLogger(__name__)
Failed = Callable[["Seat", str, Exception], None]


class Seat:
    """Where an instance's server lives.

    Args:
        failed: called with the status to show when work fails.
    """

    def __init__(self, record: Record, spec: Spec, shared: Shared, failed: Failed) -> None:
        self.record, self.spec, self.shared = record, spec, shared
        self.directory: Path = shared.who.own(shared.place / "servers" / record.resource_id)
        self.server = self._with_programs(record.major)
        self.trouble = ""
        self._failed = failed
        self._closing = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=spec.identifier)
        self._work: list[Future[None]] = []
        self.store()

    def _with_programs(self, major: int) -> PgServer:
        binaries = within_reach(nearest(str(major)), self.shared.place, self.shared.who)
        return PgServer(self.directory, self.record.address, binaries, self.shared.who, self.shared.secret)

    def exchange(self, major: int) -> PgServer:
        """Take the programs of another major version, and return the server as it was, which has to be stopped."""
        before, self.server = self.server, self._with_programs(major)
        self.record.major = major
        return before

    def store(self) -> None:
        """Write the record."""
        self.record.save(self.directory)

    @property
    def busy(self) -> bool:
        """Tell whether work is under way."""
        self._work = [one for one in self._work if not one.done()]
        return bool(self._work)

    def submit(self, job: Callable[[], None], status: str = "failed") -> Future[None]:
        """Do something after what is being done; if it fails, the instance shows ``status``."""
        future = self._thread.submit(self._run, job, status)
        self._work.append(future)
        return future

    def _run(self, job: Callable[[], None], status: str) -> None:
        if self._closing.is_set():
            return
        try:
            job()
        except Exception as error:  # whatever it is, the instance has to show it
            if not self._closing.is_set():
                log.exception("the server of %s in %s", self.spec.identifier, self.spec.region)
                self._failed(self, status, error)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until nothing is left to do, or so many seconds."""
        wait(list(self._work), seconds)

    def close(self, mode: str = "fast") -> None:
        """Give up what is not begun, and stop the server."""
        self._closing.set()
        if mode == "immediate":
            self.server.stop(mode)
        self._thread.shutdown(wait=True, cancel_futures=True)
        self.server.stop(mode)

    def remove(self) -> None:
        """Stop the server and drop its data."""
        self.close("immediate")
        self.shared.discard(self.directory)
