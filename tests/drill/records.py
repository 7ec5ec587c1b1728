# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is noted while a drill runs. All times are seconds of this machine's monotonic clock, unless they say wall."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What a client knows of its write."""

    ACKNOWLEDGED = "acknowledged"
    """The server said that it is committed."""
    REFUSED = "refused"
    """The server said that it is not, or it was never sent."""
    UNKNOWN = "unknown"
    """It was under way when the connection was lost."""


@dataclass(frozen=True, slots=True)
class Write:
    """One row that a client wrote, or tried to.

    Attributes:
        number: counts the writes of this writer, from 1.
        server: the address that it went to, empty if there was no connection.
        ended_wall: when it ended, in seconds since 1970.
    """

    writer: int
    number: int
    began: float
    ended: float
    ended_wall: float
    fate: Fate
    server: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error that a client met.

    Attributes:
        kind: what it was doing: ``connect``, ``write`` or ``read``.
    """

    at: float
    worker: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands on a server.

    Attributes:
        position: what the server counted it as; later rows have higher ones.
    """

    writer: int
    number: int
    position: int


@dataclass(frozen=True, slots=True)
class Probe:
    """One attempted write straight to a server.

    Attributes:
        target: the identifier of the instance, or the address that the published name led to.
    """

    target: str
    began: float
    ended: float
    accepted: bool


@dataclass
class Milestone:
    """A moment that a report marks."""

    at: float
    text: str


@dataclass
class Phase:
    """A part of the drill: what was done, and when.

    Attributes:
        kind: ``calm``, ``disaster``, ``failback``, ``switchover`` or ``check``.
        figures: what was measured, by name.
    """

    name: str
    kind: str
    began: float
    ended: float = 0.0
    milestones: list[Milestone] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)


class Journal:
    """Everything that was noted. Many threads write into it."""

    def __init__(self) -> None:
        self.zero, self.zero_wall = time.monotonic(), time.time()
        self._lock = threading.Lock()
        self._writes: list[Write] = []
        self._acknowledged: list[Write] = []
        self._reads: list[float] = []
        self._troubles: list[Trouble] = []
        self._probes: list[Probe] = []
        self._named: list[Probe] = []
        self._inside: list[Probe] = []
        self.phases: list[Phase] = []

    def write(self, entry: Write) -> None:
        """Note a write."""
        with self._lock:
            self._writes.append(entry)
            if entry.fate is Fate.ACKNOWLEDGED:
                self._acknowledged.append(entry)

    def read(self, at: float) -> None:
        """Note a read that was answered."""
        with self._lock:
            self._reads.append(at)

    def trouble(self, worker: str, kind: str, error: BaseException) -> None:
        """Note an error."""
        text = " ".join(str(error).split()) or type(error).__name__
        with self._lock:
            self._troubles.append(Trouble(time.monotonic(), worker, kind, text))

    def probe(self, entry: Probe, *, by_name: bool) -> None:
        """Note a probe of an instance, or of what the published name leads to."""
        with self._lock:
            (self._named if by_name else self._probes).append(entry)

    def probe_inside(self, entry: Probe) -> None:
        """Note a write of a client that sits in the region of its instance."""
        with self._lock:
            self._inside.append(entry)

    @property
    def inside_probes(self) -> list[Probe]:
        """All writes so far of clients that sit in the region of their instance."""
        with self._lock:
            return list(self._inside)

    @property
    def writes(self) -> list[Write]:
        """All writes so far, in the order in which they ended."""
        with self._lock:
            return list(self._writes)

    @property
    def acknowledged(self) -> list[Write]:
        """The writes that were acknowledged so far, in the order of the acknowledgements."""
        with self._lock:
            return list(self._acknowledged)

    def acknowledged_since(self, number: int) -> list[Write]:
        """Return the acknowledged writes but for so many first ones; a number below zero counts from the end."""
        with self._lock:
            return self._acknowledged[number:]

    @property
    def acknowledged_count(self) -> int:
        """How many writes were acknowledged so far."""
        with self._lock:
            return len(self._acknowledged)

    @property
    def reads(self) -> list[float]:
        """When reads were answered."""
        with self._lock:
            return list(self._reads)

    @property
    def troubles(self) -> list[Trouble]:
        """All errors so far."""
        with self._lock:
            return list(self._troubles)

    @property
    def probes(self) -> list[Probe]:
        """All probes of instances so far."""
        with self._lock:
            return list(self._probes)

    @property
    def named_probes(self) -> list[Probe]:
        """All probes of what the published name leads to so far."""
        with self._lock:
            return list(self._named)
