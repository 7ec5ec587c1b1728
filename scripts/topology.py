# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws the shipped environments from their inventories: ``docs/topology.svg``.

Exit status: 0 it is up to date (or was drawn), 1 with ``--check`` if it is out of date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from role_docs import ENVIRONMENTS, ROOT, values_of

PICTURE = ROOT / "docs" / "topology.svg"
#: Of a card, and of what is around it.
WIDTH, HEIGHT, GAP, HEAD = 250, 300, 16, 34
TIERS = {"public": "#dbeafe", "private": "#dcfce7", "database": "#fef3c7"}
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #1f2937 }
.name { font-weight: 600; font-size: 15px }
.small { font-size: 10.5px; fill: #4b5563 }
.region { fill: #f8fafc; stroke: #94a3b8; stroke-dasharray: 5 4 }
.card { fill: #ffffff; stroke: #64748b }
.part { stroke: #94a3b8 }
.flow { fill: none; stroke: #b45309; stroke-width: 2 }
.watch { fill: none; stroke: #64748b; stroke-dasharray: 3 3 }
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the picture, or with ``--check`` say that it is out of date."""
    parser = argparse.ArgumentParser(description="Draw the shipped environments.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the picture is out of date")
    options = parser.parse_args(arguments)
    drawn = picture({name: values_of(name) for name in ENVIRONMENTS})
    if PICTURE.exists() and PICTURE.read_text("utf-8") == drawn:
        return 0
    if options.check:
        message = "docs/topology.svg is out of date. Run python scripts/topology.py and commit what it draws."
        print(message, file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    PICTURE.write_text(drawn, "utf-8")
    return 0


def picture(environments: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the picture of environments, given their variables by name."""
    places = dict(_places(environments))
    width = max(left for left, _ in places.values()) + WIDTH + 2 * GAP
    parts = [*_regions(environments, places)]
    for name, values in environments.items():
        parts += _card(name, values, *places[name])
    bottom = GAP + HEAD + HEIGHT + GAP
    pairs = list(_pairs(environments))
    for number, (leader, follower) in enumerate(pairs):
        parts += _pair(environments[leader], leader, follower, places, bottom + number * 90)
    height = bottom + GAP + 90 * len(pairs)
    named = ", ".join(environments)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="The environments {named} with their regions, networks, clusters and databases">\n'
        f"<!-- drawn by scripts/topology.py from the inventories -->\n<style>\n{STYLE}</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#b45309"/></marker></defs>\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _by_region(environments: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    regions: dict[str, list[str]] = {}
    for name, values in environments.items():
        regions.setdefault(values["platform_region"], []).append(name)
    return regions


def _places(environments: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield where the card of each environment is: regions side by side, environments side by side in them."""
    left = GAP
    for names in _by_region(environments).values():
        for name in names:
            left += GAP
            yield name, (left, GAP + HEAD)
            left += WIDTH
        left += 3 * GAP


def _regions(environments: Mapping[str, Mapping[str, Any]], places: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    for region, names in _by_region(environments).items():
        left = places[names[0]][0] - GAP
        yield _box(left, GAP, len(names) * (WIDTH + GAP) + GAP, HEAD + HEIGHT + GAP, "region")
        yield _text(left + GAP, GAP + 22, region, "name")


def _card(name: str, values: Mapping[str, Any], left: int, top: int) -> Iterator[str]:
    yield _box(left, top, WIDTH, HEIGHT, "card")
    yield _text(left + 12, top + 22, name, "name")
    yield _text(left + WIDTH - 12, top + 22, f"{values['platform_budget_usd_month']} USD a month", "small", "end")
    yield _text(left + 12, top + 42, f"VPC {values['vpc_cidr']}")
    yield _text(left + WIDTH - 12, top + 42, f"NAT {values['vpc_nat']}", "small", "end")
    yield from _zones(values, left + 12, top + 52)
    yield from _part(left, top + 168, "#ede9fe", _cluster(values))
    yield from _part(left, top + 236, TIERS["database"], _database(values))


def _zones(values: Mapping[str, Any], left: int, top: int) -> Iterator[str]:
    zones = values["vpc_zones"]
    step = (WIDTH - 24 + 8) / len(zones)
    for number, zone in enumerate(zones):
        x = round(left + number * step)
        yield _text(x, top + 14, zone.removeprefix(values["platform_region"]), "small")
        for row, (tier, colour) in enumerate(TIERS.items()):
            y = top + 20 + row * 28
            yield _box(x, y, round(step) - 8, 24, "part", colour)
            yield _text(x + 6, y + 16, tier, "small")


def _part(left: int, top: int, colour: str, lines: Sequence[str]) -> Iterator[str]:
    yield _box(left + 12, top, WIDTH - 24, 56, "part", colour)
    for number, line in enumerate(lines):
        yield _text(left + 20, top + 16 + 16 * number, line, "" if number == 0 else "small")


def _cluster(values: Mapping[str, Any]) -> list[str]:
    kind = "EKS Auto Mode" if values["eks_compute"] == "auto" else "EKS, managed node groups"
    rest = "applications" if values["platform_database_role"] == "primary" else "no applications until activated"
    return [
        f"{kind}, {values['eks_node_minimum']} to {values['eks_node_maximum']} nodes",
        ", ".join(values["eks_node_instance_types"]),
        f"add-ons, {rest}",
    ]


def _database(values: Mapping[str, Any]) -> list[str]:
    copies = [one["availability_zone"].removeprefix(values["platform_region"]) for one in values["rds_replicas"]]
    shape = "Multi-AZ" if values["rds_multi_az"] else "one zone"
    return [
        f"RDS PostgreSQL, {values['platform_database_role']}",
        f"{values['rds_instance_class']}, {shape}",
        f"read replicas in {', '.join(copies)}" if copies else "no read replicas",
    ]


def _pairs(environments: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield who leads and who follows, of each pair that is drawn."""
    for name, values in environments.items():
        other = values.get("platform_pair", {}).get("environment")
        if values["platform_database_role"] == "replica" and other in environments:
            yield other, name


def _pair(
    values: Mapping[str, Any], leader: str, follower: str, places: Mapping[str, tuple[int, int]], top: int
) -> Iterator[str]:
    start, end = (places[name][0] + WIDTH // 2 for name in (leader, follower))
    card = GAP + HEAD + HEIGHT - 8
    yield f'<path class="flow" d="M{start},{card} V{top + 18} H{end} V{card + 2}" marker-end="url(#tip)"/>'
    yield _text((start + end) // 2, top + 12, "replicates", "small", "middle")
    if region := values.get("platform_witness_region"):
        middle = (start + end) // 2
        yield f'<path class="watch" d="M{middle},{top + 18} V{top + 34}"/>'
        yield _box(middle - 130, top + 34, 260, 40, "region")
        yield _text(middle, top + 59, f"{region}: witness of who leads", "", "middle")


def _box(left: int, top: int, width: int, height: int, kind: str, colour: str = "") -> str:
    fill = f' fill="{colour}"' if colour else ""
    return f'<rect class="{kind}" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"{fill}/>'


def _text(left: int, top: int, text: str, kind: str = "", anchor: str = "start") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text x="{left}" y="{top}"{shown} text-anchor="{anchor}">{escape(text)}</text>'


if __name__ == "__main__":
    sys.exit(main())
