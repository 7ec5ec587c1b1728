# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is told what of an environment: alarms on its database and its cluster, the events of the database, what it
costs, and the topic that all of it is sent to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.errors import EngineError
from ..engine.layer import Context, Layer, View
from ..engine.model import TAG_ENVIRONMENT, Wanted
from ..engine.values import Ref
from ..resources.budgets_budget import BUDGET, COST_TYPES, NOTIFICATIONS_MAX, BudgetsBudget, budget_name
from ..resources.cloudwatch_alarm import CloudwatchAlarm
from ..resources.policies import document
from ..resources.rds_event_subscription import ACTIVE, RdsEventSubscription
from ..resources.sns_topic import SnsSubscription, SnsTopic, subscription_name
from .alarm_rules import DEFAULTS, RULES, Rule, check_notifications, checked_instances, thresholds
from .cluster_alarm_rules import CLUSTER_DEFAULTS, CLUSTER_RULES, DIMENSION, NAMESPACE

TOPIC = ("sns_topic", "notifications")
EVENTS = ("rds_event_subscription", "database")
#: The topic as its subscriptions, the alarms, the events and the budget know it.
TOPIC_ARN = Ref(*TOPIC, "arn")
Instances = Sequence[Mapping[str, Any]]
#: RDS and EKS publish each metric once a minute.
PERIOD_SECONDS = 60
#: The key that AWS keeps for SNS; nobody can let another service use it.
AWS_KEY = "alias/aws/sns"
#: How AWS names a tag of users in a filter of costs.
TAG_FILTER = "user:{key}${value}"


