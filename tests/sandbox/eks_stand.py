# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of the cluster share."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account

ACCOUNT = "123456789012"


NAME = "pipeops-prod"


NODE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-node"


VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


EDIT = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"


ADMINISTRATOR = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


#: Model seconds in each real second, where a test needs states that last.
FAST = 200


#: The same, slow enough for a new role to be used before IAM has spread it (ten model seconds).
IAM_LAGS = 4


POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}],
}


SECRETS: dict[str, Any] = {
    "namespace": "external-secrets",
    "service_account": "external-secrets",
    "inline_policies": {"read": POLICY},
}


LOGS: dict[str, Any] = {
    "namespace": "amazon-cloudwatch",
    "service_account": "cloudwatch-agent",
    "managed_policies": ["CloudWatchAgentServerPolicy"],
}


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def role(account: Account, name: str) -> str:
    """Make a role that people assume."""
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    return str(arn)


def foundations(account: Account) -> dict[str, Any]:
    """What the cluster stands on, made as other layers would: three subnets, a group, two keys, two roles."""
    ec2, kms = account.client("ec2"), account.client("kms")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{16 * number}.0/20", AvailabilityZone=f"us-west-2{zone}")
        for number, zone in enumerate("abc")
    ]
    entry = {
        "principal_arn": role(account, "admin"),
        "policies": [{"name": "AmazonEKSEditPolicy", "namespaces": ["shop"]}, {"name": "AmazonEKSViewPolicy"}],
    }
    return {
        "account_id": ACCOUNT,
        "version": "1.36",
        "subnet_ids": [subnet["Subnet"]["SubnetId"] for subnet in subnets],
        "kms_key_arn": kms.create_key()["KeyMetadata"]["Arn"],
        "ebs_kms_key_arn": kms.create_key()["KeyMetadata"]["Arn"],
        "deletion_protection": False,
        "access_entries": [entry],
        "workload_roles": [SECRETS, LOGS],
    }


def run(account: Account, options: dict[str, Any], **more: Any) -> dict[str, Any]:
    return account.run("eks_cluster", **{**options, **more})


def prove_change(account: Account, expected: list[str], options: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Announce a change, make it, and find nothing left to do."""
    assert actions(run(account, options, check=True, **more)) == expected
    changed = run(account, options, **more)
    assert actions(changed) == expected
    assert actions(run(account, options, **more)) == []
    return changed


def cluster(account: Account) -> dict[str, Any]:
    found: dict[str, Any] = account.client("eks").describe_cluster(name=NAME)["cluster"]
    return found


def calls(account: Account, since: int, *operations: str) -> list[tuple[str, str | None]]:
    """Return each call of these operations with its error code."""
    return [
        (e.operation, e.error or None)
        for e in account.sandbox.journal.entries()
        if e.n > since and e.operation in operations
    ]


@contextmanager
def faster_once_seen(account: Account, operation: str) -> Iterator[None]:
    """Let what is under way take its time until an operation was called, and go on FAST from then."""
    before, ended = account.journal_length(), threading.Event()

    def hasten() -> None:
        while not ended.wait(0.01):
            if calls(account, before, operation):
                runtime.clock.set("aws", FAST)
                return

    watching = threading.Thread(target=hasten)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()


def cluster_vpc(account: Account, options: dict[str, Any]) -> str:
    subnets = account.client("ec2").describe_subnets(SubnetIds=options["subnet_ids"][:1])["Subnets"]
    return str(subnets[0]["VpcId"])
