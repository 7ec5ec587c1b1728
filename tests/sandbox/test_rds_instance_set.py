# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.values import is_pending
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.rds_database import (
    EVERYTHING,
    MODULE,
    REPLICAS,
    actions,
    full_options,
    prove_heals,
    refused_run,
    small_options,
    standing,
    standing_names,
)


@pytest.fixture
def small(account: Account) -> dict[str, Any]:
    return small_options(account)


@pytest.fixture
def full(account: Account) -> dict[str, Any]:
    return full_options(account)


def test_it_converges_and_goes(account: Account, full: dict[str, Any]) -> None:
    applied = prove_converges(account, MODULE, **full)
    assert actions(applied) == EVERYTHING
    assert applied["settled"]
    primary, replicas = standing(account), applied["outputs"]["replicas"]
    assert (primary["MultiAZ"], primary["StorageEncrypted"], primary["DeletionProtection"]) == (True, True, True)
    assert applied["outputs"]["primary"]["endpoint"] == primary["Endpoint"]["Address"]
    assert [(one["name"], one["availability_zone"]) for one in replicas] == [("a", "us-west-2a"), ("c", "us-west-2c")]
    assert sorted(primary["ReadReplicaDBInstanceIdentifiers"]) == ["pipeops-prod-a", "pipeops-prod-c"]
    assert standing(account, "pipeops-prod-c")["PreferredMaintenanceWindow"] == "sun:09:30-sun:10:30"
    prove_removes(account, MODULE, **full, deletion_protection=False)
    prove_nothing_is_left(account)


def prove_nothing_is_left(account: Account) -> None:
    rds = account.client("rds")
    assert rds.describe_db_instances()["DBInstances"] == []
    assert [g for g in rds.describe_db_subnet_groups()["DBSubnetGroups"] if g["DBSubnetGroupName"] != "default"] == []
    groups = [group["DBParameterGroupName"] for group in rds.describe_db_parameter_groups()["DBParameterGroups"]]
    assert all(name.startswith("default.") for name in groups)
    snapshots = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert len(snapshots) == 1
    assert re.fullmatch(r"pipeops-prod-final-\d{8}-\d{6}", snapshots[0]["DBSnapshotIdentifier"])
    secret = account.client("secretsmanager").describe_secret(SecretId="pipeops/prod/database")
    assert secret["DeletedDate"]
    assert "pipeops-prod-rds-monitoring" not in [r["RoleName"] for r in account.client("iam").list_roles()["Roles"]]


def test_a_dry_run_of_an_empty_account_knows_what_will_stand(account: Account, full: dict[str, Any]) -> None:
    unknown = {"subnet_ids": "pending:ec2_subnet.id:a", "kms_key_arn": "pending:kms_key.arn:rds", "vpc_id": "pending:x"}
    options = {**full, **unknown, "subnet_ids": ["pending:ec2_subnet.id:a"]}
    result = account.run(MODULE, check=True, **options)
    assert actions(result) == EVERYTHING
    outputs = result["outputs"]
    assert outputs["primary"]["identifier"] == "pipeops-prod"
    assert outputs["secret_name"] == "pipeops/prod/database"
    assert is_pending(outputs["primary"]["endpoint"]) and is_pending(outputs["secret_arn"])
    assert account.client("rds").describe_db_instances()["DBInstances"] == []


def test_a_converged_run_reads_little(account: Account, full: dict[str, Any]) -> None:
    account.run(MODULE, **full)
    before = account.journal_length()
    account.run(MODULE, **full)
    calls = Counter(f"{e.service}:{e.operation}" for e in account.sandbox.journal.entries() if e.n > before)
    assert calls == {
        "rds:DescribeDBInstances": 3,
        "rds:DescribeDBParameters": 3,
        "rds:ListTagsForResource": 2,
        "rds:DescribeDBSubnetGroups": 1,
        "rds:DescribeDBParameterGroups": 1,
        "secretsmanager:DescribeSecret": 1,
        "iam:GetRole": 1,
        "iam:ListAttachedRolePolicies": 1,
    }


