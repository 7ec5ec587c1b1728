# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of a history, on histories made by hand."""

from __future__ import annotations

from tests.drill.history import check
from tests.drill.records import Fate, Row, Write

ACKNOWLEDGED, REFUSED, UNKNOWN = Fate.ACKNOWLEDGED, Fate.REFUSED, Fate.UNKNOWN


def write(number: int, fate: Fate = ACKNOWLEDGED, writer: int = 1, at: float | None = None) -> Write:
    """Return a write that took a tenth of a second, the one with number 3 at second 3."""
    ended = float(number) if at is None else at
    return Write(writer, number, ended - 0.1, ended, 1_800_000_000 + ended, fate, "127.0.0.2")


def rows(*numbers: int, writer: int = 1) -> list[Row]:
    """Return rows of a writer, in the order in which the server counted them."""
    return [Row(writer, number, position * 10 + writer) for position, number in enumerate(numbers, start=1)]


def test_a_history_without_a_fault_is_whole() -> None:
    verdict = check([write(1), write(2), write(1, writer=2)], [*rows(1, 2), *rows(1, writer=2)])
    assert verdict.whole
    assert (verdict.acknowledged, verdict.lost, verdict.span_seconds) == (3, [], 0.0)


def test_an_acknowledged_write_that_is_not_there_is_lost() -> None:
    verdict = check([write(1), write(2), write(3)], rows(1), cut=3.5)
    assert [one.number for one in verdict.lost] == [2, 3]
    assert verdict.span_seconds == 1.0
    assert verdict.whole, "what was cut off at one moment leaves no hole"


def test_what_is_written_after_the_cut_makes_no_hole_of_what_was_lost_before() -> None:
    verdict = check([write(1), write(2), write(3, at=9)], rows(1, 3), cut=2.5)
    assert [one.number for one in verdict.lost] == [2]
    assert verdict.holes == []


def test_a_lost_write_between_others_is_a_hole() -> None:
    verdict = check([write(1), write(2), write(3)], rows(1, 3), cut=3.5)
    assert [one.number for one in verdict.lost] == [one.number for one in verdict.holes] == [2]
    assert not verdict.whole
    assert not check([write(1), write(2), write(3)], rows(1, 3)).whole


def test_a_write_that_stands_twice_is_doubled() -> None:
    verdict = check([write(1), write(2)], rows(1, 2, 2))
    assert verdict.doubled == {(1, 2): 2}
    assert not verdict.whole


def test_a_write_of_unknown_fate_may_stand_or_not() -> None:
    verdict = check([write(1), write(2, UNKNOWN), write(3, UNKNOWN), write(4)], rows(1, 2, 4))
    assert (verdict.unknown_present, verdict.unknown_absent) == (1, 1)
    assert verdict.whole and verdict.lost == []
    assert verdict.acknowledged == 2


def test_a_refused_write_must_not_stand() -> None:
    verdict = check([write(1), write(2, REFUSED), write(3, REFUSED)], rows(1, 3))
    assert verdict.resurrected == [(1, 3)]
    assert not verdict.whole


def test_a_row_that_nobody_wrote_is_foreign() -> None:
    verdict = check([write(1)], [*rows(1), *rows(7, writer=9)])
    assert verdict.foreign == [(9, 7)]
    assert not verdict.whole


def test_rows_out_of_their_order_are_found_by_writer() -> None:
    writes = [write(1), write(2), write(1, writer=2), write(2, writer=2)]
    verdict = check(writes, [*rows(2, 1), *rows(1, 2, writer=2)])
    assert verdict.disordered == [1]
    assert not verdict.whole


def test_the_order_is_that_of_the_server_not_that_of_the_answer() -> None:
    assert check([write(1), write(2)], list(reversed(rows(1, 2)))).whole
