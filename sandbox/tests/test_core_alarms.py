"""CloudWatch alarms and SNS topics: what AWS refuses, keeps and forgets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.overlays.sns import PENDING_SECONDS, confirmation_token
from pipeops_sandbox.runtime import runtime

ALARM: dict[str, Any] = {
    "AlarmName": "cpu", "Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 60,
    "EvaluationPeriods": 5, "Threshold": 80, "ComparisonOperator": "GreaterThanThreshold",
    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "main"}],
}  # fmt: skip


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"TreatMissingData": "breeching"}, "ValidationError"),
        ({"AlarmActions": ["topic"]}, "ValidationError"),
        ({"Period": 50}, "ValidationError"),
        ({"EvaluationPeriods": 1441}, "ValidationError"),
        ({"DatapointsToAlarm": 6}, "ValidationError"),
        ({"Statistic": "Mode"}, "ValidationError"),
        ({"ExtendedStatistic": "p99"}, "InvalidParameterCombination"),
    ],
)
def test_alarms_that_cannot_be(client: Any, change: dict[str, Any], code: str) -> None:
    with refused(code):
        client("cloudwatch").put_metric_alarm(**(ALARM | change))


def test_a_changed_alarm_keeps_its_state_and_its_tags(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM, Tags=[{"Key": "owner", "Value": "us"}])
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"
    cloudwatch.set_alarm_state(AlarmName="cpu", StateValue="ALARM", StateReason="test")
    cloudwatch.put_metric_alarm(**(ALARM | {"Threshold": 90}), Tags=[{"Key": "owner", "Value": "them"}])
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["StateValue"], alarm["Threshold"]) == ("ALARM", 90)
    arn = alarm["AlarmArn"]
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "owner", "Value": "us"}]


def test_deleted_alarms_take_their_tags_along(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM, Tags=[{"Key": "owner", "Value": "us"}])
    with refused("ResourceNotFound"):
        cloudwatch.delete_alarms(AlarmNames=["cpu", "other"])
    cloudwatch.delete_alarms(AlarmNames=["cpu"])
    cloudwatch.put_metric_alarm(**ALARM)
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == []


def test_alarms_come_in_pages_and_by_prefix(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    for number in range(60):
        cloudwatch.put_metric_alarm(**(ALARM | {"AlarmName": f"a-{number:02}"}))
    cloudwatch.put_metric_alarm(**ALARM)
    first = cloudwatch.describe_alarms(AlarmNamePrefix="a-")
    assert len(first["MetricAlarms"]) == 50
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="a-")
    assert [one["AlarmName"] for page in pages for one in page["MetricAlarms"]] == [f"a-{n:02}" for n in range(60)]
    with refused("InvalidNextToken"):
        cloudwatch.describe_alarms(NextToken="?")


def test_a_topic_cannot_be_made_again_in_another_way(client: Any) -> None:
    sns = client("sns")
    tags = [{"Key": "owner", "Value": "us"}]
    arn = sns.create_topic(Name="alarms", Tags=tags, Attributes={"DisplayName": "Alarms"})["TopicArn"]
    assert sns.create_topic(Name="alarms", Tags=tags, Attributes={"DisplayName": "Alarms"})["TopicArn"] == arn
    for change in ({"Tags": [{"Key": "owner", "Value": "them"}]}, {"Attributes": {"DisplayName": "Other"}}):
        with refused("InvalidParameter"):
            sns.create_topic(Name="alarms", **change)
    with refused("InvalidParameter"):
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue="{")
    with refused("InvalidParameter"):
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Colour", AttributeValue="red")
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish"}}
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))
    assert json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]) == policy


def test_an_email_subscription_waits_for_a_yes(client: Any) -> None:
    sns = client("sns")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    wanted = {"TopicArn": arn, "Protocol": "email", "Endpoint": "ops@example.com"}
    assert sns.subscribe(**wanted)["SubscriptionArn"] == "pending confirmation"
    (row,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert row["SubscriptionArn"] == "PendingConfirmation"
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsPending"] == "1"
    hidden = sns.subscribe(**wanted, ReturnSubscriptionArn=True)["SubscriptionArn"]
    for unconfirmed in ("PendingConfirmation", hidden):
        with refused("InvalidParameter"):
            sns.unsubscribe(SubscriptionArn=unconfirmed)
    with refused("InvalidParameter"):
        sns.confirm_subscription(TopicArn=arn, Token="no")
    token = confirmation_token(arn, "ops@example.com")
    assert sns.confirm_subscription(TopicArn=arn, Token=token)["SubscriptionArn"] == hidden
    (row,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert row["SubscriptionArn"] == hidden
    sns.unsubscribe(SubscriptionArn=hidden)
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_a_subscription_that_nobody_confirms_is_forgotten(client: Any) -> None:
    sns = client("sns")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="https", Endpoint="https://example.com/hook")
    sns.subscribe(TopicArn=arn, Protocol="sms", Endpoint="+15550100")
    sns.publish(TopicArn=arn, Message="goes nowhere")
    runtime.clock.restore(runtime.clock.now() + PENDING_SECONDS)
    left = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [one["Protocol"] for one in left] == ["sms"]


@pytest.mark.parametrize(
    ("protocol", "address"),
    [("pigeon", "coo"), ("email", "ops"), ("https", "http://example.com"), ("lambda", "function"), ("sms", "no")],
)
def test_endpoints_that_cannot_be(client: Any, protocol: str, address: str) -> None:
    sns = client("sns")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    with refused("InvalidParameter"):
        sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=address)
