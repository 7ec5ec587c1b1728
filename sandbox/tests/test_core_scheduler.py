"""Scheduler: what AWS refuses, and schedules that fire on the sandbox's clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.overlays.scheduler.expressions import NotHere, Unclear, parse
from pipeops_sandbox.runtime import runtime
from pipeops_sandbox.server import Sandbox

ACCOUNT, DAY = "123456789012", 24 * 3600
STOP = "arn:aws:scheduler:::aws-sdk:rds:stopDBInstance"
DATABASE = f"arn:aws:rds:us-west-2:{ACCOUNT}:db:main"
ZONES = {"utc": ZoneInfo("UTC"), "west": ZoneInfo("America/Los_Angeles")}


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "zone", "after", "due"),
    [
        ("rate(1 hour)", "utc", "2026-11-30T07:15:00", "2026-11-30T08:15:00"),
        ("rate(2 days)", "utc", "2026-11-30T07:15:00", "2026-12-02T07:15:00"),
        ("cron(0 * * * ? *)", "utc", "2026-11-30T07:15:00", "2026-11-30T08:00:00"),
        ("cron(0 * * * ? *)", "utc", "2026-11-30T08:00:00", "2026-11-30T09:00:00"),
        ("cron(0 20 ? * MON-FRI *)", "utc", "2026-11-27T20:00:00", "2026-11-30T20:00:00"),
        ("cron(0 20 ? * 2-6 *)", "west", "2026-11-30T07:15:00", "2026-12-01T04:00:00"),
        ("cron(30 7 1 JAN,JUL ? *)", "west", "2026-01-02T00:00:00", "2026-07-01T14:30:00"),
        ("cron(0/20 9 ? * * 2027)", "utc", "2026-11-30T00:00:00", "2027-01-01T09:00:00"),
        ("cron(0 0 29 2 ? *)", "utc", "2026-11-30T00:00:00", "2028-02-29T00:00:00"),
        ("at(2026-12-24T18:00:00)", "west", "2026-11-30T00:00:00", "2026-12-25T02:00:00"),
    ],
)
def test_when_it_is_due(expression: str, zone: str, after: str, due: str) -> None:
    assert parse(expression, ZONES[zone])(at(after)) == at(due)


def test_what_is_never_due_again() -> None:
    assert parse("at(2026-01-01T00:00:00)", ZONES["utc"])(at("2026-11-30T00:00:00")) is None
    assert parse("cron(0 0 1 1 ? 2025)", ZONES["utc"])(at("2026-11-30T00:00:00")) is None


@pytest.mark.parametrize(
    "expression",
    ["", "hourly", "rate(0 hours)", "rate(1 week)", "cron(0 20 * * MON-FRI *)", "cron(0 20 * * * *)",
     "cron(0 20 ? * *)", "cron(60 20 ? * * *)", "cron(0 20 ? FOO * *)", "cron(0 20/0 ? * * *)", "at(tomorrow)"],
)  # fmt: skip
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(Unclear):
        parse(expression, ZONES["utc"])


def test_what_aws_knows_and_the_sandbox_does_not() -> None:
    with pytest.raises(NotHere):
        parse("cron(0 20 L * ? *)", ZONES["utc"])


@pytest.fixture
def role(client: Callable[..., Any], endpoint: str) -> str:
    """A role of Scheduler that may stop one instance."""
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "rds:StopDBInstance", "Resource": DATABASE}
    iam = client("iam")
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in (trust, allow)]
    arn = iam.create_role(RoleName="night", AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName="night", PolicyName="stop", PolicyDocument=documents[1])
    return str(arn)


def request(role: str, **changes: Any) -> dict[str, Any]:
    """The parameters of CreateSchedule; ``Target`` and other members can be replaced."""
    target = {"Arn": STOP, "RoleArn": role, "Input": json.dumps({"DbInstanceIdentifier": "main"})}
    return {
        "Name": "night", "ScheduleExpression": "cron(0 * * * ? *)", "FlexibleTimeWindow": {"Mode": "OFF"},
        **changes, "Target": target | changes.get("Target", {}),
    }  # fmt: skip


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"ScheduleExpression": "cron(0 20 * * * *)"}, "ValidationException", "Schedule Expression"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "ValidationException", "Timezone"),
        ({"Target": {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}}, "ValidationException", "execution role"),
        ({"Target": {"Arn": STOP.replace("stop", "describe")}}, "ValidationException", "not supported"),
        ({"Target": {"Arn": STOP.replace("stop", "promote")}}, "NotEmulated", "promoteDBInstance"),
        ({"Target": {"Input": "main"}}, "ValidationException", "JSON"),
        ({"Target": {"Input": '{"DBInstanceIdentifier": "main"}'}}, "ValidationException", "DBInstanceIdentifier"),
        ({"GroupName": "nights"}, "ResourceNotFoundException", "nights"),
        ({"Name": "no spaces"}, "ValidationException", "name"),
    ],
)
def test_what_is_refused(client: Callable[..., Any], role: str, changes: dict[str, Any], code: str, word: str) -> None:
    found, message = refusal(client("scheduler").create_schedule, **request(role, **changes))
    assert (found, word in message) == (code, True), message


def test_a_new_role_is_not_assumed_at_once(client: Callable[..., Any], role: str) -> None:
    runtime.clock.set("aws")
    iam = client("iam")
    trust = json.dumps(iam.get_role(RoleName="night")["Role"]["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName="night", PolicyDocument=trust)
    assert "execution role" in refusal(client("scheduler").create_schedule, **request(role))[1]


def test_groups(client: Callable[..., Any], role: str) -> None:
    scheduler = client("scheduler")
    tags = [{"Key": "team", "Value": "platform"}]
    arn = scheduler.create_schedule_group(Name="nights", Tags=tags)["ScheduleGroupArn"]
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    assert refusal(scheduler.create_schedule_group, Name="nights")[0] == "ConflictException"
    assert refusal(scheduler.list_schedules, GroupName="days")[0] == "ResourceNotFoundException"
    assert refusal(scheduler.delete_schedule_group, Name="default")[0] == "ValidationException"
    scheduler.create_schedule(**request(role, GroupName="nights"))
    shown = client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "team"}])["ResourceTagMappingList"]
    assert [one["ResourceARN"] for one in shown] == [arn]
    scheduler.delete_schedule_group(Name="nights")
    assert refusal(scheduler.get_schedule, GroupName="nights", Name="night")[0] == "ResourceNotFoundException"
    assert refusal(scheduler.delete_schedule_group, Name="nights")[0] == "ResourceNotFoundException"


@pytest.fixture
def database(client: Callable[..., Any], endpoint: str) -> Any:
    """A client of RDS, with an instance that is there."""
    rds = client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="main", Engine="postgres", EngineVersion="17.6", DBInstanceClass="db.t3.medium",
        AllocatedStorage=100, MasterUsername="dbadmin", MasterUserPassword="correct-horse-battery",
    )  # fmt: skip
    return rds


def status(rds: Any) -> str:
    rds.describe_db_instances()
    return str(rds.describe_db_instances(DBInstanceIdentifier="main")["DBInstances"][0]["DBInstanceStatus"])


def pass_time(control: Callable[..., Any], seconds: float) -> None:
    control("POST", "clock", advance=seconds)


def fired(sandbox: Sandbox, role: str) -> list[tuple[str, str]]:
    """The calls of schedules so far, each with its error."""
    return [(one.operation, one.error) for one in sandbox.journal.entries() if one.principal == role]


def test_a_schedule_fires_by_the_clock_and_only_while_it_is_enabled(
    client: Callable[..., Any], control: Callable[..., Any], sandbox: Sandbox, database: Any, role: str
) -> None:
    scheduler = client("scheduler")
    scheduler.create_schedule(**request(role, State="DISABLED"))
    pass_time(control, 2 * 3600)
    assert status(database) == "available" and fired(sandbox, role) == []
    scheduler.update_schedule(**request(role, State="ENABLED"))
    assert status(database) == "available"
    pass_time(control, 3601)
    assert status(database) == "stopped" and fired(sandbox, role) == [("StopDBInstance", "")]
    pass_time(control, 3600)
    assert status(database) == "stopped"
    assert fired(sandbox, role)[1:] == [("StopDBInstance", "InvalidDBInstanceState")]


def test_what_aws_starts_after_seven_days_is_stopped_again_at_the_next_full_hour(
    client: Callable[..., Any], control: Callable[..., Any], sandbox: Sandbox, database: Any, role: str
) -> None:
    database.stop_db_instance(DBInstanceIdentifier="main")
    assert status(database) == "stopped"
    client("scheduler").create_schedule(**request(role))
    pass_time(control, 7 * DAY + 2 * 3600)
    assert status(database) == "stopped"
    assert [error for _name, error in fired(sandbox, role)].count("") == 1
    messages = [one["Message"] for one in database.describe_events(Duration=60 * 24 * 13)["Events"]]
    assert sum("exceeded the maximum time" in message for message in messages) == 1


def test_the_role_decides(
    client: Callable[..., Any], control: Callable[..., Any], sandbox: Sandbox, database: Any, role: str
) -> None:
    start = {"Arn": STOP.replace("stop", "start")}
    client("scheduler").create_schedule(**request(role, Target=start))
    pass_time(control, 3601)
    status(database)
    assert fired(sandbox, role) == [("StartDBInstance", "AccessDenied")]
