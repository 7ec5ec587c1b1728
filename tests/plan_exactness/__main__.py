# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proves that what ``--check`` announces is what the run then changes.

For each environment from an empty account, and for the pair in one run and one after the other; then, on a pair that
stands, for every drift of ``drifts.py`` and ``dr_drifts.py``: announced, healed as announced, and nothing left to do
after that. Writes ``build/plan_exactness.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from tests.plan_exactness.dr_drifts import DRIFTS
from tests.plan_exactness.proofs import STANDS, console, is_exact, prove
from tests.platform_runs import ROOT


def main() -> int:
    """Run the proofs that the command line names; exit 0 only if every plan was exact."""
    parser = argparse.ArgumentParser(prog="plan_exactness", description=__doc__)
    parser.add_argument("--environment", choices=list(STANDS), action="append", help="only these")
    parser.add_argument("--drift", choices=[drift.name for drift in DRIFTS], action="append", help="only these")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth drift")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes, each with a sandbox")
    chosen = parser.parse_args()
    drifts = [drift for drift in DRIFTS if not chosen.drift or drift.name in chosen.drift][:: chosen.every]
    environments = chosen.environment or ([] if chosen.drift else list(STANDS))
    report = prove(environments, drifts, chosen.jobs)
    entries = [*report["environments"].values(), *report["drifts"].values()]
    failed = sum(not is_exact(entry) or bool(entry["left"]) for entry in entries)
    target = ROOT / "build" / "plan_exactness.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    console.print(f"plan-exactness: {len(entries) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
