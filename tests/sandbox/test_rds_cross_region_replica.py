# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from threading import Timer
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.resources import rds_promotion
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_cross_region_replica import (
    RdsCrossRegionReplica,
)
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_replica import RdsReplicaSettings
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.rds_database import actions
from tests.sandbox.rds_pair import (
    EAST,
    EVIDENCE,
    PROD_ARN,
    REPLICA,
    WEST,
    Side,
    lay_pair,
    lay_prod,
    post,
    put_metric,
    set_instance,
    set_region,
)

EVERYTHING = [
    "create/iam_role/rds-monitoring",
    "create/rds_parameter_group/postgres17",
    "create/rds_subnet_group/database",
    "create/rds_cross_region_replica/primary",
    "create/rds_replica_settings/primary",
]
PROMOTION = ["update/rds_cross_region_replica/primary/promote"]


@pytest.fixture
def sides(account: Account) -> tuple[Side, Side]:
    return lay_prod(account)


@pytest.fixture
def prod(sides: tuple[Side, Side]) -> Side:
    return sides[0]


@pytest.fixture
def dr(sides: tuple[Side, Side]) -> Side:
    return sides[1]


def wanted(side: Side, **more: Any) -> dict[str, Any]:
    return {**side.where(), **side.options, "source_arn": PROD_ARN, **more}


def test_it_converges_and_goes(account: Account, prod: Side, dr: Side) -> None:
    applied = prove_converges(account, REPLICA, **wanted(dr))
    assert actions(applied) == EVERYTHING
    shown, outputs = dr.show(), applied["outputs"]
    assert shown["ReadReplicaSourceDBInstanceIdentifier"] == PROD_ARN
    assert shown["DBParameterGroups"] == [
        {"DBParameterGroupName": "pipeops-dr-postgres17", "ParameterApplyStatus": "in-sync"}
    ]
    assert (shown["BackupRetentionPeriod"], shown["DeletionProtection"], shown["MultiAZ"]) == (30, True, True)
    assert shown["KmsKeyId"] == dr.options["kms_key_arn"]
    assert (outputs["role"], outputs["status"], outputs["source_arn"]) == ("replica", "available", PROD_ARN)
    assert outputs["endpoint"] == shown["Endpoint"]["Address"] and outputs["lag_seconds"] is None
    prove_removes(account, REPLICA, **wanted(dr, deletion_protection=False))
    assert dr.identifiers() == [] and dr.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"] == []


@pytest.fixture
def pair(account: Account) -> Side:
    """The side of dr, with its replica."""
    return lay_pair(account)[1]


PLANNED: dict[str, Any] = {"state": "promoted", "mode": "planned", "evidence": EVIDENCE, "backup_retention_days": 30}
DISASTER: dict[str, Any] = {"state": "promoted", "mode": "disaster", "backup_window": "01:00-01:30"}


@pytest.fixture
def regions_up(account: Account) -> Iterator[None]:
    yield
    set_region(account, WEST, "up")


@pytest.mark.parametrize("order", [PLANNED, DISASTER], ids=["planned", "disaster"])
def test_it_is_promoted_once(account: Account, pair: Side, order: dict[str, Any]) -> None:
    put_metric(account, EAST, "pipeops-dr", "ReplicaLag", 2.5)
    foreseen = pair.run(REPLICA, check=True, **order)
    done, calls = pair.watched(REPLICA, **order)
    assert actions(foreseen) == actions(done) == PROMOTION
    assert calls == ["rds:PromoteReadReplica"]
    assert (done["outputs"]["role"], done["outputs"]["source_arn"]) == ("primary", None)
    told = done["promotion"]
    assert foreseen["promotion"] == {**told, "started_at": None, "seconds": None}
    assert (told["mode"], told["lag_seconds"], told["evidence"]) == (order["mode"], 2.5, order.get("evidence"))
    assert told["started_at"] and told["seconds"] >= 0 and told["warnings"] == []
    shown = pair.show()
    assert "ReadReplicaSourceDBInstanceIdentifier" not in shown and "StatusInfos" not in shown
    assert shown["BackupRetentionPeriod"] == order.get("backup_retention_days", 7)
    assert shown["PreferredBackupWindow"] == order.get("backup_window", "08:00-08:30")
    again, calls = pair.watched(REPLICA, **order)
    assert (again["changed"], calls, again["promotion"]) == (False, [], None)


def test_available_right_after_the_call_is_not_the_end(account: Account, pair: Side) -> None:
    """The sandbox, as AWS, goes on showing available, then modifies, reboots and backs up."""
    runtime.clock.set("aws", 400)
    begun = runtime.clock.now()
    done = pair.run(REPLICA, **DISASTER)
    assert runtime.clock.now() - begun > 100 and done["promotion"]["seconds"] > 0.2
    assert (done["outputs"]["role"], done["outputs"]["status"]) == ("primary", "available")


