"""CloudTrail's event history: what it has, what it leaves out, and how it is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

WRITES = [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]


def test_a_change_is_told_with_who_made_it(client: Any) -> None:
    ec2, trail = client("ec2", "us-west-2"), client("cloudtrail", "us-west-2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.describe_vpcs()
    events = trail.lookup_events(LookupAttributes=WRITES)["Events"]
    assert [event["EventName"] for event in events] == ["ModifyVpcAttribute", "CreateVpc"]
    whole = json.loads(events[0]["CloudTrailEvent"])
    assert (whole["eventSource"], whole["awsRegion"]) == ("ec2.amazonaws.com", "us-west-2")
    assert whole["requestParameters"]["VpcId"] == vpc
    assert whole["userIdentity"]["userName"] == events[0]["Username"]
    assert client("cloudtrail", "us-east-1").lookup_events()["Events"] == [], "each Region has its own"


def test_data_events_and_secrets_are_left_out(client: Any) -> None:
    s3 = client("s3", "us-west-2")
    s3.create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="state", Key="a", Body=b"{}")
    client("secretsmanager", "us-west-2").create_secret(Name="a", SecretString="hush")
    events = client("cloudtrail", "us-west-2").lookup_events()["Events"]
    assert [event["EventName"] for event in events] == ["CreateSecret", "CreateBucket"]
    assert "hush" not in json.dumps([event["CloudTrailEvent"] for event in events])


def test_what_failed_changed_nothing(client: Any) -> None:
    with pytest.raises(ClientError):
        client("ec2", "us-west-2").delete_vpc(VpcId="vpc-0123456789abcdef0")
    assert client("cloudtrail", "us-west-2").lookup_events()["Events"] == []


def test_it_comes_in_pages_and_by_attributes(client: Any) -> None:
    logs, trail = client("logs", "us-west-2"), client("cloudtrail", "us-west-2")
    for number in range(5):
        logs.create_log_group(logGroupName=f"group-{number}")
    logs.delete_log_group(logGroupName="group-0")
    first = trail.lookup_events(MaxResults=4)
    second = trail.lookup_events(MaxResults=4, NextToken=first["NextToken"])
    assert [len(page["Events"]) for page in (first, second)] == [4, 2]
    assert "NextToken" not in second
    deleted = [{"AttributeKey": "EventName", "AttributeValue": "DeleteLogGroup"}]
    assert len(trail.lookup_events(LookupAttributes=deleted)["Events"]) == 1
    with pytest.raises(ClientError, match="NotEmulated"):
        trail.lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "group-1"}])
