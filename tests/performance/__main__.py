# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures how fast the playbooks are: ``make bench`` writes ``build/bench.json`` and ``build/bench.html``.

Exit status: 0 measured, whatever the figures; 1 a run failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform as machine
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.performance import parts
from tests.performance.delivery import delivery
from tests.performance.figures import rows
from tests.performance.measure import Failed
from tests.performance.page import page
from tests.platform_runs import ROOT, Platform, commit, platform

console = Console(highlight=False)
#: Those that need prod to stand come after the one that stands it up.
PARTS: dict[str, Callable[[Platform, int], dict[str, Any]]] = {
    "converged": lambda stand, count: parts.converged(stand, count, console.print),
    "where": lambda stand, count: parts.where(stand, count, console.print),
    "calls": lambda stand, _count: parts.calls(stand, console.print),
    "scale": lambda stand, _count: parts.scale(stand, console.print),
    "crowded": lambda stand, count: parts.crowded(stand, count, console.print),
    "plans": lambda stand, _count: parts.plans(stand, console.print),
    "delivery": lambda stand, _count: delivery(stand, console.print),
}
NEEDS_PROD = {"where", "calls"}


def main() -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command is measured")
    chosen = parser.parse_args()
    names = [name for name in PARTS if not chosen.parts or name in chosen.parts]
    if set(chosen.parts) - set(PARTS):
        parser.error(f"there are no others than {', '.join(PARTS)}")
    if NEEDS_PROD & set(names) and "converged" not in names:
        names.insert(0, "converged")
    found = _about()
    try:
        with platform() as stand:
            for name in names:
                console.rule(name)
                found[name] = PARTS[name](stand, chosen.rounds)
    except Failed as error:
        console.print(str(error), markup=False)
        return 1
    _tell(found)
    return 0


def _about() -> dict[str, Any]:
    return {
        "began_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": {
            "name": machine.machine(),
            "processors": os.cpu_count(),
            "python": machine.python_version(),
            "ansible": version("ansible-core"),
        },
    }


def _tell(found: dict[str, Any]) -> None:
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    (folder / "bench.html").write_text(page(found), "utf-8")
    table = Table("what", "measured", "target", "")
    for row in rows(found):
        met = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}[row.met]
        table.add_row(row.name, f"{row.value}\n[dim]{row.note}[/]" if row.note else row.value, row.target, met)
    console.print(table)
    console.print("build/bench.html has it with charts.")


if __name__ == "__main__":
    sys.exit(main())
