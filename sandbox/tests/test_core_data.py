"""S3, DynamoDB, Logs, STS, Route 53 and Scheduler: what AWS refuses, and what takes time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.runtime import runtime

ACCOUNT = "123456789012"


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def wait(seconds: float) -> None:
    runtime.clock.restore(runtime.clock.now() + seconds)


def trust(principal: dict[str, str]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}}
    )


# S3


def bucket_policy(effect: str, principal: Any, resource: str, **more: Any) -> str:
    statement = {"Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_bucket(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})


def test_a_new_bucket_is_private_and_encrypted(client: Any) -> None:
    s3 = client("s3")
    make_bucket(s3, "state")
    assert all(s3.get_public_access_block(Bucket="state")["PublicAccessBlockConfiguration"].values())
    rule = s3.get_bucket_encryption(Bucket="state")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    owner = s3.get_bucket_ownership_controls(Bucket="state")["OwnershipControls"]["Rules"][0]
    assert owner["ObjectOwnership"] == "BucketOwnerEnforced"
    with refused("BucketAlreadyOwnedByYou"):
        make_bucket(s3, "state")
    with refused("404"):
        s3.head_bucket(Bucket="nothing")
    with refused("NoSuchBucket"):
        s3.get_bucket_location(Bucket="nothing")


def test_a_bucket_with_objects_or_versions_stays(client: Any) -> None:
    s3 = client("s3")
    make_bucket(s3, "state")
    s3.put_bucket_versioning(Bucket="state", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="state", Key="k", Body=b"1")["VersionId"]
    with refused("PreconditionFailed"):
        s3.put_object(Bucket="state", Key="k", Body=b"2", IfNoneMatch="*")
    marker = s3.delete_object(Bucket="state", Key="k")["VersionId"]
    with refused("BucketNotEmpty"):
        s3.delete_bucket(Bucket="state")
    for identifier in (version, marker):
        s3.delete_object(Bucket="state", Key="k", VersionId=identifier)
    s3.delete_bucket(Bucket="state")


def test_a_bucket_policy_is_read(client: Any) -> None:
    s3 = client("s3")
    make_bucket(s3, "state")
    inside = "arn:aws:s3:::state/*"
    tls = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    for document, code in (
        ("nonsense", "MalformedPolicy"),
        (bucket_policy("Allow", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/none"}, inside), "MalformedPolicy"),
        (bucket_policy("Deny", "*", "arn:aws:s3:::other/*", **tls), "MalformedPolicy"),
        (bucket_policy("Allow", "*", inside), "AccessDenied"),
    ):
        with refused(code):
            s3.put_bucket_policy(Bucket="state", Policy=document)
    s3.put_bucket_policy(Bucket="state", Policy=bucket_policy("Deny", "*", inside, **tls))
    assert "SecureTransport" in s3.get_bucket_policy(Bucket="state")["Policy"]


def test_a_bucket_policy_denies_only_where_its_condition_holds(client: Any) -> None:
    s3 = client("s3")
    make_bucket(s3, "state")
    inside = "arn:aws:s3:::state/*"
    plain = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket="state", Policy=bucket_policy("Deny", "*", inside, **plain))
    s3.put_object(Bucket="state", Key="k", Body=b"1")
    s3.put_bucket_policy(Bucket="state", Policy=bucket_policy("Deny", "*", inside))
    with refused("403"):
        s3.put_object(Bucket="state", Key="k", Body=b"2")


def test_bucket_settings_come_back(client: Any) -> None:
    s3, kms = client("s3"), client("kms")
    make_bucket(s3, "state")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket="state", ServerSideEncryptionConfiguration=rules)
    shown = s3.get_bucket_encryption(Bucket="state")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert shown["ApplyServerSideEncryptionByDefault"] == default
    expiry = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""},
              "NoncurrentVersionExpiration": {"NoncurrentDays": 90}}  # fmt: skip
    s3.put_bucket_lifecycle_configuration(Bucket="state", LifecycleConfiguration={"Rules": [expiry]})
    rule = s3.get_bucket_lifecycle_configuration(Bucket="state")["Rules"][0]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    s3.put_bucket_tagging(Bucket="state", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket="state")["TagSet"] == [{"Key": "a", "Value": "b"}]


# DynamoDB


def make_table(ddb: Any, **more: Any) -> Any:
    return ddb.create_table(
        TableName="lock", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], **more,
    )["TableDescription"]  # fmt: skip


def test_a_table_comes_and_goes_slowly(client: Any) -> None:
    ddb = client("dynamodb")
    runtime.clock.set("aws")
    made = make_table(ddb)
    assert made["TableStatus"] == "CREATING"
    with refused("ResourceNotFoundException"):
        ddb.put_item(TableName="lock", Item={"id": {"S": "x"}})
    with refused("ContinuousBackupsUnavailableException"):
        ddb.update_continuous_backups(
            TableName="lock", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    wait(11)
    table = ddb.describe_table(TableName="lock")["Table"]
    assert (table["TableStatus"], table["TableId"]) == ("ACTIVE", made["TableId"])
    assert ddb.delete_table(TableName="lock")["TableDescription"]["TableStatus"] == "DELETING"
    with refused("ResourceInUseException"):
        make_table(ddb)
    wait(6)
    with refused("ResourceNotFoundException"):
        ddb.describe_table(TableName="lock")


def test_table_settings(client: Any) -> None:
    ddb, kms = client("dynamodb"), client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn}
    with refused("ValidationException"):
        make_table(ddb, SSESpecification=sse | {"KMSMasterKeyId": "alias/none"})
    make_table(ddb, DeletionProtectionEnabled=True)
    ddb.update_table(TableName="lock", SSESpecification=sse)
    assert ddb.describe_table(TableName="lock")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == arn
    with refused("ValidationException"):
        ddb.delete_table(TableName="lock")
    ttl = {"Enabled": True, "AttributeName": "expires"}
    ddb.update_time_to_live(TableName="lock", TimeToLiveSpecification=ttl)
    with refused("ValidationException"):
        ddb.update_time_to_live(TableName="lock", TimeToLiveSpecification=ttl)
    ddb.update_continuous_backups(
        TableName="lock", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    shown = ddb.describe_continuous_backups(TableName="lock")["ContinuousBackupsDescription"]
    assert shown["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_lock_is_taken_once(client: Any) -> None:
    ddb = client("dynamodb")
    make_table(ddb)
    item = {"id": {"S": "deploy"}}
    ddb.put_item(TableName="lock", Item=item, ConditionExpression="attribute_not_exists(id)")
    with refused("ConditionalCheckFailedException"):
        ddb.put_item(TableName="lock", Item=item, ConditionExpression="attribute_not_exists(id)")


# CloudWatch Logs


def test_log_groups(client: Any) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="g", tags={"a": "b"})
    for days in (1096, 3288):
        logs.put_retention_policy(logGroupName="g", retentionInDays=days)
    with refused("InvalidParameterException"):
        logs.put_retention_policy(logGroupName="g", retentionInDays=31)
    group = logs.describe_log_groups(logGroupNamePrefix="g")["logGroups"][0]
    assert (group["retentionInDays"], group["arn"]) == (3288, f"{group['logGroupArn']}:*")
    logs.tag_resource(resourceArn=group["logGroupArn"], tags={"c": "d"})
    assert logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"] == {"a": "b", "c": "d"}
    assert logs.list_tags_log_group(logGroupName="g")["tags"] == {"a": "b", "c": "d"}
    with refused("ResourceNotFoundException"):
        logs.list_tags_for_resource(resourceArn=group["arn"])


def test_a_log_groups_key_must_let_the_service_in(client: Any) -> None:
    logs, kms = client("logs"), client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    with refused("InvalidParameterException"):
        logs.create_log_group(logGroupName="g", kmsKeyId=arn)
    statements = [
        {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
        for principal in ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"Service": "logs.us-west-2.amazonaws.com"})
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=document)
    logs.create_log_group(logGroupName="g", kmsKeyId=arn)
    logs.disassociate_kms_key(logGroupName="g")
    assert "kmsKeyId" not in logs.describe_log_groups()["logGroups"][0]
    logs.associate_kms_key(logGroupName="g", kmsKeyId=arn)
    assert logs.describe_log_groups()["logGroups"][0]["kmsKeyId"] == arn


# STS


def test_only_roles_that_exist_are_assumed(client: Any) -> None:
    sts, iam = client("sts"), client("iam")
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    with refused("AccessDenied"):
        sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none", RoleSessionName="session")
    document = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    assert sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]["AccessKeyId"]


# Route 53


def change(action: str, name: str, kind: str, value: str) -> dict[str, Any]:
    records = [{"Value": value}]
    return {"Action": action, "ResourceRecordSet": {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": records}}


def test_private_zones_and_their_changes(client: Any) -> None:
    dns = client("route53")
    vpcs = {}
    for region in ("us-west-2", "us-east-1"):
        vpcs[region] = client("ec2", region).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    runtime.clock.set("aws")
    request: dict[str, Any] = {
        "Name": "db.internal", "CallerReference": "r1", "HostedZoneConfig": {"PrivateZone": True},
        "VPC": {"VPCRegion": "us-west-2", "VPCId": vpcs["us-west-2"]},
    }  # fmt: skip
    with refused("InvalidVPCId"):
        dns.create_hosted_zone(**(request | {"VPC": {"VPCRegion": "us-east-1", "VPCId": vpcs["us-west-2"]}}))
    zone = dns.create_hosted_zone(**request)["HostedZone"]["Id"]
    with refused("HostedZoneAlreadyExists"):
        dns.create_hosted_zone(**request)
    with refused("ConflictingDomainExists"):
        dns.create_hosted_zone(**(request | {"CallerReference": "r2"}))
    dns.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC={"VPCRegion": "us-east-1", "VPCId": vpcs["us-east-1"]})
    assert len(dns.get_hosted_zone(Id=zone)["VPCs"]) == 2
    batch = {"Changes": [change("UPSERT", "primary.db.internal", "CNAME", "a.example")]}
    info = dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]
    assert info["Status"] == "PENDING"
    wait(61)
    assert dns.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    with refused("NoSuchChange"):
        dns.get_change(Id="C404")
    with refused("HostedZoneNotEmpty"):
        dns.delete_hosted_zone(Id=zone)


def test_a_batch_is_applied_whole_or_not_at_all(client: Any) -> None:
    dns = client("route53")
    zone = dns.create_hosted_zone(Name="example.com", CallerReference="r")["HostedZone"]["Id"]

    def apply(*changes: dict[str, Any]) -> None:
        dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": list(changes)})

    def names() -> set[str]:
        rows = dns.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {row["Name"] for row in rows if row["Type"] not in ("NS", "SOA")}

    apply(change("CREATE", "a.example.com", "A", "10.0.0.1"))
    for bad in (
        change("CREATE", "a.example.com", "A", "10.0.0.2"),
        change("CREATE", "a.example.com", "CNAME", "b.example.com"),
        change("CREATE", "example.com", "CNAME", "b.example.com"),
        change("DELETE", "none.example.com", "A", "10.0.0.1"),
    ):
        with refused("InvalidChangeBatch"):
            apply(change("CREATE", "new.example.com", "A", "10.0.0.9"), bad)
    assert names() == {"a.example.com."}
    apply(change("DELETE", "a.example.com", "A", "10.0.0.1"), change("CREATE", "a.example.com", "CNAME", "b.test"))
    assert names() == {"a.example.com."}


# Scheduler, and the rest as moto has it


def test_a_schedules_token(client: Any) -> None:
    scheduler = client("scheduler")
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document)
    request: dict[str, Any] = {
        "Name": "night", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "ClientToken": "t",
        "Target": {"Arn": f"arn:aws:sqs:us-west-2:{ACCOUNT}:q", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"},
    }  # fmt: skip
    first = scheduler.create_schedule(**request)
    assert scheduler.create_schedule(**request)["ScheduleArn"] == first["ScheduleArn"]
    with refused("ConflictException"):
        scheduler.create_schedule(**(request | {"ScheduleExpression": "rate(2 days)"}))


def test_what_moto_has_answers(client: Any) -> None:
    assert client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert client("sns").list_topics()["Topics"] == []
    assert client("events").list_rules()["Rules"] == []
    assert client("service-quotas").list_aws_default_service_quotas(ServiceCode="vpc")["Quotas"]
    assert client("ssm").describe_parameters()["Parameters"] == []
    assert client("backup").list_backup_vaults()["BackupVaultList"] == []


def test_tagged_resources_are_found_across_services(client: Any) -> None:
    tags = [{"Key": "pipeops:environment", "Value": "dev"}]
    ec2, ddb, kms = client("ec2"), client("dynamodb"), client("kms")

    def spec(kind: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": tags}]

    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=spec("vpc"))["Vpc"]["VpcId"]
    ec2.allocate_address(TagSpecifications=spec("elastic-ip"))
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-west-2.s3", TagSpecifications=spec("vpc-endpoint"))
    ec2.create_network_acl(VpcId=vpc, TagSpecifications=spec("network-acl"))
    make_table(ddb, Tags=tags)
    kms.create_key(Tags=[{"TagKey": tags[0]["Key"], "TagValue": "dev"}])
    client("logs").create_log_group(logGroupName="g", tags={tags[0]["Key"]: "dev"})
    client("secretsmanager").create_secret(Name="s", SecretString="x", Tags=tags)
    wanted = [{"Key": "pipeops:environment", "Values": ["dev"]}]
    rows = client("resourcegroupstaggingapi").get_resources(TagFilters=wanted)["ResourceTagMappingList"]
    kinds = {row["ResourceARN"].split(":", 5)[5].split("/")[0].split(":")[0] for row in rows}
    assert kinds == {"vpc", "elastic-ip", "vpc-endpoint", "network-acl", "table", "key", "log-group", "secret"}
