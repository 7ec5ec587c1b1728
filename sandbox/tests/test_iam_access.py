"""IAM while it is enforced: the evaluation of policies, and what each call has to be allowed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.access.policy import Request, Unsupported, allows, conditions_hold

ACCOUNT = "123456789012"
ISSUER = "token.actions.githubusercontent.com"
DEV = {"aws:ResourceTag/env": "dev"}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **one} for one in statements]}


@pytest.mark.parametrize(
    ("statement", "request_", "allowed"),
    [
        ({"Action": "s3:Get*"}, Request("s3:GetObject", "*"), True),
        ({"Action": "s3:get*"}, Request("s3:GetObject", "*"), True),
        ({"Action": "s3:Get?"}, Request("s3:GetObject", "*"), False),
        ({"Action": ["s3:PutObject", "s3:*"]}, Request("s3:GetObject", "*"), True),
        ({"NotAction": "iam:*"}, Request("s3:GetObject", "*"), True),
        ({"NotAction": "iam:*"}, Request("iam:GetRole", "*"), False),
        ({"Action": "*", "Resource": "arn:aws:s3:::a/*"}, Request("s3:GetObject", "arn:aws:s3:::a/b/c"), True),
        ({"Action": "*", "Resource": "arn:aws:s3:::a/*"}, Request("s3:GetObject", "arn:aws:s3:::ab"), False),
        ({"Action": "*", "Resource": "arn:aws:s3:::A/*"}, Request("s3:GetObject", "arn:aws:s3:::a/b"), False),
        ({"Action": "*", "NotResource": "arn:aws:s3:::a"}, Request("s3:GetObject", "arn:aws:s3:::b"), True),
        ({"Action": "*", "Condition": {"StringEquals": DEV}}, Request("a:B", "*", DEV), True),
        ({"Action": "*", "Condition": {"StringEquals": DEV}}, Request("a:B", "*"), False),
    ],
)
def test_a_statement_is_about_actions_resources_and_conditions(
    statement: dict[str, Any], request_: Request, allowed: bool
) -> None:
    assert allows([policy(statement)], request_) is allowed


def test_a_denial_wins() -> None:
    both = policy({"Action": "*"}, {"Effect": "Deny", "Action": "iam:*"})
    assert allows([both], Request("s3:GetObject", "*"))
    assert not allows([both], Request("iam:GetRole", "*"))


@pytest.mark.parametrize(
    ("conditions", "context", "held"),
    [
        ({"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
        ({"StringEquals": {"k": "a", "l": "b"}}, {"k": "a"}, False),
        ({"StringEquals": {"AWS:requestedregion": "a"}}, {"aws:RequestedRegion": "a"}, True),
        ({"StringEqualsIfExists": {"k": "a"}}, {}, True),
        ({"StringEqualsIfExists": {"k": "a"}}, {"k": "b"}, False),
        ({"StringNotEquals": {"k": "a"}}, {}, True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, False),
        ({"StringLike": {"k": "a*"}}, {"k": "abc"}, True),
        ({"StringNotLike": {"k": "a*"}}, {"k": "abc"}, False),
        ({"ArnLike": {"k": "arn:aws:iam::*:policy/A*"}}, {"k": "arn:aws:iam::aws:policy/AB"}, True),
        ({"ArnLike": {"k": "arn:aws:*"}}, {"k": "arn:aws:iam::aws:policy/AB"}, False),
        ({"Bool": {"k": "true"}}, {"k": "True"}, True),
        ({"Null": {"k": "true"}}, {}, True),
        ({"Null": {"k": "true"}}, {"k": "a"}, False),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ["a", "c"]}, False),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"k": ["a", "b"]}}, {"k": ["a", "c"]}, True),
        ({"ForAnyValue:StringEquals": {"k": ["a", "b"]}}, {}, False),
    ],
)
def test_conditions(conditions: dict[str, Any], context: dict[str, Any], held: bool) -> None:
    assert conditions_hold(conditions, context) is held


def test_a_condition_that_nobody_can_evaluate_is_no_secret() -> None:
    with pytest.raises(Unsupported, match="DateLessThan"):
        conditions_hold({"DateLessThan": {"k": "a"}}, {"k": "b"})


@pytest.fixture
def enforced(control: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """The control interface of a sandbox that enforces IAM."""
    assert control("POST", "iam", enforced=True)["enforced"]
    yield control
    control("POST", "iam", enforced=False)


def trust(principal: dict[str, str], **condition: Any) -> str:
    action = "sts:AssumeRoleWithWebIdentity" if "Federated" in principal else "sts:AssumeRole"
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def as_role(client: Any, enforced: Any) -> Callable[..., Callable[..., Any]]:
    """Make a role with a policy and return what makes clients for a session of it."""

    def make(*statements: dict[str, Any], boundary: dict[str, Any] | None = None) -> Callable[..., Any]:
        iam = client("iam")
        bound = {}
        if boundary is not None:
            made = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(policy(boundary)))
            bound = {"PermissionsBoundary": made["Policy"]["Arn"]}
        document = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=document, **bound)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=json.dumps(policy(*statements)))
        key = client("sts").assume_role(RoleArn=role, RoleSessionName="run")["Credentials"]["AccessKeyId"]
        return lambda service, region="us-west-2": client(service, region, access_key=key)

    return make


REFUSED = {
    "ec2": (lambda c: c.describe_vpcs(), "UnauthorizedOperation", 403),
    "s3": (lambda c: c.list_buckets(), "AccessDenied", 403),
    "rds": (lambda c: c.describe_db_instances(), "AccessDenied", 403),
    "dynamodb": (lambda c: c.describe_table(TableName="x"), "AccessDeniedException", 400),
    "eks": (lambda c: c.list_clusters(), "AccessDeniedException", 403),
    "route53": (lambda c: c.list_hosted_zones(), "AccessDenied", 403),
}


@pytest.mark.parametrize("service", sorted(REFUSED))
def test_a_refusal_is_that_of_the_service(as_role: Any, enforced: Any, service: str) -> None:
    call, code, status = REFUSED[service]
    with pytest.raises(ClientError) as refused:
        call(as_role()(service))
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    (entry,) = enforced("GET", "iam")["refused"]
    text = refused.value.response["Error"]["Message"]
    who = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/worker/run"
    assert f"{who} is not authorized to perform: {entry['action']} on" in text


def test_keys_that_nobody_handed_out_are_the_administrators(client: Any, enforced: Any) -> None:
    assert client("ec2").describe_vpcs()["Vpcs"]
    assert enforced("GET", "iam")["asked"] == []


def test_a_boundary_takes_away(as_role: Any) -> None:
    clients = as_role({"Action": ["ec2:DescribeVpcs", "ec2:DescribeSubnets"]}, boundary={"Action": "ec2:DescribeVpcs"})
    assert clients("ec2").describe_vpcs()["Vpcs"]
    with pytest.raises(ClientError, match="because no permissions boundary allows the ec2:DescribeSubnets action"):
        clients("ec2").describe_subnets()


def test_a_region_is_that_of_the_call(as_role: Any) -> None:
    west = {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    clients = as_role({"Action": "ec2:DescribeVpcs", "Condition": west})
    assert clients("ec2", "us-west-2").describe_vpcs()["Vpcs"]
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        clients("ec2", "us-east-1").describe_vpcs()


def tagged(env: str, kind: str = "vpc") -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "env", "Value": env}]}]


def test_what_is_made_is_held_by_its_tags_and_what_stands_by_its_own(as_role: Any, client: Any) -> None:
    new = {"StringEquals": {"aws:RequestTag/env": "dev"}}
    clients = as_role(
        {"Action": ["ec2:CreateVpc", "ec2:CreateSubnet", "ec2:CreateTags"], "Condition": new},
        {"Action": ["ec2:CreateSubnet", "ec2:DeleteVpc"], "Condition": {"StringEquals": DEV}},
    )
    ec2, others = clients("ec2"), client("ec2")
    own = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("dev"))["Vpc"]["VpcId"]
    foreign = others.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tagged("prod"))["Vpc"]["VpcId"]
    subnet = {"CidrBlock": "10.0.1.0/24", "TagSpecifications": tagged("dev", "subnet")}
    assert ec2.create_subnet(VpcId=own, **subnet)["Subnet"]["SubnetId"]
    for call in (
        lambda: ec2.create_vpc(CidrBlock="10.2.0.0/16"),
        lambda: ec2.create_vpc(CidrBlock="10.2.0.0/16", TagSpecifications=tagged("prod")),
        lambda: ec2.create_subnet(VpcId=foreign, **subnet | {"CidrBlock": "10.1.1.0/24"}),
        lambda: ec2.delete_vpc(VpcId=foreign),
    ):
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            call()


def test_a_key_is_held_by_its_tag_and_its_alias_by_its_name(as_role: Any, client: Any) -> None:
    alias = f"arn:aws:kms:us-west-2:{ACCOUNT}:alias/dev-*"
    clients = as_role(
        {"Action": "kms:CreateAlias", "Resource": alias},
        {"Action": ["kms:CreateAlias", "kms:DisableKeyRotation"], "Condition": {"StringEquals": DEV}},
    )
    admin, kms = client("kms"), clients("kms")
    own, foreign = (
        admin.create_key(Tags=[{"TagKey": "env", "TagValue": env}])["KeyMetadata"]["KeyId"] for env in ("dev", "prod")
    )
    kms.create_alias(AliasName="alias/dev-a", TargetKeyId=own)
    kms.disable_key_rotation(KeyId=own)
    for name, key in (("alias/dev-b", foreign), ("alias/prod-a", own)):
        with pytest.raises(ClientError, match="AccessDeniedException"):
            kms.create_alias(AliasName=name, TargetKeyId=key)


def test_passing_a_role_and_using_a_key_are_asked_for_beside(as_role: Any, client: Any, enforced: Any) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    role = f"arn:aws:iam::{ACCOUNT}:role/monitoring"
    instance = {
        "DBInstanceIdentifier": "dev", "DBInstanceClass": "db.t3.medium", "Engine": "postgres", "AllocatedStorage": 20,
        "MasterUsername": "app", "MasterUserPassword": "not-a-real-one", "MonitoringRoleArn": role,
        "MonitoringInterval": 60, "StorageEncrypted": True, "KmsKeyId": key, "Tags": [{"Key": "env", "Value": "dev"}],
    }  # fmt: skip
    db = f"arn:aws:rds:us-west-2:{ACCOUNT}:db:dev"
    steps = [
        ({"Action": "rds:CreateDBInstance", "Resource": db}, "rds:AddTagsToResource"),
        ({"Action": "rds:AddTagsToResource", "Resource": db}, "iam:PassRole"),
        ({"Action": "iam:PassRole", "Resource": role,
          "Condition": {"StringEquals": {"iam:PassedToService": "monitoring.rds.amazonaws.com"}}}, "kms:CreateGrant"),
        ({"Action": "kms:CreateGrant", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}},
         "kms:DescribeKey"),
    ]  # fmt: skip
    clients, given = as_role(), []
    for statement, lacking in steps:
        given.append(statement)
        client("iam").put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=json.dumps(policy(*given)))
        with pytest.raises(ClientError, match=f"is not authorized to perform: {lacking}"):
            clients("rds").create_db_instance(**instance)


def token(**claims: str) -> str:
    parts = ({"alg": "RS256"}, {"iss": f"https://{ISSUER}", "aud": "sts.amazonaws.com", **claims})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "signature"])


@pytest.mark.parametrize(
    ("claims", "let_in"),
    [
        ({"sub": "repo:example/platform:environment:dev"}, True),
        ({"sub": "repo:example/platform:environment:prod"}, False),
        ({"sub": "repo:example/platform:environment:dev", "aud": "others"}, False),
        ({"sub": "repo:example/platform:environment:dev", "iss": "https://elsewhere"}, False),
        ({}, False),
    ],
)
def test_a_token_lets_in_whom_the_role_trusts(client: Any, enforced: Any, claims: dict[str, str], let_in: bool) -> None:
    iam = client("iam")
    iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    wanted = {f"{ISSUER}:sub": "repo:example/platform:environment:dev", f"{ISSUER}:aud": "sts.amazonaws.com"}
    document = trust({"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}, StringEquals=wanted)
    role = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    asked = {"RoleArn": role, "RoleSessionName": "run", "WebIdentityToken": token(**claims)}
    if let_in:
        keys = client("sts").assume_role_with_web_identity(**asked)["Credentials"]
        me = client("sts", access_key=keys["AccessKeyId"]).get_caller_identity()
        assert me["Arn"].endswith("assumed-role/deploy/run")
        return
    with pytest.raises(ClientError, match="AccessDenied"):
        client("sts").assume_role_with_web_identity(**asked)


def test_a_reset_ends_it(enforced: Any) -> None:
    enforced("POST", "reset")
    assert enforced("GET", "iam") == {"enforced": False, "asked": [], "refused": []}
