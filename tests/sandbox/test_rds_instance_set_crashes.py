# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from typing import Any
from urllib.request import Request, urlopen

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_instance import RdsInstance
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_replica import RdsReplicaSettings
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account
from tests.sandbox.rds_database import (
    EVERYTHING,
    MODULE,
    REPLICAS,
    actions,
    full_options,
    refused_run,
    small_options,
    standing_names,
)


@pytest.fixture
def small(account: Account) -> dict[str, Any]:
    return small_options(account)


@pytest.fixture
def full(account: Account) -> dict[str, Any]:
    return full_options(account)


def test_a_killed_run_is_taken_up_where_it_was(
    account: Account, full: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(RdsInstance, "create", _killed)
        with pytest.raises(KeyboardInterrupt):
            account.run(MODULE, **full)
    secrets = account.client("secretsmanager")
    password = secrets.get_secret_value(SecretId="pipeops/prod/database")["SecretString"]
    assert standing_names(account) == []
    with monkeypatch.context() as killed:
        killed.setattr(RdsReplicaSettings, "create", _killed)
        with pytest.raises(KeyboardInterrupt):
            account.run(MODULE, **full)
    assert standing_names(account) == ["pipeops-prod", "pipeops-prod-a", "pipeops-prod-c"]
    assert actions(account.run(MODULE, **full)) == EVERYTHING[-2:]
    assert secrets.get_secret_value(SecretId="pipeops/prod/database")["SecretString"] == password
    assert account.run(MODULE, **full)["actions"] == []


def _killed(*_args: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("service", "operation", "effect"),
    [
        ("secretsmanager", "CreateSecret", "reset_after"),
        ("rds", "CreateDBParameterGroup", "reset_after"),
        ("rds", "CreateDBSubnetGroup", "reset_after"),
        ("rds", "CreateDBInstance", "reset_after"),
        ("rds", "CreateDBInstance", "throttle"),
        ("rds", "CreateDBInstanceReadReplica", "reset_after"),
        ("rds", "ModifyDBInstance", "reset_after"),
    ],
    ids=lambda value: value,
)
def test_a_lost_answer_makes_nothing_twice(
    account: Account, full: dict[str, Any], service: str, operation: str, effect: str
) -> None:
    rule = {"service": service, "operation": operation, "nth": 1, "effect": effect}
    body = json.dumps(rule).encode()
    urlopen(Request(f"{account.url}/_sandbox/faults", data=body, method="POST"), timeout=10).close()
    options = {**full, "replicas": REPLICAS[:1]}
    assert account.run(MODULE, **options)["settled"]
    assert [e for e in account.sandbox.journal.entries() if e.fault], "the fault has struck"
    assert account.run(MODULE, **options)["actions"] == []


def test_the_password_is_nowhere(account: Account, full: dict[str, Any]) -> None:
    results = [account.run(MODULE, check=True, **full), account.run(MODULE, **full), account.run(MODULE, **full)]
    changed = {**full, "instance_class": "db.r6g.large", "parameters": {"max_connections": "300"}}
    results += [account.run(MODULE, check=True, **changed), account.run(MODULE, **changed)]
    value = account.client("secretsmanager").get_secret_value(SecretId="pipeops/prod/database")["SecretString"]
    content = json.loads(value)
    results.append(account.run(MODULE, state="absent", deletion_protection=False, **changed))
    assert content.keys() == {"username", "password", "engine", "port", "dbname"}
    assert re.fullmatch(r"[A-Za-z0-9]{32}", content["password"])
    assert content["password"] not in json.dumps(results, default=str)


def test_a_database_cannot_be_signed_in_to_with_another_secret(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **small)
    account.client("secretsmanager").delete_secret(SecretId="pipeops/prod/database", ForceDeleteWithoutRecovery=True)
    calls = account.mutations(lambda: refused_run(account, "secret", **small))
    assert calls == []


def test_a_secret_of_another_user_is_not_used(account: Account, small: dict[str, Any]) -> None:
    account.client("secretsmanager").create_secret(
        Name="pipeops/prod/database", SecretString=json.dumps({"username": "somebody", "password": "x" * 12})
    )
    with pytest.raises(EngineError, match="somebody"):
        account.run(MODULE, **small)
    account.client("secretsmanager").put_secret_value(SecretId="pipeops/prod/database", SecretString="no-json-here")
    with pytest.raises(EngineError, match="holds no JSON object") as refused:
        account.run(MODULE, **small)
    assert "no-json-here" not in str(refused.value)


def test_a_protected_database_is_not_removed(account: Account, full: dict[str, Any]) -> None:
    account.run(MODULE, **full)
    for check in (True, False):
        with pytest.raises(PlanRefused, match="deletion_protection"):
            account.run(MODULE, check=check, state="absent", **full)
    assert len(standing_names(account)) == 3


def test_it_comes_back_with_its_secret(account: Account, small: dict[str, Any]) -> None:
    arn = account.run(MODULE, **small)["outputs"]["secret_arn"]
    account.run(MODULE, state="absent", deletion_protection=False, final_snapshot=False, **small)
    assert account.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"] == []
    result = account.run(MODULE, **small)
    assert "update/secretsmanager_secret/master/restored" in actions(result)
    assert result["outputs"]["secret_arn"] == arn


def test_a_removal_that_was_cut_short_goes_on(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **{**small, "deletion_protection": False})
    runtime.clock.set("aws", 300)
    account.client("rds").delete_db_instance(DBInstanceIdentifier="pipeops-prod", SkipFinalSnapshot=True)
    gone = account.run(MODULE, state="absent", deletion_protection=False, **small)
    assert "delete/rds_instance/primary" in actions(gone)
    assert standing_names(account) == []
