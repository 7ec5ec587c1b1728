# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans of the database over what may stand, without AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import View
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import (
    Key,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import (
    Plan,
    State,
    make_plan,
    removal_plan,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.values import is_pending
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_instance_set import LAYER

from .rds_prod import (
    PRIMARY,
    REPLICA,
    SETTINGS,
    TYPES,
    built,
    drifted,
    params_of,
    state_of,
)


def identities(plan: Plan) -> list[str]:
    return [action.identity for action in plan.actions]


def test_from_nothing() -> None:
    plan = make_plan(State(TYPES, built()))
    assert identities(plan) == [
        "create/iam_role/rds-monitoring",
        "create/rds_parameter_group/postgres17",
        "create/rds_subnet_group/database",
        "create/secretsmanager_secret/master",
        "create/rds_instance/primary",
        "create/rds_replica/a",
        "create/rds_replica_settings/a",
    ]


def test_what_is_as_wanted_is_left_alone() -> None:
    assert make_plan(state_of()).actions == ()


def test_without_waiting_replicas_are_left_for_later() -> None:
    plan = make_plan(State(TYPES, built()), wait=False)
    assert identities(plan)[-1] == "create/rds_instance/primary"
    assert [action.identity for action in plan.deferred] == ["create/rds_replica/a", "create/rds_replica_settings/a"]


def test_replicas_are_left_for_later_while_the_primary_changes() -> None:
    state = state_of()
    del state.observed[REPLICA], state.observed[SETTINGS]
    state.observed[PRIMARY] = replace(state.observed[PRIMARY], status="modifying")
    assert identities(make_plan(state, wait=False)) == []
    assert len(make_plan(state, wait=False).deferred) == 2


@pytest.mark.parametrize(
    ("changes", "actions"),
    [
        ({"instance_class": "db.r6g.2xlarge"}, ["instance/primary/instance_class", "replica/a/instance_class"]),
        ({"storage_gib": 200}, ["instance/primary/storage", "replica/a/storage"]),
        ({"storage_max_gib": 600}, ["instance/primary/settings", "replica/a/settings"]),
        ({"backup_retention_days": 7}, ["instance/primary/backups"]),
        ({"backup_window": "01:00-01:30"}, ["instance/primary/backups"]),
        ({"multi_az": False}, ["instance/primary/multi_az"]),
        ({"engine_version": "17"}, []),
        ({"security_group_ids": ["sg-1", "sg-2"]}, ["instance/primary/security_groups", "replica/a/security_groups"]),
        (
            {"deletion_protection": False},
            ["instance/primary/deletion_protection", "replica_settings/a/deletion_protection"],
        ),
        ({"monitoring_interval_seconds": 15}, ["instance/primary/monitoring", "replica/a/monitoring"]),
        ({"performance_insights": False}, ["instance/primary/performance_insights", "replica/a/performance_insights"]),
        ({"log_exports": ["upgrade", "postgresql"]}, []),
        ({"log_exports": []}, ["instance/primary/log_exports", "replica/a/log_exports"]),
        ({"iam_authentication": True}, ["instance/primary/iam_authentication", "replica/a/iam_authentication"]),
        ({"ca_certificate": "rds-ca-rsa4096-g1"}, ["instance/primary/certificate", "replica/a/certificate"]),
        ({"subnet_ids": ["subnet-3", "subnet-1", "subnet-2"]}, []),
        ({"subnet_ids": ["subnet-1", "subnet-2"]}, ["subnet_group/database/subnets"]),
        (
            {"replicas": [{"name": "a", "availability_zone": "us-west-2a", "backup_retention_days": 3}]},
            ["replica_settings/a/backups"],
        ),
    ],
    ids=lambda value: "" if isinstance(value, list) else next(iter(value)),
)
def test_one_value_changes_exactly_that(changes: dict[str, Any], actions: list[str]) -> None:
    assert identities(make_plan(state_of(**changes))) == [f"update/rds_{action}" for action in actions]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"engine_version": "17.7"}, "site.yml upgrades none. Run ansible-playbook playbooks/upgrade_database.yml"),
        ({"engine_version": "18.1"}, "upgrade_database.yml"),
        ({"engine_version": "16.9"}, "never goes back to an earlier version: set engine_version to 17.6"),
        ({"engine_version": "17.5"}, "never goes back to an earlier version: set engine_version to 17.6"),
        ({"storage_gib": 50}, "never shrinks: set storage_gib to 100"),
        ({"storage_type": "io2", "iops": 3000}, "storage_type"),
        ({"kms_key_arn": "arn:aws:kms:us-west-2:123456789012:key/2"}, "restore.yml"),
        ({"master_username": "root_user"}, "master user is chosen once"),
        ({"database_name": "other"}, "first database is chosen once"),
        ({"port": 5433}, "port"),
        ({"identifier": "pipeops-other"}, "set identifier back"),
        ({"vpc_id": "vpc-2"}, "another VPC"),
        ({"replicas": [{"name": "a", "availability_zone": "us-west-2b"}]}, "another name in the inventory"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_would_need_another_database_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanRefused, match="nothing was changed") as refused:
        make_plan(state_of(**changes))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("key", "attributes", "words"),
    [
        (PRIMARY, {"role": "replica"}, "site.yml never promotes"),
        (REPLICA, {"source": None}, "site.yml never promotes"),
        (REPLICA, {"source": "arn:aws:rds:us-east-1:123456789012:db:pipeops-dr"}, "dr_status.yml"),
        (PRIMARY, {"encrypted": False}, "restore.yml"),
        (PRIMARY, {"secret_arn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:gone"}, "rotate_secrets.yml"),
    ],
    ids=["primary is a replica", "replica stands alone", "replica of another", "not encrypted", "another secret"],
)
def test_what_others_have_to_decide_is_refused(key: Key, attributes: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanRefused) as refused:
        make_plan(drifted(key, **attributes))
    assert words in str(refused.value)


