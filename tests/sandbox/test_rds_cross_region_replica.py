# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.rds_database import actions
from tests.sandbox.rds_pair import EAST, EVIDENCE, PROD_ARN, REPLICA, WEST, Side, make_side

EVERYTHING = [
    "create/iam_role/rds-monitoring",
    "create/rds_parameter_group/postgres17",
    "create/rds_subnet_group/database",
    "create/rds_cross_region_replica/primary",
    "create/rds_replica_settings/primary",
]
PROMOTION = ["update/rds_cross_region_replica/primary/promote"]


@pytest.fixture
def prod(account: Account) -> Side:
    side = make_side(account, "prod", WEST, "10.0")
    side.primary()
    return side


@pytest.fixture
def dr(account: Account) -> Side:
    return make_side(account, "dr", EAST, "10.1")


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


def test_promotion(account: Account, prod: Side, dr: Side) -> None:
    dr.run(REPLICA, **{**dr.options, "source_arn": PROD_ARN})
    order = {"state": "promoted", "mode": "planned", "evidence": EVIDENCE, "backup_retention_days": 30}
    foreseen = dr.run(REPLICA, check=True, **order)
    done, calls = dr.watched(REPLICA, **order)
    assert actions(foreseen) == actions(done) == PROMOTION
    assert calls == ["rds:PromoteReadReplica"]
    assert done["promotion"]["mode"] == "planned"
    again, calls = dr.watched(REPLICA, **order)
    assert (again["changed"], calls, again["promotion"]) == (False, [], None)
