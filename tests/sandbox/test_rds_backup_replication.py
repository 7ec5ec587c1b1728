# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from pipeops_sandbox.control import fault_rule
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges
from tests.sandbox.rds_database import actions
from tests.sandbox.rds_pair import EAST, PROD_ARN, WEST, Side, lay_prod, set_instance, set_region

MODULE = "rds_backup_replication"
NAME = "rds_backup_replication/backup-replication"
START, STOP = "rds:StartDBInstanceAutomatedBackupsReplication", "rds:StopDBInstanceAutomatedBackupsReplication"


@pytest.fixture
def prod(account: Account) -> Iterator[Side]:
    yield lay_prod(account)[0]
    set_region(account, WEST, "up")


@pytest.fixture
def options(account: Account, prod: Side) -> dict[str, Any]:
    key = account.client("kms", EAST).create_key()["KeyMetadata"]["Arn"]
    return {"region": EAST, "environment": "dr", "source_arn": PROD_ARN, "retention_days": 14, "kms_key_arn": key}


def backups(account: Account) -> list[dict[str, Any]]:
    found = account.client("rds", EAST).describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    return [dict(backup) for backup in found]


def test_it_converges_stops_and_goes_on(account: Account, options: dict[str, Any]) -> None:
    applied = prove_converges(account, MODULE, **options)
    assert actions(applied) == [f"create/{NAME}"]
    (backup,) = backups(account)
    outputs = applied["outputs"]
    assert (outputs["arn"], outputs["status"]) == (backup["DBInstanceAutomatedBackupsArn"], "replicating")
    assert outputs["latest_time"] and backup["BackupRetentionPeriod"] == 14
    assert {"Key": "pipeops:component", "Value": "database/backup-replication"} in backup["TagList"]
    stopped = {**options, "state": "stopped"}
    assert actions(account.run(MODULE, check=True, **stopped)) == [f"delete/{NAME}"]
    assert account.run_watched(MODULE, **stopped)[1] == [STOP]
    assert account.run(MODULE, **stopped)["actions"] == []
    assert backups(account)[0]["Status"] == "retained"
    assert actions(account.run(MODULE, **options)) == [f"update/{NAME}/replication"]
    assert account.run(MODULE, **options)["actions"] == []
    assert len(backups(account)) == 1


def test_other_days_take_a_stop_and_a_start(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    changed = {**options, "retention_days": 21}
    (foreseen,) = account.run(MODULE, check=True, **changed)["actions"]
    assert foreseen["action"] == f"update/{NAME}/retention" and "stopped and started" in foreseen["interrupts"]
    done, calls = account.run_watched(MODULE, **changed)
    assert calls == [STOP, START] and done["outputs"]["retention_days"] == 21
    assert account.run(MODULE, **changed)["actions"] == []


def test_another_key_is_refused_with_the_reason(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    other = {**options, "kms_key_arn": account.client("kms", EAST).create_key()["KeyMetadata"]["Arn"]}
    for state in ("replicating", "stopped"):
        if state == "stopped":
            account.run(MODULE, **{**options, "state": state})
        with pytest.raises(PlanRefused, match="all under one key"):
            account.run(MODULE, **other)


def test_the_source_is_looked_at_first(account: Account, prod: Side, options: dict[str, Any]) -> None:
    other = PROD_ARN.replace("pipeops-prod", "other")
    with pytest.raises(PlanRefused, match="no DB instance other in us-west-2"):
        account.run(MODULE, **{**options, "source_arn": other})
    with pytest.raises(PlanRefused, match="us-west-2 itself"):
        account.run(MODULE, **{**options, "region": WEST})
    with pytest.raises(PlanRefused, match="retention_days is 36"):
        account.run(MODULE, **{**options, "retention_days": 36})
    set_instance(account, WEST, "pipeops-prod", status="storage-full")
    with pytest.raises(PlanRefused, match="storage-full"):
        account.run(MODULE, **options)
    pending = account.run(MODULE, check=True, **{**options, "source_arn": "pending:rds_instance.arn:primary"})
    assert actions(pending) == [f"create/{NAME}"]


def test_what_stands_needs_no_answer_of_the_source(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    set_region(account, WEST, "down")
    again, calls = account.run_watched(MODULE, **options)
    assert (again["actions"], calls) == ([], [])
    assert actions(account.run(MODULE, **{**options, "state": "stopped"})) == [f"delete/{NAME}"]


def test_it_is_waited_for(account: Account, options: dict[str, Any]) -> None:
    runtime.clock.set("aws", 1000)
    early = account.run(MODULE, wait=False, **options)
    assert actions(early) == [f"create/{NAME}"] and not early["settled"]
    late = account.run(MODULE, started=early, **options)
    assert late["settled"] and late["outputs"]["latest_time"]


@pytest.mark.parametrize("call", [START, STOP])
def test_a_lost_answer_does_no_harm(account: Account, options: dict[str, Any], call: str) -> None:
    service, operation = call.split(":")
    account.sandbox.faults.add(
        fault_rule({"service": service, "operation": operation, "nth": 1, "effect": "reset_after"})
    )
    account.run(MODULE, **options)
    account.run(MODULE, **{**options, "state": "stopped"})
    assert [entry for entry in account.sandbox.journal.entries() if entry.fault]
    assert [backup["Status"] for backup in backups(account)] == ["retained"]
