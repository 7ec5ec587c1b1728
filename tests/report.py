# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reports of measurements have in common: figures with their targets, a page, and drawings."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

HERE = Path(__file__).parent
#: Reads well on white and on black, as the page follows the reader's choice.
INK = "#808794"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pipeops",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Row:
    """A line of the table of figures.

    Attributes:
        target: in words; empty for what is only told.
        met: None for what is only told.
        note: what to know of the figure.
    """

    name: str
    value: str
    target: str = ""
    met: bool | None = None
    note: str = ""


def styled() -> Any:
    """Return the context in which figures are drawn."""
    return mpl.rc_context(STYLE)


def svg(figure: Figure) -> Markup:
    """Return a drawing as it stands in a page."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704 - drawn here


def html(template: Path, **context: Any) -> str:
    """Return a page, made of a template that extends ``report.html.j2``."""
    loader = jinja2.FileSystemLoader([template.parent, HERE])
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(template.name).render(**context)
