"""Clusters: what is kept, what is refused, how they live and die."""

from __future__ import annotations

import base64
import pickle
import re
import threading
import time
from typing import Any

import pytest
from cryptography import x509
from pipeops_sandbox.overlays.eks.call import handlers
from pipeops_sandbox.runtime import runtime

LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"]


def full_request(world, client):
    """Return a request with every block that the platform sends."""
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    group = world.ec2.create_security_group(GroupName="extra", Description="x", VpcId=world.vpc_id)["GroupId"]
    return world.request(
        resourcesVpcConfig={
            "subnetIds": world.subnet_ids,
            "securityGroupIds": [group],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": ["52.94.76.0/24"],
        },
        kubernetesNetworkConfig={"serviceIpv4Cidr": "172.21.0.0/16", "elasticLoadBalancing": {"enabled": True}},
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": key}}],
        logging={"clusterLogging": [{"types": LOG_TYPES, "enabled": True}]},
        upgradePolicy={"supportType": "STANDARD"},
        zonalShiftConfig={"enabled": True},
        controlPlaneScalingConfig={"tier": "tier-xl"},
        deletionProtection=True,
        tags={"Environment": "prod"},
    )


def test_every_field_of_the_request_is_kept(world, client):
    request = full_request(world, client)
    world.eks.create_cluster(**request)
    cluster = world.describe()
    for member in (
        "version", "roleArn", "encryptionConfig", "logging", "upgradePolicy", "zonalShiftConfig", "storageConfig",
        "computeConfig", "controlPlaneScalingConfig", "deletionProtection", "tags", "accessConfig",
    ):  # fmt: skip
        assert cluster[member] == request[member], member
    assert request["resourcesVpcConfig"].items() <= cluster["resourcesVpcConfig"].items()
    assert cluster["resourcesVpcConfig"]["vpcId"] == world.vpc_id
    assert cluster["kubernetesNetworkConfig"] == {
        "serviceIpv4Cidr": "172.21.0.0/16", "ipFamily": "ipv4", "elasticLoadBalancing": {"enabled": True},
    }  # fmt: skip
    assert cluster["health"] == {"issues": []}


def test_defaults_are_those_of_the_api(world):
    request = world.plain()
    for member in ("version", "accessConfig", "bootstrapSelfManagedAddons", *("computeConfig", "storageConfig")):
        del request[member]
    del request["kubernetesNetworkConfig"]
    request["resourcesVpcConfig"] = {"subnetIds": world.subnet_ids}
    world.eks.create_cluster(**request)
    cluster = world.describe("plain")
    assert cluster["version"] == "1.36"
    assert cluster["accessConfig"]["authenticationMode"] == "CONFIG_MAP"
    assert cluster["resourcesVpcConfig"]["publicAccessCidrs"] == ["0.0.0.0/0"]
    assert not cluster["resourcesVpcConfig"]["endpointPrivateAccess"]
    assert cluster["upgradePolicy"] == {"supportType": "EXTENDED"}
    assert not cluster["deletionProtection"]
    assert cluster["logging"]["clusterLogging"] == [{"types": LOG_TYPES, "enabled": False}]


def test_endpoint_ca_issuer_and_security_group_come_with_active(world, passing):
    passing(11)
    created = world.eks.create_cluster(**world.request())["cluster"]
    for cluster in (created, world.describe()):
        assert cluster["status"] == "CREATING"
        assert "endpoint" not in cluster
        assert "identity" not in cluster
        assert cluster["certificateAuthority"] == {}
        assert "clusterSecurityGroupId" not in cluster["resourcesVpcConfig"]
    passing(599)
    assert world.describe()["status"] == "CREATING"
    passing(2)
    cluster = world.describe()
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"].startswith("https://")
    hex_id = cluster["identity"]["oidc"]["issuer"].removeprefix("https://oidc.eks.us-west-2.amazonaws.com/id/")
    assert len(hex_id) == 32
    assert int(hex_id, 16)
    ca = x509.load_pem_x509_certificate(base64.b64decode(cluster["certificateAuthority"]["data"]))
    ca.verify_directly_issued_by(ca)
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_waiters_of_botocore_work_on_a_scaled_clock(world):
    runtime.clock.set("aws", 3000.0)
    waiters = {name: world.eks.get_waiter(name) for name in ("cluster_active", "cluster_deleted")}
    time.sleep(0.02)  # IAM's propagation, 10 model seconds
    world.eks.create_cluster(**world.request())
    waiters["cluster_active"].wait(name="prod", WaiterConfig={"Delay": 0.05, "MaxAttempts": 40})
    world.eks.delete_cluster(name="prod")
    waiters["cluster_deleted"].wait(name="prod", WaiterConfig={"Delay": 0.05, "MaxAttempts": 40})
    assert world.eks.list_clusters()["clusters"] == []


