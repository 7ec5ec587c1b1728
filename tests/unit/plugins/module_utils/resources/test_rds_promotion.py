# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a promotion that failed: whether it has certainly not begun."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.resources import rds_calls
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_promotion import DISASTER, Order, promote
from botocore.stub import Stubber

NAME, SOURCE = "pipeops-dr", "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod"
FOLLOWS = {
    "ReadReplicaSourceDBInstanceIdentifier": SOURCE,
    "StatusInfos": [{"StatusType": "read replication", "Status": "replicating", "Normal": True}],
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(rds_calls, "LAG", 0.0)
    return Aws({"region": "us-east-1", "account_id": "123456789012", "wait_timeout": 5, "wait_delay": 0.01})


@pytest.fixture
def rds(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.client("rds")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def shows(stub: Stubber, *statuses: str, **more: Any) -> None:
    for status in statuses:
        instance = {"DBInstanceIdentifier": NAME, "DBInstanceStatus": status, **more}
        stub.add_response("describe_db_instances", {"DBInstances": [instance]})


def refuses(stub: Stubber, code: str, status: int = 400, retries: int = 0) -> None:
    stub.add_client_error(
        "promote_read_replica", code, "no", status, response_meta={"RetryAttempts": retries, "HTTPStatusCode": status}
    )


def failure(aws: Aws) -> EngineError:
    with pytest.raises(EngineError) as raised:
        promote(aws, NAME, Order(DISASTER, source=SOURCE), {}, 0.0, settle=True)
    assert NAME in str(raised.value) and "us-east-1" in str(raised.value)
    return raised.value


def test_what_the_gate_refuses_has_not_begun(aws: Aws, rds: Stubber) -> None:
    shows(rds, "storage-full", "storage-full", **FOLLOWS)
    assert failure(aws).untouched


@pytest.mark.parametrize(
    ("code", "status", "retries", "untouched"),
    [
        ("KMSKeyNotAccessibleFault", 400, 0, True),
        ("AccessDenied", 403, 0, True),
        # The answer to an earlier try was lost: this one may be about what that one has begun.
        ("AccessDenied", 403, 1, False),
        ("InternalFailure", 500, 0, False),
    ],
)
def test_only_a_first_answer_proves_that_nothing_has_begun(
    aws: Aws, rds: Stubber, code: str, status: int, retries: int, untouched: bool
) -> None:
    shows(rds, "available", "available", **FOLLOWS)
    refuses(rds, code, status, retries)
    error = failure(aws)
    assert (error.untouched, code in str(error)) == (untouched, True)


def test_a_replica_that_gets_stuck_before_it_takes_the_call_has_not_begun(aws: Aws, rds: Stubber) -> None:
    shows(rds, "available", "available", **FOLLOWS)
    refuses(rds, "InvalidDBInstanceState")
    shows(rds, "backing-up", "backing-up", "storage-full", **FOLLOWS)
    error = failure(aws)
    assert error.untouched
    assert "is storage-full" in str(error)


def test_one_that_gets_stuck_later_has_begun(aws: Aws, rds: Stubber) -> None:
    shows(rds, "available", "available", **FOLLOWS)
    rds.add_response("promote_read_replica", {})
    shows(rds, "available", "modifying", "storage-full", **FOLLOWS)
    error = failure(aws)
    assert not error.untouched
    assert "(promoting) is storage-full" in str(error)


@pytest.mark.parametrize(
    ("settle", "looks"), [(False, ["backing-up"] * 2), (True, ["backing-up"] * 2 + ["available"] * 2)]
)
def test_it_is_over_when_the_source_is_gone_or_when_aws_is_done(
    aws: Aws, rds: Stubber, settle: bool, looks: list[str]
) -> None:
    shows(rds, "available", "available", **FOLLOWS)
    rds.add_response("promote_read_replica", {})
    shows(rds, "available", "modifying", **FOLLOWS)
    shows(rds, *looks)
    told = promote(aws, NAME, Order(DISASTER, source=SOURCE), {}, 0.0, settle=settle)
    assert told["mode"] == DISASTER
