"""``cluster.health``: what a living cluster has lost of the things it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.iam.models import iam_backends

from ..kms import find_key
from . import network
from .control_plane import data_plane
from .state import Cluster

_KEY_ISSUES = {
    "Disabled": ("KmsKeyDisabled", "The KMS key of the cluster is disabled."),
    "PendingDeletion": ("KmsKeyMarkedForDeletion", "The KMS key of the cluster is pending deletion."),
}


def issues(cluster: Cluster) -> list[dict[str, Any]]:
    """Return the health issues of a cluster, in the codes of the API."""
    found = [*_vpc_issues(cluster), *_key_issues(cluster)]
    if trouble := data_plane().trouble(cluster):
        found.append(_issue("InternalFailure", trouble, []))
    if not has_role(cluster):
        found.append(_issue("IamRoleNotFound", "The cluster IAM role does not exist.", [cluster.document["roleArn"]]))
    return found


def has_role(cluster: Cluster) -> bool:
    """Tell whether the role that EKS works with is still there."""
    roles = iam_backends[cluster.account][cluster.partition].get_roles()
    return any(role.arn == cluster.document["roleArn"] for role in roles)


def _issue(code: str, message: str, resources: list[str]) -> dict[str, Any]:
    return {"code": code, "message": message, "resourceIds": resources}


def _vpc_issues(cluster: Cluster) -> Iterator[dict[str, Any]]:
    ec2, config = network.backend(cluster.account, cluster.region), cluster.document["resourcesVpcConfig"]
    if config["vpcId"] not in ec2.vpcs:
        yield _issue("VpcNotFound", "The VPC of the cluster does not exist.", [config["vpcId"]])
    subnets = {subnet_id for zone in ec2.subnets.values() for subnet_id in zone}
    lost = [subnet_id for subnet_id in config["subnetIds"] if subnet_id not in subnets]
    if lost:
        yield _issue("Ec2SubnetNotFound", "Subnets of the cluster do not exist.", lost)
    groups = [cluster.network.security_group_id, *config["securityGroupIds"]]
    lost = [group_id for group_id in groups if ec2.get_security_group_from_id(group_id) is None]
    if lost:
        yield _issue("Ec2SecurityGroupNotFound", "Security groups of the cluster do not exist.", lost)


def _key_issues(cluster: Cluster) -> Iterator[dict[str, Any]]:
    for each in cluster.document.get("encryptionConfig", []):
        arn = each["provider"]["keyArn"]
        key = find_key(cluster.account, cluster.region, arn)
        if key is None:
            yield _issue("KmsKeyNotFound", "The KMS key of the cluster does not exist.", [arn])
        elif key.key_state in _KEY_ISSUES:
            code, message = _KEY_ISSUES[key.key_state]
            yield _issue(code, message, [arn])
