# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for a DB instance, as the SDK's own stub plays it: what passes is waited out, the rest is told at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.resources import rds_calls
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_describe import NEEDS_ACTION, TERMINAL
from botocore.exceptions import ClientError
from botocore.stub import Stubber

NAME = "pipeops-dr"
#: What `stopped` is to whom: a stopped instance has all that was asked for, and takes no promotion.
STUCK = sorted(set(NEEDS_ACTION) - {"stopped"})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return Aws({"region": "us-east-1", "account_id": "123456789012", "wait_timeout": 30, "wait_delay": 0.01})


@pytest.fixture
def rds(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.client("rds")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def shows(stub: Stubber, *statuses: str, parameters: str = "in-sync", **more: Any) -> None:
    """Let the next descriptions show these statuses."""
    groups = [{"DBParameterGroupName": "own", "ParameterApplyStatus": parameters}]
    for status in statuses:
        instance = {"DBInstanceIdentifier": NAME, "DBInstanceStatus": status, "DBParameterGroups": groups, **more}
        stub.add_response("describe_db_instances", {"DBInstances": [instance]}, {"DBInstanceIdentifier": NAME})


def waits(aws: Aws, **more: Any) -> Any:
    return rds_calls.until(aws, NAME, "being made", 300, rds_calls.is_done, **more)


def test_what_passes_by_itself_is_waited_out(aws: Aws, rds: Stubber) -> None:
    shows(rds, "creating", "backing-up", "modifying", "available")
    assert waits(aws)["DBInstanceStatus"] == "available"


@pytest.mark.parametrize("status", STUCK)
def test_what_only_a_person_ends_is_said_at_once(aws: Aws, rds: Stubber, status: str) -> None:
    shows(rds, "creating", status)
    began = time.monotonic()
    with pytest.raises(EngineError) as raised:
        waits(aws)
    said = str(raised.value)
    assert time.monotonic() - began < 5
    for part in (NAME, "us-east-1", "being made", f"is {status}", NEEDS_ACTION[status], "run again"):
        assert part in said


def test_a_stopped_instance_has_what_was_asked_for_but_takes_no_promotion(aws: Aws, rds: Stubber) -> None:
    shows(rds, "stopped", "stopped")
    assert waits(aws)["DBInstanceStatus"] == "stopped"
    with pytest.raises(EngineError, match=r"is stopped.*Start it"):
        rds_calls.until(aws, NAME, "being promoted", 600, rds_calls.is_settled)


def test_a_change_that_leads_out_of_a_status_has_time_to_show(aws: Aws, rds: Stubber) -> None:
    shows(rds, "storage-full", "storage-full", "modifying", "available")
    assert waits(aws, changed=True)["DBInstanceStatus"] == "available"


def test_a_change_that_leads_into_one_is_said_at_once(aws: Aws, rds: Stubber) -> None:
    shows(rds, "available", "modifying", "incompatible-network")
    with pytest.raises(EngineError, match=r"is incompatible-network.*Make room in its subnets"):
        rds_calls.until(aws, NAME, "changing", 60, lambda _one: False, changed=True)


def test_a_status_that_a_change_does_not_end_is_not_waited_for_long(
    aws: Aws, rds: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rds_calls, "LAG", 0.0)
    shows(rds, "storage-full")
    with pytest.raises(EngineError, match="is storage-full"):
        waits(aws, changed=True)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_no_change_leads_out_of_a_terminal_status(aws: Aws, rds: Stubber, status: str) -> None:
    shows(rds, status)
    with pytest.raises(EngineError, match=f"is {status}"):
        waits(aws, changed=True)


def refuses(stub: Stubber) -> None:
    stub.add_client_error("modify_db_instance", "InvalidDBInstanceState", "not in the available state")


def changes(aws: Aws) -> None:
    client = aws.client("rds")
    rds_calls.send(aws, NAME, "changing", lambda: client.modify_db_instance(DBInstanceIdentifier=NAME))


def test_a_change_is_sent_again_once_a_busy_instance_is_settled(aws: Aws, rds: Stubber) -> None:
    refuses(rds)
    shows(rds, "backing-up", "backing-up", "available")
    rds.add_response("modify_db_instance", {})
    changes(aws)


def test_a_change_is_not_sent_again_in_a_status_that_only_a_person_ends(aws: Aws, rds: Stubber) -> None:
    refuses(rds)
    shows(rds, "storage-full", "storage-full")
    with pytest.raises(EngineError, match=r"pipeops-dr in us-east-1 .*is storage-full.*Raise storage_gib"):
        changes(aws)


def test_a_refusal_that_goes_on_while_it_is_settled_has_another_reason(
    aws: Aws, rds: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rds_calls, "LAG", 0.0)
    for _try in range(2):
        refuses(rds)
        shows(rds, "available", *(["available"] if not _try else []))
    with pytest.raises(ClientError, match="not in the available state"):
        changes(aws)


def test_a_restart_leads_out_of_parameters_that_did_not_work(aws: Aws, rds: Stubber) -> None:
    rds.add_response("modify_db_instance", {})
    shows(rds, "incompatible-parameters", parameters="pending-reboot")
    rds_calls.modify(aws, NAME, "changing its parameter group", 30, DBParameterGroupName="better")
    shows(rds, "incompatible-parameters", parameters="pending-reboot")
    rds.add_response("reboot_db_instance", {})
    shows(rds, "incompatible-parameters", "rebooting", "available")
    rds_calls.restart(aws, NAME, expected=True)
