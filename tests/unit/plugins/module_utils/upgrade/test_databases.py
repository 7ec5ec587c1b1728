# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks for and against an upgrade of a database, what is done in which order, and one step of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade import rds_facts
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.findings import BLOCKER, NOTE, WARNING
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.rds_facts import (
    PRIMARY,
    REPLICA,
    STANDBY,
    Facts,
    Member,
)
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.rds_findings import assess
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.rds_inside import Inside, Slot, open_databases
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.rds_step import Order, planned
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.rds_steps import steps, uncovered_seconds

WEST, EAST = "us-west-2", "us-east-1"
TARGETS = {"17.7": False, "17.8": False, "18.3": True}
OLD, MINOR, MAJOR = "17.6", "17.7", "18.3"
ARN = f"arn:aws:rds:{WEST}:123456789012:db:pipeops-prod"
LIMIT = 300


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key.replace("__", ":").replace("_", "-"), "Value": value} for key, value in values.items()]


def member(name: str, role: str, version: str = OLD, *, region: str = WEST, **more: Any) -> Member:
    instance: dict[str, Any] = {
        "DBInstanceIdentifier": name,
        "DBInstanceArn": f"arn:aws:rds:{region}:123456789012:db:{name}",
        "DBInstanceStatus": "available",
        "DBInstanceClass": "db.r6g.xlarge",
        "EngineVersion": version,
        "AllocatedStorage": 100,
        "BackupRetentionPeriod": 30,
        "DBInstanceAutomatedBackupsReplications": [{"DBInstanceAutomatedBackupsArn": "arn"}],
        "DBParameterGroups": [{"DBParameterGroupName": "pipeops-prod-postgres17"}],
    }
    source = {REPLICA: "pipeops-prod", STANDBY: ARN}.get(role)
    if source:
        instance["ReadReplicaSourceDBInstanceIdentifier"] = source
        instance["StatusInfos"] = [{"Status": "replicating", "Normal": True}]
    known = {key: more.pop(key) for key in list(more) if key in Member.__dataclass_fields__}
    values = {"lag": None if role == PRIMARY else 3.0, "free_gib": 60.0, "targets": TARGETS, **known}
    return Member({**instance, **more}, region, role, **values)


def facts(target: str = MINOR, *, major_inside: Inside | None = None, **changes: Any) -> Facts:
    replicas = [
        member("pipeops-prod-a", REPLICA),
        member("pipeops-prod-c", REPLICA),
        member("pipeops-dr", STANDBY, region=EAST),
    ]
    given = {"inside": major_inside or Inside(), "pair": replicas[2].instance, **changes}
    return Facts(member("pipeops-prod", PRIMARY), target, **{"replicas": replicas, **given})


def of_primary(**values: Any) -> dict[str, Any]:
    return {"primary": values}


def levels(found: Facts, *accepted: str) -> dict[str, str]:
    return {one.id: one.level for one in assess(found, LIMIT, accepted) if one.level != NOTE}


def with_primary(found: Facts, **values: Any) -> Facts:
    return replace(found, primary=replace(found.primary, instance={**found.primary.instance, **values}))


def with_replica(found: Facts, **values: Any) -> Facts:
    first, *others = found.replicas
    return replace(found, replicas=[replace(first, instance={**first.instance, **values}), *others])


@pytest.mark.parametrize("target", [MINOR, MAJOR])
def test_what_is_well_is_blocked_by_nothing(target: str) -> None:
    assert levels(facts(target)) == {}


