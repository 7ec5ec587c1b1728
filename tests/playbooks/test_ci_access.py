# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""dev is deployed by its own identity, with IAM enforced; what another environment has is out of its reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from tests.iam.stand import Stand
from tests.platform_runs import ROOT, Platform


@pytest.fixture
def dev(empty: Platform, tmp_path: Path) -> Iterator[Stand]:
    """An empty account in which the administrator has made dev's deploy identity; it runs what comes."""
    place = Stand(empty.url, tmp_path)
    place.provide("dev")
    place.enforce()
    place.become("dev")
    yield place
    place.control("POST", "iam", enforced=False)


def attempts(place: Stand) -> dict[str, Callable[[], Any]]:
    """Return what a stolen session of dev would try next."""

    def client(service: str, region: str = "us-west-2") -> Any:
        keys = {name.lower(): value for name, value in place.credentials.items()}
        return boto3.client(service, region, endpoint_url=place.url, **keys)

    own = "arn:aws:iam::123456789012:policy/pipeops/dev/deploy/pipeops-dev-deploy-boundary"
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    return {
        "a secret of prod": lambda: client("secretsmanager").get_secret_value(SecretId="pipeops/prod/database"),
        "the database of prod": lambda: client("rds").modify_db_instance(DBInstanceIdentifier="pipeops-prod"),
        "the state of prod": lambda: client("s3").list_objects_v2(Bucket="pipeops-prod-state-123456789012"),
        "another region": lambda: client("ec2", "eu-central-1").describe_vpcs(),
        "a network of nobody": lambda: client("ec2").create_vpc(CidrBlock="10.9.0.0/16"),
        "more for itself": lambda: client("iam").attach_role_policy(RoleName="pipeops-dev-deploy", PolicyArn=admin),
        "more for its roles": lambda: client("iam").attach_role_policy(RoleName="pipeops-dev-node", PolicyArn=admin),
        "another boundary": lambda: client("iam").create_policy_version(PolicyArn=own, PolicyDocument="{}"),
        "a user": lambda: client("iam").create_user(UserName="pipeops-dev-me"),
    }


def test_dev_is_deployed_by_its_own_identity(dev: Stand) -> None:
    run = dev.playbook("dev")
    assert run.status == 0, (dev.refused(), run.output[-3000:])
    assert dev.refused() == []
    grants = yaml.safe_load((ROOT / "roles/ci_access/vars/main.yml").read_text("utf-8"))["__ci_access_grants"]
    assert set(dev.asked()) <= {action for grant in grants for action in grant["actions"]}
    assert len(dev.asked()) > 100
    for what, attempt in attempts(dev).items():
        with pytest.raises(ClientError) as refused:
            attempt()
        assert refused.value.response["Error"]["Code"] in (
            "AccessDenied", "AccessDeniedException", "UnauthorizedOperation",
        ), what  # fmt: skip
