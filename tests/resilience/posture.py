# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands after a run is closed, encrypted, kept and watched, whatever the modules say of it.

Asked of AWS by plain calls. The names of the controls are those of AWS Security Hub, whose standards (AWS Foundational
Security Best Practices, the CIS benchmark, NIST SP 800-53) choose among them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from tests.platform_runs import Platform
from tests.resilience.crashes import stood_up
from tests.resilience.proof import Case, Proof

PREFIX = "pipeops-prod"
EVERYWHERE = ("0.0.0.0/0", "::/0")
#: What may be reached by anybody: HTTPS of load balancers.
OPEN_PORTS = {(f"{PREFIX}-alb", 443)}
Finding = Iterator[str]
CONTROLS: dict[str, Callable[[Platform], Finding]] = {}


def control(name: str) -> Callable[[Callable[[Platform], Finding]], Callable[[Platform], Finding]]:
    """Add a check under the names of the controls that it is about."""

    def add(check: Callable[[Platform], Finding]) -> Callable[[Platform], Finding]:
        CONTROLS[name] = check
        return check

    return add


def seen(found: Iterable[Any]) -> list[Any]:
    """Return what was found, and insist that there is something: nothing would be well whatever the platform does."""
    things = list(found)
    assert things, "there is nothing to look at"
    return things


@control("S3.5, S3.8, S3.14, S3.17: buckets are closed, ask for TLS, keep versions and are encrypted by a key of ours")
def buckets(stand: Platform) -> Finding:
    """Look at every bucket of the account."""
    s3 = stand.client("s3")
    for bucket in (row["Name"] for row in seen(s3.list_buckets()["Buckets"])):
        closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        if not all(closed.values()) or len(closed) != 4:
            yield f"{bucket} can be made public: {closed}"
        statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
        insecure = {"Bool": {"aws:SecureTransport": "false"}}
        if not any(one["Effect"] == "Deny" and one.get("Condition") == insecure for one in statements):
            yield f"{bucket} answers without TLS"
        if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
            yield f"{bucket} keeps no versions"
        (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        if not rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID"):
            yield f"{bucket} is not encrypted by a key of ours"


@control("RDS.2, RDS.3, RDS.5, RDS.6, RDS.8, RDS.9, RDS.11: databases")
def databases(stand: Platform) -> Finding:
    """Look at every instance."""
    for one in seen(stand.client("rds").describe_db_instances()["DBInstances"]):
        wanted = {
            "is public": not one["PubliclyAccessible"],
            "is not encrypted": one["StorageEncrypted"],
            "has no Enhanced Monitoring": one.get("MonitoringInterval"),
            "can be deleted": one["DeletionProtection"],
            "sends no logs": one.get("EnabledCloudwatchLogsExports"),
            "is in one zone, and has no replica": one["MultiAZ"] or one.get("ReadReplicaSourceDBInstanceIdentifier"),
            "keeps backups for less than a week": one.get("ReadReplicaSourceDBInstanceIdentifier")
            or one["BackupRetentionPeriod"] >= 7,
        }
        yield from (f"{one['DBInstanceIdentifier']} {fault}" for fault, well in wanted.items() if not well)


@control("RDS in transit: PostgreSQL takes no connection without TLS")
def transit(stand: Platform) -> Finding:
    """Look at the parameter groups."""
    rds = stand.client("rds")
    names = [group["DBParameterGroupName"] for group in rds.describe_db_parameter_groups()["DBParameterGroups"]]
    for name in seen(name for name in names if name.startswith(PREFIX)):
        pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=name)
        values = {row["ParameterName"]: row.get("ParameterValue") for page in pages for row in page["Parameters"]}
        if values.get("rds.force_ssl") != "1":
            yield f"rds.force_ssl is {values.get('rds.force_ssl')} in {name}"


@control("EC2.2, EC2.6, EC2.15, EC2.18, EC2.19: the network")
def network(stand: Platform) -> Finding:
    """Look at groups, subnets and flow logs."""
    ec2 = stand.client("ec2")
    vpcs = ec2.describe_vpcs(Filters=[{"Name": "tag:pipeops:environment", "Values": ["prod"]}])["Vpcs"]
    logged = {log["ResourceId"] for log in ec2.describe_flow_logs()["FlowLogs"]}
    for vpc in (row["VpcId"] for row in seen(vpcs)):
        inside = [{"Name": "vpc-id", "Values": [vpc]}]
        if vpc not in logged:
            yield f"{vpc} has no flow log"
        for subnet in seen(ec2.describe_subnets(Filters=inside)["Subnets"]):
            if subnet["MapPublicIpOnLaunch"]:
                yield f"{subnet['SubnetId']} gives out public addresses"
        for group in seen(ec2.describe_security_groups(Filters=inside)["SecurityGroups"]):
            if group["GroupName"] == "default" and (group["IpPermissions"] or group["IpPermissionsEgress"]):
                yield f"the default group of {vpc} lets something through"
            yield from _open(group)


