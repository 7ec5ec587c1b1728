# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RDS event subscriptions to DB instances, each known by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, tag_dict, tag_list
from ..engine.model import Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted

#: The one source type that we subscribe to.
SOURCE_TYPE = "db-instance"
#: The status of a subscription that works; ``no-permission`` and ``topic-not-exist`` say why one does not.
ACTIVE = "active"
#: Statuses that pass by themselves.
PASSING = frozenset({"creating", "modifying", "deleting"})
#: Errors that clear by themselves, with why.
CLEARS = {
    "SNSNoAuthorization": "SNS has not spread the policy of the topic yet",
    "SNSTopicArnNotFound": "SNS has not spread the topic yet",
    "SubscriptionAlreadyExist": "an earlier one of this name is still being deleted",
    "InvalidEventSubscriptionState": "an earlier change is still under way",
}


class RdsEventSubscription(ResourceType):
    """A subscription of a topic to events of DB instances.

    Attributes:
        name: unique in a region, so it finds the subscription.
        topic_arn: the topic, whose policy has to let ``events.rds.amazonaws.com`` publish.
        source_ids: identifiers of instances that exist. Never empty: RDS takes that for all instances.
        categories: event categories. Never empty: RDS takes that for all categories.
        enabled: whether events are sent.
        delivery: ``active``. RDS notes here that a topic is gone or closed to it, until the subscription is modified.

    Read only: ``arn``.
    """

    kind = "rds_event_subscription"
    label = "RDS event subscription"
    service = "rds"
    prune = True
    creation = Traits(seconds=30)
    deletion = Traits(seconds=30, reversible=True)
    updates = (
        Update("settings", ("topic_arn", "categories", "enabled", "delivery"), Traits(seconds=30)),
        Update("sources", ("source_ids",), Traits(seconds=30)),
    )
    unordered = frozenset({"source_ids", "categories"})
    clears_within: ClassVar[float] = 120

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [item for item in self._standing(aws, scope) if item.status != "deleting"]

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        return next((item for item in self._standing(aws, scope) if item.id == observed.id), None)

    def _standing(self, aws: Aws, scope: Scope) -> list[Observed]:
        names = {wanted.attributes["name"]: name for name, wanted in scope.wanted.items()}
        rows = aws.pages("rds", "describe_event_subscriptions", "EventSubscriptionsList")
        ours = [row for row in rows if row["CustSubscriptionId"].startswith(f"{scope.identity.prefix.lower()}-")]
        found = (self._described(aws, scope, row, names) for row in ours)
        return [item for item in found if item]

    @staticmethod
    def _described(aws: Aws, scope: Scope, row: Mapping[str, Any], names: Mapping[str, str]) -> Observed | None:
        client, arn = aws.client("rds"), row["EventSubscriptionArn"]
        try:
            tags = tag_dict(client.list_tags_for_resource(ResourceName=arn)["TagList"])
        except client.exceptions.SubscriptionNotFoundFault:
            return None
        name = names.get(row["CustSubscriptionId"]) or scope.owns(tags)
        if not name:
            return None
        status = row["Status"]
        attributes = {
            "arn": arn,
            "name": row["CustSubscriptionId"],
            "topic_arn": row["SnsTopicArn"],
            "source_ids": list(row.get("SourceIdsList", ())),
            "categories": list(row.get("EventCategoriesList", ())),
            "enabled": row["Enabled"],
            # What is under way is judged once it is over.
            "delivery": ACTIVE if status in PASSING else status,
        }
        return Observed("rds_event_subscription", name, row["CustSubscriptionId"], attributes, tags, status)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        row = aws.client("rds", once=True).create_event_subscription(
            SubscriptionName=attributes["name"],
            SnsTopicArn=attributes["topic_arn"],
            SourceType=SOURCE_TYPE,
            SourceIds=attributes["source_ids"],
            EventCategories=attributes["categories"],
            Enabled=attributes["enabled"],
            Tags=tag_list(wanted.tags or {}),
        )["EventSubscription"]
        known = {**attributes, "arn": row["EventSubscriptionArn"]}
        return Observed(
            "rds_event_subscription", wanted.name, row["CustSubscriptionId"], known, wanted.tags or {}, row["Status"]
        )

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed:
        attributes = wanted.attributes
        if update.name == "sources":
            self._set_sources(aws, observed, attributes["source_ids"])
        else:
            aws.client("rds").modify_event_subscription(
                SubscriptionName=observed.id,
                SnsTopicArn=attributes["topic_arn"],
                SourceType=SOURCE_TYPE,
                EventCategories=attributes["categories"],
                Enabled=attributes["enabled"],
            )
        return replace(observed, status="modifying")

    @staticmethod
    def _set_sources(aws: Aws, observed: Observed, wanted: list[str]) -> None:
        """Add first, then remove: one without sources would be one to all instances."""
        client, standing = aws.client("rds"), observed.get("source_ids")
        for source in sorted(set(wanted) - set(standing)):
            client.add_source_identifier_to_subscription(SubscriptionName=observed.id, SourceIdentifier=source)
        for source in sorted(set(standing) - set(wanted)):
            try:
                client.remove_source_identifier_from_subscription(SubscriptionName=observed.id, SourceIdentifier=source)
            except client.exceptions.SourceNotFoundFault:
                # RDS has dropped it together with the instance, or an earlier try whose answer was lost has.
                continue

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("rds").add_tags_to_resource(ResourceName=observed.get("arn"), Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("rds")
        try:
            client.delete_event_subscription(SubscriptionName=observed.id)
        except client.exceptions.SubscriptionNotFoundFault:
            return

    def readiness(self, observed: Observed) -> Readiness:
        # One without delivery is not waited for: that it is not as wanted shows as a difference.
        return Readiness.WAIT if observed.status in PASSING else Readiness.READY

    def transient(self, error: Exception) -> str:
        return CLEARS.get(error_code(error), "")
