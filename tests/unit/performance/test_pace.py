# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from tests.performance.measure import Failed
from tests.performance.pace import FAST, Pace
from tests.platform_runs import platform

SECONDS = 2.0


@pytest.fixture(scope="module")
def pace() -> Iterator[Pace]:
    with platform() as stand:
        yield Pace(stand)


def took(pace: Pace, code: str) -> tuple[float, float]:
    """Return how long a program took by AWS's clock and by ours."""
    real = time.monotonic()
    began, ended = pace.run([sys.executable, "-c", code])
    return ended - began, time.monotonic() - real


def test_what_a_command_waits_is_over_sooner(pace: Pace) -> None:
    model, real = took(pace, f"import time; time.sleep({SECONDS})")
    assert real < model <= FAST * real
    assert model > SECONDS * FAST / 4


def test_what_a_command_works_counts_as_it_is(pace: Pace) -> None:
    # It spins, so that it takes as much as it gets of a processor that others use too.
    model, real = took(pace, f"import time\nend = time.monotonic() + {SECONDS}\nwhile time.monotonic() < end: pass")
    assert model < FAST * real / 4


def test_a_command_that_fails_says_what_it_printed(pace: Pace) -> None:
    with pytest.raises(Failed, match=r"ended with 3:\ntold"):
        pace.run([sys.executable, "-c", "print('told'); raise SystemExit(3)"])


def test_states_are_seen_as_long_as_they_last(pace: Pace) -> None:
    seen = pace.watch
    states = iter([("db", "creating"), ("db", "creating"), ("db", "available"), ("db", "available")])
    seen._states = lambda: iter([next(states)])  # type: ignore[method-assign]
    for at in (1.0, 2.0, 3.0, 4.0):
        seen.look(at)
    assert [(span.status, span.began, span.ended) for span in seen.spans] == [("creating", 1.0, 3.0)]
