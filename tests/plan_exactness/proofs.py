# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proofs themselves: plan, run, compare, and look whether anything is left."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rich.console import Console

from tests.plan_exactness.drifts import DRIFTS, Drift
from tests.platform_runs import Platform, Run, platform

REGION = {"dr": "us-east-1"}

console = Console(highlight=False)


def compare(predicted: Run, applied: Run, host: str) -> dict[str, Any]:
    """Return where the announcement and the run differ, by (task, item) and by action."""
    missing = (applied.tasks(host) - predicted.tasks(host)) + _named(applied.actions(host) - predicted.actions(host))
    extra = (predicted.tasks(host) - applied.tasks(host)) + _named(predicted.actions(host) - applied.actions(host))
    return {
        "predicted": predicted.actions(host).total(),
        "applied": applied.actions(host).total(),
        "predicted_tasks": predicted.tasks(host).total(),
        "applied_tasks": applied.tasks(host).total(),
        "missing": sorted(" / ".join(map(str, item)) for item in missing.elements()),
        "extra": sorted(" / ".join(map(str, item)) for item in extra.elements()),
        "check_mutations": predicted.mutations,
        "status": [predicted.status, applied.status],
    }


def _named(actions: Counter[str]) -> Counter[tuple[str, str | None]]:
    return Counter({("action", name): count for name, count in actions.items()})


def is_exact(entry: dict[str, Any]) -> bool:
    """Tell whether an entry shows an exact plan of at least one action."""
    clean = not entry["missing"] and not entry["extra"] and not entry["check_mutations"]
    return clean and entry["status"] == [0, 0] and entry["applied"] > 0


def from_nothing(stand: Platform, environment: str) -> dict[str, Any]:
    """Plan and stand up one environment in an empty account."""
    stand.begin()
    predicted = stand.playbook(environment, check=True)
    applied = stand.playbook(environment)
    entry = compare(predicted, applied, environment)
    again = stand.playbook(environment)
    entry["left"] = [*again.actions(environment).elements(), *again.mutations]
    if applied.status or predicted.status or again.status:
        entry["output"] = (predicted.output if predicted.status else applied.output or again.output)[-4000:]
    return entry


def after_drift(stand: Platform, environment: str, drift: Drift) -> dict[str, Any]:
    """Let one thing drift, plan, heal, and look whether anything is left; then go back to the clean platform."""
    drift.inject(stand, REGION.get(environment, "us-west-2"))
    predicted = stand.playbook(environment, check=True)
    applied = stand.playbook(environment)
    entry = compare(predicted, applied, environment)
    again = stand.playbook(environment)
    entry["actions"] = sorted(applied.actions(environment))
    entry["left"] = [*again.actions(environment).elements(), *again.mutations]
    if applied.status or predicted.status or again.status:
        entry["output"] = "\n".join(run.output[-2000:] for run in (predicted, applied, again) if run.status)
        stand.control("POST", "restore", name="clean")
    return entry


def prove(environments: list[str], drifts: list[Drift], jobs: int) -> dict[str, Any]:
    """Run all proofs, in several processes with a sandbox each, and return the report."""
    shares = [(environments[n::jobs], [drift.name for drift in drifts[n::jobs]]) for n in range(jobs)]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(_share, *zip(*shares, strict=True)))
    report: dict[str, Any] = {"environments": {}, "drifts": {}}
    for part in parts:
        for section, entries in part.items():
            report[section].update(entries)
    return report


def _share(environments: list[str], drift_names: list[str]) -> dict[str, Any]:
    by_name = {drift.name: drift for drift in DRIFTS}
    report: dict[str, Any] = {"environments": {}, "drifts": {}}
    with platform() as stand:
        for environment in environments:
            report["environments"][environment] = _timed(environment, lambda e=environment: from_nothing(stand, e))
        if drift_names:
            stand.begin()
            stand.playbook("prod")
            stand.control("POST", "snapshot", name="clean")
        for name in drift_names:
            report["drifts"][name] = _timed(name, lambda d=by_name[name]: after_drift(stand, "prod", d))
    return report


def _timed(name: str, proof: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    started = time.monotonic()
    entry = proof()
    entry["seconds"] = round(time.monotonic() - started, 1)
    verdict = "[green]exact[/]" if is_exact(entry) and not entry["left"] else f"[red]not exact[/] {entry}"
    console.print(f"{name}: {entry['predicted']} announced, {entry['applied']} done, {verdict} ({entry['seconds']} s)")
    return entry
