# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate before a promotion, over every observed state, and the plans of the layer, without AWS."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Context, argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity, Key, Observed, Wanted
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import State, make_plan
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_cross_region_replica import LAYER
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_describe import NEEDS_ACTION
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_promotion import (
    Order,
    Replica,
    gate,
    is_promoted,
    position,
)
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_source import (
    InstanceArn,
    source_problems,
)
from ansible_collections.pipeops.platform.plugins.modules.rds_cross_region_replica import ARGUMENT_SPEC

SOURCE = "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod"
GOOD = {"StatusType": "read replication", "Normal": True, "Status": "replicating"}
EVIDENCE = {"primary_lsn": "0/3000148", "replayed_lsn": "0/3000148"}
STANDING = Replica("pipeops-dr", "us-east-1", "available", SOURCE, (GOOD,), 2.0)
TRANSITIONAL = [
    "creating",
    "backing-up",
    "modifying",
    "rebooting",
    "renaming",
    "starting",
    "stopping",
    "maintenance",
    "upgrading",
    "configuring-enhanced-monitoring",
    "configuring-log-exports",
    "storage-initialization",
    "something-new",
]


def said(replica: Replica | None, mode: str, **order: Any) -> Any:
    evidence = order.pop("evidence", EVIDENCE if mode == "planned" else None)
    return gate(replica, Order(mode, evidence, **order), "pipeops-dr", "us-east-1")


@pytest.mark.parametrize("mode", ["planned", "disaster"])
@pytest.mark.parametrize("status", ["available", "storage-optimization"])
def test_a_healthy_replica_may_be_promoted(mode: str, status: str) -> None:
    verdict = said(replace(STANDING, status=status), mode)
    assert (verdict.reasons, verdict.warnings, verdict.promoted, verdict.busy) == ((), (), False, False)


@pytest.mark.parametrize("mode", ["planned", "disaster"])
@pytest.mark.parametrize("status", TRANSITIONAL)
def test_a_busy_one_is_waited_for(mode: str, status: str) -> None:
    verdict = said(replace(STANDING, status=status), mode)
    assert verdict.busy and verdict.reasons == ()


@pytest.mark.parametrize("mode", ["planned", "disaster"])
@pytest.mark.parametrize("status", sorted(NEEDS_ACTION))
def test_one_that_needs_mending_is_refused_with_the_mend(mode: str, status: str) -> None:
    (reason,) = said(replace(STANDING, status=status), mode).reasons
    assert status in reason and NEEDS_ACTION[status] in reason and "us-east-1" in reason


@pytest.mark.parametrize("mode", ["planned", "disaster"])
def test_what_is_missing_or_leaving_is_refused(mode: str) -> None:
    assert "no DB instance pipeops-dr in us-east-1" in said(None, mode).reasons[0]
    assert "being deleted" in said(replace(STANDING, status="deleting"), mode).reasons[0]


@pytest.mark.parametrize("mode", ["planned", "disaster"])
@pytest.mark.parametrize("status", ["available", "backing-up", "rebooting", "storage-full"])
def test_one_that_is_promoted_is_left_alone(mode: str, status: str) -> None:
    verdict = said(replace(STANDING, source=None, replication=(), status=status), mode, evidence=None)
    assert verdict.promoted and verdict.reasons == ()


@pytest.mark.parametrize("mode", ["planned", "disaster"])
@pytest.mark.parametrize(
    ("expected", "refused"),
    [(None, False), (SOURCE, False), ("pending:rds_instance.arn:primary", False), (SOURCE + "-2", True)],
)
def test_the_source_is_compared_by_arn(mode: str, expected: str | None, refused: bool) -> None:
    assert bool(said(STANDING, mode, source=expected).reasons) is refused


@pytest.mark.parametrize(
    "infos",
    [
        (),
        ({**GOOD, "Normal": False, "Status": "error", "Message": "no more WAL"},),
        ({**GOOD, "Normal": False, "Status": "stopped"},),
        ({**GOOD, "Normal": False, "Status": "terminated"},),
    ],
    ids=["unknown", "error", "stopped", "terminated"],
)
def test_a_broken_replication_is_refused_if_planned_and_told_in_a_disaster(infos: tuple[Any, ...]) -> None:
    broken = replace(STANDING, replication=infos)
    assert len(said(broken, "planned").reasons) == 1
    disaster = said(broken, "disaster")
    assert disaster.reasons == () and len(disaster.warnings) == 1
    if infos and "Message" in infos[0]:
        assert "no more WAL" in disaster.warnings[0]


