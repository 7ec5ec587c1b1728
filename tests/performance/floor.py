# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One Python process that reads what an environment is on AWS, and does nothing else: no tool can be faster.

``python -m tests.performance.floor ENVIRONMENT REGION WITNESS_REGION`` reads what a converged run of ``site.yml``
compares, each thing with its settings and its tags, with boto3 and a pool of threads.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3

THREADS = 8
SERVICES = (
    *("cloudwatch", "dynamodb", "ec2", "eks", "iam", "kms", "logs", "rds", "resourcegroupstaggingapi", "route53", "s3"),
    *("secretsmanager", "sns"),
)
#: Service, operation, parameters.
Read = tuple[str, str, dict[str, Any]]


def first(prefix: str, environment: str, account: str) -> Iterator[Read]:
    """Yield what is found by name or by tag."""
    tagged = [{"Name": "tag:pipeops:environment", "Values": [environment]}]
    for kind in ("vpcs", "internet_gateways", "subnets", "route_tables", "network_acls", "security_groups"):
        yield "ec2", f"describe_{kind}", {"Filters": tagged}
    yield "ec2", "describe_vpc_endpoints", {"Filters": tagged}
    yield "ec2", "describe_nat_gateways", {"Filter": tagged}
    yield "ec2", "describe_flow_logs", {"Filters": tagged}
    bucket = {"Bucket": f"{prefix}-state-{account}"}
    for aspect in ("versioning", "encryption", "ownership_controls", "policy", "lifecycle_configuration", "tagging"):
        yield "s3", f"get_bucket_{aspect}", bucket
    yield "s3", "get_public_access_block", bucket
    yield "s3", "list_objects_v2", bucket
    for table, service in (("locks", "dynamodb"), ("witness", "witness")):
        yield service, "describe_table", {"TableName": f"{prefix}-{table}"}
        yield service, "describe_time_to_live", {"TableName": f"{prefix}-{table}"}
        yield service, "describe_continuous_backups", {"TableName": f"{prefix}-{table}"}
    yield "rds", "describe_db_instances", {}
    yield "rds", "describe_db_subnet_groups", {"DBSubnetGroupName": prefix}
    yield "rds", "describe_event_subscriptions", {}
    yield "rds", "describe_db_parameters", {"DBParameterGroupName": f"{prefix}-postgres17", "Source": "user"}
    yield "secretsmanager", "describe_secret", {"SecretId": prefix.replace("-", "/", 1) + "/database"}
    yield "cloudwatch", "describe_alarms", {"AlarmNamePrefix": f"{prefix}-"}
    yield (
        "resourcegroupstaggingapi",
        "get_resources",
        {"TagFilters": [{"Key": "pipeops:environment", "Values": [environment]}]},
    )
    for group in (f"/aws/eks/{prefix}/cluster", f"/{prefix.replace('-', '/', 1)}/flow-logs"):
        yield "logs", "describe_log_groups", {"logGroupNamePrefix": group}
    for role in ("cluster", "node", "flow-logs", "rds-monitoring"):
        yield "iam", "get_role", {"RoleName": f"{prefix}-{role}"}
        yield "iam", "list_attached_role_policies", {"RoleName": f"{prefix}-{role}"}
        yield "iam", "list_role_policies", {"RoleName": f"{prefix}-{role}"}
    yield "eks", "describe_cluster", {"name": prefix}
    yield "eks", "list_access_entries", {"clusterName": prefix}
    yield "eks", "list_pod_identity_associations", {"clusterName": prefix}
    yield "kms", "list_aliases", {}
    yield "route53", "list_hosted_zones_by_name", {"DNSName": f"{environment}.pipeops.internal"}
    yield "sns", "list_topics", {}


def second(prefix: str, account: str, found: dict[str, dict[str, Any]]) -> Iterator[Read]:
    """Yield what is named by what was found."""
    (vpc,) = found["describe_vpcs"]["Vpcs"]
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        yield "ec2", "describe_vpc_attribute", {"VpcId": vpc["VpcId"], "Attribute": attribute}
    for alias in found["list_aliases"]["Aliases"]:
        if alias["AliasName"].startswith(f"alias/{prefix}-"):
            key = {"KeyId": alias["TargetKeyId"]}
            yield "kms", "describe_key", key
            yield "kms", "get_key_rotation_status", key
            yield "kms", "get_key_policy", {**key, "PolicyName": "default"}
            yield "kms", "list_resource_tags", key
    for entry in found["list_access_entries"]["accessEntries"]:
        yield "eks", "describe_access_entry", {"clusterName": prefix, "principalArn": entry}
        yield "eks", "list_associated_access_policies", {"clusterName": prefix, "principalArn": entry}
    zone = {"HostedZoneId": found["list_hosted_zones_by_name"]["HostedZones"][0]["Id"]}
    yield "route53", "get_hosted_zone", {"Id": zone["HostedZoneId"]}
    yield "route53", "list_resource_record_sets", zone
    yield "sns", "get_topic_attributes", {"TopicArn": _topic(prefix, found)}
    yield "sns", "list_subscriptions_by_topic", {"TopicArn": _topic(prefix, found)}
    for entry in found["list_objects_v2"].get("Contents", []):
        yield "s3", "get_object", {"Bucket": f"{prefix}-state-{account}", "Key": entry["Key"]}


def _topic(prefix: str, found: dict[str, dict[str, Any]]) -> str:
    arns = [topic["TopicArn"] for topic in found["list_topics"]["Topics"]]
    return str(next(arn for arn in arns if arn.rpartition(":")[2].startswith(f"{prefix}-")))


def main(environment: str, region: str, witness_region: str) -> int:
    """Read it all; return the number of calls."""
    prefix, session = f"pipeops-{environment}", boto3.Session(region_name=region)
    clients = {service: session.client(service) for service in SERVICES}
    clients["witness"] = session.client("dynamodb", region_name=witness_region)
    account = session.client("sts").get_caller_identity()["Account"]

    def read(one: Read) -> dict[str, Any]:
        service, operation, parameters = one
        answer: dict[str, Any] = getattr(clients[service], operation)(**parameters)
        return answer

    with ThreadPoolExecutor(THREADS) as pool:
        begun = list(first(prefix, environment, account))
        found = {one[1]: answer for one, answer in zip(begun, pool.map(read, begun), strict=True)}
        rest = list(second(prefix, account, found))
        list(pool.map(read, rest))
    return 1 + len(begun) + len(rest)


if __name__ == "__main__":
    print(main(*sys.argv[1:4]), "calls")  # noqa: T201 - this is a command
