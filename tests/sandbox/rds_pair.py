# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair of environments in an account of the sandbox: prod in us-west-2, dr in us-east-1."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

from tests.sandbox.conftest import Account

WEST, EAST = "us-west-2", "us-east-1"
SET, REPLICA = "rds_instance_set", "rds_cross_region_replica"
ACCOUNT = "123456789012"
PROD_ARN, DR_ARN = f"arn:aws:rds:{WEST}:{ACCOUNT}:db:pipeops-prod", f"arn:aws:rds:{EAST}:{ACCOUNT}:db:pipeops-dr"
EVIDENCE = {"primary_lsn": "0/3000148", "replayed_lsn": "0/3000148"}


@dataclass(frozen=True)
class Side:
    """One environment: where it is, and what its inventory says of its database."""

    account: Account
    environment: str
    region: str
    options: dict[str, Any]

    def run(self, module: str, **more: Any) -> dict[str, Any]:
        return self.account.run(module, environment=self.environment, region=self.region, **more)

    def watched(self, module: str, **more: Any) -> tuple[dict[str, Any], list[str]]:
        return self.account.run_watched(module, environment=self.environment, region=self.region, **more)

    def primary(self, **more: Any) -> dict[str, Any]:
        """Run the module of the environment's own database."""
        return self.run(SET, **{**self.options, "storage_gib": 100, "secret_name": "pipeops/prod/database", **more})

    def where(self) -> dict[str, Any]:
        return {"environment": self.environment, "region": self.region}

    def client(self, service: str) -> Any:
        return self.account.client(service, self.region)

    def show(self, identifier: str = "") -> dict[str, Any]:
        wanted = identifier or f"pipeops-{self.environment}"
        return dict(self.client("rds").describe_db_instances(DBInstanceIdentifier=wanted)["DBInstances"][0])

    def identifiers(self) -> list[str]:
        return [one["DBInstanceIdentifier"] for one in self.client("rds").describe_db_instances()["DBInstances"]]


def make_side(account: Account, environment: str, region: str, cidr: str) -> Side:
    """Lay a network, a security group and a key, and return what the inventory of the environment says."""
    ec2 = account.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"{cidr}.{n}.0/24", AvailabilityZone=f"{region}{zone}")["Subnet"]
        for n, zone in enumerate("abc")
    ]
    group = ec2.create_security_group(GroupName="database", Description="database", VpcId=vpc)["GroupId"]
    options = {
        "account_id": ACCOUNT,
        "engine_version": "17.6",
        "instance_class": "db.r6g.xlarge",
        "storage_max_gib": 500,
        "multi_az": True,
        "kms_key_arn": account.client("kms", region).create_key()["KeyMetadata"]["Arn"],
        "vpc_id": vpc,
        "subnet_ids": [subnet["SubnetId"] for subnet in subnets],
        "security_group_ids": [group],
        "backup_retention_days": 30,
        "backup_window": "08:00-08:30",
        "maintenance_window": "sun:09:30-sun:10:30",
        "parameters": {"max_connections": "500"},
    }
    return Side(account, environment, region, options)


_laid: dict[tuple[str, str], tuple[Side, Side]] = {}


def _once(account: Account, name: str, lay: Callable[[], tuple[Side, Side]]) -> tuple[Side, Side]:
    """Lay something in an empty account once, and go back to that state from then on."""
    key = (account.url, name)
    if key in _laid:
        post(account, "restore", name=name)
    else:
        _laid[key] = lay()
        post(account, "snapshot", name=name)
    return _laid[key]


def lay_prod(account: Account) -> tuple[Side, Side]:
    """Return prod with its database, and dr with nothing but a network and a key."""

    def lay() -> tuple[Side, Side]:
        prod, dr = make_side(account, "prod", WEST, "10.0"), make_side(account, "dr", EAST, "10.1")
        prod.primary()
        return prod, dr

    return _once(account, "prod", lay)


def lay_pair(account: Account) -> tuple[Side, Side]:
    """Return prod with its database, and dr with a replica of it."""

    def lay() -> tuple[Side, Side]:
        prod, dr = lay_prod(account)
        dr.run(REPLICA, **{**dr.options, "source_arn": PROD_ARN})
        return prod, dr

    return _once(account, "pair", lay)


def post(account: Account, path: str, **body: Any) -> None:
    """Tell the sandbox something."""
    data = json.dumps(body).encode()
    urlopen(Request(f"{account.url}/_sandbox/{path}", data=data, method="POST"), timeout=10).close()


def put_metric(account: Account, region: str, identifier: str, name: str, *values: float) -> None:
    """Write datapoints of an RDS metric as of now, as RDS itself does on AWS."""
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": identifier}]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": datetime.now(UTC)}
        for value in values
    ]
    account.client("cloudwatch", region).put_metric_data(Namespace="AWS/RDS", MetricData=data)


def set_instance(account: Account, region: str, identifier: str, **state: str) -> None:
    """Bring an instance into a state that no API call leads to."""
    post(account, f"rds/{region}/{identifier}", **state)


def set_region(account: Account, region: str, state: str) -> None:
    """Let a region go ``down``, or come ``up`` again."""
    post(account, f"regions/{region}", state=state)
