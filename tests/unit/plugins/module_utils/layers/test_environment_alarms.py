# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Context
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity, Observed
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import State, make_plan, removal_plan
from ansible_collections.pipeops.platform.plugins.module_utils.engine.values import pending
from ansible_collections.pipeops.platform.plugins.module_utils.layers.alarm_rules import DEFAULTS, RULES
from ansible_collections.pipeops.platform.plugins.module_utils.layers.cluster_alarm_rules import (
    CLUSTER_DEFAULTS,
    CLUSTER_RULES,
)
from ansible_collections.pipeops.platform.plugins.module_utils.layers.environment_alarms import EVENTS, LAYER, TOPIC
from ansible_collections.pipeops.platform.plugins.module_utils.resources.budgets_budget import BUDGET, BudgetsBudget
from ansible_collections.pipeops.platform.plugins.modules.environment_alarms import ARGUMENT_SPEC, DOCUMENTATION

GIB = 2**30
PRIMARY = {"identifier": "main", "role": "primary", "storage_gib": 100, "thresholds": {}}
REPLICA = {"identifier": "copy", "role": "replica", "storage_gib": 200, "thresholds": {}}
EMAIL = {"protocol": "email", "endpoint": "ops@example.com"}
TOPIC_ARN = "arn:aws:sns:us-west-2:123456789012:pipeops-prod-notifications"


def state(**options: Any) -> State:
    """Return the layer as wanted, with nothing standing."""
    defaults = {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}
    watched = {"instances": [PRIMARY, REPLICA], "cluster_name": "blue", "monthly_budget_usd": 500.0}
    given = {**defaults, "state": "present", **watched, "notifications": [EMAIL], **options}
    context = Context(
        LAYER.name, Identity("pipeops", "prod"), Aws({"region": "us-west-2", "account_id": "123456789012"})
    )
    wanted = LAYER.build(given, context)
    return State({item.kind: item for item in LAYER.types}, {item.key: item for item in wanted})


def converged(**options: Any) -> State:
    """Return the layer with everything standing as wanted."""
    result = state(**options)
    for key, item in result.wanted.items():
        resolved = result.resolved(item)
        result.observed[key] = Observed(*key, "id", dict(resolved.attributes), dict(item.tags or {}), "active")
    return result


def actions(plan_of: State) -> list[str]:
    return [action.identity for action in make_plan(plan_of).actions]


def alarms(**options: Any) -> dict[str, dict[str, Any]]:
    """Return the wanted alarms by name, with their attributes."""
    built = state(**options)
    return {name: dict(built.resolved(item).attributes) for (kind, name), item in built.wanted.items() if "arm" in kind}


def test_an_empty_account_gets_the_topic_before_what_needs_it() -> None:
    planned = actions(state())
    assert planned[0] == "create/sns_topic/notifications"
    assert len(planned) == 1 + 1 + 16 + 8 + 1 + 1
    assert {"create/sns_subscription/email:ops@example.com", "create/rds_event_subscription/database"} <= set(planned)
    assert "create/budgets_budget/monthly-cost" in planned


def test_what_stands_needs_nothing() -> None:
    assert actions(converged()) == []


@pytest.mark.parametrize(
    ("name", "threshold", "comparison", "minutes", "missing_data"),
    [
        ("copy-ReplicaLag-warning", 60, "GreaterThanThreshold", 5, "breaching"),
        ("copy-ReplicaLag-critical", 300, "GreaterThanThreshold", 5, "breaching"),
        ("main-OldestReplicationSlotLag-warning", 10 * GIB, "GreaterThanThreshold", 10, "notBreaching"),
        ("main-TransactionLogsDiskUsage-warning", 10 * GIB, "GreaterThanThreshold", 5, "missing"),
        ("main-TransactionLogsDiskUsage-critical", 20 * GIB, "GreaterThanThreshold", 5, "missing"),
        ("main-FreeStorageSpace-warning", 20 * GIB, "LessThanThreshold", 5, "missing"),
        ("copy-FreeStorageSpace-critical", 20 * GIB, "LessThanThreshold", 5, "missing"),
        ("main-CPUUtilization-warning", 80, "GreaterThanThreshold", 15, "missing"),
        ("copy-FreeableMemory-warning", 256 * 2**20, "LessThanThreshold", 15, "missing"),
        ("main-MaximumUsedTransactionIDs-warning", 10**9, "GreaterThanThreshold", 5, "missing"),
        ("copy-CheckpointLag-warning", 600, "GreaterThanThreshold", 5, "missing"),
    ],
)
def test_the_defaults(name: str, threshold: float, comparison: str, minutes: int, missing_data: str) -> None:
    found = alarms()[name]
    assert found["name"] == f"pipeops-prod-{name}"
    assert (found["threshold"], found["comparison"], found["missing_data"]) == (threshold, comparison, missing_data)
    assert found["evaluation_periods"] == found["datapoints_to_alarm"] == minutes
    assert found["dimensions"] == {"DBInstanceIdentifier": name.split("-", maxsplit=1)[0]}
    assert found["namespace"] == "AWS/RDS"


