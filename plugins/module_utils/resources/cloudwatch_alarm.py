# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudWatch alarms on one metric each, known by their names and owner tags."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import TAG_ENVIRONMENT, TAG_PLATFORM, Observed, ResourceType, Scope, Traits, Update, Wanted

#: Our attributes beside the dimensions, with the members of PutMetricAlarm and what an alarm without one means.
MEMBERS: dict[str, tuple[str, Any]] = {
    "name": ("AlarmName", ""),
    "description": ("AlarmDescription", ""),
    "namespace": ("Namespace", ""),
    "metric": ("MetricName", ""),
    "statistic": ("Statistic", ""),
    "unit": ("Unit", ""),
    "period_seconds": ("Period", 0),
    "evaluation_periods": ("EvaluationPeriods", 0),
    "datapoints_to_alarm": ("DatapointsToAlarm", 0),
    "threshold": ("Threshold", 0),
    "comparison": ("ComparisonOperator", ""),
    "missing_data": ("TreatMissingData", "missing"),
    "actions_enabled": ("ActionsEnabled", True),
    "alarm_actions": ("AlarmActions", []),
    "ok_actions": ("OKActions", []),
    "insufficient_data_actions": ("InsufficientDataActions", []),
}


class CloudwatchAlarm(ResourceType):
    """An alarm on one metric.

    Attributes:
        name: unique in a region, begins with the platform's prefix.
        description: for people; it is part of the notification.
        namespace, metric, dimensions: what is measured; dimensions by their names.
        statistic: e.g. ``Average``.
        unit: empty, so that data of any unit counts.
        period_seconds: seconds that a data point stands for.
        evaluation_periods: data points that are looked at.
        datapoints_to_alarm: how many of them have to be beyond the threshold.
        threshold: a number in the metric's own unit.
        comparison: AWS's name of the operator, e.g. ``GreaterThanThreshold``.
        missing_data: ``breaching``, ``notBreaching``, ``ignore`` or ``missing``.
        actions_enabled: False if somebody has silenced it by hand, which a run undoes.
        alarm_actions, ok_actions, insufficient_data_actions: ARNs of who is told.
    """

    kind = "cloudwatch_alarm"
    label = "alarm"
    service = "cloudwatch"
    prune = True
    deletion = Traits(seconds=1, reversible=True)
    # PutMetricAlarm sets all of it, or none.
    updates = (Update("definition", (*(name for name in MEMBERS if name != "name"), "dimensions")),)
    unordered = frozenset({"alarm_actions", "ok_actions", "insufficient_data_actions"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        prefix = f"{scope.identity.prefix}-"
        alarms = aws.pages(
            "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"]
        )
        if not alarms:
            return []
        names = {wanted.attributes["name"]: name for name, wanted in scope.wanted.items()}
        listed = self._listed_tags(aws, scope)
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(
                lambda alarm: self._described(aws, scope, alarm, names, listed.get(alarm["AlarmArn"], {})), alarms
            )
            return [item for item in found if item]

    @staticmethod
    def _listed_tags(aws: Aws, scope: Scope) -> dict[str, dict[str, str]]:
        """Return the tags of all alarms of the environment by ARN: one call for a hundred of them."""
        owner = {TAG_PLATFORM: scope.identity.platform, TAG_ENVIRONMENT: scope.identity.environment}
        items = aws.pages(
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            ResourceTypeFilters=["cloudwatch:alarm"],
            TagFilters=[{"Key": key, "Values": [value]} for key, value in owner.items()],
        )
        return {item["ResourceARN"]: tag_dict(item["Tags"]) for item in items}

    @staticmethod
    def _described(
        aws: Aws, scope: Scope, alarm: Mapping[str, Any], names: Mapping[str, str], tags: dict[str, str]
    ) -> Observed | None:
        name = names.get(alarm["AlarmName"]) or scope.owns(tags)
        if not name:
            return None
        wanted = scope.wanted.get(name)
        if wanted and any(tags.get(key) != value for key, value in (wanted.tags or {}).items()):
            # The tagging API learns of changes later than others, CloudWatch itself knows.
            client = aws.client("cloudwatch")
            try:
                tags = tag_dict(client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"])
            except client.exceptions.ResourceNotFoundException:
                return None
        attributes = {ours: alarm.get(member, default) for ours, (member, default) in MEMBERS.items()}
        attributes["dimensions"] = {item["Name"]: item["Value"] for item in alarm.get("Dimensions", ())}
        attributes["arn"] = alarm["AlarmArn"]
        return Observed("cloudwatch_alarm", name, alarm["AlarmName"], attributes, tags, alarm["StateValue"])

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        # An alarm that is put twice is the same alarm, so a lost answer needs no care.
        aws.client("cloudwatch").put_metric_alarm(**_definition(wanted), Tags=tag_list(wanted.tags or {}))
        name = wanted.attributes["name"]
        arn = f"arn:{aws.partition}:cloudwatch:{aws.region}:{aws.account_id}:alarm:{name}"
        return Observed("cloudwatch_alarm", wanted.name, name, {**wanted.attributes, "arn": arn}, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        aws.client("cloudwatch").put_metric_alarm(**_definition(wanted))

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("cloudwatch").tag_resource(ResourceARN=observed.get("arn"), Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("cloudwatch")
        try:
            client.delete_alarms(AlarmNames=[observed.id])
        except client.exceptions.ResourceNotFound:
            return


def _definition(wanted: Wanted) -> dict[str, Any]:
    """Return the parameters of PutMetricAlarm; it takes no empty strings."""
    dimensions = [{"Name": name, "Value": value} for name, value in wanted.attributes["dimensions"].items()]
    members = {member: wanted.attributes[ours] for ours, (member, _default) in MEMBERS.items()}
    return {**{name: value for name, value in members.items() if value != ""}, "Dimensions": dimensions}
