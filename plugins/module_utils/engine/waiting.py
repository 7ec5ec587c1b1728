# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting by condition: polls that start dense and thin out, say what they wait for, and end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .errors import EngineError

T = TypeVar("T")
#: Is told, in a sentence, what is being waited for.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to look.

    Attributes:
        timeout: seconds for one thing that is waited for.
        delay: seconds between two looks at the most; the first ones follow closer.
        report_every: seconds between two reports of progress.
    """

    timeout: float = 3600
    delay: float = 15
    report_every: float = 30


def wait_until(
    check: Callable[[], tuple[T | None, str]],
    what: str,
    typical: float,
    patience: Patience,
    progress: Progress,
    mend: str = "Look at it in AWS, then run the play again: it goes on where this one stopped.",
) -> T:
    """Call ``check`` until it returns a value, and return that.

    Args:
        check: returns a value when done, or None; and the state for people.
        what: the thing that is waited for, with its identifier and region.
        typical: the seconds that this usually takes, for the reports.

    Raises:
        EngineError: when the time is over.
    """
    started = reported = time.monotonic()
    pause = min(0.2, patience.delay)
    while True:
        value, state = check()
        now = time.monotonic()
        if value is not None:
            return value
        if now - started + pause > patience.timeout:
            raise EngineError(f"Gave up on {what} after {now - started:.0f} s: still {state}. {mend}")
        if now - reported >= patience.report_every:
            progress(f"Waiting for {what}: {state}, {now - started:.0f} s of usually {typical:.0f} s.")
            reported = now
        time.sleep(pause)
        pause = min(pause * 1.5, patience.delay)
