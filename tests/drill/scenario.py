# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of a drill, and what is measured in each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.drill.measures import PROMOTION, longest_gap, lost_of, model_seconds, step_of
from tests.drill.records import Phase
from tests.drill.stage import DELAY, INVENTORIES, LEFT_FIRST, WEST, Stage
from tests.drill.stand import PlaybookRun

#: What moves say of applications.
APPLICATIONS = ("applications", "seconds_to_first_application", "seconds_to_all_applications")
#: The task of dr_fence.yml during which a region may come back.
WAITS = "Wait until the region of the former leader answers"


def run(stage: Stage) -> None:
    """Run all parts of the plan, in the order in which they stand there.

    Raises:
        StandFailure: if a playbook fails, or the load does not find its database again.
    """
    stage.begin()
    for part in stage.plan.parts:
        if part == "disaster":
            disaster(stage, "Disaster")
            fail_back(stage, "Fail-back")
        elif part == "circles":
            for number in range(1, stage.plan.circles + 1):
                circle(stage, f"Circle {number} of {stage.plan.circles}")
        elif part == "clock":
            disaster(stage, f"Disaster at AWS's pace, {stage.plan.scale:g} times as fast", stage.plan.scale)
            fail_back(stage, "Fail-back from that")
    settled(stage)


def disaster(stage: Stage, name: str, scale: float | None = None) -> None:
    """Lose the leader's region at a moment that nobody knows, take over, let the region come back, and fence.

    Args:
        scale: if given, things take as long as on AWS, that many times as fast; else they take no time.
    """
    if scale:
        stage.set_clock("aws", scale)
    with stage.phase(name, "disaster") as phase:
        stage.rest(stage.random.uniform(2, 6))
        former = stage.serving()
        lost = stage.mark(f"{WEST} is lost")
        stage.stand.control(f"regions/{WEST}", state="down")
        cut = stage.mark("nobody reaches it any more")
        failover = stage.operate("playbooks/dr_failover.yml", LEFT_FIRST, confirm="prod")
        stage.until(lambda: stage.first_write(lost, former), "the first write after the failover")
        first = stage.first_write(lost, former)
        if first:
            stage.mark("first write acknowledged by dr", first.ended)
        stage.rest(2)
        returned, fence = bring_back(stage)
        stage.rest(2)
        inside = stage.last_inside(lost, returned)
        if inside is not None:
            stage.mark("the last write was acknowledged behind the partition", inside)
        phase.figures |= {
            "to_first_write_seconds": round(first.ended - lost, 2) if first else None,
            "fence_after_return_seconds": round(fence.ended - returned, 2),
            "fence_owed": fence.findings.get("fence_owed"),
            "closed_itself_seconds": round(inside - lost, 2) if inside is not None else None,
            "closed_before_first_write_seconds": round(first.ended - inside, 2) if first and inside else None,
            "lease_seconds": failover.findings.get("seconds_for_the_lease"),
            **_applications(stage, failover, lost),
            **_parts_of(stage, failover, lost, first.ended if first else failover.ended, scale or 1.0),
        }
    if scale:
        stage.set_clock("instant", 1)
    stage.stand.delay = DELAY
    verdict = stage.check_history(phase, cut)
    earliest = min((one.ended for one in verdict.lost), default=cut)
    phase.figures |= {
        "recovery_point_seconds": round(cut - earliest, 3),
        "lost": lost_of(verdict.lost, stage.journal.zero),
    }


def bring_back(stage: Stage) -> tuple[float, PlaybookRun]:
    """Let the region come back while the fence waits for it; return when it did, and the playbook's run."""
    returned: list[float] = []

    def come_back() -> None:
        returned.append(stage.mark(f"{WEST} is back"))
        stage.stand.control(f"regions/{WEST}", state="up")

    fence = stage.operate_around("playbooks/dr_fence.yml", LEFT_FIRST, WAITS, come_back, wait_for_region_seconds="120")
    return returned[0], fence


def _applications(stage: Stage, run: PlaybookRun, lost: float | None = None) -> dict[str, Any]:
    """Return how applications followed the database; nothing where clusters have no API servers.

    Args:
        lost: when the region was lost, for a disaster.
    """
    if not stage.stand.kubernetes:
        return {}
    said = run.findings
    found = {name: said.get(name) for name in APPLICATIONS}
    ready_at = str(said.get("first_application_ready_at"))
    if lost is not None and ready_at.endswith("Z"):
        wall = stage.journal.zero_wall - stage.journal.zero
        # Kubernetes tells whole seconds, so one that was ready counts from the end of its second.
        moment = datetime.fromisoformat(ready_at).timestamp() + 1 - wall
        stage.mark("first application ready in dr", moment)
        found["loss_to_first_application_seconds"] = round(moment - lost, 1)
    return found


def _parts_of(stage: Stage, failover: PlaybookRun, lost: float, first: float, scale: float) -> dict[str, Any]:
    """Part the time to the first write: what was before the promotion, the promotion, and what came after."""
    promotion = float(failover.findings.get("seconds_of_promotion") or 0)
    model = model_seconds(first - lost, promotion, scale)
    found: dict[str, Any] = {
        "scale": scale,
        "failover_seconds": round(failover.seconds, 2),
        "promotion_seconds": promotion,
        "own_seconds": round(model["ours"], 2),
        "model_promotion_seconds": round(model["promotion"], 1),
        "model_to_first_write_seconds": round(model["to_first_write"], 1),
    }
    step = step_of(failover.report, PROMOTION)
    if step:
        wall = stage.journal.zero_wall - stage.journal.zero
        found["before_promotion_seconds"] = round(step[0] - (lost + wall), 2)
        found["after_promotion_seconds"] = round(first - lost - promotion - found["before_promotion_seconds"], 2)
    return found


def fail_back(stage: Stage, name: str) -> None:
    """Make the former leader a standby, switch back to it, and bring both environments to what the inventories say."""
    with stage.phase(name, "failback") as phase:
        run = stage.operate("playbooks/dr_failback.yml", INVENTORIES, confirm="prod")
        stage.rest(2)
        _planned(stage, phase, run)


def circle(stage: Stage, name: str) -> None:
    """Move the database to the other region and back, as planned."""
    with stage.phase(f"{name}: switchover", "switchover") as phase:
        stage.rest(1)
        run = stage.operate("playbooks/dr_switchover.yml", INVENTORIES, confirm="prod")
        stage.rest(2)
        _planned(stage, phase, run)
    fail_back(stage, f"{name}: fail-back")


def _planned(stage: Stage, phase: Phase, run: PlaybookRun) -> None:
    """Note what a planned move cost, and look for every write."""
    moments = [one.ended for one in stage.journal.acknowledged]
    began, ended = longest_gap(moments, phase.began, moments[-1])
    phase.figures |= {
        "playbook_seconds": round(run.seconds, 2),
        "seconds_without_writes": round(ended - began, 2),
        "no_writes_from": round(began - stage.journal.zero, 2),
        "said_seconds_without_writes": run.findings.get("seconds_without_writes"),
        "promotion_seconds": run.findings.get("seconds_of_promotion"),
        **_applications(stage, run),
    }
    stage.check_history(phase)


def settled(stage: Stage) -> None:
    """See that everything is as the inventories say, with nothing left to change."""
    with stage.phase("Is all as it was?", "check") as phase:
        run = stage.operate("site.yml", INVENTORIES, check=True)
        phase.figures["left_to_change"] = run.changed
        stage.check_history(phase)
