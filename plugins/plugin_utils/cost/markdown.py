# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of environments as Markdown for a pull request: what changes first, everything else folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from ...module_utils.cost.difference import Change, Difference
from ...module_utils.cost.estimate import Estimate
from ...module_utils.cost.lines import SCENARIOS, Line
from ...module_utils.cost.money import usd
from .report import TITLES, Report

#: By this line a program finds its comment again, to write over it instead of adding another one.
MARK = "<!-- pipeops.platform: cost -->"


def markdown(report: Report) -> str:
    """Return the whole comment."""
    parts = [MARK, f"## Cost: {headline(report)}", *_notices(report)]
    parts.append(_overview(report))
    if report.difference and report.difference.changes:
        parts += ["### What changes", _changes(report.difference)]
    parts += [_folded(f"All lines of {one.environment}", _lines(one)) for one in report.estimates]
    parts.append(_folded(f"Savings: {usd(report.saved_together())} a month that add up", _savings(report)))
    parts.append(
        f"USD for a month of 730 hours; prices as of {report.prices.as_of}, on demand, before tax and private "
        f"discounts.{f' Compared with `{report.base}`.' if report.difference else ''}"
    )
    return "\n\n".join(parts) + "\n"


def headline(report: Report) -> str:
    """Return the one sentence that everybody reads."""
    if report.difference is None:
        return f"{usd(report.total('desired'))} in an ordinary month, {usd(report.total('maximum'))} at most"
    amounts = {scenario: report.difference.change(scenario) for scenario in SCENARIOS}
    if not any(amounts.values()):
        return "no change"
    return ", ".join(f"{_signed(amount)} ({TITLES[scenario]})" for scenario, amount in amounts.items())


def _signed(amount: Decimal) -> str:
    return usd(amount, sign=True) if amount else "±$0.00"


def _notices(report: Report) -> Iterator[str]:
    crossed = report.difference.crossed() if report.difference else []
    if crossed:
        yield f"> [!CAUTION]\n> With this change, {' and '.join(crossed)} would be over budget."
    over = [sentence for sentence in report.over_budget if sentence.split()[0] not in crossed]
    for sentence in over:
        yield f"> [!WARNING]\n> {sentence}."
    for warning in report.warnings:
        yield f"> [!NOTE]\n> {warning}"


def _overview(report: Report) -> str:
    rows = [(one.environment, *_totals(report, one.environment), _budget(one)) for one in report.estimates]
    if report.difference:
        gone = [name for name in report.difference.environments if name not in report.difference.after]
        rows += [(name, *_totals(report, name), "removed") for name in gone]
    return _table(("Environment", *(TITLES[scenario] for scenario in SCENARIOS), "Budget"), rows)


def _totals(report: Report, environment: str) -> list[str]:
    if report.difference:
        pairs = [report.difference.total(environment, scenario) for scenario in SCENARIOS]
        return [
            usd(now) if now == then else f"{usd(then)} → {usd(now)} ({usd(now - then, sign=True)})"
            for then, now in pairs
        ]
    (one,) = (found for found in report.estimates if found.environment == environment)
    return [usd(one.total(scenario)) for scenario in SCENARIOS]


def _budget(one: Estimate) -> str:
    return one.verdict if one.budget is None else f"{usd(one.budget)}: {one.verdict}"


def _changes(difference: Difference) -> str:
    rows = [_change(change) for change in difference.changes]
    whole = (f"**{_signed(difference.change(scenario))}**" for scenario in SCENARIOS)
    titles = ("", "Environment", "What", "Count", "Each", *(TITLES[scenario] for scenario in SCENARIOS))
    return _table(titles, [*rows, ("", "", "**in all**", "", "", *whole)])


def _change(change: Change) -> Sequence[str]:
    pair = [line for line in (change.before, change.after) if line]
    counts = " → ".join(dict.fromkeys(line.counts.text() if line.counts else "by usage" for line in pair))
    each = " → ".join(dict.fromkeys(_each(line) for line in pair))
    amounts = (_signed(change.amount(scenario)) for scenario in SCENARIOS)
    return (f"`{change.sign}`", change.environment, change.line.name, counts, each, *amounts)


def _each(line: Line) -> str:
    if line.each is None:
        return "unpriced"
    return line.price if line.counts is None or 0 < line.each < 1 else usd(line.each)


def _lines(one: Estimate) -> str:
    rows = [(line.name + (" \\*" if line.usage else ""), *_quantity(line)) for line in one.lines]
    rows.append(("**Total**", "", "", "", *(f"**{usd(one.total(scenario))}**" for scenario in SCENARIOS)))
    return _table(("", "Count", "Of", "Each", *(TITLES[scenario] for scenario in SCENARIOS)), rows)


def _quantity(line: Line) -> Sequence[str]:
    count = line.counts.text() if line.counts else ""
    if line.each is None or line.counts is None:
        word = "unpriced" if line.each is None else "by usage"
        return (count, line.unit, _each(line), word, word, word)
    return (count, line.unit, _each(line), *(usd(line.amount(scenario)) for scenario in SCENARIOS))


def _savings(report: Report) -> str:
    rows = [
        (
            one.environment,
            "unknown" if saving.monthly is None else usd(saving.monthly),
            f"{'✓ ' if saving.together else ''}{saving.title}{' (done)' if saving.taken else ''}",
            saving.assumption,
        )
        for one, saving in report.savings()
    ]
    return _table(("Environment", "A month", "How", "If"), rows)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
