# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of environments as drawings: who costs what, and where that stands to the budgets. SVG, no network."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils.cost.estimate import Estimate
from ...module_utils.cost.lines import (
    AUTO_MODE,
    BACKUPS,
    BALANCERS,
    CATEGORIES,
    CONTROL_PLANE,
    CROSS_REGION,
    DATABASE,
    ENDPOINTS,
    LOGS,
    NAT,
    NODES,
    REPLICAS,
    SECURITY,
    STATE,
    TRANSFER,
    VOLUMES,
)

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError:
    # The action plugin refuses to begin, in Ansible's usual words.
    pass

#: Blue is the cluster, green the database, orange the network, grey the rest.
COLOURS: Mapping[str, str] = {
    CONTROL_PLANE: "#1f4e79",
    NODES: "#3572b0",
    AUTO_MODE: "#7aa9d6",
    VOLUMES: "#b3cde6",
    DATABASE: "#1d6b63",
    REPLICAS: "#2a8c82",
    BACKUPS: "#86c5be",
    NAT: "#b3641a",
    ENDPOINTS: "#d98a3d",
    BALANCERS: "#e8ae74",
    TRANSFER: "#f2cfa8",
    CROSS_REGION: "#c77f1a",
    LOGS: "#6b7280",
    SECURITY: "#9ca3af",
    STATE: "#d1d5db",
}
OVER = "#c0392b"
#: Reads well on white and on black, as the page follows the reader's choice.
INK = "#808794"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "cost",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}


def bars(estimates: Sequence[Estimate]) -> str:
    """Return each environment as a bar of what an ordinary month is made of.

    A thin line reaches from the fewest nodes to the most, and a mark shows the budget.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 1.5 + 0.95 * len(estimates)), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.subplots()
        axes.patch.set_alpha(0)
        _stack(axes, estimates)
        for row, one in enumerate(estimates):
            _range(axes, row, one)
        axes.set_yticks(range(len(estimates)), [one.environment for one in estimates], fontsize=12)
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.set_xlim(0, max(_furthest(one) for one in estimates) * 1.08)
        axes.xaxis.set_major_formatter("${x:,.0f}")
        axes.grid(axis="x", color=INK, alpha=0.2, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("USD a month")
        figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=9)
        return _svg(figure)


def _stack(axes: Axes, estimates: Sequence[Estimate]) -> None:
    left = [0.0] * len(estimates)
    for category in CATEGORIES:
        widths = [float(one.of(category, "desired")) for one in estimates]
        if any(widths):
            rows = range(len(estimates))
            axes.barh(rows, widths, left=left, height=0.5, color=COLOURS[category], label=category, linewidth=0)
            left = [start + width for start, width in zip(left, widths, strict=True)]


def _range(axes: Axes, row: int, one: Estimate) -> None:
    least, month, most = (float(one.total(scenario)) for scenario in ("minimum", "desired", "maximum"))
    axes.plot([least, most], [row + 0.36] * 2, color=INK, linewidth=1.2, marker="|", markersize=7)
    axes.annotate(_usd(month), (month, row - 0.28), ha="right", va="bottom", fontsize=11, weight="bold")
    _label(axes, (most, row + 0.36), f"{_usd(least)} to {_usd(most)}", va="center")
    if one.budget is not None:
        budget, colour = float(one.budget), OVER if one.over else INK
        axes.plot([budget] * 2, [row - 0.42, row + 0.28], color=colour, linewidth=2, linestyle=(0, (3, 1.5)))
        _label(axes, (budget, row - 0.28), f"budget {_usd(budget)}", va="bottom", color=colour)


def _label(axes: Axes, place: tuple[float, float], text: str, **how: Any) -> None:
    axes.annotate(text, place, (5, 0), textcoords="offset points", fontsize=9, **how)


def _usd(amount: float) -> str:
    # A bare dollar sign begins a formula.
    return f"\\${amount:,.0f}"


def _furthest(one: Estimate) -> float:
    return max(float(one.total("maximum")) * 1.08, float(one.budget or 0))


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
