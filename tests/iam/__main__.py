# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the life of the environments under the shipped deploy policies, and tells what they allow that nobody used.

``python -m tests.iam [PART ...]`` writes ``build/iam_report.json``; ``--record`` adds to ``scripts/ci_recorded.yml``,
from which ``scripts/ci_policies.py`` makes the policies.

Exit status: 0 every step went as it should and nothing was refused; 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import yaml

from tests.iam.scenario import PARTS, STEPS, Step
from tests.iam.stand import Stand, stand
from tests.platform_runs import ROOT

REPORT = ROOT / "build" / "iam_report.json"
RECORDED = ROOT / "scripts" / "ci_recorded.yml"
SHIPPED = ROOT / "roles" / "ci_access" / "vars" / "main.yml"
HEADER = """\
---
# The IAM actions that runs of the playbooks asked for, each with the playbooks that did. Written by make iam-test.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts and write the report."""
    parser = argparse.ArgumentParser(description="Run the playbooks under the shipped deploy policies.")
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--record", action="store_true", help="add what was asked for to scripts/ci_recorded.yml")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    steps = [step for step in STEPS if not options.parts or step.part in options.parts]
    rows: list[dict[str, Any]] = []
    with stand() as place:
        place.provide(*sorted({step.identity for step in steps}))
        place.enforce()
        for step in steps:
            rows.append(run(place, step))
            how = f"{rows[-1]['status']}  {rows[-1]['seconds']:4.0f} s"
            print(f"{how}  {step.name} as {step.identity}", flush=True)  # noqa: T201 - this is a command
        refused = place.refused()
    report = reported(rows, refused)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    if options.record:
        record(rows)
    print(f"{report['summary']} {REPORT.relative_to(ROOT)}")  # noqa: T201
    return int(bool(report["failed"] or refused))


def run(place: Stand, step: Step) -> dict[str, Any]:
    """Run one step; return how it went and what it asked for."""
    step.before(place)
    before, began = place.asked(), time.monotonic()
    done = place.run(step)
    row = {
        "step": step.name,
        "identity": step.identity,
        "status": done.status,
        "as_it_should": done.status == step.status,
        "seconds": round(time.monotonic() - began, 1),
        "actions": sorted(place.asked() - before),
    }
    return row if row["as_it_should"] else {**row, "output": done.output[-4000:]}


def reported(rows: Sequence[dict[str, Any]], refused: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the report: what is allowed, what was used of it, and what was not."""
    grants = yaml.safe_load(SHIPPED.read_text("utf-8"))["__ci_access_grants"]
    allowed = {action for grant in grants for action in grant["actions"]}
    used = {action for row in rows for action in row["actions"]}
    failed = [row["step"] for row in rows if not row["as_it_should"]]
    summary = (
        f"{len(rows)} steps, {len(failed)} not as they should; {len(allowed)} actions allowed, {len(used & allowed)} "
        f"used, {len(allowed - used)} unused, {len(used - allowed)} missing, {len(refused)} refused:"
    )
    return {
        "summary": summary,
        "failed": failed,
        "allowed": sorted(allowed),
        "used": sorted(used & allowed),
        "unused": sorted(allowed - used),
        "missing": sorted(used - allowed),
        "refused": list(refused),
        "steps": list(rows),
    }


def record(rows: Sequence[dict[str, Any]]) -> None:
    """Add what was asked for to what earlier runs did."""
    known: dict[str, list[str]] = yaml.safe_load(RECORDED.read_text("utf-8")) if RECORDED.exists() else {}
    found = {action: set(playbooks) for action, playbooks in (known or {}).items()}
    for row in rows:
        for action in row["actions"]:
            found.setdefault(action, set()).add(row["step"].split()[0])
    plain = {action: sorted(found[action]) for action in sorted(found)}
    lines = [f"{action}: [{', '.join(playbooks)}]\n" for action, playbooks in plain.items()]
    RECORDED.write_text(HEADER + "".join(lines), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
