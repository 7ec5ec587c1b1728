"""What RDS looks up in other services: subnets, security groups, keys, roles, secrets."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from pipeops_sandbox.errors import AwsError
from pipeops_sandbox.overlays.iam import role_is_assumable
from pipeops_sandbox.overlays.kms import key_is_usable

MONITORING_SERVICE = "monitoring.rds.amazonaws.com"


@dataclass(frozen=True)
class SubnetFacts:
    """What RDS needs to know of a subnet."""

    subnet_id: str
    vpc_id: str
    zone: str


def zones(account: str, region: str) -> list[str]:
    """Return the names of a region's availability zones."""
    return sorted(zone.name for zone in ec2_backends[account][region].describe_availability_zones())


def subnet(account: str, region: str, subnet_id: str) -> SubnetFacts:
    """Return a subnet's facts.

    Raises:
        AwsError: ``InvalidSubnet``.
    """
    try:
        found = ec2_backends[account][region].get_subnet(subnet_id)
    except InvalidSubnetIdError:
        raise AwsError("InvalidSubnet", f"The specified subnet {subnet_id} does not exist in {region}.") from None
    return SubnetFacts(subnet_id, found.vpc_id, found.availability_zone)


def default_vpc_subnets(account: str, region: str) -> list[SubnetFacts]:
    """Return the subnets of the region's default VPC, which the subnet group ``default`` consists of."""
    backend = ec2_backends[account][region]
    vpc = next((one for one in backend.vpcs.values() if one.is_default), None)
    if vpc is None:
        return []
    subnets = [one for zone in backend.subnets.values() for one in zone.values() if one.vpc_id == vpc.id]
    return [SubnetFacts(one.id, one.vpc_id, one.availability_zone) for one in subnets]


def check_security_groups(account: str, region: str, vpc_id: str, groups: list[str]) -> None:
    """Refuse security groups that do not exist or are of another VPC.

    Raises:
        AwsError: ``InvalidParameterValue`` or ``InvalidVPCNetworkStateFault``.
    """
    for group_id in groups:
        found = ec2_backends[account][region].get_security_group_from_id(group_id)
        if found is None:
            raise AwsError("InvalidParameterValue", f"Invalid security group , groupId= {group_id}, groupName=.")
        if found.vpc_id != vpc_id:
            raise AwsError(
                "InvalidVPCNetworkStateFault",
                f"Security group {group_id} is in {found.vpc_id}, the DB instance in {vpc_id}: use a group of its VPC.",
            )


def default_security_group(account: str, region: str, vpc_id: str) -> str:
    """Return the id of a VPC's default security group."""
    group = ec2_backends[account][region].get_security_group_from_name("default", vpc_id)
    if group is None:
        raise AwsError("InvalidVPCNetworkStateFault", f"{vpc_id} in {region} has no default security group.")
    return str(group.id)


def admits(account: str, region: str, groups: list[str], port: int) -> bool:
    """Tell whether one of the security groups has an ingress rule for a TCP port, from wherever."""
    found = [ec2_backends[account][region].get_security_group_from_id(group_id) for group_id in groups]
    return any(_covers(rule, port) for group in found if group for rule in group.ingress_rules)


def _covers(rule: SecurityGroupRule, port: int) -> bool:
    if str(rule.ip_protocol) == "-1":
        return True
    first, last = rule.from_port, rule.to_port
    if str(rule.ip_protocol) not in ("tcp", "6") or first is None or last is None:
        return False
    return int(first) <= port <= int(last)


def key_arn(account: str, region: str, key: str) -> str:
    """Return the ARN of a KMS key given by id, ARN or alias.

    Raises:
        AwsError: ``KMSKeyNotAccessibleFault`` if it is not in this region, or not enabled.
    """
    if not (_in_region(key, region) and key_is_usable(account, region, key)):
        raise AwsError(
            "KMSKeyNotAccessibleFault",
            f"The specified KMS key [{key}] does not exist in {region}, is not enabled or you do not have permissions "
            "to access it.",
        )
    return str(kms_backends[account][region].describe_key(key).arn)


def _in_region(key: str, region: str) -> bool:
    return not key.startswith("arn:") or key.split(":")[3] == region


def managed_key(account: str, region: str, service: str = "rds") -> str:
    """Return the ARN of the AWS managed key of a service, made on first use as AWS does."""
    backend = kms_backends[account][region]
    return str(backend.describe_key(f"alias/aws/{service}").arn)


def check_monitoring_role(account: str, role_arn: str) -> None:
    """Refuse a role that enhanced monitoring cannot assume, e.g. because it was created a moment ago.

    Raises:
        AwsError: ``InvalidParameterValue`` that names ENHANCED_MONITORING.
    """
    if not role_is_assumable(account, role_arn, MONITORING_SERVICE):
        raise AwsError(
            "InvalidParameterValue",
            f"IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING "
            f"({role_arn}: it must exist, trust {MONITORING_SERVICE}, and a new one takes some seconds to be known)",
        )


def create_master_secret(
    account: str, region: str, resource_id: str, username: str, key: str | None
) -> tuple[str, str]:
    """Create the secret that RDS owns under ManageMasterUserPassword; return its ARN and the password."""
    backend = secretsmanager_backends[account][region]
    name = f"rds!db-{resource_id.removeprefix('db-').lower()}"
    password = secrets.token_urlsafe(24)
    value = json.dumps({"username": username, "password": password})
    backend.create_secret(
        name=name,
        secret_string=value,
        secret_binary=None,
        description="The secret associated with the primary RDS DB instance",
        tags=[{"Key": "aws:secretsmanager:owningService", "Value": "rds"}],
        kms_key_id=key,
        client_request_token=None,
        replica_regions=[],
        force_overwrite=False,
    )
    return str(backend.describe_secret(name).arn), password


def delete_master_secret(account: str, region: str, secret_arn: str) -> None:
    """Delete the secret that RDS owns."""
    backend = secretsmanager_backends[account][region]
    backend.delete_secret(secret_arn, recovery_window_in_days=None, force_delete_without_recovery=True)
