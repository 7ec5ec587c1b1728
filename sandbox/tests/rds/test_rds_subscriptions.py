"""Event subscriptions: refusals, states, and what becomes of them with their topic."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Wanted = dict[str, Any]


@pytest.fixture
def wanted(west: Any, client: Callable[..., Any]) -> Wanted:
    """A subscription to the failovers of an instance that stands."""
    west.primary()
    topic = client("sns").create_topic(Name="alarms")["TopicArn"]
    return {
        "SubscriptionName": "all", "SourceType": "db-instance", "SourceIds": ["main"],
        "EventCategories": ["failover"], "SnsTopicArn": topic,
    }  # fmt: skip


def show(west: Any) -> dict[str, Any]:
    return dict(west.rds.describe_event_subscriptions(SubscriptionName="all")["EventSubscriptionsList"][0])


def test_what_cannot_be_subscribed_to(west: Any, client: Callable[..., Any], wanted: Wanted) -> None:
    create = west.rds.create_event_subscription
    for change, code in (
        ({"SnsTopicArn": wanted["SnsTopicArn"] + "x"}, "SNSTopicArnNotFound"),
        ({"SnsTopicArn": client("sns", "us-east-1").create_topic(Name="x")["TopicArn"]}, "SNSInvalidTopic"),
        ({"SourceIds": ["other"]}, "SourceNotFound"),
        ({"EventCategories": ["weather"]}, "SubscriptionCategoryNotFound"),
        ({"SubscriptionName": "-"}, "InvalidParameterValue"),
    ):
        assert west.refusal(create, **(wanted | change)) == code
    create(**wanted)
    assert west.refusal(create, **wanted) == "SubscriptionAlreadyExist"


def test_a_topic_that_rds_may_not_publish_to(west: Any, client: Callable[..., Any], wanted: Wanted) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish"}
    policy = {"Version": "2012-10-17", "Statement": {**statement, "Resource": wanted["SnsTopicArn"]}}
    sns = client("sns")

    def admit(service: str) -> None:
        policy["Statement"]["Principal"]["Service"] = service  # type: ignore[index]
        sns.set_topic_attributes(
            TopicArn=wanted["SnsTopicArn"], AttributeName="Policy", AttributeValue=json.dumps(policy)
        )

    admit("s3.amazonaws.com")
    assert west.refusal(west.rds.create_event_subscription, **wanted) == "SNSNoAuthorization"
    admit("events.rds.amazonaws.com")
    west.rds.create_event_subscription(**wanted)
    assert show(west)["Status"] == "active"
    admit("s3.amazonaws.com")
    assert show(west)["Status"] == "no-permission"


def test_a_topic_that_goes_leaves_a_mark_until_the_next_change(
    west: Any, client: Callable[..., Any], wanted: Wanted
) -> None:
    west.rds.create_event_subscription(**wanted)
    client("sns").delete_topic(TopicArn=wanted["SnsTopicArn"])
    assert show(west)["Status"] == "topic-not-exist"
    client("sns").create_topic(Name="alarms")
    assert show(west)["Status"] == "topic-not-exist"
    west.rds.modify_event_subscription(SubscriptionName="all", SnsTopicArn=wanted["SnsTopicArn"])
    assert show(west)["Status"] == "active"


def test_changes(west: Any, wanted: Wanted) -> None:
    assert west.rds.create_event_subscription(**wanted)["EventSubscription"]["Status"] == "creating"
    west.primary("other")
    west.rds.modify_event_subscription(SubscriptionName="all", EventCategories=["backup"], Enabled=False)
    west.rds.add_source_identifier_to_subscription(SubscriptionName="all", SourceIdentifier="other")
    found = show(west)
    assert (found["EventCategoriesList"], found["Enabled"]) == (["backup"], False)
    assert found["SourceIdsList"] == ["main", "other"]
    remove = west.rds.remove_source_identifier_from_subscription
    remove(SubscriptionName="all", SourceIdentifier="other")
    assert west.refusal(remove, SubscriptionName="all", SourceIdentifier="other") == "SourceNotFound"


def test_states_take_their_time(west: Any, wanted: Wanted) -> None:
    west.slow()
    west.rds.create_event_subscription(**wanted)
    assert show(west)["Status"] == "creating"
    delete = west.rds.delete_event_subscription
    assert west.refusal(delete, SubscriptionName="all") == "InvalidEventSubscriptionState"
    west.pass_time(60)
    assert show(west)["Status"] == "active"
    delete(SubscriptionName="all")
    assert show(west)["Status"] == "deleting"
    assert west.refusal(west.rds.create_event_subscription, **wanted) == "SubscriptionAlreadyExist"
    west.pass_time(60)
    assert west.refusal(delete, SubscriptionName="all") == "SubscriptionNotFound"
    assert west.rds.describe_event_subscriptions()["EventSubscriptionsList"] == []
