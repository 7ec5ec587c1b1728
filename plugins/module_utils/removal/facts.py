# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands of an environment that shall go, and who depends on it; as AWS tells, not as the inventory says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..engine.aws import Aws, is_aws_error, tag_dict
from ..engine.model import TAG_ENVIRONMENT, TAG_PLATFORM, Identity, Scope
from ..layers.environment_outputs import default_key
from ..layers.state_backend import bucket_name
from ..resources._route53 import find_zone
from ..resources.rds_describe import Instance, all_instances

Facts = dict[str, Any]


def observe(
    aws: Aws, identity: Identity, secret_name: str, pair: Mapping[str, Any] | None, cluster_name: str | None = None
) -> Facts:
    """Return what stands.

    Args:
        secret_name: the name of the master secret.
        pair: ``environment`` and ``region`` of the environment that may follow this one.
        cluster_name: the name of its cluster, if that is not its own.
    """
    with ThreadPoolExecutor(6) as pool:
        vpc = pool.submit(_vpc, aws, identity)
        instances = pool.submit(_instances, aws, identity)
        cluster = pool.submit(_cluster, aws, identity, cluster_name or identity.prefix)
        secret = pool.submit(_secret, aws, secret_name)
        zone = pool.submit(_zone, aws, identity)
        published = pool.submit(_published, aws, identity, pair)
        return {
            "vpc_id": vpc.result(),
            "instances": instances.result(),
            "cluster": cluster.result(),
            "secret": secret.result(),
            "zone": zone.result(),
            "published_source": published.result(),
        }


def is_owned(identity: Identity, tags: Mapping[str, str]) -> bool:
    """Tell whether tags say that something belongs to an environment."""
    return (tags.get(TAG_PLATFORM), tags.get(TAG_ENVIRONMENT)) == (identity.platform, identity.environment)


def _vpc(aws: Aws, identity: Identity) -> str:
    wanted = [{"Name": f"tag:{TAG_ENVIRONMENT}", "Values": [identity.environment]}]
    found = aws.pages("ec2", "describe_vpcs", "Vpcs", Filters=wanted)
    owned = [item["VpcId"] for item in found if is_owned(identity, tag_dict(item.get("Tags")))]
    return str(owned[0]) if owned else ""


def _instances(aws: Aws, identity: Identity) -> list[Facts]:
    """Return the environment's DB instances, and those of others that follow one of them here."""
    every = all_instances(aws)
    own = {one["DBInstanceIdentifier"] for one in every if is_owned(identity, tag_dict(one.get("TagList")))}
    counted = [one for one in every if one["DBInstanceIdentifier"] in own or _source(one) in own]
    return [_instance(one, one["DBInstanceIdentifier"] in own) for one in counted]


def _source(instance: Instance) -> str:
    return str(instance.get("ReadReplicaSourceDBInstanceIdentifier") or "")


def _instance(one: Instance, owned: bool) -> Facts:
    copies = one.get("DBInstanceAutomatedBackupsReplications") or ()
    return {
        "identifier": one["DBInstanceIdentifier"],
        "arn": one["DBInstanceArn"],
        "status": one["DBInstanceStatus"],
        "owned": owned,
        "protected": bool(one.get("DeletionProtection")),
        "source": _source(one),
        "followers": [arn for arn in one.get("ReadReplicaDBInstanceIdentifiers") or () if arn.startswith("arn:")],
        "backup_copies": [copy["DBInstanceAutomatedBackupsArn"] for copy in copies],
    }


def _cluster(aws: Aws, identity: Identity, name: str) -> Facts:
    client = aws.client("eks")
    try:
        found = client.describe_cluster(name=name)["cluster"]
        groups = aws.pages("eks", "list_nodegroups", "nodegroups", clusterName=name)
        described = [client.describe_nodegroup(clusterName=name, nodegroupName=one)["nodegroup"] for one in groups]
    except client.exceptions.ResourceNotFoundException:
        return {}
    return {
        "name": name,
        "status": found["status"],
        "protected": bool(found.get("deletionProtection")),
        "endpoint": found.get("endpoint", ""),
        "certificate_authority": found.get("certificateAuthority", {}).get("data", ""),
        "foreign_node_groups": [
            one["nodegroupName"] for one in described if not is_owned(identity, one.get("tags") or {})
        ],
    }


def _secret(aws: Aws, name: str) -> Facts:
    client = aws.client("secretsmanager")
    try:
        found = client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return {}
    primary = found.get("PrimaryRegion") or aws.region
    copies = [row["Region"] for row in found.get("ReplicationStatus") or () if row["Region"] != aws.region]
    return {"name": name, "primary_region": primary, "copied_to": copies if primary == aws.region else []}


def _zone(aws: Aws, identity: Identity) -> Facts:
    zone = find_zone(aws, Scope(identity, "dns", aws.region, {}), "private", "")
    if zone is None:
        return {}
    found = aws.client("route53").get_hosted_zone(Id=zone.id)
    vpcs = [{"vpc_id": vpc["VPCId"], "region": vpc["VPCRegion"]} for vpc in found.get("VPCs", [])]
    return {"id": zone.id, "name": zone.name, "vpcs": vpcs}


def _published(aws: Aws, identity: Identity, pair: Mapping[str, Any] | None) -> str:
    """Return the ARN of the database that the pair says it follows; empty if it says none, or does not answer."""
    if not pair:
        return ""
    name = str(pair["environment"])
    bucket = bucket_name(Identity(identity.platform, name).prefix, aws.account_id)
    client = aws.client("s3", region=str(pair["region"]), probe=True)
    try:
        answer = client.get_object(Bucket=bucket, Key=default_key(name), ExpectedBucketOwner=aws.account_id)
        outputs = json.loads(answer["Body"].read()).get("outputs", {})
    except Exception as error:
        # What is published only adds to what AWS tells of the database itself.
        if not is_aws_error(error) and not isinstance(error, ValueError):
            raise
        return ""
    return str(((outputs.get("database") or {}).get("replica") or {}).get("source_arn") or "")
