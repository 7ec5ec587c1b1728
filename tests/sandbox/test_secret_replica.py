# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from moto.secretsmanager.models import secretsmanager_backends
from pipeops_sandbox.control import fault_rule
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.rds_database import actions
from tests.sandbox.rds_pair import ACCOUNT, EAST, WEST, set_region

MODULE, NAME, PASSWORD = "secret_replica", "pipeops/prod/database", "not-to-be-seen"
CREATE, CUT_LOOSE = "create/secretsmanager_replica/master", "update/secretsmanager_replica/master/role"
MENDED = "update/secretsmanager_replica/master/replication"


@pytest.fixture
def options(account: Account) -> Iterator[dict[str, Any]]:
    """The options of a copy in us-east-1 of a secret that stands in us-west-2."""
    account.client("secretsmanager", WEST).create_secret(Name=NAME, SecretString=json.dumps({"password": PASSWORD}))
    key = account.client("kms", EAST).create_key()["KeyMetadata"]["Arn"]
    yield {"region": EAST, "environment": "dr", "secret_name": NAME, "source_region": WEST, "kms_key_arn": key}
    set_region(account, WEST, "up")


def here(account: Account) -> dict[str, Any]:
    return dict(account.client("secretsmanager", EAST).describe_secret(SecretId=NAME))


def value(account: Account) -> str:
    return str(account.client("secretsmanager", EAST).get_secret_value(SecretId=NAME)["SecretString"])


def test_it_converges_and_goes(account: Account, options: dict[str, Any]) -> None:
    applied = prove_converges(account, MODULE, **options)
    assert actions(applied) == [CREATE]
    shown, outputs = here(account), applied["outputs"]
    assert shown["PrimaryRegion"] == WEST and outputs["arn"] == shown["ARN"]
    assert (outputs["role"], outputs["status"], outputs["kms_key_arn"]) == ("replica", "InSync", options["kms_key_arn"])
    assert PASSWORD in value(account) and PASSWORD not in json.dumps(applied, default=str)
    prove_removes(account, MODULE, **options)
    account.client("secretsmanager", WEST).delete_secret(SecretId=NAME)


def test_a_dry_run_knows_the_arn_of_a_copy_beforehand(account: Account, options: dict[str, Any]) -> None:
    foreseen = account.run(MODULE, check=True, **options)["outputs"]["arn"]
    assert foreseen == account.run(MODULE, **options)["outputs"]["arn"]
    nothing = account.run(MODULE, check=True, **{**options, "secret_name": "pipeops/other/database"})
    assert nothing["outputs"]["arn"] == "pending:secretsmanager_replica.arn:master"


def test_it_is_waited_for(account: Account, options: dict[str, Any]) -> None:
    runtime.clock.set("aws", 20)
    early = account.run(MODULE, wait=False, **options)
    assert not early["settled"]
    assert account.run(MODULE, started=early, **options)["outputs"]["status"] == "InSync"


def test_it_is_cut_loose_while_the_other_region_is_down(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    set_region(account, WEST, "down")
    unchanged, calls = account.run_watched(MODULE, **options)
    assert (unchanged["actions"], calls) == ([], [])
    alone = {**options, "state": "standalone", "identifier": "pipeops-dr"}
    foreseen = account.run(MODULE, check=True, **alone)
    done = account.run(MODULE, **alone)
    assert actions(foreseen) == actions(done)
    assert actions(done)[0] == CUT_LOOSE and done["outputs"]["role"] == "standalone"
    assert account.run(MODULE, **alone)["actions"] == []
    shown = here(account)
    assert {"Key": "pipeops:environment", "Value": "dr"} in shown["Tags"]
    assert shown["Description"] == "Master user of the database pipeops-dr"
    account.client("secretsmanager", EAST).put_secret_value(SecretId=NAME, SecretString="{}")


def test_one_of_its_own_is_only_overwritten_if_that_is_wanted(account: Account, options: dict[str, Any]) -> None:
    account.client("secretsmanager", EAST).create_secret(Name=NAME, SecretString="mine")
    before = account.journal_length()
    for check in (True, False):
        with pytest.raises(PlanRefused, match="overwrite: true"):
            account.run(MODULE, check=check, **options)
    assert [e for e in account.sandbox.journal.entries() if e.n > before and e.mutating] == []
    done = account.run(MODULE, overwrite=True, **options)
    assert actions(done) == [CUT_LOOSE] and done["outputs"]["status"] == "InSync"
    assert PASSWORD in value(account)
    assert account.run(MODULE, overwrite=True, **options)["actions"] == []


def test_a_failed_one_is_made_again(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    (copy,) = secretsmanager_backends[ACCOUNT][WEST].secrets[NAME].replicas
    copy.status = copy.config["Status"] = "Failed"
    copy.config["StatusMessage"] = "The key was disabled"
    assert actions(account.run(MODULE, check=True, **options)) == [MENDED]
    done, calls = account.run_watched(MODULE, **options)
    assert calls == ["secretsmanager:RemoveRegionsFromReplication", "secretsmanager:ReplicateSecretToRegions"]
    assert done["outputs"]["status"] == "InSync" and account.run(MODULE, **options)["actions"] == []


def test_another_key_makes_it_anew(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    other = account.client("kms", EAST).create_key()["KeyMetadata"]["Arn"]
    changed = {**options, "kms_key_arn": other}
    assert actions(account.run(MODULE, **changed)) == [MENDED]
    assert account.run(MODULE, **changed)["outputs"]["kms_key_arn"] == other


def test_what_cannot_be_is_refused(account: Account, options: dict[str, Any]) -> None:
    with pytest.raises(PlanRefused, match="source_region is not set"):
        account.run(MODULE, **{**options, "source_region": None})
    with pytest.raises(PlanRefused, match="us-east-1 itself"):
        account.run(MODULE, **{**options, "source_region": EAST})
    with pytest.raises(PlanRefused, match="nothing can be cut loose"):
        account.run(MODULE, state="standalone", **options)
    with pytest.raises(EngineError, match="no secret other in us-west-2"):
        account.run(MODULE, **{**options, "secret_name": "other"})
    account.run(MODULE, **options)
    account.client("secretsmanager", "eu-west-1").create_secret(Name=NAME, SecretString="x")
    with pytest.raises(PlanRefused, match="replica of us-west-2, not of eu-west-1"):
        account.run(MODULE, **{**options, "source_region": "eu-west-1"})


@pytest.mark.parametrize("operation", ["ReplicateSecretToRegions", "StopReplicationToReplica"])
def test_a_lost_answer_does_no_harm(account: Account, options: dict[str, Any], operation: str) -> None:
    rule = {"service": "secretsmanager", "operation": operation, "nth": 1, "effect": "reset_after"}
    account.sandbox.faults.add(fault_rule(rule))
    account.run(MODULE, **options)
    account.run(MODULE, state="standalone", **options)
    assert [e for e in account.sandbox.journal.entries() if e.fault]
    assert account.run(MODULE, state="standalone", **options)["actions"] == []
