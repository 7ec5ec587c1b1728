# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a proof is: cases that are the same under the same seed, each of which finds faults or none."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.platform_runs import Platform

Told = Callable[[str], None]


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        run: tries it and returns what was not as it should be, a sentence each.
    """

    name: str
    run: Callable[[Platform], list[str]]


@dataclass(frozen=True)
class Proof:
    """Cases of one kind.

    Attributes:
        prepare: stands up what the cases begin with, and returns all of them.
        sample: how many of them ``make resilience`` tries.
    """

    name: str
    prepare: Callable[[Platform], Sequence[Case]]
    sample: int


@dataclass
class Outcome:
    """What came of a proof."""

    seed: int
    cases: int = 0
    of: int = 0
    seconds: float = 0.0
    failures: dict[str, list[str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as the report has it."""
        return {**vars(self), "seconds": round(self.seconds, 1)}


def prove(proof: Proof, stand: Platform, seed: int, full: bool, told: Told) -> Outcome:
    """Try all cases of a proof, or as many as its sample, chosen by the seed."""
    began, outcome = time.monotonic(), Outcome(seed)
    every = list(proof.prepare(stand))
    chosen = (
        every if full else sorted(random.Random(seed).sample(every, min(proof.sample, len(every))), key=every.index)
    )
    outcome.of = len(every)
    for case in chosen:
        faults = case.run(stand)
        outcome.cases += 1
        told(f"{proof.name}: {outcome.cases} of {len(chosen)}  {case.name}  {'; '.join(faults) or 'held'}")
        if faults:
            outcome.failures[case.name] = faults
    outcome.seconds = time.monotonic() - began
    return outcome
