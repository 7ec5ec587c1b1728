# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A database in an account of the sandbox, for the tests of the layer that manages it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused

from tests.sandbox.conftest import Account

MODULE = "rds_instance_set"
EVERYTHING = [
    "create/iam_role/rds-monitoring",
    "create/rds_parameter_group/postgres17",
    "create/rds_subnet_group/database",
    "create/secretsmanager_secret/master",
    "create/rds_instance/primary",
    "create/rds_replica/a",
    "create/rds_replica/c",
    "create/rds_replica_settings/a",
    "create/rds_replica_settings/c",
]
REPLICAS = [{"name": zone, "availability_zone": f"us-west-2{zone}"} for zone in "ac"]


def small_options(account: Account) -> dict[str, Any]:
    """The options of a Multi-AZ database without replicas, in a network and with keys made by hand."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{zone}")["Subnet"]
        for n, zone in enumerate("abc")
    ]
    group = ec2.create_security_group(GroupName="database", Description="database", VpcId=vpc)["GroupId"]
    keys = [account.client("kms").create_key()["KeyMetadata"]["Arn"] for _number in range(2)]
    return {
        "account_id": "123456789012",
        "engine_version": "17.6",
        "instance_class": "db.r6g.xlarge",
        "storage_gib": 100,
        "storage_max_gib": 500,
        "multi_az": True,
        "kms_key_arn": keys[0],
        "secret_kms_key_arn": keys[1],
        "vpc_id": vpc,
        "subnet_ids": [subnet["SubnetId"] for subnet in subnets],
        "security_group_ids": [group],
        "backup_retention_days": 30,
        "backup_window": "08:00-08:30",
        "maintenance_window": "sun:09:30-sun:10:30",
    }


def full_options(account: Account) -> dict[str, Any]:
    """The same with two replicas."""
    return {**small_options(account), "replicas": REPLICAS}


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def standing(account: Account, identifier: str = "pipeops-prod") -> dict[str, Any]:
    found = account.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    return dict(found[0])


def prove_heals(account: Account, wanted: list[str], **options: Any) -> dict[str, Any]:
    """Check, run and run again: exactly these actions, once."""
    assert actions(account.run(MODULE, check=True, **options)) == wanted
    result = account.run(MODULE, **options)
    assert actions(result) == wanted
    assert account.run(MODULE, check=True, **options)["actions"] == []
    return result


def standing_names(account: Account) -> list[str]:
    return [one["DBInstanceIdentifier"] for one in account.client("rds").describe_db_instances()["DBInstances"]]


def refused_run(account: Account, text: str, **options: Any) -> str:
    with pytest.raises(PlanRefused, match=text) as refused:
        account.run(MODULE, **options)
    return str(refused.value)