def test_one_that_is_backing_up_is_promoted_afterwards(account: Account, pair: Side) -> None:
    set_instance(account, EAST, "pipeops-dr", status="backing-up")
    Timer(1.0, set_instance, (account, EAST, "pipeops-dr"), {"status": "available"}).start()
    done, calls = pair.watched(REPLICA, **PLANNED)
    assert actions(done) == PROMOTION and calls == ["rds:PromoteReadReplica"]


@pytest.mark.parametrize("order", [PLANNED, DISASTER], ids=["planned", "disaster"])
def test_one_that_is_full_is_refused(account: Account, pair: Side, order: dict[str, Any]) -> None:
    set_instance(account, EAST, "pipeops-dr", status="storage-full")
    refuse(pair, "Raise storage_gib", **order)


def refuse(side: Side, words: str, **order: Any) -> None:
    """A run and a dry run are refused with these words, before anything is changed."""
    before = side.account.journal_length()
    for check in (True, False):
        with pytest.raises(PlanRefused, match=words):
            side.run(REPLICA, check=check, **order)
    assert [e for e in side.account.sandbox.journal.entries() if e.n > before and e.mutating] == []


def test_a_broken_replication_is_promoted_in_a_disaster_only(account: Account, pair: Side) -> None:
    set_instance(account, EAST, "pipeops-dr", replication="terminated", message="the source is gone")
    refuse(pair, "terminated .the source is gone.", **PLANNED)
    done = pair.run(REPLICA, **DISASTER)
    assert "the source is gone" in done["promotion"]["warnings"][0]
    assert done["outputs"]["role"] == "primary"


def test_lag_is_named_when_planned_and_recorded_in_a_disaster(account: Account, pair: Side) -> None:
    put_metric(account, EAST, "pipeops-dr", "ReplicaLag", 900)
    refuse(pair, "lags 900 s", **PLANNED)
    assert pair.run(REPLICA, **DISASTER)["promotion"]["lag_seconds"] == 900


def test_minus_one_is_no_lag(account: Account, pair: Side) -> None:
    put_metric(account, EAST, "pipeops-dr", "ReplicaLag", -1)
    assert pair.run(REPLICA, **PLANNED)["promotion"]["lag_seconds"] is None


def test_evidence_is_insisted_on(account: Account, pair: Side) -> None:
    refuse(pair, "needs evidence", **{**PLANNED, "evidence": None})
    refuse(pair, "short of", **{**PLANNED, "evidence": {"primary_lsn": "0/A0", "replayed_lsn": "0/90"}})


def test_what_is_not_there_or_follows_another_is_refused(account: Account, dr: Side, prod: Side) -> None:
    refuse(dr, "no DB instance pipeops-dr in us-east-1", **DISASTER)
    dr.run(REPLICA, **{**dr.options, "source_arn": PROD_ARN})
    other = PROD_ARN + "-2"
    refuse(dr, "replicates .*pipeops-prod, not .*pipeops-prod-2", **DISASTER, source_arn=other)
    account.client("rds").create_db_instance_read_replica(
        DBInstanceIdentifier="pipeops-prod-2", SourceDBInstanceIdentifier="pipeops-prod"
    )
    refuse(dr, "keeps its source for good", **{**dr.options, "source_arn": other})


def test_a_promoted_one_is_never_made_a_replica_again(account: Account, pair: Side) -> None:
    pair.run(REPLICA, **DISASTER)
    refuse(pair, "never promotes a database and never makes a replica", **{**pair.options, "source_arn": PROD_ARN})


def test_a_disaster_needs_nothing_of_the_other_region(account: Account, pair: Side, regions_up: None) -> None:
    set_region(account, WEST, "down")
    before = account.journal_length()
    done = pair.run(REPLICA, **DISASTER, source_arn=PROD_ARN)
    assert done["outputs"]["role"] == "primary" and done["promotion"]["warnings"] == []
    calls = [entry for entry in account.sandbox.journal.entries() if entry.n > before]
    assert {entry.region for entry in calls} == {EAST}
    # IAM and STS may be gone with their own region, so nothing of them is needed either.
    assert {entry.service for entry in calls} == {"rds", "cloudwatch"}
    assert [entry.service for entry in calls].count("cloudwatch") == 1


def test_a_replica_that_stands_needs_no_answer_of_its_source(account: Account, pair: Side, regions_up: None) -> None:
    set_region(account, WEST, "down")
    again, calls = pair.watched(REPLICA, **{**pair.options, "source_arn": PROD_ARN})
    assert (again["actions"], calls) == ([], [])


