# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a drill: data for programs, and a page for people that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tests.drill import assess, chart
from tests.drill.records import Journal, Phase
from tests.drill.stage import Plan
from tests.report import html

TEMPLATE = Path(__file__).with_name("page.html.j2")
#: Different errors that the report names.
ERRORS = 12


def as_dict(plan: Plan, journal: Journal, failure: str) -> dict[str, Any]:
    """Return everything that was found, as the JSON file carries it. Times are seconds since the drill began."""
    seen = assess.watch(journal)
    return {
        "began_at": datetime.fromtimestamp(journal.zero_wall, UTC).isoformat(timespec="seconds"),
        "seconds": round(max((phase.ended for phase in journal.phases), default=journal.zero) - journal.zero, 1),
        "plan": asdict(plan),
        "faults": assess.faults(journal.phases, seen, failure),
        "failure": failure,
        "summary": assess.summary(journal, seen),
        "figures": [asdict(row) for row in assess.table(journal, seen)],
        "phases": [_phase(phase, journal) for phase in journal.phases],
        "writable": {
            name: [[round(one.began - journal.zero, 2), round(one.ended - journal.zero, 2)] for one in runs]
            for name, runs in seen.direct.items()
        },
        "errors": errors_of(journal),
    }


def _phase(phase: Phase, journal: Journal) -> dict[str, Any]:
    return {
        "name": phase.name,
        "kind": phase.kind,
        "from": round(phase.began - journal.zero, 2),
        "to": round(phase.ended - journal.zero, 2),
        "figures": phase.figures,
        "milestones": [{"at": round(one.at - journal.zero, 2), "text": one.text} for one in phase.milestones],
    }


def errors_of(journal: Journal) -> list[dict[str, Any]]:
    """Return the different errors that clients met, the most frequent first, with the first and the last time."""
    by_text: dict[tuple[str, str], list[float]] = {}
    for one in journal.troubles:
        text = one.text.split(" Is the server running")[0][:240]
        by_text.setdefault((one.kind, text), []).append(one.at - journal.zero)
    rows = [
        {"kind": kind, "text": text, "count": len(times), "first": round(min(times), 2), "last": round(max(times), 2)}
        for (kind, text), times in by_text.items()
    ]
    return sorted(rows, key=lambda row: -int(str(row["count"])))


def write(folder: Path, plan: Plan, journal: Journal, failure: str) -> dict[str, Any]:
    """Write ``drill.json`` and ``drill.html``, and return what is in the former."""
    found, seen = as_dict(plan, journal, failure), assess.watch(journal)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "drill.json").write_text(json.dumps(found, indent=2, default=str) + "\n", "utf-8")
    disasters = [phase for phase in journal.phases if phase.kind == "disaster" and phase.ended]
    closer = [(phase.name, chart.closer(journal, seen, phase)) for phase in disasters]
    whole = chart.whole(journal, seen)
    (folder / "drill.html").write_text(_html(found, whole, closer), "utf-8")
    return found


def _html(found: dict[str, Any], whole: Markup, closer: Sequence[tuple[str, Markup]]) -> str:
    return html(TEMPLATE, report=found, whole=whole, closer=closer, errors=found["errors"][:ERRORS])
