# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_restore import RdsRestoredSettings
from pipeops_sandbox.control import fault_rule

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.rds_database import actions
from tests.sandbox.rds_pair import PROD_ARN, Side, lay_prod

MODULE, NAME = "rds_restore", "pipeops-prod-look"
EVERYTHING = [
    "create/rds_parameter_group/postgres17",
    "create/rds_subnet_group/database",
    f"create/rds_restore/{NAME}",
    f"create/rds_restored_settings/{NAME}",
]


@pytest.fixture
def prod(account: Account) -> Side:
    return lay_prod(account)[0]


def wanted(side: Side, **more: Any) -> dict[str, Any]:
    options = {name: value for name, value in side.options.items() if name != "kms_key_arn"}
    return {**side.where(), **options, "identifier": NAME, **more}


def test_a_point_in_time_converges_and_goes(account: Account, prod: Side) -> None:
    options = wanted(prod, source="pipeops-prod")
    applied = prove_converges(account, MODULE, **options)
    assert actions(applied) == EVERYTHING
    shown, outputs = prod.show(NAME), applied["outputs"]
    assert shown["DBParameterGroups"] == [
        {"DBParameterGroupName": f"{NAME}-postgres17", "ParameterApplyStatus": "in-sync"}
    ]
    assert (shown["MultiAZ"], shown["DeletionProtection"], shown["BackupRetentionPeriod"]) == (True, True, 30)
    assert shown["VpcSecurityGroups"][0]["VpcSecurityGroupId"] == prod.options["security_group_ids"][0]
    assert (shown["MonitoringInterval"], shown["PreferredMaintenanceWindow"]) == (60, "sun:09:30-sun:10:30")
    assert shown["PerformanceInsightsEnabled"] and shown["MaxAllocatedStorage"] == 500
    assert {"Key": "pipeops:component", "Value": f"restore/{NAME}"} in shown["TagList"]
    assert (outputs["restored_from"], outputs["status"]) == ("pipeops-prod@latest", "available")
    assert actions(prod.primary()) == [], "the primary is nobody else's business"
    prove_removes(account, MODULE, **options, deletion_protection=False)
    assert prod.identifiers() == ["pipeops-prod"]
    assert len(prod.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]) == 1


def test_replicated_backups_are_restored_in_the_other_region(account: Account, prod: Side) -> None:
    dr = lay_prod(account)[1]
    key = dr.options["kms_key_arn"]
    copied = dr.run("rds_backup_replication", source_arn=PROD_ARN, kms_key_arn=key, account_id="123456789012")
    options = {**wanted(dr, automated_backup_arn=copied["outputs"]["arn"]), "identifier": "pipeops-dr-restored"}
    applied = prove_converges(account, MODULE, **options)
    assert applied["outputs"]["kms_key_arn"] == key
    assert dr.show("pipeops-dr-restored")["DBName"] == "platform"
    role = "pipeops-dr-rds-monitoring"
    assert "create/iam_role/rds-monitoring" in actions(applied)
    account.run(MODULE, **options, state="absent", deletion_protection=False, final_snapshot=False)
    assert dr.client("iam").get_role(RoleName=role), "it is the database's own"
    assert actions(dr.primary(secret_name=None))[0] != "update/iam_role/rds-monitoring/tags"


def test_a_snapshot_is_restored(account: Account, prod: Side) -> None:
    rds = prod.client("rds")
    rds.create_db_snapshot(DBSnapshotIdentifier="before", DBInstanceIdentifier="pipeops-prod")
    applied = prove_converges(account, MODULE, **wanted(prod, snapshot="before"))
    assert applied["outputs"]["restored_from"] == "before"


def test_a_moment_is_kept_apart_from_every_other(account: Account, prod: Side) -> None:
    at = prod.show()["LatestRestorableTime"]
    options = wanted(prod, source="pipeops-prod", restore_time=at.isoformat())
    applied = account.run(MODULE, **options)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert applied["outputs"]["restored_from"] == f"pipeops-prod@{stamp}"
    assert account.run(MODULE, **{**options, "restore_time": stamp})["actions"] == []
    with pytest.raises(PlanRefused, match="is no such restore"):
        account.run(MODULE, **{**options, "restore_time": None})


def test_what_stands_is_never_taken_for_a_restore(account: Account, prod: Side) -> None:
    prod.client("rds").create_db_instance(
        DBInstanceIdentifier="pipeops-aside",
        Engine="postgres",
        DBInstanceClass="db.r6g.large",
        AllocatedStorage=20,
        MasterUsername="somebody",
        MasterUserPassword="not-a-real-one",
        DBSubnetGroupName="pipeops-prod",
    )
    options = wanted(prod, source="another", identifier="pipeops-aside")
    with pytest.raises(PlanRefused, match="is no such restore"):
        account.run(MODULE, **options)
    gone = account.run(MODULE, **options, state="absent", deletion_protection=False, check=True)
    assert "delete/rds_restore/pipeops-aside" not in actions(gone)
    for state in ("present", "absent"):
        with pytest.raises(PlanRefused, match="the environment's own database"):
            account.run(MODULE, **wanted(prod, source="another", identifier="pipeops-prod", state=state))


def test_a_drift_is_corrected(account: Account, prod: Side) -> None:
    options = wanted(prod, source="pipeops-prod")
    account.run(MODULE, **options)
    prod.client("rds").modify_db_instance(DBInstanceIdentifier=NAME, MonitoringInterval=0, ApplyImmediately=True)
    assert actions(account.run(MODULE, **options)) == [f"update/rds_restored_settings/{NAME}/monitoring"]
    assert account.run(MODULE, **options)["actions"] == []


def test_a_killed_restore_is_taken_up(account: Account, prod: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_args: Any) -> None:
        raise KeyboardInterrupt

    options = wanted(prod, source="pipeops-prod")
    with monkeypatch.context() as patched:
        patched.setattr(RdsRestoredSettings, "set_tags", killed)
        with pytest.raises(KeyboardInterrupt):
            account.run(MODULE, **options)
    assert actions(account.run(MODULE, **options)) == EVERYTHING[-1:]
    assert account.run(MODULE, **options)["actions"] == []


def test_a_lost_answer_restores_once(account: Account, prod: Side) -> None:
    rule = {"service": "rds", "operation": "RestoreDBInstanceToPointInTime", "nth": 1, "effect": "reset_after"}
    account.sandbox.faults.add(fault_rule(rule))
    options = wanted(prod, source="pipeops-prod")
    assert account.run(MODULE, **options)["settled"]
    assert account.run(MODULE, **options)["actions"] == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "Set exactly one of source"),
        ({"source": "a", "snapshot": "b"}, "source and snapshot is set"),
        ({"source": "a", "restore_time": "2026-11-25T13:15:00"}, "with its zone"),
        ({"snapshot": "a", "restore_time": "2026-11-25T13:15:00Z"}, "one moment only"),
        ({"source": NAME}, "itself"),
        ({"source": "a", "instance_class": None}, "instance_class is not set"),
        ({"source": "a", "engine_version": None}, "engine_version is not set"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(account: Account, more: dict[str, Any], words: str) -> None:
    options = {
        "account_id": "123456789012",
        "identifier": NAME,
        "engine_version": "17.6",
        "instance_class": "db.r6g.large",
        "subnet_ids": ["a", "b"],
        "security_group_ids": ["c"],
    }
    with pytest.raises(PlanRefused, match=words):
        account.run(MODULE, **{**options, **more})