def test_the_cluster_security_group_and_the_interfaces_come_and_go(world):
    group_id = world.create()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    group = world.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    assert group["GroupName"].startswith("eks-cluster-sg-prod-")
    assert group["VpcId"] == world.vpc_id
    assert {"Key": "kubernetes.io/cluster/prod", "Value": "owned"} in group["Tags"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group_id
    interfaces = world.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert [each["Description"] for each in interfaces] == ["Amazon EKS prod"] * 2
    world.eks.delete_cluster(name="prod")
    left = world.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [world.vpc_id]}])["SecurityGroups"]
    assert [each["GroupName"] for each in left] == ["default"]
    assert world.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_cluster_security_group_that_others_refer_to_is_leaked(world):
    group_id = world.create()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    other = world.ec2.create_security_group(GroupName="db", Description="x", VpcId=world.vpc_id)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": group_id}]}
    world.ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    world.eks.delete_cluster(name="prod")
    assert world.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]


def test_logging_makes_the_log_group_unless_it_is_there(world, client):
    logs = client("logs")
    logs.create_log_group(logGroupName="/aws/eks/own/cluster")
    logs.put_retention_policy(logGroupName="/aws/eks/own/cluster", retentionInDays=30)
    on = {"clusterLogging": [{"types": ["audit"], "enabled": True}]}
    for name in ("own", "bare"):
        world.create(name, logging=on)
    world.create("silent")
    groups = {each["logGroupName"]: each.get("retentionInDays") for each in logs.describe_log_groups()["logGroups"]}
    assert groups == {"/aws/eks/own/cluster": 30, "/aws/eks/bare/cluster": None}


def test_the_same_token_makes_one_cluster(world, refused):
    request = world.request(clientRequestToken="t-1")
    first, again = (world.eks.create_cluster(**request)["cluster"] for _ in range(2))
    assert first == again
    refused("InvalidParameterException", world.eks.create_cluster, **(request | {"version": "1.35"}))
    refused("ResourceInUseException", world.eks.create_cluster, **world.request(clientRequestToken="t-2"))
    assert world.eks.list_clusters()["clusters"] == ["prod"]
    world.eks.delete_cluster(name="prod")
    assert world.eks.create_cluster(**request)["cluster"]["arn"] == first["arn"]
    assert world.describe()["createdAt"] > first["createdAt"]


AUTO = "For EKS Auto Mode"
INVALID = "InvalidParameterException"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"computeConfig": {"enabled": False}}, AUTO),
        ({"kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": False}}}, AUTO),
        ({"storageConfig": {"blockStorage": {"enabled": False}}}, AUTO),
        ({"storageConfig": {}}, AUTO),
        ({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}, "authenticationMode"),
        ({"accessConfig": {}}, "authenticationMode"),
        ({"accessConfig": {"authenticationMode": "IAM"}}, "accessConfig.authenticationMode"),
        ({"bootstrapSelfManagedAddons": True}, "bootstrapSelfManagedAddons"),
        ({"computeConfig": {"enabled": True, "nodePools": ["system"]}}, "nodeRoleArn"),
        ({"computeConfig": {"enabled": True, "nodePools": ["gpu"]}}, "unknown built-in node pool gpu"),
        ({"version": "1.28"}, "unsupported Kubernetes version 1.28"),
        ({"name": "-prod"}, "name"),
        ({"name": "a" * 101}, "at most 100"),
        ({"roleArn": "arn:aws:iam::123456789012:role/nobody"}, "could not be assumed"),
        ({"roleArn": "nobody"}, "Error in role params"),
        ({"encryptionConfig": [{"resources": ["pods"], "provider": {"keyArn": "x"}}]}, "[secrets]"),
        (
            {"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": "alias/none"}}]},
            "KeyArn in encryptionConfig",
        ),
        ({"upgradePolicy": {"supportType": "FOREVER"}}, "supportType"),
        ({"logging": {"clusterLogging": [{"types": ["kubelet"], "enabled": True}]}}, "kubelet"),
        ({"controlPlaneScalingConfig": {"tier": "tier-s"}}, "tier-s"),
        ({"tags": {"aws:x": "y"}}, "reserved"),
    ],
)  # fmt: skip
def test_refused_values(world, refused, changes, words):
    assert words in refused(INVALID, world.eks.create_cluster, **world.request(**changes))
    assert world.eks.list_clusters()["clusters"] == []
    assert world.ec2.describe_network_interfaces()["NetworkInterfaces"] == []