def test_a_lost_secret_is_not_made_anew_beside_its_database() -> None:
    state = state_of()
    del state.observed["secretsmanager_secret", "master"]
    with pytest.raises(PlanRefused, match=r"rotate_secrets\.yml"):
        make_plan(state)


@pytest.mark.parametrize(
    ("key", "attributes", "actions"),
    [
        (PRIMARY, {"parameters_in_sync": False}, ["update/rds_instance/primary/restart"]),
        (SETTINGS, {"parameters_in_sync": False}, ["update/rds_replica_settings/a/restart"]),
        (PRIMARY, {"parameter_group": "default.postgres17"}, ["update/rds_instance/primary/parameter_group"]),
        (PRIMARY, {"secret_arn": None}, []),
        (PRIMARY, {"storage_max_gib": None}, ["update/rds_instance/primary/settings"]),
        (
            ("rds_parameter_group", "postgres17"),
            {"parameters": {}},
            ["update/rds_parameter_group/postgres17/parameters"],
        ),
        (("secretsmanager_secret", "master"), {"active": False}, ["update/secretsmanager_secret/master/restored"]),
    ],
)
def test_drift(key: Key, attributes: dict[str, Any], actions: list[str]) -> None:
    assert identities(make_plan(drifted(key, **attributes))) == actions


def test_interruptions_are_told() -> None:
    plan = make_plan(state_of(instance_class="db.r6g.2xlarge", backup_retention_days=7, storage_gib=200))
    told = {action.identity.removeprefix("update/"): action.traits for action in plan.actions}
    assert "failover" in told["rds_instance/primary/instance_class"].interrupts
    assert told["rds_instance/primary/storage"].interrupts == ""
    assert not told["rds_instance/primary/storage"].reversible


def test_a_replica_that_is_no_longer_wanted_is_removed() -> None:
    assert identities(make_plan(state_of(replicas=[]))) == ["delete/rds_replica/a"]


def test_removal_goes_from_the_replicas_down() -> None:
    state = state_of(state="absent", deletion_protection=False)
    del state.observed[SETTINGS]
    order = [action.key for action in removal_plan(state).actions]
    assert order[:2] == [REPLICA, PRIMARY]
    assert len(order) == 6


def test_no_content_of_the_secret_is_observed() -> None:
    for item in built().values():
        assert "password" not in str(item.attributes).lower()


def test_the_secret_names_no_host() -> None:
    content = built()["secretsmanager_secret", "master"].attributes["content"]
    assert content == {"username": "pipeops_admin", "engine": "postgres", "port": 5432, "dbname": "platform"}