def test_what_is_there_already_is_told_nothing_of() -> None:
    found = facts(OLD)
    assert not found.begins
    assert assess(found, LIMIT) == []
    assert steps(found) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (facts("17.5"), {"version": BLOCKER}),
        (facts("19.1"), {"version": BLOCKER}),
        (with_primary(facts(), DBInstanceStatus="storage-full"), {"instance/pipeops-prod": BLOCKER}),
        (with_primary(facts(), DBInstanceStatus="backing-up"), {}),
        (
            with_primary(facts(), PendingModifiedValues={"DBInstanceClass": "db.r6g.large"}),
            {"pending/pipeops-prod": BLOCKER},
        ),
        (with_primary(facts(), PendingModifiedValues={"EngineVersion": MINOR}), {}),
        (with_primary(facts(), BackupRetentionPeriod=0), {"backups": WARNING}),
        (with_primary(facts(), DBInstanceAutomatedBackupsReplications=[]), {}),
        (with_primary(facts(MAJOR), DBInstanceAutomatedBackupsReplications=[]), {"cover": BLOCKER}),
        (with_primary(facts(), ReadReplicaSourceDBInstanceIdentifier="other"), {"role": BLOCKER}),
        (with_primary(facts(), TagList=tags(pipeops__fenced="now")), {"role": BLOCKER}),
        (
            with_replica(facts(), StatusInfos=[{"Status": "error", "Normal": False, "Message": "broken"}]),
            {"replication/pipeops-prod-a": BLOCKER},
        ),
        (with_replica(facts(), ReadReplicaDBInstanceIdentifiers=["deeper"]), {"cascade/pipeops-prod-a": BLOCKER}),
        (with_replica(facts(), EngineVersion="17.8"), {"version": BLOCKER}),
        (facts(inside=None), {"untold": WARNING}),
        (facts(inside=None, silence="no way there"), {"untold": WARNING}),
        (facts(MAJOR, inside=None), {"untold": WARNING}),
        (facts(MAJOR, inside=None, silence="no way there"), {"untold": BLOCKER}),
        (facts(MAJOR, unknown=["vacuum_defer_cleanup_age"]), {"parameters": BLOCKER}),
        (facts(pair={"DBInstanceIdentifier": "pipeops-dr"}), {"role": BLOCKER}),
    ],
)
def test_one_thing_is_one_finding(changed: Facts, expected: dict[str, str]) -> None:
    assert levels(changed) == expected
    assert all(one.mend for one in assess(changed, LIMIT) if one.level == BLOCKER)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"lag": 900.0}, {"lag/pipeops-prod-a": BLOCKER}),
        ({"lag": None}, {"lag/pipeops-prod-a": WARNING}),
        ({"free_gib": 5.0}, {"storage/pipeops-prod-a": WARNING}),
        ({"maintenance": ["system-update: new system"]}, {"maintenance/pipeops-prod-a": WARNING}),
        ({"orderable": False}, {"class/pipeops-prod-a": BLOCKER}),
        ({"targets": {"17.8": False}}, {"version": BLOCKER}),
    ],
)
def test_a_replica_is_looked_at_too(values: dict[str, Any], expected: dict[str, str]) -> None:
    found = facts()
    first, *others = found.replicas
    assert levels(replace(found, replicas=[replace(first, **values), *others])) == expected


@pytest.mark.parametrize(
    ("inside", "minor", "major"),
    [
        (Inside(closed=["app"]), {"closed/app": BLOCKER}, {"closed/app": BLOCKER}),
        (Inside(prepared=["tx"]), {}, {"prepared": BLOCKER}),
        (Inside(invalid=["half"]), {}, {"invalid/half": BLOCKER}),
        (Inside(columns={"app": ["public.t.f"]}), {}, {"types/app": BLOCKER}),
        (Inside(large_objects={"app": 2_000_000}), {}, {"objects/app": WARNING}),
        (Inside(slots=[Slot("dms", "app", False, 10)]), {}, {"slot/dms": WARNING}),
        (Inside(extensions={"app": [("hstore", "1.7", "1.8")]}), {}, {}),
    ],
)
def test_what_postgresql_tells_matters_to_a_major_one(
    inside: Inside, minor: dict[str, str], major: dict[str, str]
) -> None:
    assert levels(facts(MINOR, inside=inside)) == minor
    assert levels(facts(MAJOR, inside=inside)) == major


@pytest.mark.parametrize(
    ("slot", "left", "expected"),
    [
        ("rds_us_west_2_db_abc", 4096, {}),
        ("rds_db_abc", 2**30, {"lag/pipeops-prod-a": BLOCKER}),
        ("rds_db_other", 0, {"lag/pipeops-prod-a": BLOCKER}),
    ],
)
def test_positions_in_the_log_tell_more_than_seconds(slot: str, left: int, expected: dict[str, str]) -> None:
    found = with_replica(facts(inside=Inside(replaying={slot: left})), DbiResourceId="db-ABC")
    first, *others = found.replicas
    assert levels(replace(found, replicas=[replace(first, lag=900.0), *others])) == expected


def test_slots_of_16_do_not_outlive_it() -> None:
    found = facts(MAJOR, inside=Inside(slots=[Slot("dms", "app", True, 0)]))
    old = {"primary": replace(found.primary, instance={**found.primary.instance, "EngineVersion": "16.13"})}
    assert levels(replace(found, **old))["slots/dms"] == BLOCKER


