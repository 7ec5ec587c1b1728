"""The control interface: journal, faults, clock, Regions, snapshots, and clear answers to bad input."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ConnectionError, HTTPClientError
from pipeops_sandbox.routing import is_mutating

Control = Callable[..., Any]


def test_health(control: Control) -> None:
    health = control("GET", "health")
    assert (health["status"], health["moto"], health["clock"]["profile"]) == ("ok", "5.2.5", "instant")


def test_the_journal_tells_who_did_what(control: Control, client: Any) -> None:
    control("DELETE", "journal")
    client("ec2", "us-east-1", access_key="AKIASANDBOX000000002").create_vpc(CidrBlock="10.0.0.0/16")
    client("ec2").describe_vpcs()
    client("s3").list_buckets()
    with pytest.raises(ClientError):
        client("eks").describe_cluster(name="none")
    calls = control("GET", "journal")["calls"]
    assert [(row["service"], row["operation"], row["region"], row["mutating"]) for row in calls] == [
        ("ec2", "CreateVpc", "us-east-1", True),
        ("ec2", "DescribeVpcs", "us-west-2", False),
        ("s3", "ListBuckets", "us-west-2", False),
        ("eks", "DescribeCluster", "us-west-2", False),
    ]
    assert [row["status"] for row in calls] == [200, 200, 200, 404]
    assert (calls[3]["error"], calls[0]["principal"]) == ("ResourceNotFoundException", "AKIASANDBOX000000002")
    assert [row["n"] for row in calls] == list(range(calls[0]["n"], calls[0]["n"] + 4))
    assert len(control("GET", f"journal?since={calls[1]['n']}")["calls"]) == 2
    assert [row["operation"] for row in control("GET", "journal?mutating=true")["calls"]] == ["CreateVpc"]
    assert control("DELETE", "journal")["removed"] == 4
    assert control("GET", "journal")["calls"] == []


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("ec2", "CreateTags", True), ("ec2", "DescribeTags", False), ("ec2", "GetManagedPrefixListEntries", False),
        ("ec2", "ModifyVpcAttribute", True), ("ec2", "AuthorizeSecurityGroupIngress", True),
        ("dynamodb", "Query", False), ("dynamodb", "Scan", False), ("dynamodb", "GetItem", False),
        ("dynamodb", "BatchGetItem", False), ("dynamodb", "TransactGetItems", False), ("dynamodb", "PutItem", True),
        ("dynamodb", "TransactWriteItems", True), ("kms", "Decrypt", False), ("kms", "GenerateDataKey", False),
        ("kms", "GenerateDataKeyWithoutPlaintext", False), ("kms", "ScheduleKeyDeletion", True),
        ("secretsmanager", "GetRandomPassword", False), ("secretsmanager", "PutSecretValue", True),
        ("sts", "AssumeRole", False), ("sts", "GetCallerIdentity", False), ("iam", "SimulatePrincipalPolicy", False),
        ("iam", "GenerateCredentialReport", True), ("s3", "HeadObject", False), ("s3", "PutObject", True),
        ("s3", "SelectObjectContent", False), ("route53", "TestDNSAnswer", False), ("logs", "FilterLogEvents", False),
        ("rds", "DownloadDBLogFilePortion", False), ("eks", "AssociateAccessPolicy", True),
    ],
)  # fmt: skip
def test_reads_and_writes_are_told_apart(service: str, operation: str, expected: bool) -> None:
    assert is_mutating(service, operation) is expected


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", "describe_vpcs", "RequestLimitExceeded"),
        ("rds", "describe_db_instances", "Throttling"),
        ("s3", "list_buckets", "SlowDown"),
        ("route53", "list_hosted_zones", "Throttling"),
        ("dynamodb", "list_tables", "ThrottlingException"),
        ("eks", "list_clusters", "ThrottlingException"),
    ],
)
def test_throttling_is_said_as_each_service_says_it(
    control: Control, client: Any, service: str, call: str, code: str
) -> None:
    rule = control("POST", "faults", effect="throttle", service=service, nth=2)
    connected = client(service)
    getattr(connected, call)()
    with pytest.raises(ClientError, match=rf"\({code}\)"):
        getattr(connected, call)()
    getattr(connected, call)()
    shown = control("GET", "faults")["faults"][0]
    assert (shown["id"], shown["matched"], shown["fired"]) == (rule["id"], 3, 1)


def test_an_sdk_retries_errors_of_the_service(control: Control, client: Any) -> None:
    control("POST", "faults", effect="error_500", operation="Describe.*", times=2)
    ec2 = client("ec2", config=Config(retries={"total_max_attempts": 3}))
    assert ec2.describe_vpcs()["ResponseMetadata"]["RetryAttempts"] == 2


def test_any_error_can_be_asked_for(control: Control, client: Any) -> None:
    control("POST", "faults", effect="error", operation="CreateVpc", code="VpcLimitExceeded", message="full")
    with pytest.raises(ClientError, match=r"\(VpcLimitExceeded\).*full"):
        client("ec2").create_vpc(CidrBlock="10.0.0.0/16")


@pytest.mark.parametrize(("effect", "applied"), [("reset", 0), ("reset_after", 1)])
def test_a_lost_answer_is_not_a_lost_call(control: Control, client: Any, effect: str, applied: int) -> None:
    ec2 = client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    control("POST", "faults", effect=effect, operation="CreateVpc", times=1)
    with pytest.raises((ConnectionClosedError, ConnectionError, HTTPClientError)):
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert len(ec2.describe_vpcs()["Vpcs"]) == before + applied
    lost = control("GET", "journal?mutating=true")["calls"][-1]
    assert (lost["operation"], lost["fault"], lost["status"]) == ("CreateVpc", effect, 0)


def test_latency_waits_outside_the_lock(control: Control, client: Any) -> None:
    control("POST", "faults", latency=300, operation="DescribeVpcs", times=1)
    ec2 = client("ec2")
    began = time.monotonic()
    ec2.describe_vpcs()
    assert 0.3 <= time.monotonic() - began < 2


def test_a_seed_makes_chance_repeatable(control: Control, client: Any) -> None:
    ec2 = client("ec2")

    def outcomes() -> list[bool]:
        rule = control("POST", "faults", effect="throttle", probability=0.5, seed=7)
        failed = []
        for _ in range(20):
            try:
                ec2.describe_regions()
                failed.append(False)
            except ClientError:
                failed.append(True)
        control("DELETE", f"faults?id={rule['id']}")
        return failed

    first = outcomes()
    assert first == outcomes()
    assert 0 < sum(first) < 20


@pytest.mark.parametrize(("when", "applied"), [("before", 0), ("after", 1)])
def test_a_client_is_killed_in_the_middle_of_a_call(
    control: Control, client: Any, endpoint: str, when: str, applied: int
) -> None:
    control("POST", "faults", effect="kill_client", operation="CreateInternetGateway", when=when)
    code = (
        "import boto3\n"
        f"boto3.client('ec2', 'us-west-2', endpoint_url='{endpoint}', aws_access_key_id='A' * 20,"
        " aws_secret_access_key='s').create_internet_gateway()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == -9
    assert len(client("ec2").describe_internet_gateways()["InternetGateways"]) == applied


def test_the_ancestors_of_a_killed_client_go_with_it(control: Control, endpoint: str) -> None:
    control("POST", "faults", effect="kill_client", operation="CreateInternetGateway", also="marked-parent")
    call = (
        f"import boto3; boto3.client('ec2', 'us-west-2', endpoint_url='{endpoint}', aws_access_key_id='A' * 20,"
        " aws_secret_access_key='s').create_internet_gateway()"
    )
    parent = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {call!r}], start_new_session=True)\n"
        "print('went on')"
    )
    command = [sys.executable, "-c", parent, "marked-parent"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (-9, "")


def test_a_region_that_is_down_answers_nobody(control: Control, client: Any) -> None:
    control("POST", "regions/us-west-2", state="down")
    with pytest.raises((ConnectionClosedError, ConnectionError, HTTPClientError)):
        client("ec2", "us-west-2").describe_vpcs()
    assert client("ec2", "us-east-1").describe_vpcs()["Vpcs"]
    assert control("GET", "regions")["regions"]["us-west-2"] == "down"
    assert control("GET", "journal")["calls"][-2]["fault"] == "region_down"
    control("POST", "regions/us-west-2", state="up")
    assert client("ec2", "us-west-2").describe_vpcs()["Vpcs"]


def test_the_clock(control: Control) -> None:
    before = control("GET", "clock")["time"]
    after = control("POST", "clock", profile="aws", scale=60, advance=3600)
    assert (after["profile"], after["scale"]) == ("aws", 60)
    assert after["time"] >= before + 3600
    time.sleep(0.2)
    assert control("GET", "clock")["time"] >= after["time"] + 11


def test_snapshots(control: Control, client: Any) -> None:
    ec2, kms, s3 = client("ec2"), client("kms"), client("s3")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    s3.create_bucket(Bucket="snap", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="snap", Key="k", Body=b"one")
    assert control("POST", "snapshot", name="before")["bytes"] > 0
    ec2.delete_vpc(VpcId=vpc)
    s3.put_object(Bucket="snap", Key="k", Body=b"two")
    control("POST", "restore", name="before")
    assert ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert s3.get_object(Bucket="snap", Key="k")["Body"].read() == b"one"
    assert kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")["Signature"]
    assert "before" in control("GET", "snapshot")["snapshots"]


def test_reset(control: Control, client: Any) -> None:
    client("s3").create_bucket(Bucket="snap", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    control("POST", "faults", effect="throttle")
    control("POST", "reset")
    assert client("s3").list_buckets()["Buckets"] == []
    assert control("GET", "faults")["faults"] == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("faults", {"effect": "boom"}, "effect"),
        ("faults", {"effect": "throttle", "nth": 0}, "nth"),
        ("faults", {"effect": "throttle", "nth": "x"}, "nth"),
        ("faults", {"effect": "throttle", "nth": 1, "probability": 0.5}, "probability"),
        ("faults", {"effect": "throttle", "probability": 2}, "probability"),
        ("faults", {"effect": "throttle", "operation": "("}, "operation"),
        ("faults", {"effect": "throttle", "oprtion": "x"}, "oprtion"),
        ("faults", {"effect": "latency"}, "latency"),
        ("faults", {"effect": "error"}, "code"),
        ("faults", {"effect": "kill_client", "when": "never"}, "when"),
        ("clock", {"profile": "fast"}, "profile"),
        ("clock", {"scale": 0}, "scale"),
        ("clock", {"scale": True}, "scale"),
        ("regions/us-nowhere-1", {"state": "down"}, "region"),
        ("regions/us-west-2", {"state": "off"}, "state"),
        ("snapshot", {"name": "../x"}, "name"),
        ("snapshot", {}, "name"),
        ("rds/us-nowhere-1/main", {"status": "failed"}, "region"),
    ],
)
def test_bad_control_input_is_named(endpoint: str, path: str, body: Any, field: str) -> None:
    request = Request(f"{endpoint}/_sandbox/{path}", json.dumps(body).encode(), method="POST")
    with pytest.raises(HTTPError) as caught:
        urlopen(request, timeout=10)
    error = json.load(caught.value)["error"]
    assert (caught.value.code, error["field"]) == (400, field)
    assert error["allowed"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "nothing", 404),
        ("PUT", "clock", 405),
        ("POST", "restore", 404),
        ("POST", "journal", 405),
        ("POST", "rds/us-west-2/none", 404),
    ],
)
def test_control_paths_that_are_not_there(endpoint: str, method: str, path: str, status: int) -> None:
    data = b'{"name": "none"}' if path == "restore" else None
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(f"{endpoint}/_sandbox/{path}", data, method=method), timeout=10)
    assert caught.value.code == status
    assert json.load(caught.value)["error"]["message"]
