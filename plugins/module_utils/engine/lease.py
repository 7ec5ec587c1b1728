# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease of a deployment lock as every process of a run sees it: a file, and a clock that no suspension stops.

Whoever holds the lock writes a file for each lease, and goes on writing it as the lease is renewed. What is about to
change something looks at all of them, without a call: a run may change things for exactly as long as all are valid.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .errors import EngineError

#: How the names of operations begin that change nothing. Any other operation needs a valid lease.
READS = ("Describe", "List", "Get", "Head", "Lookup", "BatchGet", "Query", "Scan", "Search", "AssumeRole")
#: CLOCK_BOOTTIME goes on while the machine sleeps; where there is none, the monotonic clock has to do.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_bound: dict[Path, frozenset[str]] = {}


class LeaseLost(EngineError):
    """The run does not hold its deployment lock any more, so it must not change anything."""


@dataclass(frozen=True)
class Lease:
    """One lease.

    Attributes:
        environment: whose lock it is.
        token: the fencing token of the lock: every holder's is greater than those of all before it.
        deadline: when this run stops to rely on it, in seconds of :func:`now`; some seconds before others may take it.
        lost: why it is lost for good; empty while it is not.
        keeper: the process that renews it.
    """

    environment: str
    token: int
    deadline: float
    lost: str = ""
    keeper: int = 0

    def write(self, folder: Path) -> None:
        """Put it where the other processes of the run read it, at once and whole."""
        target = folder / f"{self.environment}.json"
        beside = target.with_suffix(".new")
        beside.write_text(json.dumps(asdict(self)), "utf-8")
        beside.replace(target)

    @property
    def problem(self) -> str:
        """Why nothing may be changed under it now; empty if it is valid."""
        if self.lost:
            return self.lost
        late = now() - self.deadline
        return f"it was not renewed in time: its last renewal ran out {late:.0f} s ago" if late >= 0 else ""


def now() -> float:
    """Return seconds that also pass while this machine or this process is suspended; the same in all processes."""
    return time.clock_gettime(_CLOCK)


def read_leases(folder: Path) -> dict[str, Lease]:
    """Return the leases of a run, by environment."""
    found = {}
    for path in folder.glob("*.json"):
        fields: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
        found[path.stem] = Lease(**fields)
    return found


def bind(folder: Path) -> None:
    """Let this process change things only under the leases that are in a folder now. Without any, it is free."""
    _bound.clear()
    names = frozenset(path.stem for path in folder.glob("*.json"))
    if names:
        _bound[folder] = names


def insist(what: str) -> None:
    """Refuse a change unless every lease of the run is valid at this moment.

    Args:
        what: the change, for the message.

    Raises:
        LeaseLost: if one is not.
    """
    for folder, names in _bound.items():
        leases = read_leases(folder)
        for name in sorted(names):
            problem = leases[name].problem if name in leases else "the run that held it has ended"
            if problem:
                raise LeaseLost(
                    f"Stopped before {what}: this run has lost the deployment lock of {name}; {problem}. What it did "
                    "until then stands. Run it again: it goes on where this one stopped."
                )


def guard(client: Any) -> None:
    """Make a client of boto3 refuse, right before it sends it, every request that would change something unlocked."""
    client.meta.events.register("before-send", _before_send)


def _before_send(event_name: str, **_request: Any) -> None:
    # before-send.SERVICE.OPERATION; each try of a call comes through here again.
    _event, service, operation = event_name.split(".", 2)
    if not operation.startswith(READS):
        insist(f"{service}:{operation}")