@dataclass(frozen=True)
class Watched:
    """What alarms are on: its name, and how CloudWatch tells its metrics."""

    identifier: str
    namespace: str
    dimension: str
    storage_gib: int = 0


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the topic, its subscriptions, the alarms, the event subscription and the budget."""
    instances = checked_instances(params["instances"])
    check_notifications(params["notifications"])
    common = {**DEFAULTS, **CLUSTER_DEFAULTS}
    common |= thresholds(params["thresholds"] or {}, "thresholds", common)
    wanted = [
        _topic(params, context),
        *_database_alarms(instances, common, params, context),
        *_cluster_alarms(common, params, context),
        *_events(instances, params, context),
        *_budget(params, context),
    ]
    # Those that are not confirmed can only go with the topic, so on removal none is looked for by name.
    return wanted + list(_subscriptions(params)) if params["state"] == "present" else wanted


def _topic(params: Mapping[str, Any], context: Context) -> Wanted:
    key = params["kms_key_arn"] or ""
    if key.endswith(AWS_KEY):
        raise EngineError(
            f"kms_key_arn is {key}, which CloudWatch, RDS and Budgets cannot use, so no alarm would arrive. Set a key "
            "of your own whose policy lets cloudwatch.amazonaws.com, events.rds.amazonaws.com and "
            "budgets.amazonaws.com use it, or none."
        )
    name = context.identity.name(TOPIC[1])
    arn = context.arn("sns", name)
    attributes = {"name": name, "arn": arn, "kms_key_arn": key, "policy": _policy(arn, context)}
    return Wanted(*TOPIC, attributes, context.tags(TOPIC[1]))


def _policy(topic_arn: str, context: Context) -> dict[str, Any]:
    """Return a policy that lets the senders publish for this account, and refuses what is not encrypted.

    Identities of the account need nothing here: their own policies are enough.
    """
    publish: dict[str, Any] = {"Action": "sns:Publish", "Resource": topic_arn}
    sources = {
        "Alarms": ("cloudwatch.amazonaws.com", context.arn("cloudwatch", "alarm:*")),
        "DatabaseEvents": ("events.rds.amazonaws.com", context.arn("rds", "*")),
        "Budgets": ("budgets.amazonaws.com", context.arn("budgets", "*", region="")),
    }
    statements: list[dict[str, Any]] = []
    for sid, (service, source) in sources.items():
        of_account = {"StringEquals": {"aws:SourceAccount": context.aws.account_id}}
        condition = {**of_account, "ArnLike": {"aws:SourceArn": source}}
        principal = {"Service": service}
        statements.append({"Sid": sid, "Effect": "Allow", "Principal": principal, **publish, "Condition": condition})
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    statements.append({"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", **publish, "Condition": insecure})
    return document(*statements)


def _subscriptions(params: Mapping[str, Any]) -> Iterator[Wanted]:
    for item in params["notifications"]:
        attributes = {"topic_arn": TOPIC_ARN, "protocol": item["protocol"], "endpoint": item["endpoint"]}
        yield Wanted("sns_subscription", subscription_name(item["protocol"], item["endpoint"]), attributes)


def _database_alarms(
    instances: Instances, common: Mapping[str, float | None], params: Mapping[str, Any], context: Context
) -> Iterator[Wanted]:
    for instance in instances:
        identifier = instance["identifier"]
        own = {**common, **thresholds(instance["thresholds"] or {}, f"thresholds of {identifier}", DEFAULTS)}
        watched = Watched(identifier, "AWS/RDS", "DBInstanceIdentifier", instance["storage_gib"])
        for rule in RULES:
            value = own[rule.threshold]
            if value is not None and instance["role"] in rule.roles:
                yield _alarm(rule, value, watched, params, context)


def _cluster_alarms(
    common: Mapping[str, float | None], params: Mapping[str, Any], context: Context
) -> Iterator[Wanted]:
    for rule in CLUSTER_RULES if params["cluster_name"] else ():
        value = common[rule.threshold]
        if value is not None:
            yield _alarm(rule, value, Watched(params["cluster_name"], NAMESPACE, DIMENSION), params, context)


def _alarm(rule: Rule, value: float, watched: Watched, params: Mapping[str, Any], context: Context) -> Wanted:
    name = f"{watched.identifier}-{rule.metric}-{rule.severity}"
    attributes = {
        "name": context.identity.name(name),
        "description": rule.sentence(value, watched.identifier),
        "namespace": watched.namespace,
        "metric": rule.metric,
        "dimensions": {watched.dimension: watched.identifier},
        "statistic": rule.statistic,
        "unit": "",
        "period_seconds": PERIOD_SECONDS,
        "evaluation_periods": rule.minutes,
        "datapoints_to_alarm": rule.minutes,
        "threshold": rule.in_metric_units(value, watched.storage_gib),
        "comparison": rule.comparison,
        "missing_data": rule.missing_data,
        "actions_enabled": True,
        "alarm_actions": [TOPIC_ARN],
        "ok_actions": [TOPIC_ARN] if params["notify_recovery"] else [],
        "insufficient_data_actions": [],
    }
    return Wanted("cloudwatch_alarm", name, attributes, context.tags(name))


def _events(instances: Instances, params: Mapping[str, Any], context: Context) -> Iterator[Wanted]:
    """Yield the subscription; without instances or categories there is none, since RDS takes no list for all."""
    sources = [instance["identifier"] for instance in instances]
    if sources and params["event_categories"]:
        attributes = {
            "name": context.identity.name(EVENTS[1]).lower(),
            "topic_arn": TOPIC_ARN,
            "source_ids": sources,
            "categories": list(params["event_categories"]),
            "enabled": True,
            "delivery": ACTIVE,
        }
        yield Wanted(*EVENTS, attributes, context.tags(EVENTS[1]))


def _budget(params: Mapping[str, Any], context: Context) -> Iterator[Wanted]:
    """Yield the budget; without an amount there is none."""
    amount = params["monthly_budget_usd"] or 0
    if amount < 0:
        raise EngineError(f"monthly_budget_usd is {amount}. Set USD a month, or 0 to have no budget.")
    told = list(_told(params))
    if amount:
        attributes = {
            "name": budget_name(context.identity),
            "type": "COST",
            "time_unit": "MONTHLY",
            "limit_usd": float(amount),
            "filters": {"TagKeyValue": [TAG_FILTER.format(key=TAG_ENVIRONMENT, value=context.identity.environment)]},
            "cost_types": COST_TYPES,
            "alerts": told,
        }
        yield Wanted(*BUDGET, attributes, context.tags(BUDGET[1]))


def _told(params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the notifications of the budget."""
    given = {"ACTUAL": params["budget_actual_percent"], "FORECASTED": params["budget_forecast_percent"]}
    count = sum(map(len, given.values()))
    if count > NOTIFICATIONS_MAX:
        raise EngineError(
            f"budget_actual_percent and budget_forecast_percent have {count} values together, and AWS takes "
            f"{NOTIFICATIONS_MAX}. Leave some out."
        )
    for kind, percents in given.items():
        option = "budget_actual_percent" if kind == "ACTUAL" else "budget_forecast_percent"
        for percent in percents:
            if percent < 1 or percents.count(percent) > 1:
                raise EngineError(f"{option} is {percents}. Set whole numbers from 1 up, each once.")
            subscribers = [{"type": "SNS", "address": TOPIC_ARN}]
            notification = {"type": kind, "operator": "GREATER_THAN", "threshold": float(percent)}
            yield {**notification, "unit": "PERCENTAGE", "subscribers": subscribers}


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the topic, who is subscribed, and the names of what watches the environment."""
    subscriptions = [
        {
            "protocol": item["protocol"],
            "endpoint": item["endpoint"],
            # A placeholder is not yet confirmed.
            "confirmed": view.get("sns_subscription", name, "confirmed") is True,
        }
        for item in params["notifications"]
        for name in [subscription_name(item["protocol"], item["endpoint"])]
    ]
    return {
        "topic_arn": view.get(*TOPIC, "arn"),
        "subscriptions": subscriptions,
        "alarm_names": [view.get("cloudwatch_alarm", name, "name") for name in view.names("cloudwatch_alarm")],
        "event_subscription_name": view.get(*EVENTS, "name"),
        "budget_name": view.get(*BUDGET, "name"),
    }


TYPES = (SnsTopic(), SnsSubscription(), CloudwatchAlarm(), RdsEventSubscription(), BudgetsBudget())
LAYER = Layer("alarms", TYPES, build, outputs)