def test_parameters_are_text_and_add_to_ours() -> None:
    parameters = built()["rds_parameter_group", "postgres17"].attributes["parameters"]
    assert parameters["max_connections"] == "500"
    assert parameters["log_lock_waits"] == "0"
    assert parameters["rds.force_ssl"] == "1"


def test_names_and_tags() -> None:
    wanted = built()
    assert wanted[REPLICA].attributes["identifier"] == "pipeops-prod-a"
    assert wanted["rds_parameter_group", "postgres17"].attributes["name"] == "pipeops-prod-postgres17"
    assert dict(wanted[REPLICA].tags or {}) == {
        "Name": "pipeops-prod-a",
        "pipeops:platform": "pipeops",
        "pipeops:environment": "prod",
        "pipeops:component": "database/replicas/a",
        "pipeops:managed-by": "pipeops.platform",
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identifier": "prod--db"}, "'prod--db' cannot be the identifier"),
        ({"identifier": "1prod"}, "begins with a letter"),
        ({"identifier": "p" * 62}, "at most 63"),
        ({"replicas": [{"name": "a"}, {"name": "a"}]}, "'a' 2 times"),
        ({"replicas": [{"name": "a-"}]}, "does not end with a hyphen"),
        ({"engine_version": "latest"}, "engine_version is 'latest'"),
        ({"storage_max_gib": 105}, "storage_max_gib is 105"),
        ({"iops": 4000}, "iops cannot be chosen for gp3 storage of 100 GiB"),
        ({"throughput_mibps": 500}, "throughput_mibps cannot be chosen"),
        ({"storage_type": "io2"}, "io2 needs iops"),
        ({"storage_type": "io1", "iops": 3000, "throughput_mibps": 500}, "for gp3 only"),
        ({"subnet_ids": ["subnet-1"]}, "at least two zones"),
        ({"security_group_ids": []}, "security_group_ids is empty"),
        ({"availability_zone": "us-west-2a"}, "availability_zone is us-west-2a"),
        (
            {"replicas": [{"name": "a", "multi_az": True, "availability_zone": "us-west-2a"}]},
            "availability_zone of the replica a",
        ),
        ({"backup_retention_days": 36}, "backup_retention_days is 36"),
        ({"replicas": [{"name": "a", "backup_retention_days": 99}]}, "of the replica a is 99"),
        ({"backup_retention_days": 0}, "replicas are wanted"),
        ({"performance_insights_retention_days": 30}, "performance_insights_retention_days is 30"),
        ({"state": "absent"}, "deletion_protection to false"),
    ],
)
def test_options_that_cannot_be(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PlanRefused) as refused:
        built(**changes)
    assert words in str(refused.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(PlanRefused) as refused:
        built(engine_version="x", storage_max_gib=1, backup_retention_days=0)
    assert len(refused.value.reasons) == 3


def test_placeholders_are_taken() -> None:
    wanted = built(subnet_ids="pending:subnets", security_group_ids=["pending:sg"], vpc_id="pending:vpc")
    assert make_plan(State(TYPES, wanted)).actions


def test_outputs_of_a_dry_run_and_of_what_stands() -> None:
    planned = LAYER.outputs(View(State(TYPES, built())), params_of())
    assert planned["primary"]["identifier"] == "pipeops-prod"
    assert planned["primary"]["multi_az"] is True
    assert is_pending(planned["primary"]["arn"]) and is_pending(planned["replicas"][0]["endpoint"])
    assert planned["instances"][0] == {"identifier": "pipeops-prod", "role": "primary", "storage_gib": 100}
    assert [one["identifier"] for one in planned["instances"][1:]] == [one["identifier"] for one in planned["replicas"]]
    state = drifted(REPLICA, endpoint="a.example")
    assert LAYER.outputs(View(state), params_of())["replicas"][0]["endpoint"] == "a.example"


def test_every_attribute_is_decided_on() -> None:
    """Whatever may differ is either changed, refused with a mend of its own, or counts at creation only."""
    for key, wanted in built().items():
        resource_type = TYPES[key[0]]
        decided = {name for update in resource_type.updates for name in update.attributes}
        decided |= resource_type.fixed.keys() | resource_type.create_only
        # Names find a resource, so they cannot differ; parts of a role are its own type's matter.
        undecided = set(wanted.attributes) - decided - {"name"}
        assert undecided <= ({"identifier"} if key == SETTINGS else set()), (key, undecided)
