# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EKS may answer to an update, as the SDK's own stub plays it: the sandbox has no updates that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Observed, Readiness
from ansible_collections.pipeops.platform.plugins.module_utils.resources.eks_cluster import EksCluster
from ansible_collections.pipeops.platform.plugins.module_utils.resources.eks_updates import carry_out, iam_lag
from botocore.exceptions import ClientError
from botocore.stub import Stubber

NAME = "pipeops-prod"
UPDATE = {"id": "u-1", "type": "LoggingUpdate"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return Aws({"region": "us-west-2", "account_id": "123456789012", "wait_timeout": 1, "wait_delay": 0.01})


@pytest.fixture
def eks(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.client("eks")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def cluster(stub: Stubber, status: str) -> None:
    stub.add_response("describe_cluster", {"cluster": {"name": NAME, "status": status}})


def update(stub: Stubber, status: str, **more: Any) -> None:
    stub.add_response("describe_update", {"update": {**UPDATE, "status": status, **more}})


def send(aws: Aws) -> None:
    client = aws.client("eks")
    carry_out(aws, NAME, 1, lambda: client.update_cluster_config(name=NAME, deletionProtection=True))


def test_an_update_is_sent_to_an_idle_cluster_and_awaited(aws: Aws, eks: Stubber) -> None:
    cluster(eks, "UPDATING")
    cluster(eks, "ACTIVE")
    eks.add_response("update_cluster_config", {"update": UPDATE})
    update(eks, "InProgress")
    update(eks, "Successful")
    send(aws)


def test_a_cluster_that_is_busier_than_it_shows_is_asked_again(aws: Aws, eks: Stubber) -> None:
    cluster(eks, "ACTIVE")
    eks.add_client_error("update_cluster_config", "ResourceInUseException", "currently has update u-0 in progress")
    cluster(eks, "ACTIVE")
    eks.add_response("update_cluster_config", {"update": UPDATE})
    update(eks, "Successful")
    send(aws)


@pytest.mark.parametrize("status", ["Failed", "Cancelled"])
def test_an_update_that_fails_says_why_and_what_to_do(aws: Aws, eks: Stubber, status: str) -> None:
    cluster(eks, "ACTIVE")
    eks.add_response("update_cluster_config", {"update": UPDATE})
    why = {"errorCode": "InsufficientFreeAddresses", "errorMessage": "No room", "resourceIds": ["subnet-a"]}
    update(eks, status, errors=[why])
    with pytest.raises(EngineError) as failure:
        send(aws)
    for part in ("LoggingUpdate", "u-1", NAME, "us-west-2", status, "InsufficientFreeAddresses: No room (subnet-a)"):
        assert part in str(failure.value)
    assert str(failure.value).endswith("then run again.")


def test_what_holds_already_is_not_awaited(aws: Aws, eks: Stubber) -> None:
    cluster(eks, "ACTIVE")
    said = "Cluster is already at the desired configuration with deletionProtection: true"
    eks.add_client_error("update_cluster_config", "InvalidParameterException", said)
    send(aws)


def test_another_refusal_is_passed_on(aws: Aws, eks: Stubber) -> None:
    cluster(eks, "ACTIVE")
    eks.add_client_error("update_cluster_config", "InvalidParameterException", "No such thing")
    with pytest.raises(ClientError, match="No such thing"):
        send(aws)


def test_an_update_that_does_not_end_is_given_up(aws: Aws) -> None:
    with Stubber(aws.client("eks")) as stub:
        cluster(stub, "ACTIVE")
        stub.add_response("update_cluster_config", {"update": UPDATE})
        # More than there is time for.
        for _look in range(200):
            update(stub, "InProgress")
        with pytest.raises(EngineError, match=r"Gave up on update u-1 of EKS cluster pipeops-prod in us-west-2 .*Logg"):
            send(aws)


@pytest.mark.parametrize(
    ("code", "said", "lags"),
    [
        ("InvalidParameterException", "Error in role params", True),
        (
            "InvalidParameterException",
            "Role with arn: X, could not be assumed because it does not exist or the trusted entity is not correct",
            True,
        ),
        ("InvalidParameterException", "Role provided in the request does not exist.", True),
        ("InvalidParameterException", "The specified principalArn is invalid: invalid principal.", True),
        ("InvalidParameterException", "The subnet ID 'subnet-a' does not exist", False),
        ("ResourceInUseException", "Error in role params", False),
    ],
)
def test_only_what_iam_spreads_clears_by_itself(code: str, said: str, lags: bool) -> None:
    error = ClientError({"Error": {"Code": code, "Message": said}}, "CreateCluster")
    assert bool(iam_lag(error)) is lags


@pytest.mark.parametrize(
    ("status", "readiness"),
    [
        ("CREATING", Readiness.WAIT),
        ("UPDATING", Readiness.WAIT),
        ("PENDING", Readiness.WAIT),
        ("ACTIVE", Readiness.READY),
        ("FAILED", Readiness.FAILED),
    ],
)
def test_a_status_tells_whether_others_can_go_on(status: str, readiness: Readiness) -> None:
    assert EksCluster().readiness(Observed("eks_cluster", "main", NAME, status=status)) is readiness


def test_a_cluster_with_node_groups_is_not_asked_to_go_again_and_again() -> None:
    def said(text: str) -> str:
        error: Any = {"Error": {"Code": "ResourceInUseException", "Message": text}}
        return EksCluster().transient(ClientError(error, "DeleteCluster"))

    assert said("Cannot delete cluster because update u-1 is in progress")
    assert not said("Cluster has nodegroups attached")
