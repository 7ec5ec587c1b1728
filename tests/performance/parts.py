# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of the measurement: each stands up what it needs, measures, and returns data."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.performance.measure import Failed, Sample, median, ratio, rounds, sample
from tests.performance.subjects import ENVIRONMENT, copies, crowd, floor, ours, peer, playbook, starts
from tests.platform_runs import ROOT, Platform

ALL = ("prod", "dr", "staging", "dev")
SIZES = (1, 2, 4, 8)
ENVIRONMENTS = (1, 4, 16)
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pipeops-example/*"}],
}
#: What grows, by the variable that makes it so; prod's own list is the smallest.
GROWTH: dict[str, Callable[[int], dict[str, Any]]] = {
    "read replicas": lambda count: {
        "rds_replicas": [{"name": f"r{number}", "availability_zone": "us-west-2a"} for number in range(count)]
    },
    "roles of workloads": lambda count: {
        "eks_workload_roles": [
            {"namespace": f"app{number}", "service_account": "app", "inline_policies": {"read": POLICY}}
            for number in range(count)
        ]
    },
    "access entries": lambda count: {
        "eks_access_entries": [
            {
                "principal_arn": f"arn:aws:iam::123456789012:role/team{number}",
                "policies": [{"name": "AmazonEKSViewPolicy", "scope": "cluster"}],
            }
            for number in range(count)
        ]
    },
}
Told = Callable[[str], None]


def converged(stand: Platform, count: int, told: Told) -> dict[str, Any]:
    """Measure a run of prod that has nothing to do, beside the same as stock modules and beside reads alone."""
    stand.begin()
    _stood(stand, ENVIRONMENT)
    subjects = [ours(stand), peer(stand), floor(stand)]
    told("the peer stands up what it keeps")
    sample(subjects[1])
    found = rounds(subjects, count, told)
    mine, theirs, least = (found[subject.name] for subject in subjects)
    return {
        "rounds": count,
        "seconds": {name: _summary(samples) for name, samples in found.items()},
        "of_stock_modules": round(ratio(mine, theirs), 3),
        "of_reads": round(ratio(mine, least), 2),
        "cpu_of_stock_modules": round(ratio(mine, theirs, "cpu"), 3),
    }


def where(stand: Platform, count: int, told: Told) -> dict[str, Any]:
    """Measure what a run of prod is made of."""
    with tempfile.TemporaryDirectory() as folder:
        found = rounds(starts(stand, Path(folder)), count, told)
    before = stand.last_call()
    whole = sample(ours(stand))
    calls = stand.calls(since=before)
    return {
        "starts": {name: round(median(samples), 3) for name, samples in found.items()},
        "run": {"seconds": round(whole.wall, 2), "cpu": round(whole.cpu, 2)},
        "answers": {"calls": len(calls), "seconds": round(sum(call["ms"] for call in calls) / 1000, 2)},
    }


def calls(stand: Platform, told: Told) -> dict[str, Any]:
    """Count the calls of a run of prod that has nothing to do, and how they grow."""
    run = stand.playbook(ENVIRONMENT)
    _insist(run.status, run.output)
    operations = Counter(f"{call['service']}:{call['operation']}" for call in run.calls)
    growth: dict[str, dict[str, int]] = {}
    for name, values in GROWTH.items():
        stand.control("POST", "snapshot", name="bench")
        growth[name] = {}
        for size in SIZES:
            told(f"{size} {name}")
            _stood(stand, ENVIRONMENT, values(size))
            growth[name][str(size)] = len(stand.playbook(ENVIRONMENT, extra=values(size)).calls)
        stand.control("POST", "restore", name="bench")
    return {"total": operations.total(), "by_operation": dict(operations.most_common()), "growth": growth}


def scale(stand: Platform, told: Told) -> dict[str, Any]:
    """Measure converged runs of 1, 4 and 16 environments at once."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in ENVIRONMENTS:
            stand.begin()
            subject = playbook(stand, f"{count} environments", "site.yml", f"-i{copies(Path(folder), count)}")
            told(f"{count} environments stand up: {sample(subject).wall:.1f} s")
            runs = [sample(subject) for _again in range(2)]
            told(f"{count} environments, nothing to do: {median(runs):.1f} s")
            found[str(count)] = _summary(runs)
    return {"runs": found, "of_one": round(found["16"]["wall"] / found["1"]["wall"], 2)}


def crowded(stand: Platform, count: int, told: Told) -> dict[str, Any]:
    """Measure a run of prod that has nothing to do, alone in its account and beside the resources of somebody else."""
    stand.begin()
    _stood(stand, ENVIRONMENT)
    alone = _counted(stand, count, told)
    others = crowd(stand)
    beside = _counted(stand, count, told)
    return {"others": {"0": alone, str(others): beside}, "of_alone": round(beside["wall"] / alone["wall"], 2)}


def _counted(stand: Platform, count: int, told: Told) -> dict[str, Any]:
    before = stand.last_call()
    found = _summary(rounds([ours(stand)], count, told)["site.yml"])
    return {**found, "calls": len(stand.calls(since=before)) // (count + 1)}


def plans(stand: Platform, told: Told) -> dict[str, Any]:
    """Measure the plans of all four environments, made at once as in CI."""
    stand.begin()
    for name in ALL:
        told(f"{name} stands up")
        _stood(stand, name)
    began = time.monotonic()
    running = [
        subprocess.Popen(
            ["ansible-playbook", "site.yml", f"-iinventories/{name}", "--check", "--diff"],
            cwd=ROOT,
            env=stand.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ALL
    ]
    for process in running:
        printed = process.communicate()[0]
        _insist(process.returncode, printed)
    return {"environments": list(ALL), "seconds": round(time.monotonic() - began, 1)}


def _stood(stand: Platform, name: str, extra: dict[str, Any] | None = None) -> None:
    run = stand.playbook(name, extra=extra)
    _insist(run.status, run.output)


def _insist(status: int, output: str) -> None:
    if status:
        raise Failed(f"a run ended with {status}:\n{output[-4000:]}")


def _summary(samples: list[Sample]) -> dict[str, Any]:
    return {
        "wall": round(median(samples), 2),
        "cpu": round(median(samples, "cpu"), 2),
        "peak_mib": round(median(samples, "peak_mib")),
        "samples": [{name: round(value, 2) for name, value in asdict(one).items()} for one in samples],
    }
