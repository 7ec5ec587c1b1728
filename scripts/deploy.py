# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploys one environment as a pipeline does: apply, prove by a plan that nothing is left, keep what was published.

Leaves in ``build/deploy``: ``ENV.md`` (a summary with timings), ``ENV.json``, and the outputs in ``ENV.outputs.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "deploy"
ENVIRONMENTS = tuple(sorted(path.parent.name for path in (ROOT / "inventories").glob("*/hosts.yml")))
Run = Callable[[Sequence[str], dict[str, str]], int]


@dataclass
class Phase:
    """One part of a deployment.

    Attributes:
        told: what it came to, in a few words.
    """

    name: str
    status: int
    seconds: float
    told: str


@dataclass
class Deployment:
    """What was done for one environment, part by part. The first part that fails is the last one."""

    environment: str
    phases: list[Phase] = field(default_factory=list)
    plan: str = ""

    @property
    def failed(self) -> bool:
        return any(phase.status for phase in self.phases)

    def markdown(self) -> str:
        """Return the summary of the job."""
        verdict = "failed" if self.failed else "deployed"
        rows = [f"| {one.name} | {_seconds(one.seconds)} | {one.told} |" for one in self.phases]
        total = _seconds(sum(one.seconds for one in self.phases))
        lines = [f"## {self.environment}: {verdict}", "", "| Part | Took | Result |", "| --- | --- | --- |", *rows]
        return "\n".join([*lines, f"| **all** | **{total}** | |", "", self.plan]).rstrip() + "\n"

    def as_dict(self) -> dict[str, Any]:
        """Return it as the JSON file carries it."""
        phases = [{**vars(one), "seconds": round(one.seconds, 1)} for one in self.phases]
        return {"environment": self.environment, "failed": self.failed, "phases": phases}


def _seconds(amount: float) -> str:
    minutes, seconds = divmod(round(amount), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _told(path: Path, environment: str) -> tuple[int, str]:
    """Return how many actions a run has reported, and that in words."""
    if not path.exists():
        return 0, "no report"
    totals = json.loads(path.read_text("utf-8"))["hosts"].get(environment, {}).get("totals", {})
    words = ", ".join(f"{count} {verb}" for verb, count in totals.items() if count)
    return sum(totals.values()), words or "nothing to do"


def deploy(environment: str, folder: Path, run: Run) -> Deployment:
    """Deploy and return what came of it.

    Args:
        environment: its name.
        folder: where files are left.
        run: runs ``ansible-playbook`` with arguments and further variables, and returns its status.
    """
    done = Deployment(environment)
    inventory = f"-iinventories/{environment}"
    applied, checked = folder / f"{environment}.run.json", folder / f"{environment}.check.json"
    page = folder / f"{environment}.run.md"
    for stale in (applied, checked, page):
        stale.unlink(missing_ok=True)

    began = time.monotonic()
    variables = {"PIPEOPS_PLAN_JSON": str(applied), "PIPEOPS_PLAN_MARKDOWN": str(page)}
    status = run(["site.yml", inventory], variables)
    done.phases.append(Phase("apply", status, time.monotonic() - began, _told(applied, environment)[1]))
    done.plan = page.read_text("utf-8") if page.exists() else ""
    if status:
        return done

    began = time.monotonic()
    status = run(["site.yml", inventory, "--check"], {"PIPEOPS_PLAN_JSON": str(checked)})
    left, told = _told(checked, environment)
    told = told if status or left else "nothing left to do"
    done.phases.append(Phase("prove", status or int(left > 0), time.monotonic() - began, told))
    if done.failed:
        return done

    began = time.monotonic()
    outputs = folder / f"{environment}.outputs.json"
    status = run(["playbooks/outputs.yml", inventory, "-e", "format=json", "-e", f"to={outputs}"], {})
    done.phases.append(Phase("outputs", status, time.monotonic() - began, outputs.name))
    return done


def ansible(arguments: Sequence[str], variables: dict[str, str]) -> int:
    """Run a playbook in this checkout."""
    command = ["ansible-playbook", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """Deploy the one environment that is named, and return the exit status."""
    if len(arguments) != 1 or arguments[0] not in ENVIRONMENTS:
        sys.stderr.write(f"ENV is {' '.join(arguments)!r}, must be one of: {', '.join(ENVIRONMENTS)}\n")
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = deploy(arguments[0], FOLDER, ansible)
    (FOLDER / f"{done.environment}.json").write_text(json.dumps(done.as_dict(), indent=2) + "\n", "utf-8")
    (FOLDER / f"{done.environment}.md").write_text(done.markdown(), "utf-8")
    sys.stdout.write(done.markdown())
    return 1 if done.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
