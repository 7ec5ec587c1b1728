# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SNS topics, each known by its name, and who is subscribed to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..engine.aws import Aws, error_code, tag_dict, tag_list
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from .policies import same_document

#: What SNS shows in the place of an ARN until the endpoint has said yes.
PENDING_CONFIRMATION = "PendingConfirmation"
#: Errors by which SNS says that it is not done with the tags of this topic, or of a deleted one of its name.
BUSY_WITH_TAGS = frozenset({"ConcurrentAccess", "StaleTag"})


class SnsTopic(ResourceType):
    """A standard topic.

    Attributes:
        name: unique in a region, so it finds the topic.
        arn: follows from the name, so that a dry run knows it too.
        kms_key_arn: the key that encrypts messages at rest, an empty string for none. Its policy has to let each
            service that publishes use it, or the service's messages are lost without a word.
        policy: who may publish, as a document.
    """

    kind = "sns_topic"
    label = "SNS topic"
    service = "sns"
    updates = (Update("policy", ("policy",)), Update("kms_key_arn", ("kms_key_arn",)))
    # Its subscriptions go with it, and people have to confirm new ones.
    deletion = Traits(seconds=1, interrupts="all notifications", reversible=False)

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = (self._describe(aws, wanted) for wanted in scope.wanted.values())
        return [item for item in found if item]

    @staticmethod
    def _describe(aws: Aws, wanted: Wanted) -> Observed | None:
        client, arn = aws.client("sns"), wanted.attributes["arn"]
        try:
            topic = client.get_topic_attributes(TopicArn=arn)["Attributes"]
            tags = client.list_tags_for_resource(ResourceArn=arn)["Tags"]
        except (client.exceptions.NotFoundException, client.exceptions.ResourceNotFoundException):
            return None
        attributes = {
            "name": arn.rpartition(":")[2],
            "arn": arn,
            "kms_key_arn": topic.get("KmsMasterKeyId", ""),
            "policy": json.loads(topic["Policy"]),
        }
        return Observed("sns_topic", wanted.name, arn, attributes, tag_dict(tags))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        key = {"KmsMasterKeyId": attributes["kms_key_arn"]} if attributes["kms_key_arn"] else {}
        # Asked twice for the same topic, SNS returns it, so a lost answer needs no care.
        arn = aws.client("sns").create_topic(
            Name=attributes["name"],
            Attributes={"Policy": json.dumps(attributes["policy"]), **key},
            Tags=tag_list(wanted.tags or {}),
        )["TopicArn"]
        return Observed("sns_topic", wanted.name, arn, dict(attributes), wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        if update.name == "policy":
            name, value = "Policy", json.dumps(wanted.attributes["policy"])
        else:
            name, value = "KmsMasterKeyId", wanted.attributes["kms_key_arn"]
        aws.client("sns").set_topic_attributes(TopicArn=observed.id, AttributeName=name, AttributeValue=value)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("sns").tag_resource(ResourceArn=observed.id, Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        # Deleting a topic that is gone is no error for SNS.
        aws.client("sns").delete_topic(TopicArn=observed.id)

    def transient(self, error: Exception) -> str:
        return "SNS is not done with the tags of this name" if error_code(error) in BUSY_WITH_TAGS else ""

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        return same_document(wanted, observed) if attribute == "policy" else super().same(attribute, wanted, observed)


class SnsSubscription(ResourceType):
    """An endpoint that gets the messages of a topic.

    A person or a web server has to confirm it, which may take days, so nobody waits for that: asked for is done. SNS
    forgets one that is not confirmed within 48 hours, so a later run asks again. It can neither be ended nor does it
    have an ARN until then, so one that is not wanted any more and not confirmed counts as gone.

    Attributes:
        topic_arn: the topic.
        protocol: e.g. ``email`` or ``https``.
        endpoint: where the messages go: an address, a URL, a telephone number or an ARN.

    Read only: ``confirmed``.
    """

    kind = "sns_subscription"
    label = "SNS subscription"
    service = "sns"
    prune = True
    deletion = Traits(seconds=1, interrupts="the notifications of this endpoint", reversible=True)
    # They are what it is found by, so one that is found has them, in whatever spelling SNS shows.
    create_only = frozenset({"topic_arn", "protocol", "endpoint"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        topics = [item.attributes["arn"] for (kind, _name), item in scope.layer_wanted.items() if kind == "sns_topic"]
        return [item for arn in topics for item in self._of_topic(aws, scope, arn)]

    @staticmethod
    def _of_topic(aws: Aws, scope: Scope, topic_arn: str) -> list[Observed]:
        try:
            rows = aws.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic_arn)
        except aws.client("sns").exceptions.NotFoundException:
            return []
        found = []
        for row in rows:
            name, arn = subscription_name(row["Protocol"], row["Endpoint"]), row["SubscriptionArn"]
            confirmed = arn != PENDING_CONFIRMATION
            attributes = {
                "topic_arn": topic_arn,
                "protocol": row["Protocol"],
                "endpoint": row["Endpoint"],
                "confirmed": confirmed,
            }
            # SNS lists an ended subscription for a while, with this word in the place of its ARN.
            if arn != "Deleted" and (confirmed or name in scope.wanted):
                found.append(Observed("sns_subscription", name, arn, attributes))
        return found

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        # Asked twice, SNS keeps one subscription.
        arn = aws.client("sns").subscribe(
            TopicArn=attributes["topic_arn"], Protocol=attributes["protocol"], Endpoint=attributes["endpoint"]
        )["SubscriptionArn"]
        known = {**attributes, "confirmed": arn.startswith("arn:")}
        return Observed("sns_subscription", wanted.name, arn, known)

    def delete(self, aws: Aws, observed: Observed) -> None:
        aws.client("sns").unsubscribe(SubscriptionArn=observed.id)


def subscription_name(protocol: str, endpoint: str) -> str:
    """Return the logical name of a subscription, e.g. ``email:ops@example.com``; addresses know no case."""
    return f"{protocol}:{endpoint.lower() if protocol.startswith('email') else endpoint}"