def test_somebody_may_accept_what_rds_does_not_refuse() -> None:
    found = facts()
    first, *others = found.replicas
    behind = replace(found, replicas=[replace(first, lag=900.0), *others])
    assert levels(behind, "lag/pipeops-prod-a") == {"lag/pipeops-prod-a": WARNING}
    firm = facts(MAJOR, inside=Inside(prepared=["tx"]))
    assert levels(firm, "prepared") == {"prepared": BLOCKER}


def names(found: Facts) -> list[str]:
    return [f"{step.name} {step.identifier}{' uncovered' if step.uncovered else ''}" for step in steps(found)]


def test_a_minor_one_takes_replicas_first_then_the_standby_then_itself() -> None:
    assert names(facts()) == [
        "snapshot pipeops-prod",
        "upgrade pipeops-prod-a",
        "upgrade pipeops-prod-c",
        "upgrade pipeops-dr uncovered",
        "upgrade pipeops-prod",
    ]
    assert uncovered_seconds(steps(facts())) == 600


def test_a_major_one_removes_the_standby_and_makes_it_again() -> None:
    assert names(facts(MAJOR)) == [
        "snapshot pipeops-prod",
        "group pipeops-prod",
        "remove pipeops-dr uncovered",
        "upgrade pipeops-prod uncovered",
        "renew pipeops-prod uncovered",
        "follow pipeops-prod-a",
        "follow pipeops-prod-c",
        "analyze pipeops-prod",
    ]
    assert uncovered_seconds(steps(facts(MAJOR))) == 420 + 1500 + 3600


def test_alone_it_leaves_nothing_uncovered() -> None:
    alone = facts(MAJOR, replicas=[], pair=None)
    assert names(alone) == [
        "snapshot pipeops-prod",
        "group pipeops-prod",
        "upgrade pipeops-prod",
        "analyze pipeops-prod",
    ]
    assert uncovered_seconds(steps(alone)) == 0


def test_a_run_that_was_killed_is_carried_on() -> None:
    found = facts()
    partly = replace(found, replicas=[member(one.name, one.role, MINOR, region=one.region) for one in found.replicas])
    assert names(partly) == ["snapshot pipeops-prod", "upgrade pipeops-prod"]
    begun = with_primary(
        facts(MAJOR, replicas=[member("pipeops-prod-a", REPLICA, MAJOR)], pair=None),
        EngineVersion=MAJOR,
        TagList=tags(pipeops__upgrades_to=f"{OLD} to {MAJOR}", pipeops__uncovered_since="2026-11-30T07:00:00Z"),
    )
    assert (begun.origin, begun.major, begun.begins) == (OLD, True, True)
    assert names(begun) == ["renew pipeops-prod uncovered", "follow pipeops-prod-a", "analyze pipeops-prod"]
    assert levels(begun) == {}
    other = levels(replace(begun, target="18.4"))
    assert other["version"] == BLOCKER


def test_the_tags_are_those_of_the_playbook() -> None:
    assert (rds_facts.TAG_UPGRADE, rds_facts.TAG_UNCOVERED) == ("pipeops:upgrades-to", "pipeops:uncovered-since")


def test_databases_that_can_be_entered() -> None:
    rows = [("app", True, -1), ("rdsadmin", True, -1), ("half", True, -2), ("shut", False, -1)]
    assert open_databases(rows) == ["app"]


GROUP = "pipeops-prod-postgres18"


@pytest.mark.parametrize(
    ("one", "order", "expected"),
    [
        (member("pipeops-prod", PRIMARY), Order("x", MINOR), ["engine_version"]),
        (member("pipeops-prod", PRIMARY, MINOR), Order("x", MINOR), []),
        (member("pipeops-prod", PRIMARY), Order("x", MAJOR, GROUP), ["engine_version"]),
        (member("pipeops-prod-a", REPLICA), Order("x", MAJOR, GROUP), ["parameter_group"]),
        (member("pipeops-prod-a", REPLICA, MAJOR), Order("x", MAJOR, GROUP), ["parameter_group"]),
        (
            member("a", REPLICA, MAJOR, DBParameterGroups=[{"DBParameterGroupName": GROUP}]),
            Order("x", MAJOR, GROUP),
            [],
        ),
    ],
)
def test_one_step_announces_what_it_brings(one: Member, order: Order, expected: list[str]) -> None:
    found = planned(one.instance, order)
    assert [action.update.name for action in found if action.update] == expected
    assert all(action.traits.interrupts for action in found)
