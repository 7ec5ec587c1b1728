"""Events, and the categories by which they can be subscribed to."""

from __future__ import annotations

from typing import Any

from .call import Call, page, seconds_of, timestamp
from .journal import EVENT_AGE, MESSAGES
from .rules import combination, invalid
from .store import Event

SOURCE_TYPES = frozenset({"db-instance", "db-parameter-group", "db-security-group", "db-snapshot", "db-cluster"})
CATEGORIES = sorted(
    {category for category, _message in MESSAGES.values()}
    | {"low storage", "maintenance", "recovery", "failure", "security", "security patching"}
)
DEFAULT_MINUTES = 60
"""How far DescribeEvents looks back when nobody says."""


def describe_events(call: Call) -> dict[str, Any]:
    """DescribeEvents of the last hour, or of the time asked for, oldest first."""
    kind = source_type(call)
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


def source_type(call: Call) -> str:
    """Return the source type of a call, empty if it names none.

    Raises:
        AwsError: ``InvalidParameterValue`` for one that does not exist.
    """
    kind = call.text("SourceType")
    if kind and kind not in SOURCE_TYPES:
        raise invalid(f"Invalid SourceType {kind}: must be one of {', '.join(sorted(SOURCE_TYPES))}.")
    return kind


def describe_event_categories(call: Call) -> dict[str, Any]:
    """DescribeEventCategories."""
    kinds = [source_type(call)] if call.has("SourceType") else ["db-instance"]
    return {"EventCategoriesMapList": [{"SourceType": kind, "EventCategories": CATEGORIES} for kind in kinds]}