@pytest.mark.parametrize("lag", [None, 0.0, 300.0, 301.0, 86400.0])
def test_lag_only_counts_when_planned(lag: float | None) -> None:
    behind = replace(STANDING, lag_seconds=lag)
    assert said(behind, "disaster").reasons == ()
    reasons = said(behind, "planned").reasons
    assert bool(reasons) is (lag is not None and lag > 300)
    assert not reasons or f"{lag:.0f} s" in reasons[0]


@pytest.mark.parametrize(
    ("evidence", "word"),
    [
        (None, "primary_lsn is None"),
        ({}, "replayed_lsn is None"),
        ({"primary_lsn": "0/3000148", "replayed_lsn": "none"}, "'none'"),
        ({"primary_lsn": "0/3000148", "replayed_lsn": "0/3000147"}, "1 bytes short"),
        ({"primary_lsn": "1/0", "replayed_lsn": "0/FFFFFFFF"}, "1 bytes short"),
        # As text A would come after 10, as numbers before it.
        ({"primary_lsn": "10/0", "replayed_lsn": "A/0"}, "short"),
        ({"primary_lsn": "A/0", "replayed_lsn": "10/0"}, ""),
        ({"primary_lsn": "0/3000148", "replayed_lsn": "0/3000148"}, ""),
        ({"primary_lsn": "pending:x", "replayed_lsn": "pending:y"}, ""),
    ],
)
def test_evidence_is_compared_as_numbers(evidence: Any, word: str) -> None:
    reasons = said(STANDING, "planned", evidence=evidence).reasons
    assert bool(reasons) is bool(word)
    assert word in "".join(reasons)
    assert said(STANDING, "disaster", evidence=evidence).reasons == ()


def test_all_reasons_are_told_at_once() -> None:
    bad = replace(STANDING, replication=(), lag_seconds=900, status="storage-full")
    assert len(said(bad, "planned", evidence=None, source=SOURCE + "x").reasons) == 5


@pytest.mark.parametrize(("lsn", "number"), [("0/3000148", 0x3000148), ("16/B374D848", 0x16B374D848), ("0-1", None)])
def test_position(lsn: str, number: int | None) -> None:
    assert position(lsn) == number


@pytest.mark.parametrize(
    ("source", "infos", "status", "done"),
    [
        (SOURCE, [GOOD], "available", False),
        (None, [GOOD], "available", False),
        (SOURCE, [], "available", False),
        (None, [], "rebooting", False),
        (None, [], "backing-up", False),
        (None, [], "available", True),
    ],
)
def test_a_promotion_is_done_when_nothing_is_left_of_the_replication(
    source: str | None, infos: list[Any], status: str, done: bool
) -> None:
    found = {"DBInstanceStatus": status, "StatusInfos": infos, "ReadReplicaSourceDBInstanceIdentifier": source}
    assert is_promoted(found) is done


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"DBInstanceStatus": "modifying"}, []),
        ({"BackupRetentionPeriod": 0}, ["backup_retention_days"]),
        ({"MasterUserSecret": {"SecretArn": "x"}}, ["ManageMasterUserPassword"]),
        ({"StorageEncrypted": False}, ["not encrypted"]),
        ({"DBInstanceStatus": "storage-full"}, ["storage-full"]),
        ({"ReadReplicaDBInstanceIdentifiers": ["x"] * 15}, ["15 replicas"]),
        ({"BackupRetentionPeriod": 0, "StorageEncrypted": False}, ["backup_retention_days", "not encrypted"]),
    ],
    ids=str,
)
def test_what_is_asked_of_a_source(change: dict[str, Any], words: list[str]) -> None:
    good = {"DBInstanceStatus": "available", "BackupRetentionPeriod": 7, "StorageEncrypted": True}
    found = list(source_problems({**good, **change}, InstanceArn("us-west-2", "123456789012", "pipeops-prod")))
    assert [word in problem for word, problem in zip(words, found, strict=True)] == [True] * len(words)
    assert all("us-west-2" in problem for problem in found)


# Plans

KEY: Key = ("rds_cross_region_replica", "primary")
TYPES = {resource_type.kind: resource_type for resource_type in LAYER.types}
DR: dict[str, Any] = {
    "environment": "dr",
    "engine_version": "17.6",
    "instance_class": "db.r6g.xlarge",
    "source_arn": SOURCE,
    "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "security_group_ids": ["sg-1"],
    "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s",
}
FROM_NOTHING = [
    "create/iam_role/rds-monitoring",
    "create/rds_parameter_group/postgres17",
    "create/rds_subnet_group/database",
    "create/rds_cross_region_replica/primary",
    "create/rds_replica_settings/primary",
]


