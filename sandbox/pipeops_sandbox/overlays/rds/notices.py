"""Events, and subscriptions to them."""

from __future__ import annotations

from typing import Any

from moto.sns.models import sns_backends

from pipeops_sandbox.errors import AwsError

from .call import Call, page, seconds_of, timestamp
from .journal import EVENT_AGE, MESSAGES
from .rules import combination, identifier, invalid
from .store import Event, Subscription, arn

SOURCE_TYPES = frozenset({"db-instance", "db-parameter-group", "db-security-group", "db-snapshot", "db-cluster"})
CATEGORIES = sorted(
    {category for category, _message in MESSAGES.values()}
    | {"low storage", "maintenance", "recovery", "failure", "security", "security patching"}
)
DEFAULT_MINUTES = 60
"""How far DescribeEvents looks back when nobody says."""


def describe_events(call: Call) -> dict[str, Any]:
    """DescribeEvents of the last hour, or of the time asked for, oldest first."""
    kind = _source_type(call)
    if call.has("SourceIdentifier") and not kind:
        raise combination("SourceIdentifier needs a SourceType.")
    if call.has("Duration") and call.has("StartTime"):
        raise combination("Duration and StartTime cannot be given together.")
    until = seconds_of(call.params["EndTime"]) if call.has("EndTime") else call.now
    since = until - 60 * call.number("Duration", DEFAULT_MINUTES)
    if call.has("StartTime"):
        since = seconds_of(call.params["StartTime"])
    since = max(since, call.now - EVENT_AGE)
    wanted = {str(one) for one in call.items("EventCategories")}
    rows = [one for one in call.store.events if since <= one.at <= until and kind in ("", one.source_type)]
    rows = [one for one in rows if call.text("SourceIdentifier", one.source_id) == one.source_id]
    rows = [one for one in rows if not wanted or wanted & set(one.categories)]
    return page(call, "Events", sorted(rows, key=lambda one: one.at), _event)


def _event(event: Event) -> dict[str, Any]:
    return {
        "SourceIdentifier": event.source_id,
        "SourceType": event.source_type,
        "Message": event.message,
        "EventCategories": event.categories,
        "Date": timestamp(event.at),
        "SourceArn": event.source_arn,
    }


def _source_type(call: Call) -> str:
    kind = call.text("SourceType")
    if kind and kind not in SOURCE_TYPES:
        raise invalid(f"Invalid SourceType {kind}: must be one of {', '.join(sorted(SOURCE_TYPES))}.")
    return kind


def describe_event_categories(call: Call) -> dict[str, Any]:
    """DescribeEventCategories."""
    kinds = [_source_type(call)] if call.has("SourceType") else ["db-instance"]
    return {"EventCategoriesMapList": [{"SourceType": kind, "EventCategories": CATEGORIES} for kind in kinds]}


def _find(call: Call) -> Subscription:
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
    """Return the topic's ARN, after looking whether it exists."""
    parts = topic.split(":")
    if len(parts) != 6 or parts[2] != "sns" or topic not in sns_backends[call.account][parts[3]].topics:
        raise AwsError("SNSTopicArnNotFound", f"SNS topic {topic} does not exist.")
    return topic


def create_event_subscription(call: Call) -> dict[str, Any]:
    """CreateEventSubscription."""
    name = identifier(call.text("SubscriptionName"), "SubscriptionName", longest=255)
    if name in call.store.subscriptions:
        raise AwsError("SubscriptionAlreadyExist", f"Subscription {name} already exists.")
    kind, ids = _source_type(call), [str(one) for one in call.items("SourceIds")]
    if ids and not kind:
        raise combination("SourceIds need a SourceType.")
    for source in ids:
        if kind == "db-instance" and source not in call.store.instances:
            raise AwsError("SourceNotFound", f"DBInstance {source} of the subscription {name} not found.")
    topic = _checked_topic(call, call.text("SnsTopicArn"))
    categories = _checked_categories(call, kind)
    found = Subscription(name, topic, kind, ids, categories, call.flag("Enabled", True), call.now, call.tags())
    call.store.subscriptions[name] = found
    return {"EventSubscription": _rendered(call, found)}


def modify_event_subscription(call: Call) -> dict[str, Any]:
    """ModifyEventSubscription."""
    found = _find(call)
    kind = _source_type(call) or found.source_type
    categories = _checked_categories(call, kind) if call.has("EventCategories") else found.categories
    topic = _checked_topic(call, call.text("SnsTopicArn", found.topic))
    found.topic, found.categories, found.source_type = topic, categories, kind
    found.enabled = call.flag("Enabled", found.enabled)
    return {"EventSubscription": _rendered(call, found)}


def add_source_identifier_to_subscription(call: Call) -> dict[str, Any]:
    """AddSourceIdentifierToSubscription."""
    found, source = _find(call), call.text("SourceIdentifier")
    if found.source_type == "db-instance" and source not in call.store.instances:
        raise AwsError("SourceNotFound", f"DBInstance {source} not found.")
    found.source_ids = sorted({*found.source_ids, source})
    return {"EventSubscription": _rendered(call, found)}


def remove_source_identifier_from_subscription(call: Call) -> dict[str, Any]:
    """RemoveSourceIdentifierFromSubscription."""
    found, source = _find(call), call.text("SourceIdentifier")
    if source not in found.source_ids:
        raise AwsError("SourceNotFound", f"{source} is not a source of the subscription {found.name}.")
    found.source_ids.remove(source)
    return {"EventSubscription": _rendered(call, found)}


def delete_event_subscription(call: Call) -> dict[str, Any]:
    """DeleteEventSubscription."""
    found = _find(call)
    del call.store.subscriptions[found.name]
    return {"EventSubscription": _rendered(call, found) | {"Status": "deleting"}}


def describe_event_subscriptions(call: Call) -> dict[str, Any]:
    """DescribeEventSubscriptions."""
    rows = [_find(call)] if call.has("SubscriptionName") else list(call.store.subscriptions.values())
    return page(call, "EventSubscriptionsList", rows, lambda one: _rendered(call, one))


def _rendered(call: Call, found: Subscription) -> dict[str, Any]:
    view: dict[str, Any] = {
        "CustomerAwsId": call.account,
        "CustSubscriptionId": found.name,
        "SnsTopicArn": found.topic,
        "Status": "active",
        "SubscriptionCreationTime": f"{timestamp(found.created_at):%Y-%m-%d %H:%M:%S.000}",
        "SourceIdsList": found.source_ids,
        "EventCategoriesList": found.categories,
        "Enabled": found.enabled,
        "EventSubscriptionArn": arn(call.region, call.account, "es", found.name),
    }
    return {**view, "SourceType": found.source_type} if found.source_type else view
