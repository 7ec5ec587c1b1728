# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tests.performance.figures import rows
from tests.report import INK, html, styled, svg

TEMPLATE = Path(__file__).with_name("page.html.j2")
OURS, OTHER = "#2a8c82", "#8a94a6"
#: Colours of what something does while it is not ready.
STATES = {"creating": "#3a6ea5", "backing-up": "#b08d2f", "modifying": "#8b5fa8", "rebooting": "#c0563b"}
READY = frozenset({"available", "active"})
WAYS = {"pipeline": "one job after the other", "together": "prod and dr in one run"}


def page(found: dict[str, Any]) -> str:
    """Return the page."""
    drawings: dict[str, Markup] = {}
    if "converged" in found:
        seconds = {name: one["wall"] for name, one in found["converged"]["seconds"].items()}
        drawings["A run of prod with nothing to do, in seconds"] = bars(seconds)
    if "calls" in found:
        drawings["Its calls"] = bars(found["calls"]["by_operation"])
    if "where" in found:
        drawings["What any run begins with, in seconds"] = bars(found["where"]["starts"])
    for name, told in WAYS.items():
        if "delivery" in found:
            drawings[f"Delivery at AWS's pace, {told}, in minutes"] = gantt(found["delivery"][name])
    return html(TEMPLATE, report=found, figures=rows(found), drawings=drawings)


def bars(values: dict[str, float]) -> Markup:
    """Return a drawing of some figures, one beneath the other; the first one is ours."""
    with styled():
        figure = Figure(figsize=(10, 0.6 + 0.26 * len(values)), layout="constrained")
        axes = figure.subplots()
        colours = [OURS, *[OTHER] * (len(values) - 1)]
        drawn = axes.barh(list(values), list(values.values()), color=colours, height=0.7)
        axes.bar_label(drawn, labels=[f" {value:g}" for value in values.values()], color=INK)
        axes.invert_yaxis()
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        return svg(figure)


def gantt(part: dict[str, Any]) -> Markup:
    """Return a drawing of a delivery: its runs, what AWS was busy with, and the least that AWS would take."""
    runs = [(one["name"], one["began"], one["ended"], OURS) for one in part["runs"]]
    seen = [
        (span["name"], span["began"], span["ended"], STATES.get(span["status"].lower(), OTHER))
        for span in part["seen"]
        if span["status"].lower() not in READY
    ]
    least = [(f"least: {one['name']}", one["began"], one["ended"], OTHER) for one in part["least"]]
    rows = list(dict.fromkeys(name for name, *_rest in (*runs, *seen, *least)))
    with styled():
        figure = Figure(figsize=(10, 0.8 + 0.24 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for name, began, ended, colour in (*runs, *seen, *least):
            axes.barh(rows.index(name), (ended - began) / 60, left=began / 60, color=colour, height=0.7)
        axes.set_yticks(range(len(rows)), rows)
        axes.invert_yaxis()
        axes.set_xlabel("minutes of AWS's time since the beginning")
        known = [Patch(color=colour, label=state) for state, colour in STATES.items()]
        axes.legend(handles=known, loc="lower left", frameon=False)
        return svg(figure)
