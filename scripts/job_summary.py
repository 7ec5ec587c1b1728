# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Appends reports to the summary of a GitHub job: ``job_summary.py FILE...``. A person's run prints them instead.

Markdown is taken as it is. A report of drift, of readiness or of a drill (JSON, from ``build/reports``) is told in a
table; of several, the latest of each kind.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.plugins.loader import init_plugin_loader

ROOT = Path(__file__).parent.parent
if __name__ == "__main__":
    init_plugin_loader([str(ROOT / "collections")])

from ansible_collections.pipeops.platform.plugins.plugin_utils.drift_report import SIGNS, culprit, difference  # noqa: E402 - needs the loader
from ansible_collections.pipeops.platform.plugins.plugin_utils.plan_markdown import escape  # noqa: E402 - the same


def text_of(path: Path) -> str:
    """Return a report as Markdown."""
    if path.suffix != ".json":
        return path.read_text("utf-8")
    report = json.loads(path.read_text("utf-8"))
    lines = drift(report) if report.get("kind") == "drift" else findings(report)
    return "\n".join(lines) + "\n"


def drift(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a report of drift."""
    yield f"## Drift: {report['left']} left"
    yield from (
        "",
        *(f"> [!CAUTION]\n> {name} was not compared: {escape(why)}" for name, why in report["failed"].items()),
    )
    rows = [(name, item) for name, one in sorted(report["environments"].items()) for item in one["findings"]]
    if not rows:
        return
    yield from ("", "| | Environment | Resource | Name | What differs | Who |", "| --- | --- | --- | --- | --- | --- |")
    for name, item in rows:
        what = "; ".join(difference(one) for one in item["differences"])
        cells = (name, item["label"], item["name"], what, culprit(item["who"]))
        yield f"| `{SIGNS[item['category']]}` | {' | '.join(escape(cell) for cell in cells)} |"


def findings(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a report with a timeline: what it found, and how long each of its tasks took."""
    yield f"## {escape(str(report['title']))}"
    yield from ("", "| | |", "| --- | --- |")
    for name, value in report["findings"].items():
        shown = value if isinstance(value, str) else json.dumps(value, default=str)
        yield f"| {escape(name.replace('_', ' '))} | {escape(shown)} |"


def latest(paths: Iterable[Path]) -> list[Path]:
    """Return of reports with times in their names the latest of each kind, and all others."""
    kept: dict[str, Path] = {}
    for path in sorted(paths):
        kind, _, moment = path.stem.rpartition("-")
        kept[kind if kind and moment[:1].isdigit() else path.name] = path
    return list(kept.values())


def main(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Write the summary; what does not exist is left out, since a failed job leaves what it got to."""
    found = latest(path for path in map(Path, arguments) if path.exists())
    text = "\n".join(text_of(path) for path in found) or "No report was left: the log says why.\n"
    target = variables.get("GITHUB_STEP_SUMMARY")
    if not target:
        sys.stdout.write(text)
        return 0
    with Path(target).open("a", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
