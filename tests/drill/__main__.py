# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A game day: disaster, fail-back, planned circles, and a disaster at AWS's pace, while an application writes.

Everything runs on a sandbox of its own and is stopped at the end. Writes ``build/drill.json`` and ``build/drill.html``.
Exit status: 0 passed; 1 a promise was broken or a playbook failed; 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeops_sandbox.kubernetes import programs
from rich.markup import escape

from tests.drill import page, scenario
from tests.drill.console import Board, console, figures
from tests.drill.door import Closed
from tests.drill.load import HIGHEST_RATE
from tests.drill.records import Journal
from tests.drill.stage import DELAY, Plan, Stage
from tests.drill.stand import ROOT, Stand, StandFailure

PARTS = ("disaster", "circles", "clock")


def drill(plan: Plan, folder: Path) -> dict[str, Any]:
    """Run a drill, leave its report in a folder, and return it; what failed stands in it."""
    journal, failure = Journal(), ""
    board = Board(journal)
    # Without API servers behind the clusters, applications are left alone, and all else is as with them.
    with Stand(folder / "drill", DELAY, kubernetes=programs.found() is not None) as stand, board.shown():
        stage = Stage(stand, plan, journal, board.say)
        try:
            scenario.run(stage)
        except (StandFailure, Closed) as error:
            failure = str(error)
            board.say(f"[red]{escape(failure)}[/]")
        finally:
            stage.end()
    return page.write(folder, plan, journal, failure)


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="drill", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--circles", type=int, default=1, help="planned moves there and back; default 1")
    parser.add_argument("--part", choices=PARTS, action="append", help="only these parts")
    parser.add_argument("--rate", type=float, default=Plan.rate, help=f"writes a second, up to {HIGHEST_RATE}")
    parser.add_argument("--scale", type=float, default=Plan.scale, help="how much faster AWS's pace is run")
    parser.add_argument("--seed", type=int, help="decides when regions are lost; default: a new one")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="default build")
    chosen = parser.parse_args(arguments)
    if chosen.circles < 0 or not 0 < chosen.rate <= HIGHEST_RATE or not chosen.scale > 0:
        parser.error(f"--circles is 0 or more, --rate above 0 and at most {HIGHEST_RATE}, --scale above 0")
    return chosen


def interrupted(*_: object) -> None:
    """End like Ctrl-C does, so that everything is stopped on the way out."""
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill that the command line describes, and return the exit status."""
    chosen = options(arguments)
    signal.signal(signal.SIGTERM, interrupted)
    seed = random.randrange(10**6) if chosen.seed is None else chosen.seed
    parts = tuple(part for part in PARTS if not chosen.part or part in chosen.part)
    plan = Plan(seed, parts, chosen.circles, rate=chosen.rate, scale=chosen.scale)
    console.print(f"Game day with seed {seed}: {', '.join(parts)}")
    try:
        report = drill(plan, chosen.output)
    except KeyboardInterrupt:
        console.print("Interrupted; everything is stopped.")
        return 130
    except StandFailure as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return 1
    console.print(figures(report))
    for fault in report["faults"]:
        console.print(f"[red]{escape(fault)}[/]")
    console.print(f"\nReport: {chosen.output / 'drill.html'}")
    return 1 if report["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
