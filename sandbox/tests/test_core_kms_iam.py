"""KMS and IAM: what AWS refuses, and the seconds in which a new role is not there yet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.overlays.iam import role_is_assumable
from pipeops_sandbox.overlays.kms import key_is_usable
from pipeops_sandbox.runtime import runtime

ACCOUNT = "123456789012"


def trust(service: str, *actions: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": list(actions) or "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def key_policy(principal: str, action: str = "kms:*") -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_a_role_is_assumable_only_after_it_has_propagated(client: Any) -> None:
    iam = client("iam")
    runtime.clock.set("aws", 1.0)
    arn = iam.create_role(RoleName="eks", AssumeRolePolicyDocument=trust("eks.amazonaws.com"))["Role"]["Arn"]
    assert not role_is_assumable(ACCOUNT, arn, "eks.amazonaws.com")
    runtime.clock.restore(runtime.clock.now() + 11)
    assert role_is_assumable(ACCOUNT, arn, "eks.amazonaws.com")
    assert not role_is_assumable(ACCOUNT, arn, "ec2.amazonaws.com")
    assert not role_is_assumable(ACCOUNT, arn, "eks.amazonaws.com", ("sts:AssumeRole", "sts:TagSession"))
    both = trust("eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")
    iam.update_assume_role_policy(RoleName="eks", PolicyDocument=both)
    assert not role_is_assumable(ACCOUNT, arn, "eks.amazonaws.com")
    runtime.clock.set("instant")
    assert role_is_assumable(ACCOUNT, arn, "eks.amazonaws.com", ("sts:AssumeRole", "sts:TagSession"))
    assert not role_is_assumable(ACCOUNT, f"{arn}-missing", "eks.amazonaws.com")


@pytest.mark.parametrize(
    "document",
    [
        "not json",
        "{}",
        trust("eks.amazonaws.com", "s3:GetObject"),
        json.dumps({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}),
        json.dumps(
            {"Statement": {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"},
                           "Action": "sts:AssumeRole"}}
        ),
    ],
)  # fmt: skip
def test_iam_refuses_a_bad_trust_policy(client: Any, document: str) -> None:
    with refused("MalformedPolicyDocument"):
        client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document)
    assert client("iam").list_roles()["Roles"] == []


def test_iam_refuses_to_delete_what_is_in_use(client: Any) -> None:
    iam = client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    document = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    with refused("DeleteConflict"):
        iam.delete_role(RoleName="r")
    with refused("DeleteConflict"):
        iam.delete_policy(PolicyArn=arn)
    iam.detach_role_policy(RoleName="r", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document)
    with refused("DeleteConflict"):
        iam.delete_policy(PolicyArn=arn)
    iam.delete_role(RoleName="r")


def test_iam_has_managed_policies_and_their_quota(client: Any) -> None:
    iam = client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust("eks.amazonaws.com"))
    arns = [row["Arn"] for row in iam.list_policies(Scope="AWS", MaxItems=11)["Policies"]]
    assert len(arns) == 11
    for arn in arns[:10]:
        iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    with refused("LimitExceeded"):
        iam.attach_role_policy(RoleName="r", PolicyArn=arns[10])
    for name in ("Cluster", "Compute", "BlockStorage", "LoadBalancing", "Networking", "WorkerNodeMinimal"):
        iam.get_policy(PolicyArn=f"arn:aws:iam::aws:policy/AmazonEKS{name}Policy")


def test_service_linked_roles_are_protected(client: Any) -> None:
    iam = client("iam")
    name = iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")["Role"]["RoleName"]
    with refused("InvalidInput"):
        iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")
    with refused("UnmodifiableEntity"):
        iam.delete_role(RoleName=name)


def test_oidc_provider(client: Any) -> None:
    iam = client("iam")
    url = "https://token.actions.githubusercontent.com"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])["OpenIDConnectProviderArn"]
    with refused("EntityAlreadyExists"):
        iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["sts.amazonaws.com"]


def test_the_audiences_of_an_oidc_provider(client: Any) -> None:
    iam = client("iam")
    url = "https://token.actions.githubusercontent.com"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["a"])["OpenIDConnectProviderArn"]
    add, remove = iam.add_client_id_to_open_id_connect_provider, iam.remove_client_id_from_open_id_connect_provider

    def audiences() -> list[str]:
        return list(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"])

    for client_id in ("b", "b", "c"):
        add(OpenIDConnectProviderArn=arn, ClientID=client_id)
    for client_id in ("a", "a", "never"):
        remove(OpenIDConnectProviderArn=arn, ClientID=client_id)
    assert audiences() == ["b", "c"]
    with refused("ValidationError"):
        add(OpenIDConnectProviderArn=arn, ClientID="x" * 256)
    for call in (add, remove):
        with refused("NoSuchEntity"):
            call(OpenIDConnectProviderArn=f"{arn}/other", ClientID="d")
    for number in range(98):
        add(OpenIDConnectProviderArn=arn, ClientID=f"n{number}")
    with refused("LimitExceeded"):
        add(OpenIDConnectProviderArn=arn, ClientID="one more")
    assert len(audiences()) == 100


def test_key_states(client: Any) -> None:
    kms = client("kms")
    arn = kms.create_key(Description="d")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/a", TargetKeyId=arn)
    assert key_is_usable(ACCOUNT, "us-west-2", "alias/a")
    assert not key_is_usable(ACCOUNT, "us-east-1", arn)
    kms.disable_key(KeyId=arn)
    assert not key_is_usable(ACCOUNT, "us-west-2", arn)
    with refused("DisabledException"):
        kms.encrypt(KeyId=arn, Plaintext=b"x")
    with refused("DisabledException"):
        kms.enable_key_rotation(KeyId=arn)
    kms.enable_key(KeyId=arn)
    answer = kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingDeletion"
    with refused("KMSInvalidStateException"):
        kms.schedule_key_deletion(KeyId=arn)
    with refused("KMSInvalidStateException"):
        kms.create_alias(AliasName="alias/b", TargetKeyId=arn)
    kms.cancel_key_deletion(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    runtime.clock.restore(runtime.clock.now() + 7 * 86400 + 1)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=arn)


def test_rotation(client: Any) -> None:
    kms = client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    assert kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=arn, RotationPeriodInDays=180)
    status = kms.get_key_rotation_status(KeyId=arn)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 180)
    assert status["NextRotationDate"].timestamp() == pytest.approx(runtime.clock.now() + 180 * 86400, abs=60)
    kms.disable_key_rotation(KeyId=arn)
    assert kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"] is False


def test_multi_region_keys(client: Any) -> None:
    west, east = client("kms", "us-west-2"), client("kms", "us-east-1")
    primary = west.create_key(MultiRegion=True)["KeyMetadata"]
    west.create_alias(AliasName="alias/m", TargetKeyId=primary["KeyId"])
    made = west.replicate_key(KeyId=primary["Arn"], ReplicaRegion="us-east-1", Tags=[{"TagKey": "a", "TagValue": "b"}])
    replica = made["ReplicaKeyMetadata"]
    assert (replica["KeyId"], replica["KeyState"]) == (primary["KeyId"], "Creating")
    assert east.list_resource_tags(KeyId=replica["Arn"])["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
    assert east.list_aliases(KeyId=replica["Arn"])["Aliases"] == []
    with refused("AlreadyExistsException"):
        west.replicate_key(KeyId=primary["Arn"], ReplicaRegion="us-east-1")
    with refused("UnsupportedOperationException"):
        east.replicate_key(KeyId=replica["Arn"], ReplicaRegion="eu-west-1")
    assert west.schedule_key_deletion(KeyId=primary["Arn"])["KeyState"] == "PendingReplicaDeletion"
    west.cancel_key_deletion(KeyId=primary["Arn"])
    west.enable_key(KeyId=primary["Arn"])
    west.update_primary_region(KeyId=primary["Arn"], PrimaryRegion="us-east-1")
    seen = east.describe_key(KeyId=replica["Arn"])["KeyMetadata"]["MultiRegionConfiguration"]
    assert seen["MultiRegionKeyType"] == "PRIMARY"
    assert [row["Region"] for row in seen["ReplicaKeys"]] == ["us-west-2"]


def test_key_policy_must_name_principals_that_exist(client: Any) -> None:
    kms, iam = client("kms"), client("iam")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    for document in ("x", key_policy(f"arn:aws:iam::{ACCOUNT}:role/none"), key_policy("*", "kms:Decrypt")):
        with refused("MalformedPolicyDocumentException"):
            kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=document)
    runtime.clock.set("aws")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))["Role"]["Arn"]
    with refused("MalformedPolicyDocumentException"):
        kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=key_policy(role))
    runtime.clock.restore(runtime.clock.now() + 11)
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=key_policy(role))
    assert json.loads(kms.get_key_policy(KeyId=arn)["Policy"])["Statement"]["Principal"]["AWS"] == role
