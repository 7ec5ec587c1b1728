# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.values import is_pending
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_instance import RdsInstance
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_replica import RdsReplicaSettings
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes

MODULE = "rds_instance_set"
EVERYTHING = [
    "create/iam_role/rds-monitoring",
    "create/rds_parameter_group/postgres17",
    "create/rds_subnet_group/database",
    "create/secretsmanager_secret/master",
    "create/rds_instance/primary",
    "create/rds_replica/a",
    "create/rds_replica/c",
    "create/rds_replica_settings/a",
    "create/rds_replica_settings/c",
]
REPLICAS = [{"name": zone, "availability_zone": f"us-west-2{zone}"} for zone in "ac"]


@pytest.fixture
def small(account: Account) -> dict[str, Any]:
    """The options of a Multi-AZ database without replicas, in a network and with keys made by hand."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{zone}")["Subnet"]
        for n, zone in enumerate("abc")
    ]
    group = ec2.create_security_group(GroupName="database", Description="database", VpcId=vpc)["GroupId"]
    keys = [account.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    return {
        "account_id": "123456789012",
        "engine_version": "17.6",
        "instance_class": "db.r6g.xlarge",
        "storage_gib": 100,
        "storage_max_gib": 500,
        "multi_az": True,
        "kms_key_arn": keys[0],
        "secret_kms_key_arn": keys[1],
        "vpc_id": vpc,
        "subnet_ids": [subnet["SubnetId"] for subnet in subnets],
        "security_group_ids": [group],
        "backup_retention_days": 30,
        "backup_window": "08:00-08:30",
        "maintenance_window": "sun:09:30-sun:10:30",
    }


@pytest.fixture
def full(small: dict[str, Any]) -> dict[str, Any]:
    """The same with two replicas."""
    return {**small, "replicas": REPLICAS}


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def standing(account: Account, identifier: str = "pipeops-prod") -> dict[str, Any]:
    found = account.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    return dict(found[0])


def prove_heals(account: Account, wanted: list[str], **options: Any) -> dict[str, Any]:
    """Check, run and run again: exactly these actions, once."""
    assert actions(account.run(MODULE, check=True, **options)) == wanted
    result = account.run(MODULE, **options)
    assert actions(result) == wanted
    assert account.run(MODULE, check=True, **options)["actions"] == []
    return result


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
        ({"engine_version": "17.7"}, ["engine_version"], {"EngineVersion": "17.7"}),
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


def test_a_minor_upgrade_takes_the_replicas_first(account: Account, full: dict[str, Any]) -> None:
    account.run(MODULE, **full)
    prove_heals(account, ["update/rds_instance/primary/engine_version"], **{**full, "engine_version": "17.7"})
    for identifier in ("pipeops-prod", "pipeops-prod-a", "pipeops-prod-c"):
        assert standing(account, identifier)["EngineVersion"] == "17.7"


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


def test_a_parameter_that_does_not_exist_is_refused(account: Account, small: dict[str, Any]) -> None:
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


def standing_names(account: Account) -> list[str]:
    return [one["DBInstanceIdentifier"] for one in account.client("rds").describe_db_instances()["DBInstances"]]


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
    calls = account.mutations(lambda: _refused(account, "secret", **small))
    assert calls == []


def _refused(account: Account, text: str, **options: Any) -> str:
    with pytest.raises(PlanRefused, match=text) as refused:
        account.run(MODULE, **options)
    return str(refused.value)


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


def test_a_replica_that_is_no_longer_wanted_goes(account: Account, full: dict[str, Any]) -> None:
    account.run(MODULE, **full)
    result = prove_heals(account, ["delete/rds_replica/c"], **{**full, "replicas": REPLICAS[:1]})
    assert result["actions"][0]["interrupts"] == "the readers of this replica"
    assert standing_names(account) == ["pipeops-prod", "pipeops-prod-a"]


def test_a_promoted_replica_is_neither_taken_back_nor_removed(account: Account, full: dict[str, Any]) -> None:
    account.run(MODULE, **full)
    account.client("rds").promote_read_replica(DBInstanceIdentifier="pipeops-prod-c")
    assert "dr_status.yml" in _refused(account, "never promotes", **full)
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
    assert "never promotes" in _refused(account, "'replica'", **small)


def test_another_identifier_makes_no_second_database(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **small)
    _refused(account, "set identifier back", **small, identifier="pipeops-other")
    assert standing_names(account) == ["pipeops-prod"]


def test_a_source_of_foreign_replicas_is_not_removed(account: Account, small: dict[str, Any]) -> None:
    account.run(MODULE, **small)
    account.client("rds").create_db_instance_read_replica(
        DBInstanceIdentifier="report", SourceDBInstanceIdentifier="pipeops-prod"
    )
    with pytest.raises(EngineError, match="report"):
        account.run(MODULE, state="absent", deletion_protection=False, **small)
    assert standing_names(account) == ["pipeops-prod", "report"]
