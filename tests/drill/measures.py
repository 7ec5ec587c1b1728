# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the figures of a report are computed from. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from tests.drill.records import Write

PROMOTION = "Promote the standby"


def longest_gap(moments: Iterable[float], began: float, ended: float) -> tuple[float, float]:
    """Return the longest time between two moments of a time, its limits included, as beginning and end."""
    inside = [began, *sorted(one for one in moments if began <= one <= ended), ended]
    return max(pairwise(inside), key=lambda pair: pair[1] - pair[0])


def rate(moments: Iterable[float], began: float, ended: float, step: float = 0.5) -> list[tuple[float, float]]:
    """Return how many moments a second there were: the middle of each step, with the rate in it."""
    steps = max(1, round((ended - began) / step))
    counted = Counter(int((one - began) / step) for one in moments if began <= one < ended)
    return [(began + (number + 0.5) * step, counted[number] / step) for number in range(steps)]


def step_of(report: dict[str, Any], task: str) -> tuple[float, float] | None:
    """Return when a task of a playbook began and ended, in seconds since 1970; None if it did not run."""
    if not report:
        return None
    zero = datetime.fromisoformat(report["began_at"]).timestamp()
    steps = [step for step in report["steps"] if step["task"] == task]
    return (zero + steps[0]["start"], zero + steps[-1]["end"]) if steps else None


def model_seconds(to_first_write: float, promotion: float, scale: float) -> dict[str, float]:
    """Part the time to the first write into AWS's and ours, when the sandbox's clock runs faster than this machine's.

    The promotion is AWS's: it takes model time, of which ``scale`` seconds pass in a real one. Everything else is
    work of this machine, which no clock makes faster, so each of its seconds counts as one.

    Args:
        to_first_write: real seconds from the loss of the region to the first acknowledged write.
        promotion: real seconds from the call that promotes until AWS shows a database of its own.
    """
    ours = max(0.0, to_first_write - promotion)
    return {"promotion": promotion * scale, "ours": ours, "to_first_write": promotion * scale + ours}


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of all values lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def lost_of(lost: Iterable[Write], zero: float) -> list[dict[str, Any]]:
    """Return lost writes one by one, as a report carries them, in the order of their acknowledgements."""
    return [
        {
            "writer": one.writer,
            "number": one.number,
            "acknowledged": round(one.ended - zero, 3),
            "acknowledged_at": datetime.fromtimestamp(one.ended_wall, UTC).isoformat(timespec="milliseconds"),
        }
        for one in sorted(lost, key=lambda one: one.ended)
    ]
