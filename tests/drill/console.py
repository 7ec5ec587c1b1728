# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people see while a drill runs: a line for each event, and below them how the load is now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.drill.records import Journal

console = Console(highlight=False)
#: Seconds that the rates are taken over.
RECENT = 1.0


def now(journal: Journal) -> Text:
    """Return how the load is at this moment, in a line."""
    moment = time.monotonic()
    recent = sum(one.ended > moment - RECENT for one in journal.acknowledged_since(-1000))
    errors = sum(one.at > moment - RECENT for one in journal.troubles[-1000:])
    text = Text(f"{moment - journal.zero:7.1f} s  ")
    text.append(f"{recent / RECENT:4.0f} writes/s", "green" if recent else "red")
    text.append(f"  {errors / RECENT:4.0f} errors/s", "red" if errors else "dim")
    text.append(f"  {journal.acknowledged_count} acknowledged", "dim")
    return text


class Board:
    """Says what happens. Without a terminal, the line below is left out."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the load for as long as the block runs."""
        if not console.is_terminal:
            yield
            return
        live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=lambda: now(self.journal))
        with live:
            yield

    def say(self, text: str) -> None:
        """Print an event with its time."""
        console.print(f"[dim]{time.monotonic() - self.journal.zero:7.1f} s[/]  {text}")


def figures(report: dict[str, Any]) -> Table:
    """Return the figures with their targets."""
    table = Table(title="Game day", title_justify="left", box=None, pad_edge=False, header_style="dim")
    for title in ("what", "measured", "target", ""):
        table.add_column(title)
    for row in report["figures"]:
        met = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}[row["met"]]
        table.add_row(row["name"], row["value"], row["target"], met)
    return table
