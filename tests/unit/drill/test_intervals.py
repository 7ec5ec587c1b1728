# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who took writes when, on probes made by hand."""

from __future__ import annotations

from tests.drill.intervals import Interval, overlaps, writable, written
from tests.drill.records import Fate, Probe, Write

PATIENCE = 1.0


def probes(target: str, *moments: float, accepted: bool = True) -> list[Probe]:
    return [Probe(target, at, at + 0.01, accepted) for at in moments]


def test_accepted_probes_in_a_row_are_one_interval() -> None:
    found = writable([*probes("prod", 1, 1.5, 2), *probes("prod", 2.5, accepted=False), *probes("prod", 3)], PATIENCE)
    assert found == {"prod": [Interval(1, 2.01), Interval(3, 3.01)]}


def test_a_silence_is_no_proof() -> None:
    assert writable(probes("prod", 1, 4), PATIENCE) == {"prod": [Interval(1, 1.01), Interval(4, 4.01)]}


def test_a_target_that_never_took_a_write_has_no_interval() -> None:
    assert writable(probes("replica", 1, 2, accepted=False), PATIENCE) == {"replica": []}


def test_two_that_took_writes_at_once_are_seen_with_how_long() -> None:
    (found,) = overlaps(writable([*probes("prod", 1, 1.5, 2, 2.5), *probes("dr", 2, 2.5, 3)], PATIENCE))
    assert found.targets == ("dr", "prod")
    assert (found.began, round(found.seconds, 2)) == (2, 0.51)


def test_one_after_the_other_is_no_overlap() -> None:
    assert overlaps(writable([*probes("prod", 1, 1.5), *probes("dr", 2, 2.5)], PATIENCE)) == []


def test_each_pair_is_seen() -> None:
    three = [probe for target in ("a", "b", "c") for probe in probes(target, 1, 1.5)]
    assert len(overlaps(writable(three, PATIENCE))) == 3


def test_one_returning_twice_is_seen_twice() -> None:
    prod = [*probes("prod", 1, 1.5), *probes("prod", 2, accepted=False), *probes("prod", 3, 3.5)]
    assert len(overlaps(writable([*prod, *probes("dr", 1, 1.5, 2, 2.5, 3, 3.5)], PATIENCE))) == 2


def test_writes_of_the_load_count_by_the_server_that_acknowledged_them() -> None:
    def write(server: str, at: float, fate: Fate = Fate.ACKNOWLEDGED) -> Write:
        return Write(1, 1, at, at + 0.01, 0.0, fate, server)

    late = [write("127.0.0.2", 1), write("127.0.0.3", 1.5), write("127.0.0.2", 1.8)]
    assert len(overlaps(written(late, PATIENCE))) == 1
    assert overlaps(written([*late[:2], write("127.0.0.2", 1.8, Fate.UNKNOWN)], PATIENCE)) == []
