"""Event subscriptions: their states, and the topics that they need."""

from __future__ import annotations

from typing import Any

from moto.sns.models import Topic, sns_backends

from pipeops_sandbox.clock import Timeline
from pipeops_sandbox.errors import AwsError

from ..sns import lets_publish
from .call import Call, page, timestamp
from .notices import CATEGORIES, source_type
from .phases import duration
from .rules import combination, identifier
from .store import Subscription, arn

PUBLISHER = "events.rds.amazonaws.com"
"""Who publishes events to a topic."""


def settle(call: Call) -> None:
    """Drop what is deleted by now, and note what became of the topics: it stays noted until the next change."""
    rows = call.store.subscriptions
    for name in [name for name, one in rows.items() if one.states and one.states.state(call.now) == "deleted"]:
        del rows[name]
    for one in rows.values():
        topic = _topic(call, one.topic)
        if topic is None:
            one.trouble = "topic-not-exist"
        elif not lets_publish(topic, PUBLISHER):
            one.trouble = "no-permission"


def _topic(call: Call, topic: str) -> Topic | None:
    parts = topic.split(":")
    if len(parts) != 6 or parts[2] != "sns":
        return None
    found: Topic | None = sns_backends[call.account][parts[3]].topics.get(topic)
    return found


def _find(call: Call) -> Subscription:
    settle(call)
    name = call.text("SubscriptionName").lower()
    if name not in call.store.subscriptions:
        raise AwsError("SubscriptionNotFound", f"Subscription {name} not found in {call.region}.")
    return call.store.subscriptions[name]


def _checked_categories(call: Call, kind: str) -> list[str]:
    wanted = [str(one) for one in call.items("EventCategories")]
    for category in wanted:
        if category not in CATEGORIES:
            raise AwsError("SubscriptionCategoryNotFound", f"Event category {category} of {kind} not found.")
    return wanted


def _checked_topic(call: Call, topic: str) -> str:
    """Return the topic's ARN, after looking whether it exists here and lets RDS publish."""
    found = _topic(call, topic)
    if found is None:
        raise AwsError("SNSTopicArnNotFound", f"SNS topic {topic} does not exist.")
    if topic.split(":")[3] != call.region:
        raise AwsError("SNSInvalidTopic", f"SNS topic {topic} is not in {call.region}.")
    if not lets_publish(found, PUBLISHER):
        raise AwsError("SNSNoAuthorization", f"RDS does not have permission to publish to the SNS topic {topic}.")
    return topic


def _checked_source(call: Call, kind: str, source: str, name: str) -> str:
    if kind == "db-instance" and source not in call.store.instances:
        raise AwsError("SourceNotFound", f"DBInstance {source} of the subscription {name} not found.")
    return source


def _begin(call: Call, found: Subscription, state: str, last: str = "active") -> dict[str, Any]:
    """Put a subscription in a state for a while, and return it as the call answers."""
    found.states, found.trouble = Timeline.start(call.now, (state, duration("event_subscription")), last=last), ""
    return {"EventSubscription": _rendered(call, found) | {"Status": state}}


def create_event_subscription(call: Call) -> dict[str, Any]:
    """CreateEventSubscription."""
    settle(call)
    name = identifier(call.text("SubscriptionName"), "SubscriptionName", longest=255)
    if name in call.store.subscriptions:
        raise AwsError("SubscriptionAlreadyExist", f"Subscription {name} already exists.")
    kind, ids = source_type(call), [str(one) for one in call.items("SourceIds")]
    if ids and not kind:
        raise combination("SourceIds need a SourceType.")
    ids = [_checked_source(call, kind, source, name) for source in ids]
    topic = _checked_topic(call, call.text("SnsTopicArn"))
    categories = _checked_categories(call, kind)
    found = Subscription(name, topic, kind, ids, categories, call.flag("Enabled", True), call.now, call.tags())
    call.store.subscriptions[name] = found
    return _begin(call, found, "creating")


def modify_event_subscription(call: Call) -> dict[str, Any]:
    """ModifyEventSubscription."""
    found = _find(call)
    kind = source_type(call) or found.source_type
    categories = _checked_categories(call, kind) if call.has("EventCategories") else found.categories
    topic = _checked_topic(call, call.text("SnsTopicArn", found.topic))
    found.topic, found.categories, found.source_type = topic, categories, kind
    found.enabled = call.flag("Enabled", found.enabled)
    return _begin(call, found, "modifying")


def add_source_identifier_to_subscription(call: Call) -> dict[str, Any]:
    """AddSourceIdentifierToSubscription."""
    found = _find(call)
    source = _checked_source(call, found.source_type, call.text("SourceIdentifier"), found.name)
    found.source_ids = sorted({*found.source_ids, source})
    return _begin(call, found, "modifying")


def remove_source_identifier_from_subscription(call: Call) -> dict[str, Any]:
    """RemoveSourceIdentifierFromSubscription."""
    found, source = _find(call), call.text("SourceIdentifier")
    if source not in found.source_ids:
        raise AwsError("SourceNotFound", f"{source} is not a source of the subscription {found.name}.")
    found.source_ids.remove(source)
    return _begin(call, found, "modifying")


def delete_event_subscription(call: Call) -> dict[str, Any]:
    """DeleteEventSubscription; not while an earlier change is under way."""
    found = _find(call)
    state = _state(call, found)
    if state in ("creating", "modifying", "deleting"):
        raise AwsError("InvalidEventSubscriptionState", f"The subscription {found.name} is {state}.")
    return _begin(call, found, "deleting", last="deleted")


def describe_event_subscriptions(call: Call) -> dict[str, Any]:
    """DescribeEventSubscriptions."""
    settle(call)
    rows = [_find(call)] if call.has("SubscriptionName") else list(call.store.subscriptions.values())
    return page(call, "EventSubscriptionsList", rows, lambda one: _rendered(call, one))


def _state(call: Call, found: Subscription) -> str:
    state = found.states.state(call.now) if found.states else "active"
    return found.trouble if state == "active" and found.trouble else state


def _rendered(call: Call, found: Subscription) -> dict[str, Any]:
    view: dict[str, Any] = {
        "CustomerAwsId": call.account,
        "CustSubscriptionId": found.name,
        "SnsTopicArn": found.topic,
        "Status": _state(call, found),
        "SubscriptionCreationTime": f"{timestamp(found.created_at):%Y-%m-%d %H:%M:%S.000}",
        "SourceIdsList": found.source_ids,
        "EventCategoriesList": found.categories,
        "Enabled": found.enabled,
        "EventSubscriptionArn": arn(call.region, call.account, "es", found.name),
    }
    return {**view, "SourceType": found.source_type} if found.source_type else view
