# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What carries an environment's owner tags although no layer wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..engine.aws import Aws, tag_dict
from ..engine.model import TAG_COMPONENT, TAG_ENVIRONMENT, TAG_PLATFORM, Identity
from .findings import Finding

#: The region in which AWS lists the tags of global services.
GLOBAL_REGION = "us-east-1"
GLOBAL_TYPES = ("route53:hostedzone",)
#: Parts of other resources, and copies of data that are kept on purpose: final snapshots, automated ones, backups.
NO_RESOURCES = frozenset(
    {"ec2:security-group-rule", "rds:snapshot", "rds:cluster-snapshot", "rds:auto-backup", "dynamodb:backup"}
)
#: Tags of what the cluster makes for itself: load balancers, volumes, nodes.
OF_THE_CLUSTER = ("kubernetes.io/cluster/", "elbv2.k8s.aws/cluster", "eks:eks-cluster-name", "ebs.csi.aws.com/cluster")
#: Components of who deploys an environment, which is no part of it: an administrator makes and removes that.
OF_WHO_DEPLOYS = "ci/"
#: States in which a resource is gone although its tags are still listed.
GONE = frozenset({"deleted", "deleting", "terminated", "shutting-down", "PendingDeletion"})


def unclaimed(aws: Aws, identity: Identity, known: set[str]) -> list[Finding]:
    """Return what is tagged as an environment's, and known to no layer.

    Args:
        known: identifiers and ARNs of what the layers know.
    """
    with ThreadPoolExecutor(3) as pool:
        here = pool.submit(_tagged, aws, identity, aws.region, ())
        everywhere = pool.submit(_tagged, aws, identity, GLOBAL_REGION, GLOBAL_TYPES)
        roles = pool.submit(roles_of, aws, identity, known)
        arns = [*here.result(), *everywhere.result()]
    left = sorted({arn for arn in arns if not is_known(arn, known)})
    return [_finding(arn) for arn in [*left, *roles.result()] if stands(aws, arn)]


def _tagged(aws: Aws, identity: Identity, region: str, types: tuple[str, ...]) -> Iterable[str]:
    pages = aws.client("resourcegroupstaggingapi", region=region).get_paginator("get_resources")
    filters = [
        {"Key": TAG_ENVIRONMENT, "Values": [identity.environment]},
        {"Key": TAG_PLATFORM, "Values": [identity.platform]},
    ]
    more = {"ResourceTypeFilters": list(types)} if types else {}
    found: list[str] = []
    for page in pages.paginate(TagFilters=filters, **more):
        for item in page["ResourceTagMappingList"]:
            tags = tag_dict(item.get("Tags"))
            of_others = any(key.startswith(OF_THE_CLUSTER) for key in tags) or deploys(tags)
            if type_of(item["ResourceARN"]) not in NO_RESOURCES and not of_others:
                found.append(item["ResourceARN"])
    return found


def roles_of(aws: Aws, identity: Identity, known: set[str]) -> list[str]:
    """Return the roles that are ours by name and tags; the tagging API does not list roles."""
    client = aws.client("iam")
    left = []
    for role in aws.pages("iam", "list_roles", "Roles"):
        if role["RoleName"].startswith(f"{identity.prefix}-") and not is_known(role["Arn"], known):
            tags = tag_dict(client.list_role_tags(RoleName=role["RoleName"])["Tags"])
            if tags.get(TAG_ENVIRONMENT) == identity.environment and not deploys(tags):
                left.append(str(role["Arn"]))
    return left


def deploys(tags: Mapping[str, str]) -> bool:
    """Tell whether tags are those of who deploys an environment."""
    return tags.get(TAG_COMPONENT, "").startswith(OF_WHO_DEPLOYS)


def type_of(arn: str) -> str:
    """Return service and type of an ARN, as the tagging API names them, e.g. ``ec2:vpc``; ``s3`` for a bucket."""
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    kind = resource.replace("/", ":").partition(":")[0]
    return service if kind == resource else f"{service}:{kind}"


def names_of(arn: str) -> set[str]:
    """Return everything by which a layer may know the resource of an ARN."""
    resource = arn.split(":", 5)[5].removesuffix(":*")
    after_type = resource.replace("/", ":", 1).partition(":")[2] if ":" in resource or "/" in resource else resource
    by_colon = resource.partition(":")[2]
    return {arn, arn.removesuffix(":*"), resource, after_type, by_colon, resource.rsplit("/", 1)[-1]} - {""}


def is_known(arn: str, known: set[str]) -> bool:
    """Tell whether a layer knows the resource of an ARN."""
    return bool(names_of(arn) & known)


def stands(aws: Aws, arn: str) -> bool:
    """Tell whether a resource is there: AWS lists the tags of some for a while after their end."""
    look = _LOOKS.get(type_of(arn))
    return look is None or look(aws, arn.rsplit("/", 1)[-1]) not in GONE


def _gateway(aws: Aws, identifier: str) -> str:
    # A filter, because one that is forgotten is an error by its identifier.
    wanted = [{"Name": "nat-gateway-id", "Values": [identifier]}]
    found = aws.client("ec2").describe_nat_gateways(Filter=wanted)["NatGateways"]
    return str(found[0]["State"]) if found else "deleted"


def _instance(aws: Aws, identifier: str) -> str:
    wanted = [{"Name": "instance-id", "Values": [identifier]}]
    found = aws.client("ec2").describe_instances(Filters=wanted)["Reservations"]
    return str(found[0]["Instances"][0]["State"]["Name"]) if found else "terminated"


def _key(aws: Aws, identifier: str) -> str:
    return str(aws.client("kms").describe_key(KeyId=identifier)["KeyMetadata"]["KeyState"])


_LOOKS: Mapping[str, Callable[[Aws, str], Any]] = {
    "ec2:natgateway": _gateway,
    "ec2:instance": _instance,
    "kms:key": _key,
}


def _finding(arn: str) -> Finding:
    name = sorted(names_of(arn), key=len)[0]
    return Finding("unmanaged", type_of(arn), name, type_of(arn), name, arn, heals=False)
