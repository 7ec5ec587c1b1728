# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the tables of ``docs/cost.md``: what the shipped inventories cost, beside the cost table of the design.

Exit status: 0 all is up to date (or was written), 1 with ``--check`` if the page is out of date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from role_docs import ENVIRONMENTS, ROOT, filled, table

PAGE = ROOT / "docs" / "cost.md"
DESIGN = Path(__file__).with_name("design_cost.yml")
SCENARIOS = ("minimum", "desired", "maximum")
TITLES = ("fewest nodes", "ordinary month", "most nodes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with ``--check`` say that it is out of date."""
    parser = argparse.ArgumentParser(description="Write the tables of docs/cost.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    options = parser.parse_args(arguments)
    init_plugin_loader([str(ROOT / "collections")])
    text = filled(PAGE, parts())
    if PAGE.read_text("utf-8") == text:
        return 0
    if options.check:
        message = "docs/cost.md is out of date. Run python scripts/cost_docs.py and commit what it writes."
        print(message, file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    PAGE.write_text(text, "utf-8")
    return 0


def estimates() -> dict[str, Any]:
    """Return what the shipped inventories cost, by environment."""
    # Importable once the loader knows where the collection is.
    from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.pricing import (  # noqa: PLC0415
        PRICES,
        price_list,
        priced,
    )
    from ansible_collections.pipeops.platform.plugins.plugin_utils.environments import (  # noqa: PLC0415
        COLLECTION,
        defaults_of,
        read,
        specs_of,
    )

    specs, defaults, prices = specs_of(COLLECTION), defaults_of(COLLECTION), price_list(PRICES)
    hosts = read([ROOT / "inventories" / name for name in ENVIRONMENTS], specs, DataLoader())
    return {host.name: priced(host, defaults, specs, prices) for host in hosts}


def parts() -> Mapping[str, Callable[[], str]]:
    """Return the generated parts of the page by name."""
    found = estimates()
    design: dict[str, Any] = yaml.safe_load(DESIGN.read_text("utf-8"))
    compared = {f"design_{name}": lambda name=name: _beside(found[name], design[name]) for name in ENVIRONMENTS}
    return {"totals": lambda: _totals(found), "grand": lambda: _grand(found, design), **compared}


def usd(amount: Any) -> str:
    """Return an amount as the page shows it."""
    return f"{Decimal(amount):,.2f}"


def _totals(found: Mapping[str, Any]) -> str:
    rows = [
        (name, *(usd(one.total(scenario)) for scenario in SCENARIOS), usd(one.budget), one.verdict)
        for name, one in found.items()
    ]
    whole = [usd(sum(one.total(scenario) for one in found.values())) for scenario in SCENARIOS]
    budgets = usd(sum(one.budget for one in found.values()))
    return str(table(("USD a month", *TITLES, "Budget", ""), [*rows, ("**all**", *whole, budgets, "")]))


def _beside(one: Any, design: Mapping[str, Any]) -> str:
    rows = list(_rows(one, design))
    lines = sum(line["usd"] for line in design["lines"])
    stated = f"{design['total']:,}" + (f" (its lines: {lines:,})" if lines != design["total"] else "")
    ours = (f"**{usd(one.total(scenario))}**" for scenario in SCENARIOS)
    return str(table(("Design", "USD", *TITLES, "Why"), [*rows, ("**Total**", f"**{stated}**", *ours, "")]))


def _rows(one: Any, design: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for line in design["lines"]:
        amounts = (usd(sum(one.of(category, scenario) for category in line["ours"])) for scenario in SCENARIOS)
        name = line["line"] or f"({', '.join(line['ours'])})"
        yield (name, f"{line['usd']:,}", *amounts, line["why"])


def _grand(found: Mapping[str, Any], design: Mapping[str, Any]) -> str:
    stated = sum(one["total"] for one in design.values())
    lines = sum(line["usd"] for one in design.values() for line in one["lines"])
    ours = [usd(sum(one.total(scenario) for one in found.values())) for scenario in SCENARIOS]
    saved = usd(
        sum(
            saving.monthly or 0
            for one in found.values()
            for saving in one.savings
            if saving.together and not saving.taken
        )
    )
    titles = ("USD a month", "Design", "sum of its lines", *TITLES, "Savings that add up")
    return str(table(titles, [("all", f"{stated:,}", f"{lines:,}", *ours, saved)]))


if __name__ == "__main__":
    sys.exit(main())