def test_a_killed_promotion_is_taken_up(account: Account, pair: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.clock.set("aws", 100)
    with monkeypatch.context() as killed:
        killed.setattr(rds_promotion, "is_promoted", _killed)
        with pytest.raises(KeyboardInterrupt):
            pair.run(REPLICA, **PLANNED)
    assert "ReadReplicaSourceDBInstanceIdentifier" in pair.show()
    runtime.clock.set("aws", 2000)
    done = pair.run(REPLICA, **PLANNED)
    assert done["outputs"]["role"] == "primary"
    promotions = [e for e in account.sandbox.journal.entries() if e.operation == "PromoteReadReplica" and not e.error]
    assert len(promotions) == 1


def _killed(*_args: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("effect", ["reset_after", "throttle", "error_500"])
def test_a_lost_answer_promotes_once(account: Account, pair: Side, effect: str) -> None:
    post(account, "faults", service="rds", operation="PromoteReadReplica", nth=1, effect=effect)
    assert pair.run(REPLICA, **DISASTER)["outputs"]["role"] == "primary"


@pytest.mark.parametrize("step", [RdsCrossRegionReplica, RdsReplicaSettings], ids=["replica", "settings"])
def test_a_killed_creation_is_taken_up(
    account: Account, prod: Side, dr: Side, monkeypatch: pytest.MonkeyPatch, step: type
) -> None:
    options = {**dr.options, "source_arn": PROD_ARN}
    with monkeypatch.context() as killed:
        killed.setattr(step, "create", _killed)
        with pytest.raises(KeyboardInterrupt):
            dr.run(REPLICA, **options)
    left = 2 if step is RdsCrossRegionReplica else 1
    assert actions(dr.run(REPLICA, **options)) == EVERYTHING[-left:]
    assert dr.run(REPLICA, **options)["actions"] == []


def test_a_source_without_backups_is_told_before_anything_is_made(account: Account, prod: Side, dr: Side) -> None:
    prod.client("rds").modify_db_instance(
        DBInstanceIdentifier="pipeops-prod", BackupRetentionPeriod=0, ApplyImmediately=True
    )
    refuse(dr, "backup_retention_days", **{**dr.options, "source_arn": PROD_ARN})
    refuse(dr, "no DB instance pipeops-other in us-west-2", **{**dr.options, "source_arn": PROD_ARN[:-4] + "other"})


def test_a_busy_source_is_waited_for(account: Account, prod: Side, dr: Side) -> None:
    set_instance(account, WEST, "pipeops-prod", status="maintenance")
    options = {**dr.options, "source_arn": PROD_ARN}
    early = dr.run(REPLICA, wait=False, **options)
    assert actions(early) == EVERYTHING[:3] and not early["settled"]
    Timer(1.0, set_instance, (account, WEST, "pipeops-prod"), {"status": "available"}).start()
    assert actions(dr.run(REPLICA, started=early, **options)) == EVERYTHING[3:]


def test_it_starts_early_and_is_waited_for_later(account: Account, prod: Side, dr: Side) -> None:
    runtime.clock.set("aws", 3000)
    options = {**dr.options, "source_arn": PROD_ARN}
    early = dr.run(REPLICA, wait=False, **options)
    assert actions(early) == EVERYTHING[:4] and not early["settled"]
    late = dr.run(REPLICA, started=early, **options)
    assert actions(late) == EVERYTHING[4:] and late["settled"]


def test_a_replica_made_by_hand_is_adopted(account: Account, prod: Side, dr: Side) -> None:
    dr.run(REPLICA, **{**dr.options, "source_arn": PROD_ARN})
    rds = dr.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier="pipeops-dr", DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier="pipeops-dr", SkipFinalSnapshot=True)
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier="pipeops-dr",
        SourceDBInstanceIdentifier=PROD_ARN,
        KmsKeyId=dr.options["kms_key_arn"],
        DBSubnetGroupName="pipeops-dr",
    )
    adopted = dr.run(REPLICA, **{**dr.options, "source_arn": PROD_ARN})
    assert "create/rds_cross_region_replica/primary" not in actions(adopted)
    assert {"update/rds_cross_region_replica/primary/tags", "create/rds_replica_settings/primary"} <= set(
        actions(adopted)
    )
    assert dr.run(REPLICA, **{**dr.options, "source_arn": PROD_ARN})["actions"] == []


def test_a_promoted_one_leaves_a_snapshot(account: Account, pair: Side) -> None:
    pair.run(REPLICA, **DISASTER)
    pair.run(REPLICA, state="absent", engine_version="17.6", account_id="123456789012", deletion_protection=False)
    snapshots = pair.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert pair.identifiers() == [] and snapshots[0]["DBSnapshotIdentifier"].startswith("pipeops-dr-final-")
