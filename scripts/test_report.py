# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says what ``make test`` ran, from the reports that each part left under ``build/``."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"
SCENARIOS = sorted((ROOT / "extensions" / "molecule").glob("*/molecule.yml"))


@dataclass
class Part:
    """One part of the tests: how many there were, and how long they took."""

    name: str
    passed: int
    failed: int
    seconds: float


def pytest_part(name: str) -> Part:
    """Read a JUnit report of pytest's own making."""
    suite = ElementTree.parse(BUILD / "junit" / f"{name}.xml").getroot().find("testsuite")  # noqa: S314 - we wrote it
    if suite is None:
        raise SystemExit(f"build/junit/{name}.xml has no test suite: run make test again")
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    ran = int(suite.get("tests", 0)) - int(suite.get("skipped", 0))
    return Part(name, ran - failed, failed, float(suite.get("time", 0)))


def exactness_part() -> Part:
    """Read the report of ``make plan-exactness``."""
    report = json.loads((BUILD / "plan_exactness.json").read_text("utf-8"))
    entries = [*report["environments"].values(), *report["drifts"].values()]
    failed = sum(bool(entry["missing"] or entry["extra"] or entry["left"]) for entry in entries)
    return Part("plan exactness", len(entries) - failed, failed, sum(entry["seconds"] for entry in entries))


def demo_part() -> Part:
    """Read the report of ``make demo``."""
    report = json.loads((BUILD / "demo.json").read_text("utf-8"))
    runs = [run for environment in report.values() for run in environment.values()]
    failed = sum(bool(run["failed"]) for run in runs)
    return Part("demo", len(runs) - failed, failed, sum(run["seconds"] for run in runs))


def main() -> int:
    """Print the table and the total; exit 0 only if nothing failed."""
    parts = [pytest_part(name) for name in ("unit", "sandbox", "integration")] + [exactness_part(), demo_part()]
    table = Table(title="make test ran", title_justify="left", box=None, pad_edge=False, header_style="dim")
    for title in ("part", "passed", "failed", "seconds"):
        table.add_column(title, justify="left" if title == "part" else "right")
    for part in parts:
        table.add_row(part.name, str(part.passed), str(part.failed), f"{part.seconds:.0f}")
    console = Console(highlight=False)
    console.print(table)
    # make stops at the first of these that fails, so whoever gets here has seen them pass.
    roles = sum((ROOT / "roles" / path.parent.name).is_dir() for path in SCENARIOS)
    console.print(f"and lint, types, ansible-lint production, molecule of {roles} roles, ansible-test sanity: passed")
    failed = sum(part.failed for part in parts)
    console.print(f"{sum(part.passed for part in parts)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
