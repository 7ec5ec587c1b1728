# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity
from ansible_collections.pipeops.platform.plugins.module_utils.removal.remains import Keeping, remains
from pipeops_sandbox.faults import Rule
from pipeops_sandbox.overlays.sns import PENDING_SECONDS, confirmation_token
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes

MODULE = "environment_alarms"
TOPIC = "arn:aws:sns:us-west-2:123456789012:pipeops-prod-notifications"
PRIMARY, REPLICA = "pipeops-prod", "pipeops-prod-replica-a"
LAG_NAME = f"{REPLICA}-ReplicaLag-critical"
LAG = f"pipeops-prod-{LAG_NAME}"
BUDGET = "pipeops-prod-monthly-cost"
KNOWN = {"AccountId": "123456789012", "BudgetName": BUDGET}
NOTIFICATION = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "ThresholdType": "PERCENTAGE"}
UNSCHEDULABLE = "pipeops-prod-scheduler_pending_pods_UNSCHEDULABLE-warning"
EMAIL, SMS = {"protocol": "email", "endpoint": "ops@example.com"}, {"protocol": "sms", "endpoint": "+15550100"}


def make_instance(account: Account, identifier: str) -> None:
    account.client("rds").create_db_instance(
        DBInstanceIdentifier=identifier,
        Engine="postgres",
        EngineVersion="17.6",
        DBInstanceClass="db.t3.medium",
        AllocatedStorage=100,
        MasterUsername="pipeops_admin",
        MasterUserPassword="correct-horse-battery",
    )


@pytest.fixture
def options(account: Account) -> dict[str, Any]:
    """A primary and a replica that stand, a key for the topic, and somebody to tell."""
    for identifier in (PRIMARY, REPLICA):
        make_instance(account, identifier)
    return {
        "account_id": "123456789012",
        "kms_key_arn": account.client("kms").create_key()["KeyMetadata"]["Arn"],
        "notifications": [EMAIL, SMS],
        "instances": [
            {"identifier": PRIMARY, "role": "primary", "storage_gib": 100},
            {"identifier": REPLICA, "role": "replica", "storage_gib": 100},
        ],
        "cluster_name": "pipeops-prod",
        "monthly_budget_usd": 2500,
    }


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def alarm(account: Account, name: str = LAG) -> dict[str, Any]:
    (found,) = account.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def redefine(account: Account, name: str = LAG, **changes: Any) -> None:
    """Change an alarm as somebody would by hand."""
    members = (
        "AlarmName",
        "Namespace",
        "MetricName",
        "Dimensions",
        "Statistic",
        "Period",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "Threshold",
        "ComparisonOperator",
        "TreatMissingData",
        "AlarmActions",
        "OKActions",
        "AlarmDescription",
    )
    standing = alarm(account, name)
    account.client("cloudwatch").put_metric_alarm(**{**{key: standing[key] for key in members}, **changes})


def test_converges_from_nothing_and_goes_again(account: Account, options: dict[str, Any]) -> None:
    result = prove_converges(account, MODULE, **options)
    assert len(result["outputs"]["alarm_names"]) == 16 + 8
    assert result["outputs"]["topic_arn"] == TOPIC
    assert result["outputs"]["event_subscription_name"] == "pipeops-prod-database"
    assert result["outputs"]["budget_name"] == BUDGET
    prove_removes(account, MODULE, **options)
    assert account.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert account.client("sns").list_topics()["Topics"] == []
    assert account.client("rds").describe_event_subscriptions()["EventSubscriptionsList"] == []
    assert account.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"] == []


