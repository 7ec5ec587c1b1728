"""SNS: subscriptions that wait for a yes, topics that stay as they were made, and nothing that leaves the machine."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.sns.models import Subscription, Topic, sns_backends
from moto.sns.responses import SNSResponse

from ..errors import AwsError
from ..overlay import Prepared, as_list, install, policy_statements
from ..runtime import runtime

# https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html and ..._SetTopicAttributes.html
PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")
_CONFIRMED_BY_HAND = frozenset({"http", "https", "email", "email-json"})
ATTRIBUTES = frozenset(
    {"ApplicationSuccessFeedbackRoleArn", "ContentBasedDeduplication", "DeliveryPolicy", "DisplayName", "FifoTopic",
     "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig"}
)  # fmt: skip
PENDING_SECONDS = 48 * 3600
"""After so long SNS forgets a subscription that nobody confirmed (SNS developer guide, "Email notifications")."""
PENDING = "PendingConfirmation"
_publish = Subscription.publish


def is_pending(subscription: Subscription) -> bool:
    """Tell whether a subscription waits for its endpoint to confirm it."""
    return bool(subscription.attributes.get(PENDING))


def confirmation_token(topic_arn: str, endpoint: str) -> str:
    """Return the token that SNS has sent to the endpoint of a pending subscription."""
    _arn, _partition, _sns, region, account, _name = topic_arn.split(":", 5)
    for one in sns_backends[account][region].subscriptions.values():
        if one.topic.arn == topic_arn and one.endpoint == endpoint and is_pending(one):
            return str(one.token)  # type: ignore[attr-defined]
    raise KeyError(f"{topic_arn} has no pending subscription of {endpoint}")


def lets_publish(topic: Topic, service: str) -> bool:
    """Tell whether a topic's policy lets a service publish; conditions are taken as met."""
    return any(_allows(statement, service) for statement in policy_statements(topic.policy))


def _allows(statement: dict[str, Any], service: str) -> bool:
    principal = statement.get("Principal")
    named = principal if isinstance(principal, dict) else {"AWS": principal}
    admitted = service in as_list(named.get("Service")) or "*" in as_list(named.get("AWS"))
    actions = {str(action).lower() for action in as_list(statement.get("Action"))}
    return statement.get("Effect") == "Allow" and admitted and bool(actions & {"*", "sns:*", "sns:publish"})


