# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The monthly cost budget of an environment, known by its name. AWS Budgets is of the account, in no region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import Identity, Observed, ResourceType, Scope, Traits, Update, Wanted

#: The logical name, and the last part of the name.
BUDGET = ("budgets_budget", "monthly-cost")
CURRENCY = "USD"
#: What is counted, which is what AWS counts of a budget that does not say otherwise.
COST_TYPES: dict[str, bool] = {
    "IncludeCredit": True,
    "IncludeDiscount": True,
    "IncludeOtherSubscription": True,
    "IncludeRecurring": True,
    "IncludeRefund": True,
    "IncludeSubscription": True,
    "IncludeSupport": True,
    "IncludeTax": True,
    "IncludeUpfront": True,
    "UseAmortized": False,
    "UseBlended": False,
}
#: Notifications that a budget can have.
NOTIFICATIONS_MAX = 10
Notification = Mapping[str, Any]


class BudgetsBudget(ResourceType):
    """A budget of costs. One that only notifies is free.

    Attributes:
        name: unique in an account, so it finds the budget.
        type, time_unit: ``COST`` and ``MONTHLY``.
        limit_usd: the amount; None if somebody has planned one for each month, or lets AWS adjust it.
        filters: which costs count, e.g. ``{"TagKeyValue": ["user:KEY$VALUE"]}``.
        cost_types: which kinds of them, by AWS's names.
        alerts: its notifications, each with ``type`` (``ACTUAL`` or ``FORECASTED``), ``operator``, ``threshold``,
            ``unit`` and ``subscribers``, who are a ``type`` and an ``address`` each.

    Read only: ``arn``, ``starts``, ``ends``.
    """

    kind = BUDGET[0]
    label = "budget"
    service = "budgets"
    prune = True
    deletion = Traits(seconds=1, interrupts="the notifications of costs", reversible=True)
    updates = (
        # Until there are new figures, the spending of a changed budget shows as zero.
        Update("definition", ("type", "time_unit", "limit_usd", "filters", "cost_types")),
        Update("alerts", ("alerts",)),
    )
    unordered = frozenset({"filters", "alerts"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        client, name = aws.client("budgets"), budget_name(scope.identity)
        arn = _arn(aws, name)
        try:
            row = client.describe_budget(AccountId=aws.account_id, BudgetName=name)["Budget"]
            tags = tag_dict(client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"])
        except client.exceptions.NotFoundException:
            return []
        if BUDGET[1] not in scope.wanted and not scope.owns(tags):
            return []
        limit, period = row.get("BudgetLimit"), row.get("TimePeriod", {})
        by_others = row.get("PlannedBudgetLimits") or row.get("AutoAdjustData")
        attributes = {
            "name": name,
            "arn": arn,
            "type": row["BudgetType"],
            "time_unit": row["TimeUnit"],
            "limit_usd": float(limit["Amount"]) if limit and limit["Unit"] == CURRENCY and not by_others else None,
            "filters": dict(row.get("CostFilters", {})),
            "cost_types": dict(row.get("CostTypes", {})),
            "alerts": list(_notifications(aws, name)),
            "starts": _text(period.get("Start")),
            "ends": _text(period.get("End")),
        }
        return [Observed(*BUDGET, name, attributes, tags)]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        told = [{"Notification": _request(item), "Subscribers": _subscribers(item)} for item in attributes["alerts"]]
        aws.client("budgets", once=True).create_budget(
            AccountId=aws.account_id,
            Budget=_definition(attributes),
            NotificationsWithSubscribers=told,
            ResourceTags=tag_list(wanted.tags or {}),
        )
        known = {**attributes, "arn": _arn(aws, attributes["name"])}
        return Observed(*BUDGET, attributes["name"], known, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        attributes, client = wanted.attributes, aws.client("budgets")
        if update.name == "alerts":
            self._set_notifications(aws, observed, attributes["alerts"])
            return
        # What is left out would be set to AWS's default.
        ends = {"Start": observed.get("starts"), "End": observed.get("ends")}
        period = {key: value for key, value in ends.items() if value}
        client.update_budget(AccountId=aws.account_id, NewBudget={**_definition(attributes), "TimePeriod": period})

    @staticmethod
    def _set_notifications(aws: Aws, observed: Observed, wanted: Sequence[Notification]) -> None:
        """Make those anew that differ: AWS takes one topic a notification, and no notification without subscribers."""
        client, budget = aws.client("budgets"), {"AccountId": aws.account_id, "BudgetName": observed.id}
        standing = [_comparable(item) for item in observed.get("alerts")]
        needed = [_comparable(item) for item in wanted]
        for item in standing:
            if item not in needed:
                try:
                    client.delete_notification(**budget, Notification=_request(item))
                except client.exceptions.NotFoundException:
                    continue
        for item in needed:
            if item not in standing:
                try:
                    client.create_notification(**budget, Notification=_request(item), Subscribers=_subscribers(item))
                except client.exceptions.DuplicateRecordException:
                    # An earlier try whose answer was lost has made it.
                    continue

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("budgets").tag_resource(ResourceARN=observed.get("arn"), ResourceTags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("budgets")
        try:
            client.delete_budget(AccountId=aws.account_id, BudgetName=observed.id)
        except client.exceptions.NotFoundException:
            return


def budget_name(identity: Identity) -> str:
    """Return the name of an environment's budget."""
    return identity.name(BUDGET[1])


def _arn(aws: Aws, name: str) -> str:
    return f"arn:{aws.partition}:budgets::{aws.account_id}:budget/{name}"


def _notifications(aws: Aws, name: str) -> Iterator[dict[str, Any]]:
    budget = {"AccountId": aws.account_id, "BudgetName": name}
    for row in _rows(aws, "describe_notifications_for_budget", "Notifications", budget):
        item = {
            "type": row["NotificationType"],
            "operator": row["ComparisonOperator"],
            "threshold": float(row["Threshold"]),
            "unit": row.get("ThresholdType", "PERCENTAGE"),
        }
        asked = {**budget, "Notification": _request(item)}
        found = _rows(aws, "describe_subscribers_for_notification", "Subscribers", asked)
        yield {**item, "subscribers": [{"type": one["SubscriptionType"], "address": one["Address"]} for one in found]}


def _rows(aws: Aws, operation: str, member: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a listing over all its pages. AWS leaves an empty one out, or says that there is nothing."""
    client = aws.client("budgets")
    try:
        pages = list(client.get_paginator(operation).paginate(**asked))
    except client.exceptions.NotFoundException:
        return []
    return [row for page in pages for row in page.get(member, ())]


def _definition(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "BudgetName": attributes["name"],
        "BudgetType": attributes["type"],
        "TimeUnit": attributes["time_unit"],
        "BudgetLimit": {"Amount": f"{attributes['limit_usd']:.12g}", "Unit": CURRENCY},
        "CostFilters": attributes["filters"],
        "CostTypes": attributes["cost_types"],
    }


def _request(item: Notification) -> dict[str, Any]:
    """Return what AWS knows a notification by."""
    return {
        "NotificationType": item["type"],
        "ComparisonOperator": item["operator"],
        "Threshold": item["threshold"],
        "ThresholdType": item["unit"],
    }


def _subscribers(item: Notification) -> list[dict[str, str]]:
    return [{"SubscriptionType": one["type"], "Address": one["address"]} for one in item["subscribers"]]


def _comparable(item: Notification) -> dict[str, Any]:
    told = sorted((dict(one) for one in item["subscribers"]), key=lambda one: (one["type"], one["address"]))
    return {**item, "subscribers": told}


def _text(moment: Any) -> str:
    return str(moment.isoformat()) if moment else ""