@pytest.mark.parametrize(
    ("name", "threshold", "statistic", "minutes", "missing_data"),
    [
        ("apiserver_request_total_5XX-warning", 10, "Sum", 5, "notBreaching"),
        ("apiserver_request_total_429-warning", 60, "Sum", 10, "notBreaching"),
        ("scheduler_pending_pods_UNSCHEDULABLE-warning", 0, "Sum", 15, "notBreaching"),
        ("scheduler_schedule_attempts_ERROR-warning", 5, "Sum", 10, "notBreaching"),
        ("apiserver_admission_webhook_rejection_count-warning", 30, "Sum", 10, "notBreaching"),
        ("apiserver_admission_webhook_admission_duration_seconds-warning", 5, "Average", 10, "notBreaching"),
        ("apiserver_storage_size_bytes-warning", 6 * GIB, "Maximum", 5, "missing"),
        ("apiserver_storage_size_bytes-critical", 7 * GIB, "Maximum", 5, "missing"),
    ],
)
def test_the_defaults_of_a_cluster(
    name: str, threshold: float, statistic: str, minutes: int, missing_data: str
) -> None:
    found = alarms()[f"blue-{name}"]
    assert (found["namespace"], found["dimensions"]) == ("AWS/EKS", {"ClusterName": "blue"})
    assert (found["threshold"], found["statistic"], found["missing_data"]) == (threshold, statistic, missing_data)
    assert found["evaluation_periods"] == found["datapoints_to_alarm"] == minutes
    assert found["comparison"] == "GreaterThanThreshold"
    assert [str(ref) for ref in found["alarm_actions"]] == [TOPIC_ARN]


def test_without_a_cluster_none_is_watched() -> None:
    assert len(alarms(cluster_name=None)) == len(alarms()) - len(CLUSTER_RULES)


@pytest.mark.parametrize("role", ["replica", "cross_region_replica"])
def test_the_lag_is_watched_on_replicas_and_the_slot_on_the_primary(role: str) -> None:
    names = set(alarms(instances=[PRIMARY, {**REPLICA, "role": role}]))
    assert "main-ReplicaLag-warning" not in names and "copy-ReplicaLag-warning" in names
    assert "main-OldestReplicationSlotLag-warning" in names and "copy-OldestReplicationSlotLag-warning" not in names


def test_the_description_says_what_is_wrong_and_what_it_means() -> None:
    assert alarms()["main-FreeStorageSpace-warning"]["description"] == (
        "FreeStorageSpace of main is below 20 % of the storage for 5 minutes. RDS stops the database when its storage "
        "is full."
    )
    assert "is above 1000000000 transactions for" in alarms()["main-MaximumUsedTransactionIDs-warning"]["description"]
    pending = alarms()["blue-scheduler_pending_pods_UNSCHEDULABLE-warning"]["description"]
    assert pending.startswith("scheduler_pending_pods_UNSCHEDULABLE of blue is above 0 pods for 15 minutes. No node ")


def test_thresholds_are_set_for_all_and_for_one() -> None:
    own = {**PRIMARY, "thresholds": {"cpu_warning_percent": 95, "connections_warning": 0}}
    found = alarms(instances=[own, REPLICA], thresholds={"cpu_warning_percent": "70", "slot_lag_warning_gib": 0.5})
    assert found["main-CPUUtilization-warning"]["threshold"] == 95
    assert found["copy-CPUUtilization-warning"]["threshold"] == 70
    assert found["main-OldestReplicationSlotLag-warning"]["threshold"] == GIB / 2
    assert found["main-DatabaseConnections-warning"]["threshold"] == 0
    assert "copy-DatabaseConnections-warning" not in found


