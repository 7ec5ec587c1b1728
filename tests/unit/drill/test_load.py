# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a client knows of its writes, and where it goes."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.drill.door import Closed, Door, loopback
from tests.drill.load import HIGHEST_RATE, Load, Writer
from tests.drill.records import Fate, Journal

#: Nothing answers there.
NOWHERE = "127.0.0.1:1"
DOOR = Door(f"http://{NOWHERE}", NOWHERE, "database.prod.pipeops.internal", "pipeops/prod/database", ("us-west-2",))


class Connection:
    """A connection that meets an error, and may be lost by it."""

    def __init__(self, error: psycopg.Error | None = None, lost: bool = False) -> None:
        self.error, self.closed = error, lost

    def execute(self, *_: Any) -> None:
        if self.error:
            raise self.error

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("connection", "fate"),
    [
        pytest.param(Connection(), Fate.ACKNOWLEDGED, id="answered"),
        pytest.param(Connection(psycopg.errors.ReadOnlySqlTransaction()), Fate.REFUSED, id="a replica refuses"),
        pytest.param(Connection(psycopg.errors.QueryCanceled()), Fate.REFUSED, id="the server gave up"),
        pytest.param(Connection(psycopg.errors.AdminShutdown(), lost=True), Fate.UNKNOWN, id="the session was ended"),
        pytest.param(Connection(psycopg.OperationalError("reset"), lost=True), Fate.UNKNOWN, id="no answer came"),
        pytest.param(Connection(psycopg.OperationalError("timeout")), Fate.UNKNOWN, id="no word of the server's"),
    ],
)
def test_a_write_is_refused_only_if_the_server_says_so(connection: Any, fate: Fate) -> None:
    journal = Journal()
    writer = Writer(3, DOOR, journal, 0.1)
    assert writer.work(connection, "127.0.0.2") is (fate is Fate.ACKNOWLEDGED)
    (written,) = journal.writes
    assert (written.writer, written.number, written.fate, written.server) == (3, 1, fate, "127.0.0.2")
    assert len(journal.troubles) == (0 if fate is Fate.ACKNOWLEDGED else 1)


def test_a_number_is_never_written_again() -> None:
    journal = Journal()
    writer = Writer(1, DOOR, journal, 0.1)
    lost: Any = Connection(psycopg.OperationalError("reset"), lost=True)
    fine: Any = Connection()
    for connection in (lost, fine):
        writer.work(connection, "127.0.0.2")
    assert [one.number for one in journal.writes] == [1, 2]
    assert [one.number for one in journal.acknowledged] == [2]


def test_without_a_way_in_nothing_is_written() -> None:
    journal = Journal()
    assert Writer(1, DOOR, journal, 0.1)._turn() is False
    assert journal.writes == []
    assert [one.kind for one in journal.troubles] == ["connect"]


@pytest.mark.parametrize("rate", [0, -1, HIGHEST_RATE + 1])
def test_the_load_is_bounded(rate: float) -> None:
    with pytest.raises(ValueError, match="allowed"):
        Load(DOOR, Journal(), 4, 2, rate)


def test_a_drill_goes_nowhere_but_this_machine() -> None:
    assert loopback("127.9.8.7") == "127.9.8.7"
    with pytest.raises(Closed, match="not on this machine"):
        loopback("10.0.0.7")
