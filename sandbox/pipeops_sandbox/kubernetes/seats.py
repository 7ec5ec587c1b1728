"""A seat: one cluster's control plane, and the thread on which its work is done, in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from .controller import Controller
from .records import Record
from .server import KubeServer
from .tokens import VALID_SECONDS

log = logging.getLogger(__name__)


class Seat:
    """Where a cluster's control plane lives.

    Args:
        place: the directory of all clusters.
        failed: called with the error when work fails.
    """

    def __init__(self, record: Record, place: Path, failed: Callable[[Seat, Exception], None]) -> None:
        self.record = record
        self.directory = place / record.id
        self.server: KubeServer | None = None
        self.controller: Controller | None = None
        self.trouble = ""
        self.open = False
        self.token_seconds = VALID_SECONDS
        self._failed = failed
        self._closing = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"eks-{record.name}")
        self._work: list[Future[None]] = []
        record.save(self.directory)

    @property
    def busy(self) -> bool:
        """Tell whether work is under way."""
        self._work = [one for one in self._work if not one.done()]
        return bool(self._work)

    @property
    def closing(self) -> bool:
        """Tell whether it is being given up."""
        return self._closing.is_set()

    def submit(self, job: Callable[[], None]) -> None:
        """Do something after what is being done."""
        self._work.append(self._thread.submit(self._run, job))

    def _run(self, job: Callable[[], None]) -> None:
        if self.closing:
            return
        try:
            job()
        except Exception as error:  # whatever it is, the cluster has to show it
            if not self.closing:
                log.exception("the control plane of %s in %s", self.record.name, self.record.region)
                self._failed(self, error)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until nothing is left to do, or so many seconds."""
        wait(list(self._work), seconds)

    def halt(self) -> None:
        """Let clients wait, and the controllers of the sandbox rest."""
        self.open = False
        controller, self.controller = self.controller, None
        if controller:
            controller.stop()

    def close(self) -> None:
        """Give up what is not begun, and end the processes."""
        self._closing.set()
        self.halt()
        if self.server:
            self.server.stop()
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self.server:
            # What was being started when it was told to stop.
            self.server.stop()