@pytest.mark.parametrize("rule", [*RULES, *CLUSTER_RULES], ids=lambda rule: rule.threshold)
def test_each_alarm_can_be_switched_off_alone(rule: Any) -> None:
    base = {"connections_warning": 500}
    left = alarms(thresholds={**base, rule.threshold: None})
    gone = set(alarms(thresholds=base)) - set(left)
    assert gone and {name.split("-", 1)[1] for name in gone} == {f"{rule.metric}-{rule.severity}"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": {"cpu": 80}}, r"thresholds.cpu does not exist. Set one of replica_lag_warning_seconds, "),
        ({"thresholds": {"cpu_warning_percent": 101}}, r"is 101. Set a number from 0 to 100, or null"),
        ({"thresholds": {"connections_warning": "many"}}, r"thresholds.connections_warning is 'many'"),
        ({"thresholds": {"connections_warning": True}}, r"thresholds.connections_warning is True"),
        ({"thresholds": {"slot_lag_warning_gib": float("nan")}}, r"Set a number from 0 up"),
        ({"instances": [PRIMARY, {**REPLICA, "thresholds": {"x": 1}}]}, r"thresholds of copy.x does not exist"),
        ({"instances": [PRIMARY, PRIMARY]}, r"instances names main twice"),
        ({"instances": [{**PRIMARY, "storage_gib": 0}]}, r"storage_gib of main is 0"),
        ({"notifications": [{"protocol": "email", "endpoint": "ops"}]}, r"'ops' is no endpoint of the protocol email"),
        ({"notifications": [{"protocol": "https", "endpoint": "https://me:x@example.com/"}]}, r"without user and"),
        ({"notifications": [{"protocol": "sqs", "endpoint": "queue"}]}, r"an ARN"),
        ({"kms_key_arn": "arn:aws:kms:us-west-2:123456789012:alias/aws/sns"}, r"CloudWatch, RDS and Budgets cannot"),
        ({"thresholds": {"etcd_size_warning_gib": -1}}, r"etcd_size_warning_gib is -1. Set a number from 0 up"),
        (
            {"instances": [{**PRIMARY, "thresholds": {"etcd_size_warning_gib": 1}}]},
            r"thresholds of main.etcd_size_warning_gib does not exist",
        ),
        ({"monthly_budget_usd": -1.0}, r"monthly_budget_usd is -1.0. Set USD a month, or 0"),
        ({"budget_actual_percent": [80, 80]}, r"budget_actual_percent is \[80, 80\]. Set whole numbers from 1 up"),
        ({"budget_forecast_percent": [0]}, r"budget_forecast_percent is \[0\]"),
        ({"budget_actual_percent": list(range(1, 11))}, r"have 11 values together, and AWS takes 10"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        state(**options)


@pytest.mark.parametrize(
    ("key", "drift", "update"),
    [
        (TOPIC, {"kms_key_arn": "other"}, "kms_key_arn"),
        (TOPIC, {"policy": {"Version": "2012-10-17", "Statement": []}}, "policy"),
        (("cloudwatch_alarm", "main-CPUUtilization-warning"), {"threshold": 81.0}, "definition"),
        (("cloudwatch_alarm", "main-CPUUtilization-warning"), {"alarm_actions": []}, "definition"),
        (("cloudwatch_alarm", "main-CPUUtilization-warning"), {"actions_enabled": False}, "definition"),
        (EVENTS, {"enabled": False}, "settings"),
        (EVENTS, {"delivery": "topic-not-exist"}, "settings"),
        (EVENTS, {"source_ids": ["main"]}, "sources"),
        (("cloudwatch_alarm", "blue-apiserver_storage_size_bytes-critical"), {"threshold": 1.0}, "definition"),
        (BUDGET, {"limit_usd": 600.0}, "definition"),
        (BUDGET, {"limit_usd": None}, "definition"),
        (BUDGET, {"filters": {}}, "definition"),
        (BUDGET, {"cost_types": {"IncludeTax": False}}, "definition"),
        (BUDGET, {"time_unit": "ANNUALLY"}, "definition"),
        (BUDGET, {"alerts": []}, "alerts"),
    ],
)
def test_drift_is_one_update(key: tuple[str, str], drift: dict[str, Any], update: str) -> None:
    result = converged()
    standing = result.observed[key]
    result.observed[key] = replace(standing, attributes={**standing.attributes, **drift})
    assert actions(result) == [f"update/{key[0]}/{key[1]}/{update}"]


def test_order_and_number_type_are_no_drift() -> None:
    result = converged()
    events, cpu = result.observed[EVENTS], ("cloudwatch_alarm", "main-CPUUtilization-warning")
    turned = {"source_ids": ["copy", "main"], "categories": list(reversed(events.attributes["categories"]))}
    result.observed[EVENTS] = replace(events, attributes={**events.attributes, **turned})
    standing = result.observed[cpu]
    result.observed[cpu] = replace(standing, attributes={**standing.attributes, "threshold": 80.0})
    assert actions(result) == []


def test_what_is_no_longer_wanted_goes_before_the_topic() -> None:
    result = replace(converged(), wanted=state(instances=[PRIMARY], notifications=[], event_categories=[]).wanted)
    gone = actions(result)
    assert gone[0] == "delete/rds_event_subscription/database"
    assert gone[-1] == "delete/sns_subscription/email:ops@example.com"
    assert len(gone) == 1 + 7 + 1


def test_a_cluster_and_a_budget_that_are_no_longer_wanted_go() -> None:
    result = replace(converged(), wanted=state(cluster_name=None, monthly_budget_usd=0.0).wanted)
    gone = actions(result)
    assert "delete/budgets_budget/monthly-cost" in gone
    assert len(gone) == 1 + len(CLUSTER_RULES)


def test_the_budget_counts_what_is_tagged_and_tells_the_topic() -> None:
    built = state()
    found = built.resolved(built.wanted[BUDGET]).attributes
    assert found["name"] == "pipeops-prod-monthly-cost"
    assert found["filters"] == {"TagKeyValue": ["user:pipeops:environment$prod"]}
    told = [(item["type"], item["threshold"], item["unit"]) for item in found["alerts"]]
    assert told == [("ACTUAL", 80, "PERCENTAGE"), ("ACTUAL", 100, "PERCENTAGE"), ("FORECASTED", 100, "PERCENTAGE")]
    topic = [{"type": "SNS", "address": TOPIC_ARN}]
    assert all(item["subscribers"] == topic for item in found["alerts"])


def test_the_topic_lets_in_who_sends() -> None:
    policy = state().wanted[TOPIC].attributes["policy"]
    sources = {
        one["Principal"]["Service"]: one["Condition"]["ArnLike"]["aws:SourceArn"]
        for one in policy["Statement"]
        if one["Effect"] == "Allow"
    }
    assert sources == {
        "cloudwatch.amazonaws.com": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:*",
        "events.rds.amazonaws.com": "arn:aws:rds:us-west-2:123456789012:*",
        "budgets.amazonaws.com": "arn:aws:budgets::123456789012:*",
    }


def test_the_order_of_notifications_and_of_subscribers_means_nothing() -> None:
    budget = state().wanted[BUDGET].attributes["alerts"]
    assert BudgetsBudget().same("alerts", budget, list(reversed(budget)))
    one = {**budget[0], "subscribers": [{"type": "SNS", "address": "a"}, {"type": "EMAIL", "address": "b"}]}
    turned = {**one, "subscribers": list(reversed(one["subscribers"]))}
    assert BudgetsBudget().same("alerts", [one], [turned])
    assert not BudgetsBudget().same("alerts", [one], [{**one, "threshold": 81.0}])


def test_removal_ends_with_the_topic() -> None:
    removed = [action.identity for action in removal_plan(converged(state="absent")).actions]
    assert removed[-1] == "delete/sns_topic/notifications"
    assert not [action for action in removed if "sns_subscription" in action]


def test_without_instances_there_are_no_events_of_all_instances() -> None:
    assert EVENTS not in state(instances=[]).wanted


def test_identifiers_and_addresses_know_no_case() -> None:
    result = replace(converged(), wanted=state(instances=[{**PRIMARY, "identifier": "Main"}, REPLICA]).wanted)
    assert actions(result) == []
    shout = {**EMAIL, "endpoint": "Ops@Example.com"}
    assert actions(replace(converged(), wanted=state(notifications=[shout]).wanted)) == []


def test_a_dry_run_takes_a_key_that_is_not_made_yet() -> None:
    placeholder = pending("kms_key", "alarms", "arn")
    assert state(kms_key_arn=placeholder).wanted[TOPIC].attributes["kms_key_arn"] == placeholder


def test_the_documentation_has_each_threshold_with_its_default() -> None:
    text = " ".join(yaml.safe_load(DOCUMENTATION)["options"]["thresholds"]["description"])
    for name, default in {**DEFAULTS, **CLUSTER_DEFAULTS}.items():
        shown = "null" if default is None else f"{default}"
        assert f"C({name}) ({shown})" in text
