# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured, held against the targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.report import Row

#: Of the time that the same takes as stock modules, and of the time that reads alone take.
OF_STOCK, OF_READS = 0.15, 6.0
CALLS = 120
OF_ONE_ENVIRONMENT = 8.0
PLAN_SECONDS = 40.0
OF_ALONE = 1.2
DELIVERY_MINUTES, OF_CRITICAL = 55.0, 1.1


def rows(found: dict[str, Any]) -> list[Row]:
    """Return the figures of the parts that were measured."""
    makers = {
        "converged": _converged,
        "calls": _calls,
        "scale": _scale,
        "crowded": _crowded,
        "plans": _plans,
        "delivery": _delivery,
    }
    return [row for part, maker in makers.items() if part in found for row in maker(found[part])]


def _converged(part: dict[str, Any]) -> Iterator[Row]:
    ours, peer, floor = (one["wall"] for one in part["seconds"].values())
    yield Row(
        "A run of prod with nothing to do, of the same as stock modules",
        f"{part['of_stock_modules']:.3f}",
        f"at most {OF_STOCK}",
        part["of_stock_modules"] <= OF_STOCK,
        f"{ours:.1f} s and {peer:.1f} s; by processor time {part['cpu_of_stock_modules']:.3f}",
    )
    yield Row(
        "The same, times what reads alone take",
        f"{part['of_reads']:.1f}",
        f"at most {OF_READS:g}",
        part["of_reads"] <= OF_READS,
        f"{ours:.1f} s and {floor:.1f} s",
    )


def _calls(part: dict[str, Any]) -> Iterator[Row]:
    yield Row(
        "Calls of a run of prod with nothing to do", f"{part['total']}", f"at most {CALLS}", part["total"] <= CALLS
    )
    for name, counts in part["growth"].items():
        told = ", ".join(f"{count} with {size}" for size, count in counts.items())
        yield Row(f"Calls by {name}", told)


def _scale(part: dict[str, Any]) -> Iterator[Row]:
    told = "; ".join(
        f"{count}: {run['wall']:.1f} s, {run['peak_mib']} MiB in the largest process"
        for count, run in part["runs"].items()
    )
    met = part["of_one"] <= OF_ONE_ENVIRONMENT
    yield Row(
        "16 environments in one run, times one", f"{part['of_one']:.1f}", f"at most {OF_ONE_ENVIRONMENT:g}", met, told
    )


def _plans(part: dict[str, Any]) -> Iterator[Row]:
    met = part["seconds"] <= PLAN_SECONDS
    yield Row("Plans of all four environments at once", f"{part['seconds']:.1f} s", f"at most {PLAN_SECONDS:g} s", met)


def _crowded(part: dict[str, Any]) -> Iterator[Row]:
    met = part["of_alone"] <= OF_ALONE
    told = "; ".join(
        f"beside {others}: {run['wall']:.1f} s, {run['calls']} calls" for others, run in part["others"].items()
    )
    yield Row(
        "Beside resources of somebody else, times alone", f"{part['of_alone']:.2f}", f"at most {OF_ALONE}", met, told
    )


def _delivery(part: dict[str, Any]) -> Iterator[Row]:
    ways = {"pipeline": "one job after the other, each proven by a plan", "together": "prod and dr in one run"}
    for name, told in ways.items():
        minutes, ratio = part[name]["minutes"], part[name]["of_critical"]
        yield Row(
            f"staging, prod and dr from an empty account, {told}",
            f"{minutes:.1f} model minutes",
            f"at most {DELIVERY_MINUTES:g}",
            minutes <= DELIVERY_MINUTES,
        )
        yield Row(
            "The same, times AWS's own critical path",
            f"{ratio:.2f}",
            f"at most {OF_CRITICAL}",
            ratio <= OF_CRITICAL,
            f"{part[name]['critical_minutes']:.1f} model minutes without any delay of ours",
        )