def test_everything_goes_by_its_tags_alone(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    removed = actions(account.run(MODULE, state="absent", account_id="123456789012"))
    assert len([action for action in removed if action.startswith("delete/cloudwatch_alarm/")]) == 16 + 8
    assert removed[:2] == ["delete/budgets_budget/monthly-cost", "delete/rds_event_subscription/database"]
    assert removed[-1] == "delete/sns_topic/notifications"


def test_a_dry_run_knows_every_name(account: Account, options: dict[str, Any]) -> None:
    predicted = account.run(MODULE, check=True, **options)
    applied = account.run(MODULE, **options)
    assert "pending:" not in json.dumps(predicted["outputs"])
    assert {**predicted["outputs"], "subscriptions": []} == {**applied["outputs"], "subscriptions": []}


def test_the_alarm_on_the_lag_is_what_was_asked_for(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    found = alarm(account)
    assert found["TreatMissingData"] == "breaching"
    assert (found["Threshold"], found["Period"], found["EvaluationPeriods"]) == (300, 60, 5)
    assert found["Dimensions"] == [{"Name": "DBInstanceIdentifier", "Value": REPLICA}]
    assert found["AlarmActions"] == found["OKActions"] == [TOPIC]
    space = alarm(account, f"pipeops-prod-{PRIMARY}-FreeStorageSpace-warning")
    assert (space["ComparisonOperator"], space["Threshold"]) == ("LessThanThreshold", 20 * 2**30)


def test_the_alarm_on_pods_is_one_of_the_cluster(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    found = alarm(account, f"pipeops-prod-{UNSCHEDULABLE}")
    assert (found["Namespace"], found["Statistic"], found["TreatMissingData"]) == ("AWS/EKS", "Sum", "notBreaching")
    assert (found["Threshold"], found["Period"], found["EvaluationPeriods"]) == (0, 60, 15)
    assert found["Dimensions"] == [{"Name": "ClusterName", "Value": "pipeops-prod"}]
    assert found["AlarmActions"] == [TOPIC]


def test_the_budget_is_what_was_asked_for(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    client = account.client("budgets")
    found = client.describe_budget(**KNOWN)["Budget"]
    assert (found["BudgetType"], found["TimeUnit"]) == ("COST", "MONTHLY")
    assert (found["BudgetLimit"]["Unit"], float(found["BudgetLimit"]["Amount"])) == ("USD", 2500)
    assert found["CostFilters"] == {"TagKeyValue": ["user:pipeops:environment$prod"]}
    told = client.describe_notifications_for_budget(**KNOWN)["Notifications"]
    assert [(one["NotificationType"], one["Threshold"]) for one in told] == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]
    arn = f"arn:aws:budgets::123456789012:budget/{BUDGET}"
    tags = {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]}
    assert tags["pipeops:component"] == "alarms/monthly-cost"


def test_a_changed_budget_keeps_its_begin(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    client = account.client("budgets")
    found = client.describe_budget(**KNOWN)["Budget"]
    begun = {"Start": 1700000000, "End": 3000000000}
    kept = {key: found[key] for key in ("BudgetName", "BudgetType", "TimeUnit", "BudgetLimit", "CostFilters")}
    client.update_budget(AccountId="123456789012", NewBudget={**kept, "TimePeriod": begun})
    more = {**options, "monthly_budget_usd": 2600.5}
    assert actions(account.run(MODULE, **more)) == ["update/budgets_budget/monthly-cost/definition"]
    changed = client.describe_budget(**KNOWN)["Budget"]
    assert float(changed["BudgetLimit"]["Amount"]) == 2600.5
    assert (changed["TimePeriod"]["Start"].timestamp(), changed["TimePeriod"]["End"].timestamp()) == (
        1700000000,
        3000000000,
    )


def test_a_budget_of_others_by_our_name_stays_if_none_is_wanted(account: Account, options: dict[str, Any]) -> None:
    limit = {"Amount": "1", "Unit": "USD"}
    theirs = {"BudgetName": BUDGET, "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
    account.client("budgets").create_budget(AccountId="123456789012", Budget=theirs)
    account.run(MODULE, **{**options, "monthly_budget_usd": 0})
    account.run(MODULE, state="absent", **{**options, "monthly_budget_usd": 0})
    assert account.client("budgets").describe_budget(**KNOWN)


def test_the_topic_lets_the_senders_publish(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    topic = account.client("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert topic["KmsMasterKeyId"] == options["kms_key_arn"]
    allowed = [one for one in json.loads(topic["Policy"])["Statement"] if one["Effect"] == "Allow"]
    senders = ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com", "budgets.amazonaws.com"]
    assert [one["Principal"]["Service"] for one in allowed] == senders
    assert all(one["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"} for one in allowed)
    (events,) = account.client("rds").describe_event_subscriptions()["EventSubscriptionsList"]
    assert events["SourceIdsList"] == [PRIMARY, REPLICA]
    assert {"read replica", "failover", "low storage"} <= set(events["EventCategoriesList"])


@pytest.mark.parametrize(
    ("drift", "healed"),
    [
        (lambda a: redefine(a, Threshold=3000), [f"update/cloudwatch_alarm/{LAG_NAME}/definition"]),
        (lambda a: redefine(a, Unit="Bytes"), [f"update/cloudwatch_alarm/{LAG_NAME}/definition"]),
        (
            lambda a: a.client("cloudwatch").disable_alarm_actions(AlarmNames=[LAG]),
            [f"update/cloudwatch_alarm/{LAG_NAME}/definition"],
        ),
        (
            lambda a: a.client("cloudwatch").untag_resource(
                ResourceARN=alarm(a)["AlarmArn"], TagKeys=["pipeops:component"]
            ),
            [f"update/cloudwatch_alarm/{LAG_NAME}/tags"],
        ),
        (lambda a: a.client("cloudwatch").delete_alarms(AlarmNames=[LAG]), [f"create/cloudwatch_alarm/{LAG_NAME}"]),
        (
            lambda a: a.client("rds").modify_event_subscription(
                SubscriptionName="pipeops-prod-database", Enabled=False, EventCategories=["backup"]
            ),
            ["update/rds_event_subscription/database/settings"],
        ),
        (
            lambda a: a.client("rds").remove_source_identifier_from_subscription(
                SubscriptionName="pipeops-prod-database", SourceIdentifier=REPLICA
            ),
            ["update/rds_event_subscription/database/sources"],
        ),
        (
            lambda a: a.client("rds").delete_event_subscription(SubscriptionName="pipeops-prod-database"),
            ["create/rds_event_subscription/database"],
        ),
        (
            lambda a: a.client("sns").set_topic_attributes(
                TopicArn=TOPIC, AttributeName="KmsMasterKeyId", AttributeValue=""
            ),
            ["update/sns_topic/notifications/kms_key_arn"],
        ),
        (
            lambda a: a.client("sns").set_topic_attributes(
                TopicArn=TOPIC,
                AttributeName="Policy",
                AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny"}}),
            ),
            ["update/sns_topic/notifications/policy", "update/rds_event_subscription/database/settings"],
        ),
        (
            lambda a: redefine(a, f"pipeops-prod-{UNSCHEDULABLE}", Statistic="Average"),
            [f"update/cloudwatch_alarm/{UNSCHEDULABLE}/definition"],
        ),
        (
            lambda a: a.client("budgets").update_budget(
                AccountId="123456789012",
                NewBudget={
                    "BudgetName": BUDGET,
                    "BudgetType": "COST",
                    "TimeUnit": "MONTHLY",
                    "BudgetLimit": {"Amount": "9000", "Unit": "USD"},
                },
            ),
            ["update/budgets_budget/monthly-cost/definition"],
        ),
        (
            lambda a: a.client("budgets").delete_notification(**KNOWN, Notification={**NOTIFICATION, "Threshold": 80}),
            ["update/budgets_budget/monthly-cost/alerts"],
        ),
        (
            lambda a: a.client("budgets").create_notification(
                **KNOWN,
                Notification={**NOTIFICATION, "Threshold": 300},
                Subscribers=[{"SubscriptionType": "EMAIL", "Address": "boss@example.com"}],
            ),
            ["update/budgets_budget/monthly-cost/alerts"],
        ),
        (
            lambda a: a.client("budgets").create_subscriber(
                **KNOWN,
                Notification={**NOTIFICATION, "Threshold": 100},
                Subscriber={"SubscriptionType": "EMAIL", "Address": "boss@example.com"},
            ),
            ["update/budgets_budget/monthly-cost/alerts"],
        ),
        (
            lambda a: a.client("budgets").untag_resource(
                ResourceARN=f"arn:aws:budgets::123456789012:budget/{BUDGET}", ResourceTagKeys=["pipeops:component"]
            ),
            ["update/budgets_budget/monthly-cost/tags"],
        ),
        (lambda a: a.client("budgets").delete_budget(**KNOWN), ["create/budgets_budget/monthly-cost"]),
        (
            lambda a: a.client("sns").subscribe(TopicArn=TOPIC, Protocol="sms", Endpoint="+15550199"),
            ["delete/sns_subscription/sms:+15550199"],
        ),
        (
            lambda a: a.client("sns").untag_resource(ResourceArn=TOPIC, TagKeys=["pipeops:component"]),
            ["update/sns_topic/notifications/tags"],
        ),
    ],
)
def test_drift_is_healed(
    account: Account, options: dict[str, Any], drift: Callable[[Account], Any], healed: list[str]
) -> None:
    account.run(MODULE, **options)
    drift(account)
    assert actions(account.run(MODULE, check=True, **options)) == healed
    assert actions(account.run(MODULE, **options)) == healed
    assert not account.run(MODULE, **options)["changed"]


def test_a_topic_that_was_deleted_by_hand_comes_back_with_all_that_hung_on_it(
    account: Account, options: dict[str, Any]
) -> None:
    account.run(MODULE, **options)
    account.client("sns").delete_topic(TopicArn=TOPIC)
    healed = [
        "create/sns_topic/notifications",
        # RDS notes that the topic is gone, and sends again only once the subscription is modified.
        "update/rds_event_subscription/database/settings",
        "create/sns_subscription/email:ops@example.com",
        "create/sns_subscription/sms:+15550100",
    ]
    assert actions(account.run(MODULE, check=True, **options)) == healed
    assert actions(account.run(MODULE, **options)) == healed
    assert not account.run(MODULE, **options)["changed"]
    (events,) = account.client("rds").describe_event_subscriptions()["EventSubscriptionsList"]
    assert events["Status"] == "active"


def test_an_instance_that_is_gone_takes_its_alarms_along(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    account.client("rds").delete_db_instance(DBInstanceIdentifier=REPLICA, SkipFinalSnapshot=True)
    fewer = {**options, "instances": options["instances"][:1]}
    done = actions(account.run(MODULE, **fewer))
    assert done[0] == "update/rds_event_subscription/database/sources"
    assert len(done) == 8 and all(f"delete/cloudwatch_alarm/{REPLICA}-" in action for action in done[1:])
    assert not account.run(MODULE, **fewer)["changed"]


def test_what_is_switched_off_is_removed(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    less = {**options, "thresholds": {"replica_lag_critical_seconds": None}, "event_categories": []}
    gone = ["delete/rds_event_subscription/database", f"delete/cloudwatch_alarm/{LAG_NAME}"]
    assert actions(account.run(MODULE, **less)) == gone
    assert not account.run(MODULE, **less)["changed"]
    less |= {"monthly_budget_usd": 0, "cluster_name": None}
    done = actions(account.run(MODULE, **less))
    assert done[0] == "delete/budgets_budget/monthly-cost"
    assert len(done) == 1 + 8 and all("delete/cloudwatch_alarm/pipeops-prod-" in action for action in done[1:])
    assert not account.run(MODULE, **less)["changed"]


def test_alarms_of_others_stay(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    redefine(account, AlarmName="pipeops-prod-by-hand")
    other = {**options, "instances": options["instances"][:1]}
    account.run(MODULE, environment="prod-west", **other)
    assert not account.run(MODULE, **options)["changed"]
    account.run(MODULE, state="absent", **options)
    left = [one["AlarmName"] for one in account.client("cloudwatch").describe_alarms()["MetricAlarms"]]
    assert "pipeops-prod-by-hand" in left
    assert len(left) == 1 + 9 + 8
    budgets = account.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
    assert [one["BudgetName"] for one in budgets] == ["pipeops-prod-west-monthly-cost"]
    assert len(account.client("sns").list_topics()["Topics"]) == 1


def test_nobody_waits_for_a_confirmation(account: Account, options: dict[str, Any]) -> None:
    def confirmed() -> list[bool]:
        found = account.run(MODULE, **options)
        assert not found["changed"]
        return [one["confirmed"] for one in found["outputs"]["subscriptions"]]

    account.run(MODULE, **options)
    assert confirmed() == [False, True]
    token = confirmation_token(TOPIC, EMAIL["endpoint"])
    account.client("sns").confirm_subscription(TopicArn=TOPIC, Token=token)
    assert confirmed() == [True, True]
    assert actions(account.run(MODULE, **{**options, "notifications": [SMS]})) == [
        "delete/sns_subscription/email:ops@example.com"
    ]


def test_a_subscription_that_nobody_confirmed_is_asked_for_again(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    assert not account.run(MODULE, **{**options, "notifications": [SMS]})["changed"]
    runtime.clock.restore(runtime.clock.now() + PENDING_SECONDS)
    assert actions(account.run(MODULE, **options)) == ["create/sns_subscription/email:ops@example.com"]


def test_it_waits_for_the_events_to_be_on(account: Account, options: dict[str, Any]) -> None:
    runtime.clock.set("aws", 300)
    account.run(MODULE, **options)
    (events,) = account.client("rds").describe_event_subscriptions()["EventSubscriptionsList"]
    assert events["Status"] == "active"
    account.run(MODULE, **{**options, "instances": options["instances"][:1]})
    account.run(MODULE, state="absent", **options)
    account.run(MODULE, **options)
    assert not account.run(MODULE, **options)["changed"]


def test_more_alarms_than_a_page(account: Account, options: dict[str, Any]) -> None:
    many = [{"identifier": f"db-{n}", "role": "primary", "storage_gib": 20} for n in range(14)]
    for item in many:
        make_instance(account, item["identifier"])
    result = prove_converges(account, MODULE, **{**options, "instances": many})
    assert len(result["outputs"]["alarm_names"]) == 14 * 9 + 8
    prove_removes(account, MODULE, **{**options, "instances": many})


def test_a_converged_run_reads_many_alarms_at_once(account: Account, options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    before = account.journal_length()
    account.run(MODULE, **options)
    entries = [entry for entry in account.sandbox.journal.entries() if entry.n > before]
    assert [e.operation for e in entries if e.service == "cloudwatch"] == ["DescribeAlarms"]
    # The budget, its tags, its notifications, and who is told of each of the three.
    assert len([e for e in entries if e.service == "budgets"]) == 1 + 1 + 1 + 3


def test_a_budget_that_is_left_is_found_although_it_is_in_no_region(account: Account, options: dict[str, Any]) -> None:
    here = Aws({"region": account.region, "endpoint_url": account.url, "account_id": "123456789012"})
    services: dict[str, Any] = {"vpc_id": "", "cluster_name": "", "db_instances": []}

    def left() -> list[str]:
        found = remains(here, [], Identity("pipeops", "prod"), Keeping(), services)
        return [one.name for one in found if one.type == "budgets:budget"]

    account.run(MODULE, **options)
    assert left() == [BUDGET]
    account.run(MODULE, state="absent", **options)
    assert left() == []


def test_an_instance_that_does_not_exist_is_named(account: Account, options: dict[str, Any]) -> None:
    unknown = [{"identifier": "nowhere", "role": "primary", "storage_gib": 20}]
    with pytest.raises(EngineError, match=r"SourceNotFound.*nowhere.*Name DB instances that exist"):
        account.run(MODULE, **{**options, "instances": unknown})


@pytest.mark.parametrize("effect", ["throttle", "reset_after"])
@pytest.mark.parametrize(
    "operation", ["CreateTopic", "Subscribe", "PutMetricAlarm", "CreateEventSubscription", "CreateBudget"]
)
def test_a_call_that_went_wrong_leaves_nothing_half_done(
    account: Account, options: dict[str, Any], operation: str, effect: str
) -> None:
    account.sandbox.faults.add(Rule(effect, operation=operation, nth=1))
    account.run(MODULE, **options)
    assert not account.run(MODULE, **options)["changed"]


def test_errors_that_clear_by_themselves_are_waited_for(account: Account, options: dict[str, Any]) -> None:
    for operation, code in (("CreateTopic", "StaleTag"), ("CreateEventSubscription", "SNSNoAuthorization")):
        account.sandbox.faults.add(Rule("error", operation=operation, nth=1, code=code, message="not yet", status=400))
    account.run(MODULE, **options)
    assert not account.run(MODULE, **options)["changed"]
