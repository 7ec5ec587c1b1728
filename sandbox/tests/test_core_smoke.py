"""The server answers every protocol, and says clearly what it does not emulate."""

from __future__ import annotations

from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError


def test_each_protocol_answers(client: Any) -> None:
    assert client("ec2").describe_vpcs()["Vpcs"]
    assert client("sts").get_caller_identity()["Account"] == "123456789012"
    assert client("iam").list_roles()["Roles"] == []
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("dynamodb").list_tables()["TableNames"] == []
    assert client("eks").list_clusters()["clusters"] == []
    assert client("route53").list_hosted_zones()["HostedZones"] == []


def test_a_presigned_url_is_answered(client: Any) -> None:
    sts = client("sts", "us-east-1")
    url = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    with urlopen(url, timeout=10) as answer:
        assert b"<Account>123456789012</Account>" in answer.read()


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("ec2", "describe_ipams", {}),
        ("rds", "describe_db_recommendations", {}),
        ("kms", "describe_custom_key_stores", {}),
        ("backup", "describe_global_settings", {}),
        ("iam", "get_context_keys_for_custom_policy", {"PolicyInputList": ["{}"]}),
    ],
)
def test_what_is_not_emulated_is_one_clear_error(client: Any, service: str, operation: str, arguments: Any) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(client(service), operation)(**arguments)
    error = caught.value.response
    assert error["Error"]["Code"] == "NotEmulated"
    assert error["Error"]["Message"].startswith(f"not emulated: {service}:")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
