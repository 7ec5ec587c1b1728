# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan, or what a run did, as Markdown for a pull request or the summary of a job."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from . import run_report
from .cost.plan import price_of, sum_line

#: Actions that a reader sees without unfolding anything.
OPEN_ROWS = 25
TITLES = ("", "Resource", "Name", "What changes", "Effect", "Usually", "A month")


def markdown(records: Iterable[run_report.HostRecord], check_mode: bool, failed: Collection[str] = ()) -> str:
    """Return a section for each environment.

    Args:
        records: what was collected, environment by environment.
        check_mode: whether it is a plan, and nothing was done.
        failed: environments whose run did not come to its end.
    """
    parts = [part for record in records for part in _section(record, check_mode, record.name in failed)]
    return "\n\n".join(parts) + "\n"


def _section(record: run_report.HostRecord, check_mode: bool, failed: bool) -> Iterator[str]:
    said = run_report.totals_line(record.counts(), check_mode) if record.actions else "no change"
    yield f"### {escape(record.name)}: {said}{' before it failed' if failed else ''}"
    if failed:
        yield "> [!CAUTION]\n> This is not all of it: the run failed. Its log says why."
    warnings = list(_warnings(record))
    if warnings:
        yield "\n".join(["> [!WARNING]", *(f"> - {warning}" for warning in warnings)])
    if record.actions:
        yield _folded(f"{len(record.actions)} actions", _table(record), is_open=len(record.actions) <= OPEN_ROWS)
        cost = sum_line(record.actions)
        if cost:
            yield f"{cost[0].upper()}{cost[1:]}."
    if record.unmanaged:
        names = ", ".join(f"{item['kind']} `{escape(str(item['name']))}`" for item in record.unmanaged)
        yield f"Not in the inventory, left alone: {names}."


def _warnings(record: run_report.HostRecord) -> Iterator[str]:
    for action in record.actions:
        told = run_report.effect(action)
        if told:
            yield f"`{run_report.SIGNS[action['verb']]}` {escape(action['label'])} {escape(action['name'])}: {told}"


def _table(record: run_report.HostRecord) -> str:
    rows = [
        (
            f"`{run_report.SIGNS[action['verb']]}`",
            action["label"],
            action["name"],
            run_report.changed_attributes(action),
            run_report.effect(action),
            run_report.duration(action["typical_seconds"]),
            price_of(action),
        )
        for action in record.actions
    ]
    lines = [_line(TITLES), _line(["---"] * len(TITLES)), *(_line([escape(cell) for cell in row]) for row in rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _folded(title: str, text: str, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}><summary>{title}</summary>\n\n{text}\n\n</details>"


def escape(text: str) -> str:
    """Return what somebody called something, so that it neither ends a cell nor makes a tag, a link or a mention."""
    line = " ".join(str(text).split())
    for sign, harmless in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("[", "\\["), ("@", "&#64;")):
        line = line.replace(sign, harmless)
    return line
