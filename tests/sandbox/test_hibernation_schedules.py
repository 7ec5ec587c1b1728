# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EventBridge Scheduler does for an environment that sleeps: made, changed over, fired, taken away."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from pipeops_sandbox.faults import Rule
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.rds_database import actions
from tests.sandbox.test_environment_power import make_instance, status

MODULE = "hibernation_schedules"
NAME, ROLE = "pipeops-prod", "arn:aws:iam::123456789012:role/pipeops-prod-scheduler"
NIGHTS = {
    "evening": "cron(0 20 ? * MON-FRI *)",
    "morning": "cron(0 7 ? * MON-FRI *)",
    "timezone": "America/Los_Angeles",
}
OPTIONS: dict[str, Any] = {"account_id": "123456789012", "database_identifier": NAME}
DAY = 24 * 3600


def states(account: Account) -> dict[str, str]:
    """Return the schedules with their states."""
    listed = account.client("scheduler").list_schedules(GroupName=NAME)["Schedules"]
    return {one["Name"]: one["State"] for one in listed}


def allowed(account: Account) -> list[tuple[list[str], list[str]]]:
    """Return what the role may do, to what."""
    found = account.client("iam").get_role_policy(RoleName="pipeops-prod-scheduler", PolicyName="calls")
    return [(one["Action"], one["Resource"]) for one in found["PolicyDocument"]["Statement"]]


def pass_time(account: Account, seconds: float) -> None:
    body = json.dumps({"advance": seconds}).encode()
    urlopen(Request(f"{account.url}/_sandbox/clock", body, method="POST"), timeout=10).close()


def test_an_environment_goes_to_sleep_and_wakes(account: Account) -> None:
    applied = prove_converges(account, MODULE, **OPTIONS)
    assert actions(applied) == ["create/iam_role/scheduler", "create/scheduler_group/schedules"]
    assert states(account) == {}
    assert allowed(account) == [(["rds:StopDBInstance"], [f"arn:aws:rds:us-west-2:123456789012:db:{NAME}"])]
    asleep = prove_converges(account, MODULE, **OPTIONS, phase="hibernated")
    assert actions(asleep) == ["create/scheduler_schedule/hibernation"]
    assert asleep["outputs"]["schedules"]["hibernation"]["enabled"] is True
    assert states(account) == {"hibernation": "ENABLED"}
    waking = prove_converges(account, MODULE, **OPTIONS, phase="waking")
    assert actions(waking) == ["update/scheduler_schedule/hibernation/definition"]
    assert states(account) == {"hibernation": "DISABLED"}
    assert actions(prove_converges(account, MODULE, **OPTIONS)) == ["delete/scheduler_schedule/hibernation"]
    prove_removes(account, MODULE, **OPTIONS)


def test_nights_are_kept_and_rest_while_it_is_hibernated(account: Account) -> None:
    prove_converges(account, MODULE, **OPTIONS, **NIGHTS)
    assert states(account) == {"evening": "ENABLED", "morning": "ENABLED"}
    assert allowed(account)[0][0] == ["rds:StartDBInstance", "rds:StopDBInstance"]
    found = account.client("scheduler").get_schedule(GroupName=NAME, Name="evening")
    assert (found["ScheduleExpression"], found["ScheduleExpressionTimezone"]) == (NIGHTS["evening"], NIGHTS["timezone"])
    assert json.loads(found["Target"]["Input"]) == {"DbInstanceIdentifier": NAME}
    account.run(MODULE, **OPTIONS, **NIGHTS, phase="hibernated")
    assert states(account) == {"evening": "DISABLED", "morning": "DISABLED", "hibernation": "ENABLED"}
    account.run(MODULE, **OPTIONS, **NIGHTS)
    assert states(account) == {"evening": "ENABLED", "morning": "ENABLED"}
    account.run(MODULE, **OPTIONS)
    assert states(account) == {}
    assert allowed(account)[0][0] == ["rds:StopDBInstance"]


def test_node_groups_go_with_the_database(account: Account) -> None:
    nodes = {"managed_node_groups": True, "zones": ["us-west-2a", "us-west-2b"], "node_minimum": 3, "node_maximum": 5}
    prove_converges(account, MODULE, **OPTIONS, **NIGHTS, **nodes)
    names = [f"{when}{place}" for when in ("evening", "morning") for place in ("", "-us-west-2a", "-us-west-2b")]
    assert sorted(states(account)) == sorted(names)
    found = account.client("scheduler").get_schedule(GroupName=NAME, Name="morning-us-west-2a")["Target"]
    assert json.loads(found["Input"])["ScalingConfig"] == {"MinSize": 2, "MaxSize": 3, "DesiredSize": 2}
    assert allowed(account)[1] == (
        ["eks:UpdateNodegroupConfig"],
        [f"arn:aws:eks:us-west-2:123456789012:nodegroup/{NAME}/{NAME}-us-west-2{zone}-1/*" for zone in "ab"],
    )


def test_the_database_of_a_hibernated_environment_stays_stopped(account: Account) -> None:
    make_instance(account, NAME)
    account.client("rds").stop_db_instance(DBInstanceIdentifier=NAME)
    account.run(MODULE, **OPTIONS, phase="hibernated")
    pass_time(account, 8 * DAY)
    assert status(account) == "stopped"
    fired = [one for one in account.sandbox.journal.entries() if one.principal == ROLE]
    assert [one.operation for one in fired if not one.error] == ["StopDBInstance"]
    account.run(MODULE, **OPTIONS, phase="waking")
    account.client("rds").start_db_instance(DBInstanceIdentifier=NAME)
    pass_time(account, 2 * DAY)
    assert status(account) == "available"


def test_what_a_hand_has_changed_is_set_back(account: Account) -> None:
    account.run(MODULE, **OPTIONS, **NIGHTS)
    scheduler = account.client("scheduler")
    shown = scheduler.get_schedule(GroupName=NAME, Name="evening")
    known = {name: shown[name] for name in ("Name", "GroupName", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**known, ScheduleExpression="rate(1 hour)")
    scheduler.create_schedule(**{**known, "Name": "mine"}, ScheduleExpression="rate(1 day)")
    again = prove_converges(account, MODULE, **OPTIONS, **NIGHTS)
    assert actions(again) == ["update/scheduler_schedule/evening/definition", "delete/scheduler_schedule/mine"]


def test_a_new_role_and_lost_answers_are_outlived(account: Account) -> None:
    runtime.clock.set("aws", 20)
    for operation in ("CreateScheduleGroup", "CreateSchedule"):
        account.sandbox.faults.add(Rule("reset_after", service="scheduler", operation=operation, nth=1))
    account.run(MODULE, **OPTIONS, phase="hibernated")
    assert states(account) == {"hibernation": "ENABLED"}
    assert account.run(MODULE, check=True, **OPTIONS, phase="hibernated")["actions"] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"evening": "cron(0 20 ? * MON-FRI *)"}, ["morning is not set"]),
        ({"evening": "cron(0 20 * * * *)", "morning": "7 o'clock"}, ["cron(0 20 * * * *)", "7 o'clock"]),
    ],
)
def test_what_is_no_time_is_refused_before_anything(
    account: Account, options: dict[str, Any], words: list[str]
) -> None:
    calls = account.journal_length()
    with pytest.raises(PlanRefused) as refused:
        account.run(MODULE, **OPTIONS, **options)
    assert all(word in str(refused.value) for word in words)
    assert account.journal_length() == calls
