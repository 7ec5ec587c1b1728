# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of environments as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ...module_utils.cost.difference import Difference
from ...module_utils.cost.estimate import Estimate
from ...module_utils.cost.lines import CATEGORIES, SCENARIOS, Line
from ...module_utils.cost.money import price_text, usd
from .report import TITLES, Report

try:
    from rich import box
    from rich.console import Console, Group, RenderableType
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text
except ImportError:
    # The action plugin refuses to begin, in Ansible's usual words.
    pass

#: The least width at which the tables are of use, also where there is no terminal.
WIDTH = 140
#: Savings that are printed; all are in the files.
LARGEST = 12
USAGE = "*"
SIGNS = {"+": "green", "-": "red", "~": "yellow"}


def text(report: Report, *, details: bool = True, colour: bool = True, width: int | None = None) -> str:
    """Return everything as text.

    Args:
        details: whether each line is shown, or totals alone.
    """
    console = Console(width=width, highlight=False, no_color=not colour)
    if width is None and console.width < WIDTH:
        console = Console(width=WIDTH, highlight=False, no_color=not colour)
    with console.capture() as capture:
        for part in _parts(report, details):
            console.print(part)
    return capture.get().rstrip()


def _parts(report: Report, details: bool) -> Iterator[RenderableType]:
    for one in report.estimates if details else ():
        yield Rule(f"[bold]{one.environment}[/] · {one.region} · USD a month", align="left", style="dim")
        yield lines(one)
    if details:
        yield Text(f"{USAGE} by usage, as the inventory says in cost_usage", style="dim")
        yield Rule("[bold]Savings[/], for the fewest nodes", align="left", style="dim")
        yield savings(report)
    if report.difference:
        yield Rule(f"[bold]Since {report.base}[/]", align="left", style="dim")
        yield changes(report.difference)
    yield Rule("[bold]Cost and budget[/], USD a month", align="left", style="dim")
    yield totals(report)
    yield Text(f"Prices as of {report.prices.as_of}, on demand, before tax and private discounts.", style="dim")
    for warning in report.warnings:
        yield Text(warning, style="yellow")


def lines(one: Estimate) -> RenderableType:
    """Return the lines of an environment, by category, and below them what is in no total."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=52)
    for title, justify in (("count", "right"), ("of", "left"), ("each", "right")):
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for scenario in SCENARIOS:
        table.add_column(TITLES[scenario], justify="right", no_wrap=True)
    for category in CATEGORIES:
        own = [line for line in one.lines if line.category == category and (line.counted or not line.priced)]
        if own:
            subtotals = [Text(usd(one.of(category, scenario)), style="bold") for scenario in SCENARIOS]
            table.add_row(Text(category, style="bold"), "", "", "", *subtotals)
        for line in own:
            table.add_row(*_cells(line))
    table.add_section()
    table.add_row(Text("Total", style="bold"), "", "", "", *(Text(usd(one.total(s)), style="bold") for s in SCENARIOS))
    baseline = (Text(usd(one.baseline(scenario)), style="dim") for scenario in SCENARIOS)
    table.add_row(Text("of it without usage", style="dim"), "", "", "", *baseline)
    by_usage = "; ".join(f"{line.name} {line.price}" for line in one.uncounted)
    return Group(
        table, Text(f"In no total, because it depends on usage: {by_usage}.\n" if by_usage else "", style="dim")
    )


def _cells(line: Line) -> list[RenderableType]:
    name, count = f"  {line.name}{f' {USAGE}' if line.usage else ''}", line.counts.text() if line.counts else ""
    if line.each is None:
        return [name, count, line.unit, *[Text("unpriced", style="yellow")] * 4]
    each = usd(line.each) if line.each >= 1 or not line.each else price_text(line.each)
    return [name, count, line.unit, each, *(usd(line.amount(scenario)) for scenario in SCENARIOS)]


def totals(report: Report) -> RenderableType:
    """Return environments against their budgets."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    table.add_column("environment")
    for scenario in SCENARIOS:
        table.add_column(TITLES[scenario], justify="right")
    table.add_column("budget", justify="right")
    table.add_column("")
    for one in report.estimates:
        style = "red" if one.over else "yellow" if one.excess("maximum") > 0 else "green"
        amounts = (usd(one.total(scenario)) for scenario in SCENARIOS)
        budget = usd(one.budget) if one.budget is not None else ""
        table.add_row(one.environment, *amounts, budget, Text(one.verdict, style=style))
    if len(report.estimates) > 1:
        table.add_section()
        budgets = [one.budget for one in report.estimates if one.budget is not None]
        whole = (Text(usd(report.total(scenario)), style="bold") for scenario in SCENARIOS)
        table.add_row(Text("all", style="bold"), *whole, usd(sum(budgets, Decimal(0))), "")
    return table


def savings(report: Report) -> RenderableType:
    """Return the largest of what could be saved, with what has to be true for it."""
    found = [pair for pair in report.savings() if pair[1].monthly is not None and not pair[1].taken]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for title, justify in (("a month", "right"), ("environment", "left"), ("", "left"), ("if", "left")):
        table.add_column(title, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for one, saving in found[:LARGEST]:
        title = f"{saving.title}{' ✓' if saving.together else ''}"
        table.add_row(usd(saving.monthly), one.environment, title, Text(saving.assumption, style="dim"))
    more = len(found) - LARGEST
    rest = f" {more} smaller ones are in the report." if more > 0 else ""
    together = usd(report.saved_together())
    return Group(table, Text(f"✓ add up to {together} a month; others overlap with them or with each other.{rest}"))


def changes(difference: Difference) -> RenderableType:
    """Return what has changed, line by line."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for title in ("", "environment", "", "count"):
        table.add_column(title)
    for scenario in SCENARIOS:
        table.add_column(TITLES[scenario], justify="right")
    for change in difference.changes:
        counts = [line.counts.text() for line in (change.before, change.after) if line and line.counts]
        amounts = (usd(change.amount(scenario), sign=True) for scenario in SCENARIOS)
        sign = Text(change.sign, style=SIGNS[change.sign])
        table.add_row(sign, change.environment, change.line.name, " → ".join(dict.fromkeys(counts)), *amounts)
    table.add_section()
    whole = (Text(usd(difference.change(scenario), sign=True), style="bold") for scenario in SCENARIOS)
    table.add_row("", "", Text("in all", style="bold"), "", *whole)
    return table if difference.changes else Text("Nothing has changed.")
