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

from tests.plan_exactness.dr_drifts import DRIFTS
from tests.plan_exactness.drifts import Drift
from tests.platform_runs import LOCK_WRITE, Platform, Run, platform

REGION = {"dr": "us-east-1"}
#: What is stood up from an empty account: inventories that are run one after the other, each entry of which may be
#: several in one run. The last of them is held against its announcement.
STANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "dev": (("dev",),),
    "staging": (("staging",),),
    "prod": (("prod",),),
    "dr": (("dr",),),
    "prod+dr": (("prod", "dr"),),
    "dr after prod": (("prod",), ("dr",)),
    "dr before prod": (("dr",), ("prod",), ("dr",)),
}

console = Console(highlight=False)


def compare(predicted: Run, applied: Run, hosts: tuple[str, ...]) -> dict[str, Any]:
    """Return where the announcement and the run differ, by (host, task, item) and by action."""
    announced, done = _told(predicted, hosts), _told(applied, hosts)
    return {
        "predicted": sum(predicted.actions(host).total() for host in hosts),
        "applied": sum(applied.actions(host).total() for host in hosts),
        "predicted_tasks": sum(predicted.tasks(host).total() for host in hosts),
        "applied_tasks": sum(applied.tasks(host).total() for host in hosts),
        "missing": sorted(" / ".join(map(str, item)) for item in (done - announced).elements()),
        "extra": sorted(" / ".join(map(str, item)) for item in (announced - done).elements()),
        "check_mutations": [*predicted.mutations, *[LOCK_WRITE] * predicted.lock_writes],
        "status": [predicted.status, applied.status],
    }


def _told(run: Run, hosts: tuple[str, ...]) -> Counter[tuple[str, ...]]:
    """Return the tasks that changed and the actions, each with its host."""
    told: Counter[tuple[str, ...]] = Counter()
    for host in hosts:
        told.update({(host, *map(str, task)): count for task, count in run.tasks(host).items()})
        told.update({(host, "action", action): count for action, count in run.actions(host).items()})
    return told


def is_exact(entry: dict[str, Any]) -> bool:
    """Tell whether an entry shows an exact plan of at least one action."""
    clean = not entry["missing"] and not entry["extra"] and not entry["check_mutations"]
    return clean and entry["status"] == [0, 0] and entry["applied"] > 0


def from_nothing(stand: Platform, *steps: tuple[str, ...]) -> dict[str, Any]:
    """Stand up environments in an empty account, planning the last step before it is taken."""
    stand.begin()
    *earlier, hosts = steps
    for step in earlier:
        assert stand.playbook(*step).status == 0, step
    predicted = stand.playbook(*hosts, check=True)
    applied = stand.playbook(*hosts)
    return _judged(stand, hosts, predicted, applied)


def after_drift(stand: Platform, drift: Drift) -> dict[str, Any]:
    """Let one thing drift, plan, heal, and look whether anything is left; then go back to the clean platform."""
    hosts = (drift.environment,)
    drift.inject(stand, REGION.get(drift.environment, "us-west-2"))
    predicted = stand.playbook(*hosts, check=True)
    applied = stand.playbook(*hosts)
    entry = _judged(stand, hosts, predicted, applied)
    entry["actions"] = sorted(applied.actions(drift.environment))
    if "output" in entry:
        stand.control("POST", "restore", name="clean")
    return entry


def _judged(stand: Platform, hosts: tuple[str, ...], predicted: Run, applied: Run) -> dict[str, Any]:
    """Compare an announcement with what was done, and look whether anything is left."""
    entry, again = compare(predicted, applied, hosts), stand.playbook(*hosts)
    entry["left"] = [action for host in hosts for action in again.actions(host).elements()] + again.mutations
    failed = [run for run in (predicted, applied, again) if run.status]
    if failed:
        entry["output"] = "\n".join(run.output[-2000:] for run in failed)
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
            steps = STANDS[environment]
            report["environments"][environment] = _timed(environment, lambda s=steps: from_nothing(stand, *s))
        if drift_names:
            stand.begin()
            assert stand.playbook("prod", "dr").status == 0
            stand.control("POST", "snapshot", name="clean")
        for name in drift_names:
            report["drifts"][name] = _timed(name, lambda d=by_name[name]: after_drift(stand, d))
    return report


def _timed(name: str, proof: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    started = time.monotonic()
    entry = proof()
    entry["seconds"] = round(time.monotonic() - started, 1)
    verdict = "[green]exact[/]" if is_exact(entry) and not entry["left"] else f"[red]not exact[/] {entry}"
    console.print(f"{name}: {entry['predicted']} announced, {entry['applied']} done, {verdict} ({entry['seconds']} s)")
    return entry
