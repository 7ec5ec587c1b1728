# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of environments as a page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from decimal import Decimal

import jinja2
from markupsafe import Markup

from ...module_utils.cost.lines import CATEGORIES, SCENARIOS
from ...module_utils.cost.money import usd
from ..environments import COLLECTION
from .report import TITLES, Report

TEMPLATE = COLLECTION / "playbooks" / "templates" / "cost.html.j2"


def page(report: Report) -> str:
    """Return the page."""
    # The drawing library takes a second to load, which only a page needs.
    from .chart import COLOURS, bars  # noqa: PLC0415

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"usd": usd, "signed": _signed}
    template = environment.from_string(TEMPLATE.read_text("utf-8"))
    return template.render(
        report=report,
        chart=Markup(bars(report.estimates)),  # noqa: S704 - drawn here
        colours=COLOURS,
        scenarios=SCENARIOS,
        titles=TITLES,
        categories=CATEGORIES,
        savings=list(report.savings()),
    )


def _signed(amount: Decimal) -> str:
    return usd(amount, sign=True)
