"""Access entries, access policies, Pod Identity and tags."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.config import Config

INVALID = "InvalidParameterException"
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
EDIT = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy"
AUTO_NODE = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAutoNodePolicy"
ASSUME = ["sts:AssumeRole"]


@pytest.fixture
def prod(world):
    """The world with an Auto Mode cluster in it."""
    world.create()
    world.ops = world.role("ops", "ec2.amazonaws.com", ASSUME)
    return world


def entries(world):
    return set(world.eks.list_access_entries(clusterName="prod")["accessEntries"])


def policies(world, principal):
    request = {"clusterName": "prod", "principalArn": principal}
    found = world.eks.list_associated_access_policies(**request)["associatedAccessPolicies"]
    return {each["policyArn"]: each["accessScope"] for each in found}


def test_eks_keeps_entries_of_its_own(prod, refused):
    service = "arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"
    assert entries(prod) == {prod.node_role, prod.cluster_role, service}
    entry = prod.eks.describe_access_entry(clusterName="prod", principalArn=prod.node_role)["accessEntry"]
    assert entry["type"] == "EC2"
    assert policies(prod, prod.node_role) == {AUTO_NODE: {"type": "cluster", "namespaces": []}}
    refused(INVALID, prod.eks.delete_access_entry, clusterName="prod", principalArn=service)


def test_the_creator_is_admin_if_so_wanted(world, client):
    role = world.role("deployer", "ec2.amazonaws.com", ASSUME)
    credentials = client("sts").assume_role(RoleArn=role, RoleSessionName="ci")["Credentials"]
    eks = boto3.client(
        "eks", "us-west-2", endpoint_url=world.eks.meta.endpoint_url, config=Config(retries={"total_max_attempts": 1}),
        aws_access_key_id=credentials["AccessKeyId"], aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )  # fmt: skip
    access = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}
    eks.create_cluster(**world.request(accessConfig=access))
    assert policies(world, role) == {ADMIN: {"type": "cluster", "namespaces": []}}


def test_the_life_of_an_entry(prod, refused):
    request = {"clusterName": "prod", "principalArn": prod.ops}
    made = prod.eks.create_access_entry(**request, kubernetesGroups=["ops"], tags={"a": "b"})["accessEntry"]
    assert (made["type"], made["kubernetesGroups"], made["tags"]) == ("STANDARD", ["ops"], {"a": "b"})
    assert made["username"] == "arn:aws:sts::123456789012:assumed-role/ops/{{SessionName}}"
    refused("ResourceInUseException", prod.eks.create_access_entry, **request)
    changed = prod.eks.update_access_entry(**request, kubernetesGroups=[], username="ops")["accessEntry"]
    assert (changed["kubernetesGroups"], changed["username"]) == ([], "ops")
    assert prod.eks.describe_access_entry(**request)["accessEntry"] == changed
    prod.eks.delete_access_entry(**request)
    for gone in (prod.eks.describe_access_entry, prod.eks.delete_access_entry, prod.eks.update_access_entry):
        refused("ResourceNotFoundException", gone, **request)


def test_refused_entries(prod, refused):
    def attempt(principal, **members):
        return refused(INVALID, prod.eks.create_access_entry, clusterName="prod", principalArn=principal, **members)

    user = prod.iam.create_user(UserName="ann")["User"]["Arn"]
    for wrong in (
        "arn:aws:iam::123456789012:role/nobody",
        "arn:aws:sts::123456789012:assumed-role/ops/session",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::123456789012:group/devs",
        "ops",
    ):
        assert "invalid principal" in attempt(wrong)
    attempt(prod.ops, type="NODE")
    attempt(user, type="EC2")
    attempt(prod.ops, type="EC2_LINUX", kubernetesGroups=["ops"])
    attempt(prod.ops, kubernetesGroups=["system:masters"])
    refused("ResourceNotFoundException", prod.eks.create_access_entry, clusterName="none", principalArn=prod.ops)
    assert prod.ops not in entries(prod)


def test_a_fresh_role_or_a_cluster_that_is_not_up_is_refused(world, passing, refused):
    passing(11)
    world.eks.create_cluster(**world.request())
    ops = world.role("ops", "ec2.amazonaws.com", ASSUME)
    request = {"clusterName": "prod", "principalArn": ops}
    refused("InvalidRequestException", world.eks.create_access_entry, **request)
    passing(601)
    fresh = request | {"principalArn": world.role("fresh", "ec2.amazonaws.com", ASSUME)}
    refused(INVALID, world.eks.create_access_entry, **fresh)
    passing(11)
    world.eks.create_access_entry(**fresh)


def test_access_policies(prod, refused):
    request = {"clusterName": "prod", "principalArn": prod.ops}
    everywhere = {"type": "cluster"}
    associate = prod.eks.associate_access_policy
    refused("ResourceNotFoundException", associate, **request, policyArn=ADMIN, accessScope=everywhere)
    prod.eks.create_access_entry(**request)
    for scope in (
        {"type": "namespace"},
        {"type": "cluster", "namespaces": ["a"]},
        {"type": "namespace", "namespaces": ["A"]},
    ):
        refused(INVALID, associate, **request, policyArn=EDIT, accessScope=scope)
    refused(INVALID, associate, **request, policyArn="arn:aws:iam::aws:policy/Admin", accessScope=everywhere)
    associate(**request, policyArn=ADMIN, accessScope=everywhere)
    associate(**request, policyArn=EDIT, accessScope={"type": "namespace", "namespaces": ["a"]})
    answer = associate(**request, policyArn=EDIT, accessScope={"type": "namespace", "namespaces": ["b", "c"]})
    assert answer["associatedAccessPolicy"]["accessScope"]["namespaces"] == ["b", "c"]
    assert policies(prod, prod.ops) == {
        ADMIN: {"type": "cluster", "namespaces": []},
        EDIT: {"type": "namespace", "namespaces": ["b", "c"]},
    }
    assert prod.eks.list_access_entries(clusterName="prod", associatedPolicyArn=EDIT)["accessEntries"] == [prod.ops]
    prod.eks.disassociate_access_policy(**request, policyArn=EDIT)
    refused("ResourceNotFoundException", prod.eks.disassociate_access_policy, **request, policyArn=EDIT)
    assert set(policies(prod, prod.ops)) == {ADMIN}


def test_node_entries_of_managed_groups_take_no_policy(prod, refused):
    request = {"clusterName": "prod", "principalArn": prod.ops}
    prod.eks.create_access_entry(**request, type="EC2_LINUX")
    scope = {"type": "cluster"}
    refused("InvalidRequestException", prod.eks.associate_access_policy, **request, policyArn=ADMIN, accessScope=scope)


def test_access_policies_are_listed(prod):
    found = {each["name"]: each["arn"] for each in prod.eks.list_access_policies()["accessPolicies"]}
    assert found["AmazonEKSClusterAdminPolicy"] == ADMIN
    pages = prod.eks.get_paginator("list_access_policies").paginate(PaginationConfig={"PageSize": 5})
    assert sum(len(page["accessPolicies"]) for page in pages) == len(found)


@pytest.fixture
def pod_role(prod):
    """A role that pods may get."""
    return prod.role("pods", "pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])


def test_the_life_of_a_pod_identity_association(prod, pod_role, refused):
    request = {"clusterName": "prod", "namespace": "eso", "serviceAccount": "eso", "roleArn": pod_role}
    made = prod.eks.create_pod_identity_association(**request, tags={"a": "b"})["association"]
    assert request.items() <= made.items()
    assert made["associationId"].startswith("a-")
    assert made["associationArn"].endswith(f":podidentityassociation/prod/{made['associationId']}")
    refused("ResourceInUseException", prod.eks.create_pod_identity_association, **request)
    prod.eks.create_pod_identity_association(**(request | {"namespace": "dns"}))
    key = {"clusterName": "prod", "associationId": made["associationId"]}
    other = prod.role("pods2", "pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])
    assert prod.eks.update_pod_identity_association(**key, roleArn=other)["association"]["roleArn"] == other
    assert prod.eks.describe_pod_identity_association(**key)["association"]["roleArn"] == other
    (listed,) = prod.eks.list_pod_identity_associations(clusterName="prod", namespace="eso")["associations"]
    assert listed["associationId"] == made["associationId"]
    assert len(prod.eks.list_pod_identity_associations(clusterName="prod")["associations"]) == 2
    assert prod.eks.delete_pod_identity_association(**key)["association"]["associationId"] == made["associationId"]
    refused("ResourceNotFoundException", prod.eks.describe_pod_identity_association, **key)


def test_refused_pod_identity_associations(prod, pod_role, refused):
    request = {"clusterName": "prod", "namespace": "eso", "serviceAccount": "eso", "roleArn": pod_role}
    untagged = prod.role("untagged", "pods.eks.amazonaws.com", ASSUME)
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    for wrong in ({"roleArn": prod.ops}, {"roleArn": untagged}, {"policy": policy}):
        refused(INVALID, prod.eks.create_pod_identity_association, **(request | wrong))
    prod.eks.create_pod_identity_association(**request, policy=policy, disableSessionTags=True)


def test_the_same_token_makes_one_association(prod, pod_role):
    request = {
        "clusterName": "prod", "namespace": "a", "serviceAccount": "b", "roleArn": pod_role, "clientRequestToken": "t",
    }  # fmt: skip
    answers = [prod.eks.create_pod_identity_association(**request)["association"] for _ in range(2)]
    assert answers[0] == answers[1]
    prod.eks.delete_pod_identity_association(clusterName="prod", associationId=answers[0]["associationId"])
    assert (
        prod.eks.create_pod_identity_association(**request)["association"]["associationId"]
        != answers[0]["associationId"]
    )


def test_tags_of_everything(prod, pod_role, refused):
    eks = prod.eks
    eks.create_access_entry(clusterName="prod", principalArn=prod.ops)
    eks.create_addon(clusterName="prod", addonName="metrics-server")
    eks.create_nodegroup(clusterName="prod", nodegroupName="a", subnets=prod.subnet_ids[:1], nodeRole=prod.node_role)
    association = eks.create_pod_identity_association(
        clusterName="prod", namespace="a", serviceAccount="b", roleArn=pod_role
    )["association"]
    arns = [
        prod.describe()["arn"],
        eks.describe_access_entry(clusterName="prod", principalArn=prod.ops)["accessEntry"]["accessEntryArn"],
        eks.describe_addon(clusterName="prod", addonName="metrics-server")["addon"]["addonArn"],
        eks.describe_nodegroup(clusterName="prod", nodegroupName="a")["nodegroup"]["nodegroupArn"],
        association["associationArn"],
    ]
    for arn in arns:
        eks.tag_resource(resourceArn=arn, tags={"Owner": "platform", "Old": "x"})
        eks.untag_resource(resourceArn=arn, tagKeys=["Old", "Unknown"])
        assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"Owner": "platform"}
        refused("BadRequestException", eks.tag_resource, resourceArn=arn, tags={"aws:x": "y"})
        refused("BadRequestException", eks.tag_resource, resourceArn=arn, tags={f"k{n}": "" for n in range(50)})
    refused("NotFoundException", eks.list_tags_for_resource, resourceArn=arns[0] + "x")
    refused("BadRequestException", eks.list_tags_for_resource, resourceArn="prod")


def test_the_tagging_api_shows_each_kind(prod, pod_role, client):
    eks = prod.eks
    eks.create_access_entry(clusterName="prod", principalArn=prod.ops, tags={"Owner": "platform"})
    eks.create_addon(clusterName="prod", addonName="metrics-server", tags={"Owner": "platform"})
    association = {"clusterName": "prod", "namespace": "a", "serviceAccount": "b", "roleArn": pod_role}
    eks.create_pod_identity_association(**association, tags={"Owner": "platform"})
    eks.tag_resource(resourceArn=prod.describe()["arn"], tags={"Owner": "other"})
    tagging = client("resourcegroupstaggingapi")

    def kinds(**request):
        rows = tagging.get_resources(**request)["ResourceTagMappingList"]
        return sorted(row["ResourceARN"].split(":", 5)[5].split("/")[0] for row in rows)

    assert kinds(ResourceTypeFilters=["eks"]) == ["access-entry", "addon", "cluster", "podidentityassociation"]
    assert kinds(ResourceTypeFilters=["eks:cluster", "ec2:vpc"]) == ["cluster"]
    platform = [{"Key": "Owner", "Values": ["platform"]}]
    assert kinds(TagFilters=platform) == ["access-entry", "addon", "podidentityassociation"]
    assert tagging.get_tag_values(Key="Owner")["TagValues"] == ["other", "platform"]
    eks.delete_addon(clusterName="prod", addonName="metrics-server")
    assert kinds(ResourceTypeFilters=["eks:addon"]) == []
    assert client("resourcegroupstaggingapi", "us-east-1").get_resources()["ResourceTagMappingList"] == []
