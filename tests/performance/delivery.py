# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long it takes at AWS's pace until staging, prod and dr stand, and how long without any delay of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from typing import Any

from pipeops_sandbox.clock import load_durations

from tests.performance.pace import WAIT_DELAY, Pace
from tests.platform_runs import Platform

Told = Callable[[str], None]
#: What a pipeline does for each environment; see scripts/deploy.py.
PHASES: Mapping[str, tuple[str, ...]] = {"apply": (), "prove": ("--check",)}
#: The environments of each run, one run after the other.
PIPELINE = (("staging",), ("prod",), ("dr",))
TOGETHER = (("staging",), ("prod", "dr"))


@dataclass(frozen=True)
class Step:
    """What AWS does by itself once it was asked.

    Attributes:
        seconds: by the sandbox's time profile, which has the sources.
        needs: the steps that have to be over before it can be asked.
    """

    seconds: float
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bar:
    """When something began and ended, in seconds since the beginning."""

    name: str
    began: float
    ended: float


def steps(runs: Sequence[Sequence[str]]) -> dict[str, Step]:
    """Return what AWS does until all environments stand, if each run begins after the one before."""
    seconds, found, before = load_durations(), dict[str, Step](), tuple[str, ...]()
    for environments in runs:
        own = {name: step for one in environments for name, step in _steps(one, seconds)}
        found |= {name: Step(step.seconds, (*step.needs, *before)) for name, step in own.items()}
        before = tuple(own)
    return found


def _steps(environment: str, seconds: Mapping[str, float]) -> Iterator[tuple[str, Step]]:
    def lasts(*names: str) -> float:
        return sum(seconds[name] for name in names)

    corrected = ("rds:modify_lag", "rds:apply_parameters", "rds:reboot")
    role = f"{environment} roles"
    yield role, Step(lasts("iam:propagation"))
    yield f"{environment} NAT gateway", Step(lasts("ec2:nat_gateway_create"))
    yield f"{environment} cluster", Step(lasts("eks:create_cluster"), (role,))
    if environment == "dr":
        made = lasts("rds:snapshot", "rds:snapshot_copy", "rds:load", "rds:multi_az", "rds:configure", *corrected)
        yield "dr replica", Step(made + lasts("rds:backup"), (role, "prod database"))
        return
    made = lasts("rds:create_instance", "rds:multi_az", "rds:backup", "rds:configure")
    yield f"{environment} database", Step(made, (role,))
    if environment == "prod":
        made = lasts("rds:snapshot", "rds:load", "rds:configure", *corrected)
        for name in ("a", "c"):
            yield f"prod replica {name}", Step(made, (role, "prod database"))


def schedule(wanted: Mapping[str, Step]) -> list[Bar]:
    """Return when each step begins and ends if everything is asked for the moment that it can be."""
    ends: dict[str, float] = {}
    bars = []
    for name in TopologicalSorter({name: step.needs for name, step in wanted.items()}).static_order():
        began = max((ends[need] for need in wanted[name].needs), default=0.0)
        ends[name] = began + wanted[name].seconds
        bars.append(Bar(name, began, ends[name]))
    return sorted(bars, key=lambda one: (one.began, one.name))


def delivery(stand: Platform, told: Told) -> dict[str, Any]:
    """Deliver the three environments from an empty account, as the pipeline does and with prod and dr in one run."""
    return {
        "pipeline": _delivered(stand, told, PIPELINE, PHASES),
        "together": _delivered(stand, told, TOGETHER, {"apply": ()}),
    }


def _delivered(
    stand: Platform, told: Told, runs: Sequence[Sequence[str]], phases: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    pace, bars = Pace(stand), list[Bar]()
    for environments in runs:
        for phase, more in phases.items():
            inventories = [f"-iinventories/{name}" for name in environments]
            delay = json.dumps({"platform_wait_delay_seconds": WAIT_DELAY})
            began, ended = pace.run(["ansible-playbook", "site.yml", *inventories, "-e", delay, *more])
            bars.append(Bar(f"{phase} {' and '.join(environments)}", began, ended))
            told(f"{bars[-1].name}: {(ended - began) / 60:.1f} model minutes")
    pace.end()
    least = schedule(steps(runs))
    critical = max(one.ended for one in least)
    return {
        "minutes": round(bars[-1].ended / 60, 1),
        "critical_minutes": round(critical / 60, 1),
        "of_critical": round(bars[-1].ended / critical, 3),
        "runs": [asdict(one) for one in bars],
        "least": [asdict(one) for one in least],
        "seen": [asdict(span) for span in pace.watch.spans],
    }
