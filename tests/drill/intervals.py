# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When servers took writes, from probes or from writes, and when two did at once. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tests.drill.records import Fate, Probe, Write


@dataclass(frozen=True)
class Interval:
    """A time in which every probe of a target was accepted: from the beginning of the first to the end of the last."""

    began: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True)
class Overlap:
    """A time in which two targets took writes."""

    targets: tuple[str, str]
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began


def writable(probes: Iterable[Probe], patience: float) -> dict[str, list[Interval]]:
    """Return when each target took writes.

    Args:
        probes: in any order.
        patience: seconds without an answer after which nobody knows whether a target still took writes.
    """
    by_target: dict[str, list[Probe]] = defaultdict(list)
    for probe in probes:
        by_target[probe.target].append(probe)
    return {target: _runs(sorted(own, key=lambda one: one.began), patience) for target, own in by_target.items()}


def _runs(probes: Sequence[Probe], patience: float) -> list[Interval]:
    runs: list[Interval] = []
    going = False
    for probe in probes:
        if probe.accepted and going and probe.began - runs[-1].ended <= patience:
            runs[-1] = Interval(runs[-1].began, max(runs[-1].ended, probe.ended))
        elif probe.accepted:
            runs.append(Interval(probe.began, probe.ended))
        going = probe.accepted
    return runs


def overlaps(by_target: Mapping[str, Sequence[Interval]]) -> list[Overlap]:
    """Return all times in which two targets took writes at once, in order of time."""
    found = []
    for (one, first), (two, second) in combinations(sorted(by_target.items()), 2):
        for a in first:
            for b in second:
                began, ended = max(a.began, b.began), min(a.ended, b.ended)
                if began < ended:
                    found.append(Overlap((one, two), began, ended))
    return sorted(found, key=lambda overlap: overlap.began)


def across(inside: Mapping[str, Sequence[Interval]], outside: Mapping[str, Sequence[Interval]]) -> list[Overlap]:
    """Return all times in which a target took writes by one look, and another target by another look."""
    found = []
    for one, first in sorted(inside.items()):
        others = {name: runs for name, runs in outside.items() if name != one}
        found += [overlap for name, runs in others.items() for overlap in overlaps({one: first, name: runs})]
    return sorted(found, key=lambda overlap: overlap.began)


def written(writes: Iterable[Write], patience: float) -> dict[str, list[Interval]]:
    """Return when clients had writes acknowledged, by the server that did."""
    made = [
        Probe(write.server, write.began, write.ended, accepted=True)
        for write in writes
        if write.fate is Fate.ACKNOWLEDGED
    ]
    return writable(made, patience)