class Sns(Prepared, SNSResponse):
    """moto's SNS with AWS's refusals."""

    def prepare(self, action: str) -> None:
        """Forget the subscriptions that nobody confirmed in time."""
        rows, now = self.backend.subscriptions, runtime.clock.now()
        for arn in [arn for arn, one in rows.items() if is_pending(one) and one.asked_at + PENDING_SECONDS <= now]:  # type: ignore[attr-defined]
            del rows[arn]

    def create_topic(self) -> ActionResult:
        """Make a topic; one that is there already must be the same."""
        attributes, tags = self._get_param("Attributes", {}), self._get_tags()
        for name, value in attributes.items():
            _check_attribute(name, value)
        arn = f"arn:aws:sns:{self.region}:{self.current_account}:{self._get_param('Name')}"
        standing = self.backend.topics.get(arn)
        if standing is not None:
            if any(_differs(standing, name, value) for name, value in attributes.items()):
                raise _invalid("Attributes Reason: Topic already exists with different attributes")
            if tags and tags != standing._tags:
                raise _invalid("Tags Reason: Topic already exists with different tags")
        return super().create_topic()

    def set_topic_attributes(self) -> ActionResult:
        """Set one attribute of a topic."""
        _check_attribute(self._get_param("AttributeName"), self._get_param("AttributeValue") or "")
        return super().set_topic_attributes()

    def get_topic_attributes(self) -> ActionResult:
        """Describe a topic, with its subscriptions counted."""
        result: Any = super().get_topic_attributes().result
        own = [one for one in self.backend.subscriptions.values() if one.topic.arn == self._get_param("TopicArn")]
        waiting = sum(map(is_pending, own))
        counts = {"SubscriptionsPending": str(waiting), "SubscriptionsConfirmed": str(len(own) - waiting)}
        return ActionResult({"Attributes": result["Attributes"] | counts})

    def subscribe(self) -> ActionResult:
        """Subscribe an endpoint; a person or a web server has to say yes first."""
        protocol, endpoint = self._get_param("Protocol"), str(self._get_param("Endpoint") or "")
        _check_endpoint(protocol, endpoint)
        known = self.backend._find_subscription(self._get_param("TopicArn"), endpoint, protocol)
        answer: Any = super().subscribe().result
        found = self.backend.subscriptions[answer["SubscriptionArn"]]
        if known is None and protocol in _CONFIRMED_BY_HAND:
            found.attributes |= {PENDING: True, "ConfirmationWasAuthenticated": False}
            found.token, found.asked_at = uuid4().hex, runtime.clock.now()  # type: ignore[attr-defined]
        hidden = is_pending(found) and not self._get_bool_param("ReturnSubscriptionArn")
        return ActionResult({"SubscriptionArn": "pending confirmation" if hidden else found.arn})

    def confirm_subscription(self) -> ActionResult:
        """Say yes for an endpoint, with the token that was sent to it."""
        topic, token = self._get_param("TopicArn"), self._get_param("Token")
        self.backend.get_topic(topic)
        for one in self.backend.subscriptions.values():
            if one.topic.arn == topic and is_pending(one) and one.token == token:  # type: ignore[attr-defined]
                one.attributes |= {PENDING: False, "ConfirmationWasAuthenticated": True}
                return ActionResult({"SubscriptionArn": one.arn})
        raise _invalid("Token")

    def unsubscribe(self) -> ActionResult:
        """End a subscription; one that is not confirmed cannot be ended, SNS forgets it by itself."""
        arn = str(self._get_param("SubscriptionArn"))
        if len(arn.split(":")) < 6:
            count = len(arn.split(":"))
            raise _invalid(f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {count}")
        found = self.backend.subscriptions.get(arn)
        if found is not None and is_pending(found):
            raise _invalid("This operation can not be performed on a subscription that is pending confirmation")
        return super().unsubscribe()

    def list_subscriptions(self) -> ActionResult:
        """List subscriptions; those that are pending have no ARN to show."""
        return _without_pending_arns(super().list_subscriptions())

    def list_subscriptions_by_topic(self) -> ActionResult:
        """List the subscriptions of a topic in the same way."""
        return _without_pending_arns(super().list_subscriptions_by_topic())


def _without_pending_arns(answer: ActionResult) -> ActionResult:
    result: Any = answer.result
    rows = [
        {
            "SubscriptionArn": PENDING if is_pending(one) else one.arn,
            "Owner": one.owner,
            "Protocol": one.protocol,
            "Endpoint": one.endpoint,
            "TopicArn": one.topic.arn,
        }
        for one in result["Subscriptions"]
    ]
    return ActionResult({**result, "Subscriptions": rows})


def _invalid(reason: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {reason}")


def _differs(topic: Topic, name: str, value: str) -> bool:
    standing = getattr(topic, camelcase_to_underscores(name), "")
    return json.loads(standing) != json.loads(value) if name == "Policy" else str(standing) != str(value)


def _check_attribute(name: str, value: str) -> None:
    if name not in ATTRIBUTES:
        raise _invalid("AttributeName")
    if name == "Policy":
        try:
            policy_statements(value)
        except ValueError:
            raise _invalid("Policy Error: null") from None


def _check_endpoint(protocol: str, endpoint: str) -> None:
    if protocol not in PROTOCOLS:
        raise _invalid(f"Does not support this protocol string: {protocol}")
    if protocol.startswith("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+", endpoint):
        raise _invalid("Email address")
    if protocol in ("http", "https") and not endpoint.startswith(f"{protocol}://"):
        raise _invalid("Endpoint must match the specified protocol")
    if protocol in ("sqs", "lambda", "firehose") and not endpoint.startswith("arn:"):
        raise _invalid(f"{protocol} endpoint ARN")


def publish(self: Subscription, *arguments: Any, **options: Any) -> None:
    """Deliver to an endpoint in this sandbox; what would go over the network goes nowhere."""
    if self.protocol not in ("http", "https") and not is_pending(self):
        _publish(self, *arguments, **options)


def register() -> None:
    """Put this overlay in front of moto's SNS."""
    Subscription.publish = publish  # type: ignore[method-assign]
    install("sns", Sns)