@pytest.mark.parametrize(
    ("identifier", "drift", "action"),
    [
        ("pipeops-prod", {"DeletionProtection": False}, "rds_instance/primary/deletion_protection"),
        ("pipeops-prod", {"BackupRetentionPeriod": 3}, "rds_instance/primary/backups"),
        ("pipeops-prod", {"PreferredBackupWindow": "01:00-01:30"}, "rds_instance/primary/backups"),
        ("pipeops-prod", {"MonitoringInterval": 0}, "rds_instance/primary/monitoring"),
        ("pipeops-prod", {"EnablePerformanceInsights": False}, "rds_instance/primary/performance_insights"),
        ("pipeops-prod", {"AutoMinorVersionUpgrade": True}, "rds_instance/primary/settings"),
        ("pipeops-prod", {"EnableIAMDatabaseAuthentication": True}, "rds_instance/primary/iam_authentication"),
        ("pipeops-prod", {"DBParameterGroupName": "default.postgres17"}, "rds_instance/primary/parameter_group"),
        (
            "pipeops-prod",
            {"CloudwatchLogsExportConfiguration": {"DisableLogTypes": ["upgrade"]}},
            "rds_instance/primary/log_exports",
        ),
        ("pipeops-prod", {"DBInstanceClass": "db.r6g.large"}, "rds_instance/primary/instance_class"),
        ("pipeops-prod", {"MultiAZ": False}, "rds_instance/primary/multi_az"),
        ("pipeops-prod-a", {"DBInstanceClass": "db.r6g.large"}, "rds_replica/a/instance_class"),
        ("pipeops-prod-a", {"DeletionProtection": False}, "rds_replica_settings/a/deletion_protection"),
        ("pipeops-prod-a", {"PreferredMaintenanceWindow": "mon:01:00-mon:02:00"}, "rds_replica_settings/a/backups"),
        ("pipeops-prod-a", {"DBParameterGroupName": "default.postgres17"}, "rds_replica_settings/a/parameter_group"),
    ],
    ids=lambda value: value.rpartition("/")[2] if isinstance(value, str) else "",
)
def test_drift_of_an_instance_is_found_and_healed(
    account: Account, full: dict[str, Any], identifier: str, drift: dict[str, Any], action: str
) -> None:
    options = full if "replica" in action else {**full, "replicas": []}
    account.run(MODULE, **options)
    account.client("rds").modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=True, **drift)
    prove_heals(account, [f"update/{action}"], **options)


def _other_group(account: Account) -> None:
    vpc = standing(account)["DBSubnetGroup"]["VpcId"]
    group = account.client("ec2").create_security_group(GroupName="other", Description="other", VpcId=vpc)["GroupId"]
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier="pipeops-prod", VpcSecurityGroupIds=[group], ApplyImmediately=True
    )


def _fewer_subnets(account: Account) -> None:
    subnets = [one["SubnetIdentifier"] for one in standing(account)["DBSubnetGroup"]["Subnets"]]
    used = standing(account)["AvailabilityZone"], standing(account)["SecondaryAvailabilityZone"]
    keep = [
        one["SubnetId"]
        for one in account.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
        if one["AvailabilityZone"] in used
    ]
    account.client("rds").modify_db_subnet_group(DBSubnetGroupName="pipeops-prod", SubnetIds=keep)


def _parameter(account: Account, name: str, value: str, method: str) -> None:
    entry = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
    account.client("rds").modify_db_parameter_group(DBParameterGroupName="pipeops-prod-postgres17", Parameters=[entry])


def _another_tag(account: Account) -> None:
    arn = standing(account)["DBInstanceArn"]
    account.client("rds").remove_tags_from_resource(ResourceName=arn, TagKeys=["pipeops:secret"])
    account.client("rds").add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "Name", "Value": "mine"}])


@pytest.mark.parametrize(
    ("drift", "wanted"),
    [
        (_other_group, ["update/rds_instance/primary/security_groups"]),
        (_fewer_subnets, ["update/rds_subnet_group/database/subnets"]),
        (_another_tag, ["update/rds_instance/primary/tags"]),
        (
            lambda account: _parameter(account, "log_lock_waits", "0", "immediate"),
            ["update/rds_parameter_group/postgres17/parameters"],
        ),
        (
            lambda account: _parameter(account, "work_mem", "65536", "immediate"),
            ["update/rds_parameter_group/postgres17/parameters"],
        ),
        (
            lambda account: _parameter(account, "max_connections", "200", "pending-reboot"),
            ["update/rds_parameter_group/postgres17/parameters", "update/rds_instance/primary/restart"],
        ),
        (
            lambda account: account.client("secretsmanager").update_secret(
                SecretId="pipeops/prod/database", Description="mine"
            ),
            ["update/secretsmanager_secret/master/settings"],
        ),
        (
            lambda account: account.client("secretsmanager").delete_secret(SecretId="pipeops/prod/database"),
            ["update/secretsmanager_secret/master/restored"],
        ),
    ],
    ids=[
        "security group",
        "subnets",
        "tags",
        "parameter",
        "foreign parameter",
        "static parameter",
        "secret",
        "deleted",
    ],
)
def test_other_drift_is_found_and_healed(
    account: Account, small: dict[str, Any], drift: Callable[[Account], Any], wanted: list[str]
) -> None:
    account.run(MODULE, **small)
    drift(account)
    prove_heals(account, wanted, **small)