def _open(group: dict[str, Any]) -> Finding:
    for rule in group["IpPermissions"]:
        ranges = [one["CidrIp"] for one in rule["IpRanges"]] + [one["CidrIpv6"] for one in rule["Ipv6Ranges"]]
        if set(ranges) & set(EVERYWHERE) and (group["GroupName"], rule.get("FromPort")) not in OPEN_PORTS:
            yield f"{group['GroupName']} is open to everybody on {rule.get('FromPort', 'all ports')}"


@control("EKS.1, EKS.3, EKS.8: the cluster")
def cluster(stand: Platform) -> Finding:
    """Look at the cluster."""
    found = stand.client("eks").describe_cluster(name=PREFIX)["cluster"]
    reach = found["resourcesVpcConfig"]
    if reach["endpointPublicAccess"] and set(reach["publicAccessCidrs"]) & set(EVERYWHERE):
        yield "its endpoint is open to everybody"
    if not found.get("encryptionConfig"):
        yield "its secrets are not encrypted by a key of ours"
    sent = {kind for one in found["logging"]["clusterLogging"] if one["enabled"] for kind in one["types"]}
    if not {"audit", "authenticator"} <= sent:
        yield f"it sends no audit log, only {sorted(sent)}"


@control("KMS.3, KMS.4: keys")
def keys(stand: Platform) -> Finding:
    """Look at the keys that are in use."""
    kms = stand.client("kms")
    aliases = kms.list_aliases()["Aliases"]
    for alias in seen(one for one in aliases if one["AliasName"].startswith(f"alias/{PREFIX}-")):
        if not kms.get_key_rotation_status(KeyId=alias["TargetKeyId"])["KeyRotationEnabled"]:
            yield f"{alias['AliasName']} does not rotate"
        if kms.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["KeyState"] != "Enabled":
            yield f"{alias['AliasName']} is not in use"


@control("DynamoDB.2, DynamoDB.6: the table of locks")
def tables(stand: Platform) -> Finding:
    """Look at the table."""
    dynamodb, name = stand.client("dynamodb"), f"{PREFIX}-locks"
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] != "ENABLED":
        yield f"{name} has no recovery to a point in time"
    if not dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        yield f"{name} can be deleted"


@control("IAM.1, IAM.21: no role may do everything, anywhere")
def roles(stand: Platform) -> Finding:
    """Look at what each of our roles is allowed by policies of its own."""
    iam = stand.client("iam")
    for role in seen(row["RoleName"] for row in iam.list_roles()["Roles"] if row["RoleName"].startswith("pipeops")):
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                actions = statement.get("Action", [])
                broad = [one for one in ([actions] if isinstance(actions, str) else actions) if one.endswith("*")]
                wide = [one for one in broad if one == "*" or one.partition(":")[2] == "*"]
                if statement["Effect"] == "Allow" and wide:
                    yield f"{role} may {wide} by its policy {policy}"


@control("SNS.1, SecretsManager: topic and secret are encrypted by keys of ours")
def messages(stand: Platform) -> Finding:
    """Look at both."""
    sns = stand.client("sns")
    for arn in (row["TopicArn"] for row in seen(sns.list_topics()["Topics"])):
        if not sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("KmsMasterKeyId"):
            yield f"{arn} is not encrypted"
    for secret in seen(stand.client("secretsmanager").list_secrets()["SecretList"]):
        if not secret.get("KmsKeyId"):
            yield f"{secret['Name']} is not encrypted by a key of ours"


@control("CloudWatch.16: logs end some time")
def logs(stand: Platform) -> Finding:
    """Look at every group of logs of ours."""
    for group in seen(stand.client("logs").describe_log_groups()["logGroups"]):
        if not group.get("retentionInDays"):
            yield f"{group['logGroupName']} keeps for ever"


def _found(stand: Platform, check: Callable[[Platform], Finding]) -> list[str]:
    return list(check(stand))


def prepare(stand: Platform) -> Sequence[Case]:
    """Stand prod up, and return the controls."""
    stand.begin()
    stood_up(stand, "prod")
    return [Case(name, partial(_found, check=check)) for name, check in CONTROLS.items()]


PROOF = Proof("posture", prepare, sample=len(CONTROLS))
