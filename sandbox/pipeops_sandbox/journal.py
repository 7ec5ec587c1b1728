"""Every call that came in: the evidence that a converged run changes nothing, and of what a run costs."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

MAX_ENTRIES = 200_000


@dataclass
class Entry:
    """One call.

    ``time`` is model time and ``wall`` real time, both in seconds since 1970; ``ms`` is what the call took.
    ``status`` 0 means that the client got no answer.
    """

    n: int
    time: float
    wall: float
    ms: float
    service: str
    operation: str
    region: str
    mutating: bool
    status: int
    error: str
    principal: str
    fault: str


class Journal:
    """The latest calls in memory, and all of them in a file when there is a state directory."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=MAX_ENTRIES)
        self._n = 0
        self._file = path.open("a", encoding="utf-8", buffering=1) if path else None

    def add(self, entry: Entry) -> None:
        """Number an entry and keep it."""
        with self._lock:
            self._n += 1
            entry.n = self._n
            self._entries.append(entry)
            if self._file:
                self._file.write(json.dumps(asdict(entry)) + "\n")

    def entries(self, since: int = 0, mutating: bool | None = None) -> list[Entry]:
        """Return the calls after number ``since``, oldest first."""
        with self._lock:
            rows = list(self._entries)
        return [row for row in rows if row.n > since and mutating in (None, row.mutating)]

    @property
    def count(self) -> int:
        """The number of the latest call."""
        return self._n

    def clear(self) -> int:
        """Forget what is in memory, and return how many calls that were; numbers go on, and the file stays."""
        with self._lock:
            gone = len(self._entries)
            self._entries.clear()
            return gone
