# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds what clients were told against what a server has. Pure: no database, no clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from tests.drill.records import Fate, Row, Write

Key = tuple[int, int]


@dataclass
class Verdict:
    """How a history came out.

    Attributes:
        acknowledged: how many acknowledged writes were looked for.
        lost: acknowledged, and not there.
        doubled: how often those are there that are there more than once, by writer and number.
        unknown_present, unknown_absent: writes of unknown fate; either is right.
        resurrected: said to be refused, and there all the same.
        foreign: rows that nobody wrote.
        disordered: writers whose rows do not stand in the order in which they were written.
        holes: lost writes after which the same writer has earlier acknowledged ones. What is cut off at one moment
            has none.
    """

    acknowledged: int = 0
    lost: list[Write] = field(default_factory=list)
    doubled: dict[Key, int] = field(default_factory=dict)
    unknown_present: int = 0
    unknown_absent: int = 0
    resurrected: list[Key] = field(default_factory=list)
    foreign: list[Key] = field(default_factory=list)
    disordered: list[int] = field(default_factory=list)
    holes: list[Write] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong but writes that are lost."""
        return not (self.doubled or self.resurrected or self.foreign or self.disordered or self.holes)

    @property
    def span_seconds(self) -> float:
        """The time that the lost writes span, from the first acknowledgement to the last."""
        ends = [write.ended for write in self.lost]
        return max(ends) - min(ends) if ends else 0.0


def check(writes: Iterable[Write], rows: Iterable[Row], cut: float | None = None) -> Verdict:
    """Hold writes against the rows of a server.

    Args:
        writes: each write once; those known to be lost from earlier are left out by the caller.
        rows: what the server has, in any order.
        cut: the moment at which a leader was lost. A writer may lose its last writes before that, but none from
            between others. Without it, every lost write counts as a hole only if a later one before it stands.
    """
    written, standing = list(writes), list(rows)
    counted = Counter((row.writer, row.number) for row in standing)
    verdict = Verdict(doubled={key: number for key, number in counted.items() if number > 1})
    known: dict[Key, Fate] = {}
    for write in written:
        key = (write.writer, write.number)
        known[key] = write.fate
        present = key in counted
        if write.fate is Fate.ACKNOWLEDGED:
            verdict.acknowledged += 1
            if not present:
                verdict.lost.append(write)
        elif write.fate is Fate.UNKNOWN:
            verdict.unknown_present += present
            verdict.unknown_absent += not present
        elif present:
            verdict.resurrected.append(key)
    verdict.foreign = sorted(key for key in counted if key not in known)
    verdict.disordered = _disordered(standing)
    verdict.holes = _holes(written, counted, verdict.lost, cut)
    return verdict


def _disordered(rows: list[Row]) -> list[int]:
    by_writer: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_writer[row.writer].append(row)
    return sorted(
        writer
        for writer, own in by_writer.items()
        if any(one.number > two.number for one, two in pairwise(sorted(own, key=lambda row: row.position)))
    )


def _holes(writes: list[Write], counted: Mapping[Key, int], lost: list[Write], cut: float | None) -> list[Write]:
    last: dict[int, int] = {}
    for write in writes:
        if (cut is None or write.ended <= cut) and (write.writer, write.number) in counted:
            last[write.writer] = max(write.number, last.get(write.writer, 0))
    return [write for write in lost if write.number < last.get(write.writer, 0)]