@pytest.mark.parametrize(
    ("cidr", "words"),
    [
        ("8.8.0.0/16", "RFC 1918"),
        ("10.30.0.0/20", "overlaps"),
        ("172.20.0.0/28", "/12 and /24"),
        ("172.20.1.0/16", "is not a CIDR block"),
    ],
)
def test_refused_service_networks(world, refused, cidr, words):
    config = {"serviceIpv4Cidr": cidr, "elasticLoadBalancing": {"enabled": True}}
    assert words in refused(INVALID, world.eks.create_cluster, **world.request(kubernetesNetworkConfig=config))


@pytest.mark.parametrize(
    ("vpc", "words"),
    [
        ({"subnetIds": []}, "subnets can not be null or empty"),
        ({"subnetIds": ["subnet-0123456789abcdef0"]}, "does not exist"),
        ({"endpointPublicAccess": False, "endpointPrivateAccess": False}, "cannot be false"),
        ({"publicAccessCidrs": ["10.0.0.0/8"]}, "not allowed in publicAccessCidrs"),
        ({"publicAccessCidrs": ["52.94.76.1/24"]}, "is not a CIDR block"),
        ({"securityGroupIds": ["sg-0123456789abcdef0"]}, "does not exist"),
    ],
)
def test_refused_vpc_settings(world, refused, vpc, words):
    config = {"subnetIds": world.subnet_ids} | vpc
    assert words in refused(INVALID, world.eks.create_cluster, **world.request(resourcesVpcConfig=config))


def test_refused_subnets(world, refused):
    def attempt(subnet_ids: list[str], code: str = INVALID) -> str:
        return refused(code, world.eks.create_cluster, **world.request(resourcesVpcConfig={"subnetIds": subnet_ids}))

    assert "at least two different AZs" in attempt([world.subnet_ids[0]])
    beside = world.subnet(world.vpc_id, "10.30.9.0/24", "a")
    assert "at least two different AZs" in attempt([world.subnet_ids[0], beside])
    tiny = [world.subnet(world.vpc_id, f"10.30.8.{16 * index}/28", zone) for index, zone in enumerate("ab")]
    for address in range(6):
        world.ec2.create_network_interface(SubnetId=tiny[0], PrivateIpAddress=f"10.30.8.{4 + address}")
    assert "free addresses" in attempt(tiny)
    foreign = world.vpc("10.31.0.0/16", dns_hostnames=False)
    strangers = [world.subnet(foreign, f"10.31.{index}.0/24", zone) for index, zone in enumerate("ab")]
    assert "one VPC" in attempt([world.subnet_ids[0], strangers[1]])
    assert "enable_dns_hostnames" in attempt(strangers)


def test_zone_use1_az3_is_refused_with_the_zones_that_do(in_region, refused):
    world = in_region("us-east-1")
    config = {"subnetIds": [*world.subnet_ids, world.subnet(world.vpc_id, "10.30.9.0/24", "e")]}
    code = "UnsupportedAvailabilityZoneException"
    message = refused(code, world.eks.create_cluster, **world.request(resourcesVpcConfig=config))
    assert "us-east-1e" in message.split("Retry")[0]
    assert "us-east-1e" not in message.split("Retry")[1]


def test_auto_mode_needs_tag_session_in_the_trust(world, refused):
    poor = world.role("poor", "eks.amazonaws.com", ["sts:AssumeRole"])
    assert "sts:TagSession" in refused(INVALID, world.eks.create_cluster, **world.request(roleArn=poor))
    world.eks.create_cluster(**world.plain(roleArn=poor))


def test_a_new_role_is_refused_until_iam_has_propagated(world, passing, refused):
    passing(11)
    fresh = world.role("fresh", "eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])
    request = world.request(roleArn=fresh)
    assert "could not be assumed" in refused(INVALID, world.eks.create_cluster, **request)
    passing(11)
    assert world.eks.create_cluster(**request)["cluster"]["status"] == "CREATING"


def test_a_disabled_key_is_refused(world, client, refused):
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=key)
    encryption = [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    refused(INVALID, world.eks.create_cluster, **world.request(encryptionConfig=encryption))


def test_regions_are_separate(world, in_region, refused):
    world.create()
    east = in_region("us-east-1")
    refused("ResourceNotFoundException", east.eks.describe_cluster, name="prod")
    arns = {each.create("prod2")["arn"] for each in (world, east)}
    assert len(arns) == 2
    assert east.eks.list_clusters()["clusters"] == ["prod2"]


def test_lists_are_paged(world, refused):
    for number in range(5):
        world.create(f"c{number}")
    pages = list(world.eks.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2}))
    assert [page["clusters"] for page in pages] == [["c0", "c1"], ["c2", "c3"], ["c4"]]
    refused(INVALID, world.eks.list_clusters, nextToken="nonsense")
    refused(INVALID, world.eks.list_clusters, maxResults=101)


