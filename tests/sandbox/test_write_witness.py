# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The witness: its table as a layer, and what is written to it on conditions only."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError

from tests.sandbox.conftest import MODULES, Account, prove_converges, prove_removes

REGION, TABLE = "us-east-2", "pipeops-prod-witness"


def call(account: Account, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run one of the function modules, in process."""
    loaded = importlib.import_module(f"{MODULES}.{module}")
    given = {"region": REGION, "endpoint_url": account.url, "table_name": TABLE, "service": "prod", **options}
    checked = ArgumentSpecValidator({**aws_argument_spec(), **loaded.ARGUMENT_SPEC}).validate(given)
    assert not checked.error_messages, checked.error_messages
    result: dict[str, Any] = loaded.run(checked.validated_parameters, check_mode=check, progress=lambda _text: None)
    return result


@pytest.fixture
def table(account: Account) -> Account:
    """An account with the table."""
    account.run("database_witness", region=REGION, deletion_protection=False)
    return account


def test_the_table_converges_and_goes(account: Account) -> None:
    account.region = REGION
    applied = prove_converges(account, "database_witness", deletion_protection=False)
    assert applied["outputs"]["table_name"] == TABLE
    shown = account.client("dynamodb").describe_table(TableName=TABLE)["Table"]
    assert "SSEDescription" not in shown or shown["SSEDescription"].get("Status") != "ENABLED"
    prove_removes(account, "database_witness", deletion_protection=False)


def test_a_table_with_a_foreign_key_is_given_dynamodbs_own(account: Account) -> None:
    account.region = REGION
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    account.run("database_witness", deletion_protection=False)
    account.client("dynamodb").update_table(
        TableName=TABLE, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    )
    assert account.run("database_witness", deletion_protection=False)["changed"]
    assert not account.run("database_witness", deletion_protection=False)["changed"]


def test_a_leader_is_named_once_and_moves_are_counted(table: Account) -> None:
    first = call(table, "write_witness", leader="prod", first=True)
    assert (first["changed"], first["former_leader"], first["epoch"]) == (True, "", 1)
    again = call(table, "write_witness", leader="dr", first=True)
    assert (again["changed"], again["former_leader"], again["epoch"]) == (False, "prod", 1)
    moved = call(table, "write_witness", leader="dr")
    assert (moved["changed"], moved["former_leader"], moved["epoch"]) == (True, "prod", 2)
    assert not call(table, "write_witness", leader="dr")["changed"]
    found = call(table, "write_witness_info")
    assert (found["leader"], found["epoch"]) == ("dr", 2)


def test_a_dry_run_writes_nothing_also_without_a_table(account: Account) -> None:
    assert call(account, "write_witness", check=True, leader="prod", first=True)["changed"]
    with pytest.raises(EngineError, match="cannot be asked"):
        call(account, "write_witness", leader="prod")
    account.run("database_witness", region=REGION)
    calls = account.mutations(lambda: call(account, "write_witness", check=True, leader="prod"))
    assert calls == []
    assert call(account, "write_witness_info")["leader"] == ""


def test_a_move_that_somebody_else_made_meanwhile_is_seen(table: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    witness = importlib.import_module("ansible_collections.pipeops.platform.plugins.module_utils.readiness.witness")
    call(table, "write_witness", leader="prod")
    before, reads = witness.read, [0]

    def late(*given: Any) -> Any:
        found = before(*given)
        reads[0] += 1
        if reads[0] == 1:
            witness.name.__globals__["read"] = before
            call(table, "write_witness", leader="dr")
            witness.name.__globals__["read"] = late
        return found

    monkeypatch.setattr(witness, "read", late)
    moved = call(table, "write_witness", leader="staging")
    assert (moved["former_leader"], moved["epoch"], reads[0]) == ("dr", 3, 2)


def test_a_witness_that_does_not_answer_is_an_answer(table: Account) -> None:
    table.sandbox.faults.down.add(REGION)
    try:
        found = call(table, "write_witness", leader="dr", required=False)
        assert (found["reachable"], found["changed"]) == (False, False)
        assert call(table, "write_witness_info")["reachable"] is False
    finally:
        table.sandbox.faults.down.discard(REGION)


def test_guards_are_told_by_their_age(table: Account) -> None:
    item = {"seen_at": {"N": "1000"}, "state": {"S": "leads"}, "lease_seconds": {"N": "15"}}
    table.client("dynamodb", REGION).put_item(TableName=TABLE, Item={"database": {"S": "prod/guard/prod"}, **item})
    prod, dr = call(table, "write_witness_info", environments=["prod", "dr"])["guards"]
    assert (prod["state"], prod["lease_seconds"], dr["seen_seconds_ago"]) == ("leads", 15, None)
    assert prod["seen_seconds_ago"] > 10**9
