"""Budgets: what moto lacks of it (changes, subscribers, tags) and what AWS refuses. Nothing is ever spent here.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Budgets.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from copy import deepcopy
from typing import Any

from moto.budgets.models import Budget, Notification
from moto.budgets.responses import BudgetsResponse
from moto.sns.models import sns_backends

from ..errors import AwsError
from ..overlay import Prepared, install, json_parameters
from .sns import lets_publish

PUBLISHER = "budgets.amazonaws.com"
NAME = re.compile(r"(?![^:\\]*/action/)[^:\\]{1,100}")
NOTIFICATIONS_MAX, EMAILS_MAX, SNS_MAX = 10, 10, 1
PAGE_MAX = 100
LAST_DAY = 3706473600
"""Budgets without an end run until then, 15 June 2087."""
#: What of a budget AWS tells by itself.
_CALCULATED = ("CalculatedSpend", "LastUpdatedTime", "HealthStatus")


class Budgets(Prepared, BudgetsResponse):
    """moto's Budgets with everything that a budget of costs needs."""

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters of the request."""
        return json_parameters(self)

    @property
    def _own(self) -> dict[str, Budget]:
        rows: dict[str, Budget] = self.backend.budgets[self.current_account]
        return rows

    def prepare(self, action: str) -> None:
        """Refuse another account's budgets: an account can only ask for its own."""
        account = self.asked.get("AccountId", self.current_account)
        if account != self.current_account:
            raise AwsError("AccessDeniedException", f"Account {self.current_account} has no access to {account}")

    def create_budget(self) -> str:
        """Make a budget with its notifications and its tags, or nothing."""
        asked = self.asked
        row, told = asked["Budget"], asked.get("NotificationsWithSubscribers", [])
        name = row["BudgetName"]
        _check_definition(row)
        if name in self._own:
            raise AwsError("DuplicateRecordException", f"Error creating budget: {name} - the budget already exists.")
        if len(told) > NOTIFICATIONS_MAX:
            raise _invalid(f"A budget can have at most {NOTIFICATIONS_MAX} notifications")
        known: list[dict[str, Any]] = []
        for item in told:
            _check_notification(item["Notification"], known)
            known.append(item["Notification"])
            self._check_subscribers(item["Subscribers"])
        budget = Budget(_as_kept(row), [])
        budget.notifications = [Notification(_full(item["Notification"]), item["Subscribers"]) for item in told]
        budget.tags = {tag["Key"]: tag["Value"] for tag in asked.get("ResourceTags", [])}  # type: ignore[attr-defined]
        self._own[name] = budget
        return json.dumps({})

    def update_budget(self) -> str:
        """Set everything of a budget anew but its name and its notifications."""
        row = self.asked["NewBudget"]
        _check_definition(row)
        standing = self._find(row["BudgetName"])
        fresh = Budget(_as_kept(row), [])
        standing.budget = fresh.budget
        return json.dumps({})

    def describe_budget(self) -> str:
        """Describe a budget."""
        return json.dumps({"Budget": self._find(self.asked["BudgetName"]).to_dict()})

    def describe_budgets(self) -> str:
        """Describe all budgets, page by page."""
        return self._page("Budgets", [one.to_dict() for _name, one in sorted(self._own.items())])

    def delete_budget(self) -> str:
        """Delete a budget with all that hangs on it."""
        name = self.asked["BudgetName"]
        self._find(name)
        del self._own[name]
        return json.dumps({})

    def create_notification(self) -> str:
        """Add a notification, with who is told."""
        asked = self.asked
        budget = self._find(asked["BudgetName"])
        _check_notification(asked["Notification"], [one.details for one in budget.notifications])
        if len(budget.notifications) >= NOTIFICATIONS_MAX:
            text = f"A budget can have at most {NOTIFICATIONS_MAX} notifications"
            raise AwsError("CreationLimitExceededException", text)
        self._check_subscribers(asked["Subscribers"])
        budget.notifications.append(Notification(_full(asked["Notification"]), asked["Subscribers"]))
        return json.dumps({})

    def delete_notification(self) -> str:
        """Remove a notification with its subscribers."""
        budget, found = self._notification()
        budget.notifications.remove(found)
        return json.dumps({})

    def describe_notifications_for_budget(self) -> str:
        """List the notifications of a budget, none of which has gone off."""
        budget = self._find(self.asked["BudgetName"])
        return self._page("Notifications", [{**one.details, "NotificationState": "OK"} for one in budget.notifications])

    def describe_subscribers_for_notification(self) -> str:
        """List who is told."""
        _budget, found = self._notification()
        return self._page("Subscribers", _subscribers(found))

    def create_subscriber(self) -> str:
        """Add one who is told."""
        _budget, found = self._notification()
        added, subscribers = self.asked["Subscriber"], _subscribers(found)
        if added in subscribers:
            raise AwsError("DuplicateRecordException", "The subscriber already exists.")
        self._check_subscribers([*subscribers, added])
        subscribers.append(added)
        return json.dumps({})

    def delete_subscriber(self) -> str:
        """Take one who is told away; with the last one goes the notification."""
        budget, found = self._notification()
        gone, subscribers = self.asked["Subscriber"], _subscribers(found)
        if gone not in subscribers:
            raise AwsError("NotFoundException", "Unable to delete subscriber - the subscriber doesn't exist.")
        subscribers.remove(gone)
        if not subscribers:
            budget.notifications.remove(found)
        return json.dumps({})

    def list_tags_for_resource(self) -> str:
        """List the tags of a budget."""
        tags = self._tagged()
        return json.dumps({"ResourceTags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]})

    def tag_resource(self) -> str:
        """Set tags of a budget."""
        self._tagged().update({tag["Key"]: tag["Value"] for tag in self.asked["ResourceTags"]})
        return json.dumps({})

    def untag_resource(self) -> str:
        """Remove tags of a budget."""
        tags = self._tagged()
        for key in self.asked["ResourceTagKeys"]:
            tags.pop(key, None)
        return json.dumps({})

    def _find(self, name: str) -> Budget:
        if name not in self._own:
            raise AwsError("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.")
        return self._own[name]

    def _notification(self) -> tuple[Budget, Notification]:
        """Return a budget and that one of its notifications which the request describes."""
        budget, wanted = self._find(self.asked["BudgetName"]), _full(self.asked["Notification"])
        for one in budget.notifications:
            if one.details == wanted:
                return budget, one
        raise AwsError("NotFoundException", "Unable to get notification - the notification doesn't exist.")

    def _tagged(self) -> dict[str, str]:
        arn = str(self.asked["ResourceARN"])
        start = f"arn:aws:budgets::{self.current_account}:budget/"
        if not arn.startswith(start):
            raise _invalid(f"Invalid resource ARN: {arn}")
        tags: dict[str, str] = self._find(arn.removeprefix(start)).tags  # type: ignore[attr-defined]
        return tags

    def _check_subscribers(self, subscribers: list[dict[str, str]]) -> None:
        """Refuse more of them than AWS takes, and a topic that is not there or not open to Budgets."""
        for kind, most in (("SNS", SNS_MAX), ("EMAIL", EMAILS_MAX)):
            if sum(one["SubscriptionType"] == kind for one in subscribers) > most:
                text = f"one notification can only have {most} subscribers with type of {kind}"
                raise AwsError("CreationLimitExceededException", text)
        if not subscribers:
            raise _invalid("A notification needs at least one subscriber")
        for one in subscribers:
            address = one["Address"]
            if one["SubscriptionType"] == "EMAIL" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
                raise _invalid(f"Invalid email address: {address}")
            if one["SubscriptionType"] == "SNS":
                self._check_topic(address)

    def _check_topic(self, arn: str) -> None:
        parts = arn.split(":")
        if len(parts) != 6 or parts[2] != "sns":
            raise _invalid("Please comply with SNS ARN format")
        topic = sns_backends[self.current_account][parts[3]].topics.get(arn)
        if parts[4] != self.current_account or topic is None or not lets_publish(topic, PUBLISHER):
            raise _invalid(f"Invalid SNS topic: {arn}. Budgets has no permission to publish to it.")

    def _page(self, member: str, rows: list[Any]) -> str:
        start, size = _position(self.asked.get("NextToken")), self.asked.get("MaxResults", PAGE_MAX)
        answer: dict[str, Any] = {member: rows[start : start + size]}
        if start + size < len(rows):
            answer["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
        return json.dumps(answer)


def _position(token: str | None) -> int:
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except (binascii.Error, ValueError):
        raise AwsError("InvalidNextTokenException", "The pagination token is invalid.") from None


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def _subscribers(notification: Notification) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = notification.subscribers  # type: ignore[assignment]
    return rows


def _full(details: dict[str, Any]) -> dict[str, Any]:
    """Return a notification as AWS keeps it."""
    kept = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    found = {"ThresholdType": "PERCENTAGE", **details}
    return {key: float(found[key]) if key == "Threshold" else found[key] for key in kept}


def _as_kept(row: dict[str, Any]) -> dict[str, Any]:
    """Return a definition as AWS keeps it: amounts with a decimal place, periods of its own where none is set."""
    kept = {key: deepcopy(value) for key, value in row.items() if key not in _CALCULATED}
    limit = kept.get("BudgetLimit")
    if limit:
        kept["BudgetLimit"] = {**limit, "Amount": str(float(limit["Amount"]))}
    if kept["BudgetType"] == "COST" and "FilterExpression" not in kept:
        kept["CostTypes"] = {**_COST_TYPES, **kept.get("CostTypes", {})}
        kept.setdefault("CostFilters", {})
    # Without one, moto sets the begin of this month.
    if not kept.get("TimePeriod"):
        kept.pop("TimePeriod", None)
    else:
        kept["TimePeriod"] = {"End": LAST_DAY, **kept["TimePeriod"]}
    return kept


_COST_TYPES = {
    "IncludeCredit": True, "IncludeDiscount": True, "IncludeOtherSubscription": True, "IncludeRecurring": True,
    "IncludeRefund": True, "IncludeSubscription": True, "IncludeSupport": True, "IncludeTax": True,
    "IncludeUpfront": True, "UseAmortized": False, "UseBlended": False,
}  # fmt: skip


def _check_definition(row: dict[str, Any]) -> None:
    """Refuse what CreateBudget and UpdateBudget refuse."""
    if not NAME.fullmatch(row["BudgetName"]):
        raise _invalid(f"Invalid budget name: {row['BudgetName']}")
    limits = [key for key in ("BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData") if row.get(key)]
    if row["BudgetType"] in ("COST", "USAGE") and len(limits) != 1:
        raise _invalid(
            "Unable to create/update budget - please provide one of the followings: Budget Limit/ Planned Budget "
            "Limit/ Auto Adjust Data"
        )
    if "BudgetLimit" in limits and float(row["BudgetLimit"]["Amount"]) <= 0:
        raise _invalid("Budget limit must be greater than zero")
    if ("FilterExpression" in row or "Metrics" in row) and ("CostFilters" in row or "CostTypes" in row):
        raise _invalid("Either FilterExpression and Metrics, or CostFilters and CostTypes can be set")
    for value in row.get("CostFilters", {}).get("TagKeyValue", []):
        if "$" not in value:
            raise _invalid(f"Invalid tag filter: {value}")
    period = {"Start": 0, "End": LAST_DAY, **row.get("TimePeriod", {})}
    if not period["Start"] < period["End"] <= LAST_DAY:
        raise _invalid("The start date must come before the end date")


def _check_notification(details: dict[str, Any], known: list[dict[str, Any]]) -> None:
    if not 0 < float(details["Threshold"]) <= 1_000_000:
        raise _invalid(f"Invalid notification threshold: {details['Threshold']}")
    if _full(details) in [_full(one) for one in known]:
        raise AwsError("DuplicateRecordException", "Error creating notification - the notification already exists.")


def register() -> None:
    """Put this overlay in front of moto's Budgets."""
    install("budgets", Budgets)
