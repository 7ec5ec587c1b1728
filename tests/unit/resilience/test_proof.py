# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections import Counter

import pytest

from tests.platform_runs import Platform
from tests.resilience.account import difference, kind
from tests.resilience.proof import Case, Proof, prove

NOWHERE = Platform("http://127.0.0.1:1")


def proof(sample: int) -> Proof:
    faults = {2: ["it leaks"], 7: ["it breaks", "it stays broken"]}
    cases = [Case(f"case {number}", lambda _stand, n=number: faults.get(n, [])) for number in range(10)]
    return Proof("numbers", lambda _stand: cases, sample)


def test_all_cases_are_tried_and_each_fault_is_kept() -> None:
    told: list[str] = []
    outcome = prove(proof(3), NOWHERE, 1, full=True, told=told.append)
    assert (outcome.cases, outcome.of) == (10, 10)
    assert outcome.failures == {"case 2": ["it leaks"], "case 7": ["it breaks", "it stays broken"]}
    assert told[0] == "numbers: 1 of 10  case 0  held"
    assert told[7] == "numbers: 8 of 10  case 7  it breaks; it stays broken"


def test_the_seed_chooses_the_sample_and_the_order_stays() -> None:
    def tried(seed: int) -> list[str]:
        told: list[str] = []
        assert prove(proof(3), NOWHERE, seed, full=False, told=told.append).cases == 3
        return [line.split("  ")[1] for line in told]

    assert tried(1) == tried(1)
    assert len({tuple(tried(seed)) for seed in range(5)}) > 1
    assert all(tried(seed) == sorted(tried(seed)) for seed in range(5))


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:ec2:us-west-2:123456789012:subnet/subnet-1", "ec2:subnet"),
        ("arn:aws:rds:us-west-2:123456789012:db:pipeops-prod", "rds:db"),
        ("arn:aws:s3:::pipeops-prod-state-123456789012", "s3"),
        ("arn:aws:sns:us-west-2:123456789012:pipeops-prod-notifications", "sns"),
    ],
)
def test_things_of_a_kind_count_together(arn: str, expected: str) -> None:
    assert kind(arn) == expected


def test_what_stands_twice_and_what_is_missing_differ() -> None:
    found, expected = Counter({"subnet a": 2, "stray": 1}), Counter({"subnet a": 1, "subnet b": 1})
    assert difference(found, expected) == [
        "subnet a stands 1 times too often",
        "stray stands 1 times too often",
        "subnet b is missing",
    ]
    assert difference(expected, expected) == []
