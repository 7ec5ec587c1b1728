# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proves that the platform survives: ``make resilience`` a sample, ``make resilience-full`` all cases.

Writes ``build/resilience.json``. Exit status: 0 all held; 1 something did not.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from rich.console import Console

from tests.platform_runs import ROOT, commit, platform
from tests.resilience import bad_input, crashes, posture, secrets, storms
from tests.resilience.proof import Outcome, prove

PROOFS = {proof.name: proof for proof in (posture.PROOF, secrets.PROOF, bad_input.PROOF, storms.PROOF, crashes.PROOF)}
console = Console(highlight=False)


def main() -> int:
    """Try the proofs that the command line names."""
    parser = argparse.ArgumentParser(prog="resilience", description=__doc__)
    parser.add_argument("proofs", nargs="*", help=f"some of {', '.join(PROOFS)}; all if none is named")
    parser.add_argument("--full", action="store_true", help="all cases instead of a sample")
    parser.add_argument("--seed", type=int, default=1, help="chooses the sample")
    chosen = parser.parse_args()
    if unknown := set(chosen.proofs) - set(PROOFS):
        parser.error(f"there is no proof {', '.join(sorted(unknown))}; there are: {', '.join(PROOFS)}")
    outcomes: dict[str, Outcome] = {}
    with platform() as stand:
        for name, proof in PROOFS.items():
            if not chosen.proofs or name in chosen.proofs:
                console.rule(name)
                outcomes[name] = prove(
                    proof, stand, chosen.seed, chosen.full, lambda text: console.print(text, markup=False)
                )
    return _report(outcomes, chosen.full)


def _report(outcomes: dict[str, Outcome], full: bool) -> int:
    found = {
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "full": full,
        "proofs": {name: outcome.as_dict() for name, outcome in outcomes.items()},
    }
    target = ROOT / "build" / "resilience.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    failed = sum(len(outcome.failures) for outcome in outcomes.values())
    cases = sum(outcome.cases for outcome in outcomes.values())
    console.print(f"resilience: {cases - failed} of {cases} cases held; {target.relative_to(ROOT)} has them all")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