def test_delete_is_refused_while_protected_or_in_use(world, refused):
    world.create(deletionProtection=True)
    assert "deletion protection" in refused("InvalidRequestException", world.eks.delete_cluster, name="prod")
    world.eks.update_cluster_config(name="prod", deletionProtection=False)
    world.eks.create_nodegroup(
        clusterName="prod", nodegroupName="a", subnets=world.subnet_ids[:1], nodeRole=world.node_role
    )
    refused("ResourceInUseException", world.eks.delete_cluster, name="prod")
    world.eks.delete_nodegroup(clusterName="prod", nodegroupName="a")
    assert world.eks.delete_cluster(name="prod")["cluster"]["status"] == "DELETING"
    refused("ResourceNotFoundException", world.eks.delete_cluster, name="prod")


def test_deleting_takes_its_time_and_a_new_cluster_has_a_new_issuer(world, passing, refused):
    passing(11)
    world.eks.create_cluster(**world.request())
    refused("ResourceInUseException", world.eks.delete_cluster, name="prod")
    passing(600)
    issuer = world.describe()["identity"]["oidc"]["issuer"]
    world.eks.delete_cluster(name="prod")
    assert world.describe()["status"] == "DELETING"
    refused("ResourceInUseException", world.eks.create_cluster, **world.request())
    passing(241)
    refused("ResourceNotFoundException", world.eks.describe_cluster, name="prod")
    world.eks.create_cluster(**world.request())
    passing(601)
    assert world.describe()["identity"]["oidc"]["issuer"] != issuer


def test_state_survives_a_pickle(world):
    world.create()
    before = world.describe()
    runtime.stores = pickle.loads(pickle.dumps(runtime.stores))  # noqa: S301 -- our own bytes
    assert world.describe() == before


def test_of_sixteen_racers_one_makes_the_cluster(world):
    outcomes: list[str] = []

    def race() -> None:
        eks: Any = world.client("eks")
        try:
            outcomes.append(eks.create_cluster(**world.request())["cluster"]["status"])
        except eks.exceptions.ResourceInUseException:
            outcomes.append("refused")

    racers = [threading.Thread(target=race) for _ in range(16)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(outcomes) == ["CREATING"] + ["refused"] * 15


def test_the_service_linked_role_is_made_with_the_first_cluster(world):
    world.create()
    role = world.iam.get_role(RoleName="AWSServiceRoleForAmazonEKS")["Role"]
    assert role["Path"] == "/aws-service-role/eks.amazonaws.com/"


def test_health_tells_what_a_cluster_has_lost(world, client):
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    world.create(encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": key}}])

    def codes():
        return {issue["code"] for issue in world.describe()["health"]["issues"]}

    assert codes() == set()
    kms.disable_key(KeyId=key)
    assert codes() == {"KmsKeyDisabled"}
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    world.iam.delete_role(RoleName=world.cluster_role.rsplit("/", 1)[-1])
    assert codes() == {"KmsKeyMarkedForDeletion", "IamRoleNotFound"}


def test_without_its_role_a_deleted_cluster_leaves_its_interfaces(world):
    group_id = world.create()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    world.iam.delete_role(RoleName=world.cluster_role.rsplit("/", 1)[-1])
    world.eks.delete_cluster(name="prod")
    assert world.eks.list_clusters()["clusters"] == []
    assert len(world.ec2.describe_network_interfaces()["NetworkInterfaces"]) == 2
    assert world.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]


def test_an_operation_that_is_not_emulated_says_so(world):
    with pytest.raises(world.eks.exceptions.ClientError, match=r"not emulated.*ListFargateProfiles"):
        world.eks.list_fargate_profiles(clusterName="prod")


def test_every_operation_is_emulated_that_is_called(world):
    left_out = re.compile(
        "Capabilit|Fargate|Anywhere|IdentityProvider|CertificateAuthorit|gisterCluster|InsightsRefresh"
    )
    model = world.eks.meta.service_model
    assert {name for name in model.operation_names if not left_out.search(name)} == set(handlers())
