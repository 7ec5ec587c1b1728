# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people do to a platform by hand: one function for each, by plain API calls on prod and dr."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.platform_runs import Platform

NAME = "pipeops-prod"
Injection = Callable[[Platform, str], None]


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it was left."""

    name: str
    inject: Injection
    environment: str = "prod"


DRIFTS: list[Drift] = []


def drift(inject: Injection) -> Injection:
    """Add a function to the drifts of prod, under its own name."""
    DRIFTS.append(Drift(inject.__name__, inject))
    return inject


def drift_of_dr(inject: Injection) -> Injection:
    """Add a function to the drifts of dr, under its own name."""
    DRIFTS.append(Drift(inject.__name__, inject, "dr"))
    return inject


def ours(component: str) -> list[dict[str, Any]]:
    """Return the filter that finds a resource of ours in EC2."""
    return [
        {"Name": "tag:pipeops:environment", "Values": ["prod"]},
        {"Name": "tag:pipeops:component", "Values": [f"network/{component}"]},
    ]


class Network:
    """The parts of prod's network that drifts need, looked up as an operator would."""

    def __init__(self, stand: Platform, region: str) -> None:
        self.ec2 = stand.client("ec2", region)

    def subnet(self, name: str) -> str:
        return str(self.ec2.describe_subnets(Filters=ours(name))["Subnets"][0]["SubnetId"])

    def table(self, name: str) -> dict[str, Any]:
        table: dict[str, Any] = self.ec2.describe_route_tables(Filters=ours(name))["RouteTables"][0]
        return table

    def acl(self, name: str) -> dict[str, Any]:
        acl: dict[str, Any] = self.ec2.describe_network_acls(Filters=ours(name))["NetworkAcls"][0]
        return acl

    def group(self, name: str) -> dict[str, Any]:
        group: dict[str, Any] = self.ec2.describe_security_groups(Filters=ours(name))["SecurityGroups"][0]
        return group

    def vpc(self) -> str:
        return str(self.ec2.describe_vpcs(Filters=ours("main"))["Vpcs"][0]["VpcId"])

    def endpoint(self, service: str) -> dict[str, Any]:
        found = self.ec2.describe_vpc_endpoints(Filters=ours("*"))["VpcEndpoints"]
        endpoint: dict[str, Any] = next(item for item in found if item["ServiceName"].endswith(f".{service}"))
        return endpoint


# The network.


