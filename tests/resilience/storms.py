# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in a storm of throttling, failures and lost answers arrives, with no thing made twice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tests.platform_runs import Platform
from tests.resilience.account import difference, standing
from tests.resilience.crashes import QUICK, stood_up
from tests.resilience.proof import Case, Proof

ENVIRONMENT = "prod"
SEEDS = range(1, 21)
#: Together a call in five.
WEATHER = {"throttle": 0.08, "error_500": 0.04, "reset": 0.04, "reset_after": 0.04}
#: A run in a storm makes at most so many times the calls of a calm one.
MORE_CALLS = 3


def prepare(stand: Platform) -> Sequence[Case]:
    """Stand prod up in calm weather, and return a storm for each seed."""
    stand.begin()
    calm = stood_up(stand, ENVIRONMENT)
    expected = standing(stand)

    def storm(stand: Platform, seed: int) -> list[str]:
        stand.begin()
        stand.control("DELETE", "faults")
        for number, (effect, probability) in enumerate(WEATHER.items()):
            stand.control("POST", "faults", effect=effect, probability=probability, seed=100 * seed + number)
        run = stand.playbook(ENVIRONMENT, extra=QUICK)
        stand.control("DELETE", "faults")
        if run.status:
            return [f"the run ended with {run.status}: {run.output[-1500:]}"]
        faults = difference(standing(stand), expected)
        if len(run.calls) > MORE_CALLS * len(calm.calls):
            faults.append(f"it made {len(run.calls)} calls, and a calm run makes {len(calm.calls)}")
        again = stand.playbook(ENVIRONMENT, extra=QUICK)
        if again.status or again.mutations:
            faults.append(f"the run after it ended with {again.status} and changed {again.mutations}")
        return faults

    return [Case(f"seed {seed}", partial(storm, seed=seed)) for seed in SEEDS]


PROOF = Proof("storms", prepare, sample=1)
