# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a drill counts as failed, and what its table says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.drill.assess import faults, summary, table, watch
from tests.drill.records import Fate, Journal, Phase, Probe, Write

WHOLE: dict[str, Any] = {"lost_writes": 0, "history": "whole", "seconds_without_writes": 5.0}
DISASTER: dict[str, Any] = {
    **WHOLE,
    "lost_writes": 4,
    "recovery_point_seconds": 0.03,
    "to_first_write_seconds": 30.0,
    "own_seconds": 12.0,
    "scale": 20,
    "model_promotion_seconds": 360.0,
    "model_to_first_write_seconds": 372.0,
    "unknown_present": 0,
    "unknown_absent": 2,
    "fence_after_return_seconds": 8.0,
}


@pytest.fixture
def journal() -> Journal:
    made = Journal()
    for server, at in (("127.0.0.2", 1.0), ("127.0.0.3", 5.0)):
        made.write(Write(1, 1, at, at + 0.01, 0.0, Fate.ACKNOWLEDGED, server))
        made.probe(Probe(server, at, at + 0.01, True), by_name=True)
    return made


def phase(kind: str, **figures: Any) -> Phase:
    return Phase(kind.capitalize(), kind, 1.0, 9.0, figures={**(DISASTER if kind == "disaster" else WHOLE), **figures})


def test_a_disaster_may_lose_writes_and_a_planned_move_may_not(journal: Journal) -> None:
    journal.phases = [phase("disaster"), phase("failback"), phase("switchover")]
    assert faults(journal.phases, watch(journal), "") == []
    journal.phases.append(phase("switchover", lost_writes=1))
    assert faults(journal.phases, watch(journal), "") == [
        "Switchover: 1 acknowledged writes were lost in a planned move"
    ]
    assert summary(journal, watch(journal))["planned_lost_writes"] == 1


@pytest.mark.parametrize("figures", [{"history": "broken"}, {"left_to_change": 2}])
def test_a_broken_history_and_a_plan_with_changes_are_faults(journal: Journal, figures: dict[str, Any]) -> None:
    journal.phases = [phase("check", **figures)]
    assert len(faults(journal.phases, watch(journal), "")) == 1


def test_a_playbook_that_failed_is_a_fault_in_its_first_line(journal: Journal) -> None:
    assert faults([], watch(journal), "dr_failover.yml failed\nwith much to read") == ["dr_failover.yml failed"]


def test_two_writable_are_a_fault_by_the_name_and_asked_directly(journal: Journal) -> None:
    for target in ("prod", "dr"):
        for at in (1.0, 1.5):
            journal.probe(Probe(target, at, at + 0.01, True), by_name=False)
    seen = watch(journal)
    assert len(faults([], seen, "")) == 1
    assert summary(journal, seen)["two_writable_primaries_seen"]["count"] == 1
    assert [row.met for row in table(journal, seen) if row.name.startswith("Two writable")] == [True, False]
    journal.write(Write(1, 2, 0.5, 6.0, 0.0, Fate.ACKNOWLEDGED, "127.0.0.2"))
    assert len(faults([], watch(journal), "")) == 2


def test_a_leader_that_takes_writes_behind_a_partition_is_a_second_one(journal: Journal) -> None:
    for at in (1.0, 1.5):
        journal.probe(Probe("dr", at, at + 0.01, True), by_name=False)
        journal.probe_inside(Probe("dr", at, at + 0.01, True))
    assert watch(journal).direct_overlaps == []
    journal.probe_inside(Probe("prod", 1.2, 1.3, True))
    assert [one.targets for one in watch(journal).direct_overlaps] == [("dr", "prod")]
    late = phase("disaster", closed_before_first_write_seconds=-0.5)
    assert "0.5 s after the new one's first" in faults([late], watch(Journal()), "")[0]


def test_the_table_holds_a_disaster_against_its_targets(journal: Journal) -> None:
    journal.phases = [phase("disaster", model_to_first_write_seconds=700.0)]
    met = {row.name: row.met for row in table(journal, watch(journal))}
    assert met["Disaster: loss to first acknowledged write"] is False
    assert met["Disaster: what our own steps add"] is True


FOLLOWED = {
    "applications": "ready: 4 of 4 ready, 5 nodes",
    "seconds_to_first_application": 2.0,
    "seconds_to_all_applications": 6.0,
}


def test_how_applications_followed_is_told_where_clusters_have_api_servers(journal: Journal) -> None:
    journal.phases = [
        phase("disaster", **FOLLOWED, loss_to_first_application_seconds=31.0),
        phase("failback", **FOLLOWED),
    ]
    rows = {row.name: row for row in table(journal, watch(journal))}
    first = rows["Disaster: activation to first ready application"]
    assert (first.value, first.met) == ("2 s", None)
    assert "all after 6 s, the first 31 s after the loss" in first.note
    assert rows["Planned moves: all applications ready where the database is"].met is True


def test_applications_that_did_not_come_miss_their_target(journal: Journal) -> None:
    absent = {**FOLLOWED, "applications": "not ready: 0 of 4", "seconds_to_first_application": None}
    absent["seconds_to_all_applications"] = None
    journal.phases = [phase("disaster", **absent), phase("failback", **absent)]
    met = {row.name: row.met for row in table(journal, watch(journal))}
    assert met["Disaster: applications in dr"] is False
    assert met["Planned moves: all applications ready where the database is"] is False


def test_without_api_servers_nothing_is_said_of_applications(journal: Journal) -> None:
    journal.phases = [phase("disaster"), phase("failback")]
    assert not [row for row in table(journal, watch(journal)) if "application" in row.name]