def built(**changes: Any) -> dict[Key, Wanted]:
    checked = ArgumentSpecValidator(argument_spec(ARGUMENT_SPEC)).validate({**DR, **changes})
    assert not checked.error_messages, checked.error_messages
    aws: Any = SimpleNamespace(region="us-east-1", account_id="123456789012", partition="aws")
    context = Context("database", Identity("pipeops", "dr"), aws)
    return {item.key: item for item in LAYER.build(checked.validated_parameters, context)}


def seen_source(status: str = "available", **attributes: Any) -> dict[Key, Observed]:
    told = {"problems": [], "followed": False, **attributes}
    return {("rds_source", "primary"): Observed("rds_source", "primary", SOURCE, told, {}, status)}


def standing(**changes: Any) -> dict[Key, Observed]:
    attributes = {"identifier": "pipeops-dr", "source": SOURCE, "role": "replica", "replication": [GOOD], **changes}
    return {KEY: Observed(*KEY, "pipeops-dr", attributes, {}, attributes.pop("status", "available"))}


def plan(wanted: dict[Key, Wanted], observed: dict[Key, Observed], **how: Any) -> list[str]:
    return [action.identity for action in make_plan(State(TYPES, wanted, dict(observed)), **how).actions]


def test_from_nothing() -> None:
    assert plan(built(), seen_source()) == FROM_NOTHING


@pytest.mark.parametrize("status", ["modifying", "creating", "planned"])
def test_without_waiting_a_busy_source_leaves_the_replica_for_later(status: str) -> None:
    assert plan(built(), seen_source(status), wait=False) == FROM_NOTHING[:3]
    assert plan(built(), seen_source(status)) == FROM_NOTHING


@pytest.mark.parametrize("status", ["unreachable", "missing", "available", "storage-full"])
def test_a_source_that_will_not_change_is_not_waited_for(status: str) -> None:
    assert plan(built(), seen_source(status), wait=False)[-1] == "create/rds_cross_region_replica/primary"


def test_all_problems_of_a_source_are_told() -> None:
    with pytest.raises(PlanRefused) as refused:
        plan(built(), seen_source(problems=["one", "two"]))
    assert refused.value.reasons == ["one", "two"]


def test_the_replica_is_tagged_as_the_primary_will_be() -> None:
    replica = built()[KEY]
    assert replica.tags is not None
    assert replica.tags["pipeops:component"] == "database/primary"
    assert replica.tags["Name"] == "pipeops-dr"
    assert replica.tags["pipeops:secret"] == DR["secret_arn"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": SOURCE + "-2"}, "keeps its source for good"),
        ({"source": None, "role": "primary"}, "never promotes"),
    ],
)
def test_an_instance_of_another_kind_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanRefused, match=words):
        plan(built(), {**seen_source(), **standing(**change)})


@pytest.mark.parametrize(
    ("observed", "actions"),
    [
        (standing(), ["update/rds_cross_region_replica/primary/promote"]),
        (standing(status="backing-up"), ["update/rds_cross_region_replica/primary/promote"]),
        (standing(source=None, role="primary", replication=[]), []),
    ],
    ids=["replica", "busy", "promoted"],
)
@pytest.mark.parametrize("mode", [{"mode": "planned", "evidence": EVIDENCE}, {"mode": "disaster"}], ids=str)
def test_a_promotion_is_one_action(observed: dict[Key, Observed], actions: list[str], mode: dict[str, Any]) -> None:
    wanted = built(state="promoted", **mode)
    assert plan(wanted, observed) == actions
    for action in make_plan(State(TYPES, wanted, dict(observed))).actions:
        assert not action.traits.reversible and "replication" in action.traits.interrupts


def test_a_promotion_of_nothing_is_refused() -> None:
    with pytest.raises(PlanRefused, match="no DB instance pipeops-dr in us-east-1"):
        plan(built(state="promoted", mode="disaster"), {})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source_arn": None}, "source_arn is not set"),
        ({"source_arn": "pipeops-prod"}, "Give the ARN"),
        ({"source_arn": SOURCE.replace("us-west-2", "us-east-1")}, "is in us-east-1 itself"),
        ({"kms_key_arn": None, "instance_class": None}, "kms_key_arn is not set"),
        ({"state": "promoted"}, "mode is not set"),
        ({"backup_retention_days": 0}, "cannot be replicated back"),
        ({"state": "absent"}, "deletion_protection"),
        ({"identifier": "-x"}, "identifier"),
        ({"subnet_ids": ["subnet-1"]}, "two zones"),
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanRefused, match=words):
        built(**changes)


def test_a_source_that_is_still_to_be_made_goes_through_a_dry_run() -> None:
    wanted = built(source_arn="pending:rds_instance.arn:primary")
    assert plan(wanted, seen_source("planned")) == FROM_NOTHING
