"""Budgets: what AWS keeps, tells and refuses of a budget of costs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
NAME = "pipeops-prod-monthly-cost"
ARN = f"arn:aws:budgets::{ACCOUNT}:budget/{NAME}"
BUDGET: dict[str, Any] = {
    "BudgetName": NAME, "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": "500", "Unit": "USD"},
    "CostFilters": {"TagKeyValue": ["user:pipeops:environment$prod"]},
}  # fmt: skip
ACTUAL = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
PERCENT = {**ACTUAL, "ThresholdType": "PERCENTAGE"}
EMAIL = {"SubscriptionType": "EMAIL", "Address": "ops@example.com"}


def refused(code: str, text: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{text}")


def topic(client: Any, *, admits: str = "budgets.amazonaws.com") -> dict[str, str]:
    """Make a topic that a service can publish to; return it as a subscriber."""
    sns = client("sns", "us-west-2")
    arn = sns.create_topic(Name="notifications")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": admits}, "Action": "sns:Publish", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return {"SubscriptionType": "SNS", "Address": arn}


def make(client: Any, *told: dict[str, str], **changes: Any) -> Any:
    budgets = client("budgets", "us-east-1")
    notifications = [{"Notification": ACTUAL, "Subscribers": list(told)}] if told else []
    budgets.create_budget(
        AccountId=ACCOUNT,
        Budget={**BUDGET, **changes},
        NotificationsWithSubscribers=notifications,
        ResourceTags=[{"Key": "owner", "Value": "us"}],
    )
    return budgets


def test_a_budget_is_told_in_full(client: Any) -> None:
    budgets = make(client, EMAIL, topic(client))
    found = budgets.describe_budget(AccountId=ACCOUNT, BudgetName=NAME)["Budget"]
    assert found["BudgetLimit"] == {"Amount": "500.0", "Unit": "USD"}
    assert found["CostFilters"] == BUDGET["CostFilters"]
    assert found["CostTypes"]["IncludeTax"] and not found["CostTypes"]["UseBlended"]
    assert (found["TimePeriod"]["Start"].day, found["TimePeriod"]["End"].year) == (1, 2087)
    known = {"AccountId": ACCOUNT, "BudgetName": NAME}
    (told,) = budgets.describe_notifications_for_budget(**known)["Notifications"]
    assert told == {**PERCENT, "NotificationState": "OK"}
    listed = budgets.describe_subscribers_for_notification(**known, Notification=PERCENT)["Subscribers"]
    assert [one["SubscriptionType"] for one in listed] == ["EMAIL", "SNS"]
    assert budgets.list_tags_for_resource(ResourceARN=ARN)["ResourceTags"] == [{"Key": "owner", "Value": "us"}]
    assert [one["BudgetName"] for one in budgets.describe_budgets(AccountId=ACCOUNT)["Budgets"]] == [NAME]


def test_a_change_sets_everything_but_notifications_and_tags(client: Any) -> None:
    budgets = make(client, EMAIL)
    known = {"AccountId": ACCOUNT, "BudgetName": NAME}
    begun = budgets.describe_budget(**known)["Budget"]["TimePeriod"]
    changed = {**BUDGET, "BudgetLimit": {"Amount": "750.5", "Unit": "USD"}, "TimePeriod": begun}
    del changed["CostFilters"]
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=changed)
    found = budgets.describe_budget(**known)["Budget"]
    assert (found["BudgetLimit"]["Amount"], found["CostFilters"]) == ("750.5", {})
    assert found["TimePeriod"] == begun
    assert len(budgets.describe_notifications_for_budget(**known)["Notifications"]) == 1
    assert budgets.list_tags_for_resource(ResourceARN=ARN)["ResourceTags"]


def test_notifications_and_who_is_told_come_and_go(client: Any) -> None:
    budgets, known = make(client, EMAIL), {"AccountId": ACCOUNT, "BudgetName": NAME}
    other = {**PERCENT, "NotificationType": "FORECASTED"}
    budgets.create_notification(**known, Notification=other, Subscribers=[EMAIL])
    with refused("DuplicateRecordException"):
        budgets.create_notification(**known, Notification=other, Subscribers=[EMAIL])
    more = {"SubscriptionType": "EMAIL", "Address": "boss@example.com"}
    budgets.create_subscriber(**known, Notification=other, Subscriber=more)
    with refused("DuplicateRecordException"):
        budgets.create_subscriber(**known, Notification=other, Subscriber=more)
    for one in (EMAIL, more):
        budgets.delete_subscriber(**known, Notification=other, Subscriber=one)
    assert len(budgets.describe_notifications_for_budget(**known)["Notifications"]) == 1
    with refused("NotFoundException"):
        budgets.describe_subscribers_for_notification(**known, Notification=other)
    budgets.delete_notification(**known, Notification=ACTUAL)
    with refused("NotFoundException"):
        budgets.delete_notification(**known, Notification=ACTUAL)
    assert budgets.describe_notifications_for_budget(**known)["Notifications"] == []


def test_tags_are_set_and_taken_away(client: Any) -> None:
    budgets = make(client)
    budgets.tag_resource(ResourceARN=ARN, ResourceTags=[{"Key": "owner", "Value": "them"}, {"Key": "a", "Value": "b"}])
    budgets.untag_resource(ResourceARN=ARN, ResourceTagKeys=["a"])
    assert budgets.list_tags_for_resource(ResourceARN=ARN)["ResourceTags"] == [{"Key": "owner", "Value": "them"}]
    with refused("NotFoundException"):
        budgets.list_tags_for_resource(ResourceARN=f"{ARN}-other")


def test_a_name_is_used_once_and_free_again_after_its_end(client: Any) -> None:
    budgets = make(client)
    with refused("DuplicateRecordException", "already exists"):
        make(client)
    budgets.delete_budget(AccountId=ACCOUNT, BudgetName=NAME)
    for call in (budgets.delete_budget, budgets.describe_budget):
        with refused("NotFoundException"):
            call(AccountId=ACCOUNT, BudgetName=NAME)
    make(client)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"BudgetLimit": {"Amount": "0", "Unit": "USD"}}, "greater than zero"),
        ({"CostFilters": {"TagKeyValue": ["prod"]}}, "Invalid tag filter"),
        ({"Metrics": ["UnblendedCost"]}, "Either FilterExpression"),
        ({"BudgetName": "a/action/b"}, "Invalid budget name"),
    ],
)
def test_budgets_that_cannot_be(client: Any, changes: dict[str, Any], text: str) -> None:
    with refused("InvalidParameterException", text):
        make(client, **changes)
    assert client("budgets", "us-east-1").describe_budgets(AccountId=ACCOUNT)["Budgets"] == []


def test_a_topic_has_to_let_budgets_in_and_is_the_only_one(client: Any) -> None:
    with refused("InvalidParameterException", "no permission"):
        make(client, topic(client, admits="cloudwatch.amazonaws.com"))
    with refused("InvalidParameterException", "SNS ARN format"):
        make(client, {"SubscriptionType": "SNS", "Address": "topic"})
    open_topic = topic(client)
    with refused("CreationLimitExceededException", "only have 1 subscribers with type of SNS"):
        make(client, open_topic, open_topic)


def test_an_account_has_its_own_budgets_alone(client: Any) -> None:
    with refused("AccessDeniedException"):
        client("budgets", "us-east-1").describe_budgets(AccountId="210987654321")