@drift
def vpc_tag_changed(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    net.ec2.create_tags(Resources=[net.vpc()], Tags=[{"Key": "Name", "Value": "renamed"}])


@drift
def subnet_tag_removed(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    net.ec2.delete_tags(Resources=[net.subnet("private-us-west-2a")], Tags=[{"Key": "kubernetes.io/role/internal-elb"}])


@drift
def vpc_dns_hostnames_off(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    net.ec2.modify_vpc_attribute(VpcId=net.vpc(), EnableDnsHostnames={"Value": False})


@drift
def security_group_rule_removed(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    group = net.group("database")
    net.ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])


@drift
def security_group_opened_to_the_world(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    net.ec2.authorize_security_group_ingress(GroupId=net.group("nodes")["GroupId"], IpPermissions=[ssh])


@drift
def subnet_moved_to_another_route_table(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    subnet = net.subnet("database-us-west-2b")
    association = next(a for a in net.table("database")["Associations"] if a.get("SubnetId") == subnet)
    net.ec2.replace_route_table_association(
        AssociationId=association["RouteTableAssociationId"], RouteTableId=net.table("public")["RouteTableId"]
    )


@drift
def route_to_the_nat_gateway_removed(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    net.ec2.delete_route(RouteTableId=net.table("private")["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")


@drift
def database_tier_given_a_way_to_the_internet(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    gateway = next(r["GatewayId"] for r in net.table("public")["Routes"] if r["DestinationCidrBlock"] == "0.0.0.0/0")
    net.ec2.create_route(
        RouteTableId=net.table("database")["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
    )


@drift
def network_acl_entry_removed(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    acl = net.acl("database")
    entry = next(e for e in acl["Entries"] if not e["Egress"] and e["RuleNumber"] < 32767)
    net.ec2.delete_network_acl_entry(
        NetworkAclId=acl["NetworkAclId"], RuleNumber=entry["RuleNumber"], Egress=entry["Egress"]
    )


@drift
def network_acl_entry_added(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    entry = {"RuleNumber": 7, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "192.0.2.0/24", "Egress": False}
    net.ec2.create_network_acl_entry(NetworkAclId=net.acl("private")["NetworkAclId"], **entry)


@drift
def subnet_moved_to_another_network_acl(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    subnet = net.subnet("database-us-west-2a")
    association = next(a for a in net.acl("database")["Associations"] if a["SubnetId"] == subnet)
    net.ec2.replace_network_acl_association(
        AssociationId=association["NetworkAclAssociationId"], NetworkAclId=net.acl("public")["NetworkAclId"]
    )


@drift
def endpoint_detached_from_a_route_table(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    endpoint = net.endpoint("s3")
    net.ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint["VpcEndpointId"], RemoveRouteTableIds=endpoint["RouteTableIds"][:1]
    )


@drift
def endpoint_deleted(stand: Platform, region: str) -> None:
    net = Network(stand, region)
    net.ec2.delete_vpc_endpoints(VpcEndpointIds=[net.endpoint("dynamodb")["VpcEndpointId"]])


@drift
def flow_log_deleted(stand: Platform, region: str) -> None:
    ec2 = stand.client("ec2", region)
    (log,) = ec2.describe_flow_logs(Filters=[{"Name": "tag:pipeops:environment", "Values": ["prod"]}])["FlowLogs"]
    ec2.delete_flow_logs(FlowLogIds=[log["FlowLogId"]])


@drift
def nat_gateway_deleted(stand: Platform, region: str) -> None:
    ec2 = stand.client("ec2", region)
    alive = [*ours("*"), {"Name": "state", "Values": ["available"]}]
    (gateway,) = ec2.describe_nat_gateways(Filter=alive)["NatGateways"]
    ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    until(lambda: not ec2.describe_nat_gateways(Filter=alive)["NatGateways"])


@drift
def flow_log_retention_changed(stand: Platform, region: str) -> None:
    logs = stand.client("logs", region)
    group = next(g for g in logs.describe_log_groups()["logGroups"] if "flow" in g["logGroupName"])
    logs.put_retention_policy(logGroupName=group["logGroupName"], retentionInDays=1)


# Keys and roles.


@drift
def key_rotation_off(stand: Platform, region: str) -> None:
    kms = stand.client("kms", region)
    kms.disable_key_rotation(KeyId=kms.describe_key(KeyId=f"alias/{NAME}-rds")["KeyMetadata"]["KeyId"])


@drift
def key_policy_changed(stand: Platform, region: str) -> None:
    kms = stand.client("kms", region)
    key = kms.describe_key(KeyId=f"alias/{NAME}-state")["KeyMetadata"]["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"] = policy["Statement"][:1]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


@drift
def key_alias_removed(stand: Platform, region: str) -> None:
    stand.client("kms", region).delete_alias(AliasName=f"alias/{NAME}-ebs")


def _role(stand: Platform, part: str) -> str:
    roles = stand.client("iam").get_paginator("list_roles").paginate().build_full_result()["Roles"]
    return str(next(r["RoleName"] for r in roles if r["RoleName"].startswith(NAME) and part in r["RoleName"]))


@drift
def managed_policy_detached_from_the_cluster_role(stand: Platform, region: str) -> None:
    iam, role = stand.client("iam"), _role(stand, "cluster")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    iam.detach_role_policy(RoleName=role, PolicyArn=attached[0]["PolicyArn"])


@drift
def administrator_policy_attached_to_the_node_role(stand: Platform, region: str) -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    stand.client("iam").attach_role_policy(RoleName=_role(stand, "node"), PolicyArn=arn)


@drift
def trust_policy_changed(stand: Platform, region: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    stand.client("iam").update_assume_role_policy(RoleName=_role(stand, "cluster"), PolicyDocument=json.dumps(policy))


@drift
def inline_policy_removed(stand: Platform, region: str) -> None:
    iam, role = stand.client("iam"), _role(stand, "flow")
    iam.delete_role_policy(RoleName=role, PolicyName=iam.list_role_policies(RoleName=role)["PolicyNames"][0])


# State.


def _bucket(stand: Platform) -> str:
    buckets = stand.client("s3").list_buckets()["Buckets"]
    return str(next(b["Name"] for b in buckets if b["Name"].startswith(NAME)))


@drift
def bucket_versioning_suspended(stand: Platform, region: str) -> None:
    stand.client("s3", region).put_bucket_versioning(
        Bucket=_bucket(stand), VersioningConfiguration={"Status": "Suspended"}
    )


@drift
def bucket_policy_removed(stand: Platform, region: str) -> None:
    stand.client("s3", region).delete_bucket_policy(Bucket=_bucket(stand))


@drift
def public_access_block_removed(stand: Platform, region: str) -> None:
    stand.client("s3", region).delete_public_access_block(Bucket=_bucket(stand))


@drift
def lock_table_recovery_off(stand: Platform, region: str) -> None:
    stand.client("dynamodb", region).update_continuous_backups(
        TableName=f"{NAME}-locks", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


@drift
def lock_table_protection_off(stand: Platform, region: str) -> None:
    stand.client("dynamodb", region).update_table(TableName=f"{NAME}-locks", DeletionProtectionEnabled=False)


@drift
def outputs_overwritten(stand: Platform, region: str) -> None:
    s3, bucket = stand.client("s3", region), _bucket(stand)
    (key,) = (item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"])
    document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    document["outputs"]["network"]["vpc_id"] = "vpc-0123456789abcdef0"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(document))


# The cluster.


@drift
def cluster_logging_off(stand: Platform, region: str) -> None:
    off = {"clusterLogging": [{"types": ["api", "audit"], "enabled": False}]}
    _cluster_update(stand, region, logging=off)


@drift
def cluster_protection_off(stand: Platform, region: str) -> None:
    _cluster_update(stand, region, deletionProtection=False)


@drift
def cluster_endpoint_public(stand: Platform, region: str) -> None:
    public = {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}
    _cluster_update(stand, region, resourcesVpcConfig=public)


@drift
def cluster_log_retention_changed(stand: Platform, region: str) -> None:
    stand.client("logs", region).put_retention_policy(logGroupName=f"/aws/eks/{NAME}/cluster", retentionInDays=7)


@drift
def cluster_tag_changed(stand: Platform, region: str) -> None:
    eks = stand.client("eks", region)
    eks.tag_resource(resourceArn=eks.describe_cluster(name=NAME)["cluster"]["arn"], tags={"Name": "renamed"})


@drift
def node_access_entry_deleted(stand: Platform, region: str) -> None:
    eks = stand.client("eks", region)
    node = next(arn for arn in eks.list_access_entries(clusterName=NAME)["accessEntries"] if "node" in arn)
    eks.delete_access_entry(clusterName=NAME, principalArn=node)


def _cluster_update(stand: Platform, region: str, **change: Any) -> None:
    eks = stand.client("eks", region)
    update = eks.update_cluster_config(name=NAME, **change)["update"]["id"]
    until(lambda: eks.describe_update(name=NAME, updateId=update)["update"]["status"] == "Successful")


# The database.


@drift
def replica_class_changed(stand: Platform, region: str) -> None:
    modify(stand, region, f"{NAME}-c", DBInstanceClass="db.r6g.large")


@drift
def backup_retention_changed(stand: Platform, region: str) -> None:
    modify(stand, region, NAME, BackupRetentionPeriod=3)


@drift
def database_protection_off(stand: Platform, region: str) -> None:
    modify(stand, region, NAME, DeletionProtection=False)


@drift
def database_single_az(stand: Platform, region: str) -> None:
    modify(stand, region, NAME, MultiAZ=False)


@drift
def database_parameter_changed(stand: Platform, region: str) -> None:
    rds = stand.client("rds", region)
    group = rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"][0]["DBParameterGroups"][0]
    parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName=group["DBParameterGroupName"], Parameters=[parameter])


@drift
def replica_deleted(stand: Platform, region: str) -> None:
    rds = stand.client("rds", region)
    rds.modify_db_instance(DBInstanceIdentifier=f"{NAME}-a", DeletionProtection=False, ApplyImmediately=True)
    _until_available(rds, f"{NAME}-a")
    rds.delete_db_instance(DBInstanceIdentifier=f"{NAME}-a", SkipFinalSnapshot=True)
    until(lambda: f"{NAME}-a" not in [i["DBInstanceIdentifier"] for i in rds.describe_db_instances()["DBInstances"]])


def modify(stand: Platform, region: str, identifier: str, **change: Any) -> None:
    """Change an instance by hand, and wait until it has settled."""
    rds = stand.client("rds", region)
    rds.modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=True, **change)
    _until_available(rds, identifier)


def _until_available(rds: Any, identifier: str) -> None:
    def settled() -> bool:
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        return found["DBInstanceStatus"] == "available" and not found["PendingModifiedValues"]

    until(settled)


# Names.


@drift
def record_changed(stand: Platform, region: str) -> None:
    route53 = stand.client("route53", region)
    (zone,) = (z["Id"] for z in route53.list_hosted_zones()["HostedZones"] if z["Name"].startswith("prod."))
    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    (record,) = (r for r in records if r["Type"] == "CNAME")
    changed = {**record, "ResourceRecords": [{"Value": "elsewhere.example.com"}]}
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": changed}]}
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait until a drift has been carried out."""
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the sandbox did not carry the drift out")
        time.sleep(0.1)
