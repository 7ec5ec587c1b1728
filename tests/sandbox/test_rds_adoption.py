# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was promoted is the primary of its environment: the module of the database takes it over with an empty plan."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused

from tests.sandbox.conftest import Account
from tests.sandbox.rds_database import actions
from tests.sandbox.rds_pair import DR_ARN, EAST, EVIDENCE, PROD_ARN, REPLICA, SET, WEST, Side, lay_prod

SECRET: dict[str, Any] = {"secret_name": "pipeops/prod/database"}
DISASTER: dict[str, Any] = {"state": "promoted", "mode": "disaster"}
PLANNED: dict[str, Any] = {"state": "promoted", "mode": "planned", "evidence": EVIDENCE}


@pytest.fixture
def sides(account: Account) -> tuple[Side, Side]:
    return lay_prod(account)


@pytest.fixture
def prod(sides: tuple[Side, Side]) -> Side:
    return sides[0]


@pytest.fixture
def dr(sides: tuple[Side, Side]) -> Side:
    return sides[1]


def follow(side: Side, source_arn: str, source_region: str, **secret: Any) -> None:
    """Make a side follow the other one, as its inventory would."""
    copied = side.run("secret_replica", **SECRET, source_region=source_region, account_id="123456789012", **secret)
    options = {**side.options, "source_arn": source_arn, "secret_arn": copied["outputs"]["arn"]}
    assert side.run(REPLICA, **options)["settled"]


def take_over(side: Side, order: dict[str, Any]) -> None:
    """Promote a side, and make the secret its own."""
    backups = {name: side.options[name] for name in ("backup_retention_days", "backup_window")}
    side.run(REPLICA, **order, **backups)
    side.run("secret_replica", **SECRET, state="standalone", account_id="123456789012")


def prove_adopted(side: Side) -> None:
    """Neither a dry run nor a run has anything to do, nor changes anything."""
    wanted = {**side.options, **SECRET, "storage_gib": 100}
    foreseen = side.run(SET, check=True, **wanted)
    assert actions(foreseen) == [], [action["differences"] for action in foreseen["actions"]]
    done, calls = side.watched(SET, **wanted)
    assert (done["changed"], calls, done["settled"]) == (False, [], True)
    assert done["outputs"]["primary"]["identifier"] == f"pipeops-{side.environment}"
    assert done["unmanaged"] == []


def remove_by_hand(side: Side, identifier: str) -> None:
    rds = side.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier=identifier, DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier=identifier, SkipFinalSnapshot=True)
    assert side.identifiers() == []


def test_it_is_adopted_there_and_back(account: Account, prod: Side, dr: Side) -> None:
    follow(dr, PROD_ARN, WEST)
    take_over(dr, DISASTER)
    prove_adopted(dr)
    remove_by_hand(prod, "pipeops-prod")
    follow(prod, DR_ARN, EAST, overwrite=True)
    take_over(prod, PLANNED)
    prove_adopted(prod)
    # And dr follows again, after its former database has gone.
    remove_by_hand(dr, "pipeops-dr")
    follow(dr, PROD_ARN, WEST, overwrite=True)
    assert dr.show()["ReadReplicaSourceDBInstanceIdentifier"] == PROD_ARN


def test_replicas_are_all_that_a_promoted_one_lacks(account: Account, prod: Side, dr: Side) -> None:
    follow(dr, PROD_ARN, WEST)
    take_over(dr, DISASTER)
    wanted = {**dr.options, **SECRET, "storage_gib": 100, "replicas": [{"name": "a"}]}
    assert actions(dr.run(SET, **wanted)) == ["create/rds_replica/a", "create/rds_replica_settings/a"]


def test_a_replica_is_no_primary_before_it_is_promoted(account: Account, prod: Side, dr: Side) -> None:
    follow(dr, PROD_ARN, WEST)
    with pytest.raises(PlanRefused, match="never promotes"):
        dr.run(SET, **{**dr.options, **SECRET, "storage_gib": 100})
