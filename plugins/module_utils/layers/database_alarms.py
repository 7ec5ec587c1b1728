# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is told what of a database: alarms on its metrics, its events, and the topic that both are sent to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engine.errors import EngineError
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..engine.values import Ref
from ..resources.cloudwatch_alarm import CloudwatchAlarm
from ..resources.policies import document
from ..resources.rds_event_subscription import ACTIVE, RdsEventSubscription
from ..resources.sns_topic import SnsSubscription, SnsTopic, subscription_name
from .alarm_rules import DEFAULTS, RULES, Rule, check_notifications, checked_instances, thresholds

TOPIC = ("sns_topic", "notifications")
EVENTS = ("rds_event_subscription", "database")
#: The topic as its subscriptions, the alarms and the events know it.
TOPIC_ARN = Ref(*TOPIC, "arn")
Instances = Sequence[Mapping[str, Any]]
#: RDS publishes each metric once a minute.
PERIOD_SECONDS = 60
#: The key that AWS keeps for SNS; nobody can let another service use it.
AWS_KEY = "alias/aws/sns"


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the topic, its subscriptions, the alarms of each instance and the event subscription."""
    instances = checked_instances(params["instances"])
    check_notifications(params["notifications"])
    wanted = [_topic(params, context), *_alarms(instances, params, context), *_events(instances, params, context)]
    # Those that are not confirmed can only go with the topic, so on removal none is looked for by name.
    return wanted + list(_subscriptions(params)) if params["state"] == "present" else wanted


def _topic(params: Mapping[str, Any], context: Context) -> Wanted:
    key = params["kms_key_arn"] or ""
    if key.endswith(AWS_KEY):
        raise EngineError(
            f"kms_key_arn is {key}, which CloudWatch and RDS cannot use, so no alarm would arrive. Set a key of your "
            "own whose policy lets cloudwatch.amazonaws.com and events.rds.amazonaws.com use it, or none."
        )
    name = context.identity.name(TOPIC[1])
    arn = context.arn("sns", name)
    attributes = {"name": name, "arn": arn, "kms_key_arn": key, "policy": _policy(arn, context)}
    return Wanted(*TOPIC, attributes, context.tags(TOPIC[1]))


def _policy(topic_arn: str, context: Context) -> dict[str, Any]:
    """Return a policy that lets CloudWatch and RDS publish for this account, and refuses what is not encrypted.

    Identities of the account need nothing here: their own policies are enough.
    """
    publish: dict[str, Any] = {"Action": "sns:Publish", "Resource": topic_arn}
    sources = {
        "Alarms": ("cloudwatch.amazonaws.com", context.arn("cloudwatch", "alarm:*")),
        "DatabaseEvents": ("events.rds.amazonaws.com", context.arn("rds", "*")),
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


def _alarms(instances: Instances, params: Mapping[str, Any], context: Context) -> Iterator[Wanted]:
    common = {**DEFAULTS, **thresholds(params["thresholds"] or {}, "thresholds")}
    for instance in instances:
        option = f"thresholds of {instance['identifier']}"
        own = {**common, **thresholds(instance["thresholds"] or {}, option)}
        for rule in RULES:
            value = own[rule.threshold]
            if value is not None and instance["role"] in rule.roles:
                yield _alarm(rule, value, instance, params, context)


def _alarm(
    rule: Rule, value: float, instance: Mapping[str, Any], params: Mapping[str, Any], context: Context
) -> Wanted:
    identifier = instance["identifier"]
    name = f"{identifier}-{rule.metric}-{rule.severity}"
    attributes = {
        "name": context.identity.name(name),
        "description": rule.sentence(value, identifier),
        "namespace": "AWS/RDS",
        "metric": rule.metric,
        "dimensions": {"DBInstanceIdentifier": identifier},
        "statistic": rule.statistic,
        "unit": "",
        "period_seconds": PERIOD_SECONDS,
        "evaluation_periods": rule.minutes,
        "datapoints_to_alarm": rule.minutes,
        "threshold": rule.in_metric_units(value, instance["storage_gib"]),
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


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the topic, who is subscribed, and the names of what watches the database."""
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
    }


LAYER = Layer("alarms", (SnsTopic(), SnsSubscription(), CloudwatchAlarm(), RdsEventSubscription()), build, outputs)