@pytest.mark.parametrize(
    ("change", "wanted", "proof"),
    [
        ({"instance_class": "db.r6g.2xlarge"}, ["instance_class"], {"DBInstanceClass": "db.r6g.2xlarge"}),
        ({"backup_retention_days": 35}, ["backups"], {"BackupRetentionPeriod": 35}),
        (
            {"storage_gib": 400, "iops": 16000, "throughput_mibps": 1000},
            ["storage"],
            {"AllocatedStorage": 400, "Iops": 16000, "StorageThroughput": 1000},
        ),
        ({"storage_max_gib": 800}, ["settings"], {"MaxAllocatedStorage": 800}),
        ({"multi_az": False}, ["multi_az"], {"MultiAZ": False}),
        ({"deletion_protection": False}, ["deletion_protection"], {"DeletionProtection": False}),
        ({"monitoring_interval_seconds": 0}, ["monitoring"], {"MonitoringInterval": 0}),
        ({"performance_insights": False}, ["performance_insights"], {"PerformanceInsightsEnabled": False}),
        (
            {"performance_insights_retention_days": 31},
            ["performance_insights"],
            {"PerformanceInsightsRetentionPeriod": 31},
        ),
        (
            {"instance_class": "db.r6g.large", "backup_retention_days": 5, "log_exports": ["postgresql"]},
            ["backups", "log_exports", "instance_class"],
            {"DBInstanceClass": "db.r6g.large", "BackupRetentionPeriod": 5},
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_changing_a_value_changes_exactly_that(
    account: Account, small: dict[str, Any], change: dict[str, Any], wanted: list[str], proof: dict[str, Any]
) -> None:
    account.run(MODULE, **small)
    identity = standing(account)["DbiResourceId"]
    prove_heals(account, [f"update/rds_instance/primary/{name}" for name in wanted], **{**small, **change})
    now = standing(account)
    assert {name: now.get(name) for name in proof} == proof
    assert now["DbiResourceId"] == identity


@pytest.mark.parametrize("version", ["17.7", "18.3"])
def test_another_version_is_left_to_the_playbook_that_upgrades(
    account: Account, small: dict[str, Any], version: str
) -> None:
    account.run(MODULE, **small)
    for check in (True, False):
        with pytest.raises(EngineError, match=r"site.yml upgrades none.*playbooks/upgrade_database\.yml"):
            account.run(MODULE, check=check, **{**small, "engine_version": version})
    assert standing(account)["EngineVersion"] == "17.6"


def test_a_static_parameter_restarts_what_runs_with_it(account: Account, full: dict[str, Any]) -> None:
    account.run(MODULE, **full)
    group = "update/rds_parameter_group/postgres17/parameters"
    prove_heals(account, [group], **full, parameters={"work_mem": "65536"})
    restarts = [
        "update/rds_instance/primary/restart",
        "update/rds_replica_settings/a/restart",
        "update/rds_replica_settings/c/restart",
    ]
    prove_heals(account, [group, *restarts], **full, parameters={"max_connections": "700"})
    prove_heals(account, [group, *restarts], **full)
    status = standing(account, "pipeops-prod-a")["DBParameterGroups"][0]["ParameterApplyStatus"]
    assert status == "in-sync"


def test_many_parameters_are_set_in_batches(account: Account, small: dict[str, Any]) -> None:
    names = [
        *("autovacuum_naptime", "autovacuum_vacuum_threshold", "autovacuum_analyze_threshold", "lock_timeout"),
        *("statement_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout", "work_mem"),
        *("gin_pending_list_limit", "vacuum_freeze_min_age", "vacuum_freeze_table_age", "vacuum_failsafe_age"),
        *("autovacuum_vacuum_insert_threshold", "transaction_timeout", "effective_io_concurrency", "deadlock_timeout"),
        *("maintenance_work_mem", "checkpoint_timeout", "log_temp_files", "bgwriter_delay"),
    ]
    rows = account.client("rds").get_paginator("describe_engine_default_parameters")
    known = {
        row["ParameterName"]: row["AllowedValues"].rpartition("-")[2]
        for page in rows.paginate(DBParameterGroupFamily="postgres17")
        for row in page["EngineDefaults"]["Parameters"]
        if row["ParameterName"] in names and (row["ApplyType"], row["DataType"]) == ("dynamic", "integer")
    }
    assert len(known) > 16
    prove_converges(account, MODULE, **small, parameters=known)


def test_a_parameter_that_does_not_exist_isrefused_run(account: Account, small: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="cannot take work_memory"):
        account.run(MODULE, **small, parameters={"work_memory": "1"})


def test_without_waiting_the_rest_is_left_to_a_second_task(account: Account, full: dict[str, Any]) -> None:
    runtime.clock.set("aws", 600)
    first = account.run(MODULE, check=True, wait=False, **full)
    second = account.run(MODULE, check=True, started=first, **full)
    started = account.run(MODULE, wait=False, **full)
    assert standing(account)["DBInstanceStatus"] == "creating"
    assert actions(started) == actions(first) == EVERYTHING[:5]
    assert not started["settled"]
    assert is_pending(started["outputs"]["replicas"][0]["endpoint"])
    again = account.run(MODULE, wait=False, **full)
    assert again["actions"] == [], "nothing is asked for twice while it is being made"
    finished = account.run(MODULE, started=started, **full)
    assert actions(finished) == actions(second) == EVERYTHING[5:]
    assert finished["settled"]
    assert account.run(MODULE, **full)["actions"] == []


def test_what_aws_is_about_to_do_is_not_asked_again(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **small)
    runtime.clock.set("aws", 1)
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier="pipeops-prod", DBInstanceClass="db.r6g.2xlarge", ApplyImmediately=True
    )
    assert standing(account)["DBInstanceClass"] == "db.r6g.xlarge"
    assert account.run(MODULE, wait=False, **{**small, "instance_class": "db.r6g.2xlarge"})["actions"] == []


def test_several_changes_wait_for_each_other(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **small)
    runtime.clock.set("aws", 3000)
    changed = {"instance_class": "db.r6g.large", "multi_az": False, "parameters": {"max_connections": "300"}}
    names = ["multi_az", "instance_class", "restart"]
    result = account.run(MODULE, **{**small, **changed})
    wanted = [f"update/rds_instance/primary/{name}" for name in names]
    assert actions(result) == ["update/rds_parameter_group/postgres17/parameters", *wanted]
    assert account.run(MODULE, **{**small, **changed})["actions"] == []


def test_a_replica_that_is_no_longer_wanted_goes(account: Account, full: dict[str, Any]) -> None:
    account.run(MODULE, **full)
    result = prove_heals(account, ["delete/rds_replica/c"], **{**full, "replicas": REPLICAS[:1]})
    assert result["actions"][0]["interrupts"] == "the readers of this replica"
    assert standing_names(account) == ["pipeops-prod", "pipeops-prod-a"]


def test_a_promoted_replica_is_neither_taken_back_nor_removed(account: Account, full: dict[str, Any]) -> None:
    account.run(MODULE, **full)
    account.client("rds").promote_read_replica(DBInstanceIdentifier="pipeops-prod-c")
    assert "dr_status.yml" in refused_run(account, "never promotes", **full)
    kept = account.run(MODULE, **{**full, "replicas": REPLICAS[:1]})
    assert kept["actions"] == []
    assert kept["unmanaged"] == [{"kind": "rds_instance", "name": "pipeops-prod-c", "id": "pipeops-prod-c"}]


def test_a_primary_that_is_a_replica_is_left_alone(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **small, identifier="pipeops-elsewhere")
    rds = account.client("rds")
    arn = standing(account, "pipeops-elsewhere")["DBInstanceArn"]
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["pipeops:component"])
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier="pipeops-prod", SourceDBInstanceIdentifier="pipeops-elsewhere"
    )
    assert "never promotes" in refused_run(account, "'replica'", **small)


def test_another_identifier_makes_no_second_database(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **small)
    refused_run(account, "set identifier back", **small, identifier="pipeops-other")
    assert standing_names(account) == ["pipeops-prod"]


def test_a_source_of_foreign_replicas_is_not_removed(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **small)
    account.client("rds").create_db_instance_read_replica(
        DBInstanceIdentifier="report", SourceDBInstanceIdentifier="pipeops-prod"
    )
    with pytest.raises(EngineError, match="report"):
        account.run(MODULE, state="absent", deletion_protection=False, **small)
    assert standing_names(account) == ["pipeops-prod", "report"]
