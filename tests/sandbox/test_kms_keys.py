# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Observed, Scope
from ansible_collections.pipeops.platform.plugins.module_utils.resources.kms_key import KmsKey
from pipeops_sandbox.faults import Rule

from tests.sandbox.conftest import Account, prove_converges, prove_removes

KEYS = {"keys": {"rds": {"description": "Databases", "services": ["rds"]}, "eks": {}}}


def test_keys_converge_and_go(account: Account) -> None:
    applied = prove_converges(account, "kms_keys", **KEYS)
    assert set(applied["outputs"]["key_arns"]) == {"rds", "eks"}
    prove_removes(account, "kms_keys", **KEYS)


def test_drift_is_found_and_healed(account: Account) -> None:
    arn = account.run("kms_keys", **KEYS)["outputs"]["key_arns"]["rds"]
    account.client("kms").disable_key_rotation(KeyId=arn)
    account.client("kms").tag_resource(KeyId=arn, Tags=[{"TagKey": "Name", "TagValue": "mine"}])
    wanted = ["update/kms_key/rds/rotation", "update/kms_key/rds/tags"]
    assert [a["action"] for a in account.run("kms_keys", check=True, **KEYS)["actions"]] == wanted
    assert [a["action"] for a in account.run("kms_keys", **KEYS)["actions"]] == wanted
    assert not account.run("kms_keys", **KEYS)["changed"]


def test_a_key_that_waits_for_deletion_is_taken_back(account: Account) -> None:
    arn = account.run("kms_keys", **KEYS)["outputs"]["key_arns"]["rds"]
    account.client("kms").schedule_key_deletion(KeyId=arn)
    healed = account.run("kms_keys", **KEYS)
    assert "update/kms_key/rds/enabled" in [a["action"] for a in healed["actions"]]
    assert healed["outputs"]["key_arns"]["rds"] == arn


def test_a_key_that_lost_its_alias_is_found_by_its_tags(account: Account) -> None:
    arn = account.run("kms_keys", **KEYS)["outputs"]["key_arns"]["rds"]
    account.client("kms").delete_alias(AliasName="alias/pipeops-prod-rds")
    healed = account.run("kms_keys", **KEYS)
    assert [a["action"] for a in healed["actions"]] == ["update/kms_key/rds/alias"]
    assert healed["outputs"]["key_arns"]["rds"] == arn


def test_a_service_that_acts_by_itself_may_use_its_key_only(account: Account) -> None:
    keys = {"alarms": {"principals": ["cloudwatch.amazonaws.com"]}, "rds": {"services": ["rds"]}}
    arns = prove_converges(account, "kms_keys", keys=keys)["outputs"]["key_arns"]
    policies = {
        name: json.loads(account.client("kms").get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
        for name, arn in arns.items()
    }
    services = {
        name: [one["Principal"].get("Service") for one in policy["Statement"] if one["Sid"] == "PrincipalsUse"]
        for name, policy in policies.items()
    }
    assert services == {"alarms": [["cloudwatch.amazonaws.com"]], "rds": []}


def test_a_key_that_was_removed_is_taken_back_while_it_waits(account: Account) -> None:
    first = account.run("kms_keys", **KEYS)["outputs"]["key_arns"]
    account.run("kms_keys", **KEYS, state="absent", deletion_days=7)
    assert not account.run("kms_keys", **KEYS, state="absent")["changed"]
    back = account.run("kms_keys", **KEYS)
    assert back["outputs"]["key_arns"] == first
    assert {action["verb"] for action in back["actions"]} == {"update"}
    assert not account.run("kms_keys", **KEYS)["changed"]


def test_a_waiting_period_that_aws_does_not_know_is_refused(account: Account) -> None:
    with pytest.raises(EngineError, match="deletion_days of the keys of pipeops-prod in us-west-2 is 3"):
        account.run("kms_keys", **KEYS, state="absent", deletion_days=3)


def test_an_alias_whose_answer_was_lost_is_that_of_the_key(account: Account) -> None:
    account.sandbox.faults.add(Rule("reset_after", operation="CreateAlias", nth=1))
    arns = account.run("kms_keys", **KEYS)["outputs"]["key_arns"]
    assert {account.client("kms").describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] for arn in arns.values()} == {
        "Enabled"
    }
    assert not account.run("kms_keys", **KEYS)["changed"]


def test_of_two_first_runs_the_second_takes_the_keys_of_the_first(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    see, first = KmsKey.observe, dict[str, str]()

    def before_another_run(self: KmsKey, aws: Aws, scope: Scope) -> list[Observed]:
        found = see(self, aws, scope)
        monkeypatch.setattr(KmsKey, "observe", see)
        first.update(account.run("kms_keys", **KEYS)["outputs"]["key_arns"])
        return found

    monkeypatch.setattr(KmsKey, "observe", before_another_run)
    assert account.run("kms_keys", **KEYS)["outputs"]["key_arns"] == first
    kms = account.client("kms")
    states = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] for key in kms.list_keys()["Keys"]]
    assert sorted(states) == ["Enabled", "Enabled", "PendingDeletion", "PendingDeletion"]
    assert not account.run("kms_keys", **KEYS)["changed"]
