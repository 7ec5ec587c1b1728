"""What the RDS tests share: a network, a primary, and a way to read an error's code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.runtime import runtime

PASSWORD = "correct-horse-battery"


@dataclass
class Site:
    """One region with a VPC, a DB subnet group over three zones, a security group and a key."""

    region: str
    rds: Any
    vpc_id: str
    subnet_ids: list[str]
    security_group: str
    key: str

    def primary(self, name: str = "main", **changes: Any) -> dict[str, Any]:
        """Create an encrypted gp3 primary with backups on; ``None`` leaves a parameter out."""
        wanted: dict[str, Any] = {
            "DBInstanceIdentifier": name, "Engine": "postgres", "EngineVersion": "16.13",
            "DBInstanceClass": "db.r6g.xlarge", "AllocatedStorage": 100, "StorageType": "gp3",
            "MasterUsername": "dbadmin", "MasterUserPassword": PASSWORD, "DBName": "app",
            "DBSubnetGroupName": "data", "VpcSecurityGroupIds": [self.security_group], "MultiAZ": True,
            "StorageEncrypted": True, "KmsKeyId": self.key, "BackupRetentionPeriod": 7,
            "PreferredBackupWindow": "03:00-03:30", "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
        }  # fmt: skip
        wanted |= changes
        given = {key: value for key, value in wanted.items() if value is not None}
        return dict(self.rds.create_db_instance(**given)["DBInstance"])

    def replica(self, name: str, source: str, **changes: Any) -> dict[str, Any]:
        """Create a replica of ``source``, with this region's network and key."""
        wanted: dict[str, Any] = {
            "DBInstanceIdentifier": name, "SourceDBInstanceIdentifier": source, "KmsKeyId": self.key,
            "DBSubnetGroupName": "data" if source.startswith("arn:") else None,
            "VpcSecurityGroupIds": [self.security_group],
        }  # fmt: skip
        wanted |= changes
        given = {key: value for key, value in wanted.items() if value is not None}
        return dict(self.rds.create_db_instance_read_replica(**given)["DBInstance"])

    def show(self, name: str = "main") -> dict[str, Any]:
        """Describe an instance."""
        return dict(self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])

    @staticmethod
    def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
        """Return code and message of a call that is refused."""
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    def refusal(self, call: Callable[..., Any], **arguments: Any) -> str:
        """Return the error code of a call that is refused."""
        return self.refused(call, **arguments)[0]

    @staticmethod
    def slow(scale: float = 0.001) -> None:
        """The aws profile; by default with time that (nearly) only the test moves."""
        runtime.clock.set("aws", scale)

    @staticmethod
    def pass_time(seconds: float) -> None:
        """Let model time go on by so many seconds at once."""
        runtime.clock.restore(runtime.clock.now() + seconds)


def make_site(client: Callable[..., Any], region: str, cidr: str = "10.0") -> Site:
    """Lay the network, the subnet group ``data`` and a key in a region."""
    ec2, rds = client("ec2", region), client("rds", region)
    vpc_id = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
    zones = sorted(zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"])[:3]
    subnet_ids = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"{cidr}.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    group = ec2.create_security_group(GroupName="data", Description="data", VpcId=vpc_id)["GroupId"]
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=subnet_ids)
    key = client("kms", region).create_key()["KeyMetadata"]["Arn"]
    return Site(region, rds, vpc_id, subnet_ids, group, key)


@pytest.fixture
def west(client: Callable[..., Any]) -> Site:
    """The primary's region."""
    return make_site(client, "us-west-2")


@pytest.fixture
def east(client: Callable[..., Any]) -> Site:
    """The DR region."""
    return make_site(client, "us-east-1", "10.1")
