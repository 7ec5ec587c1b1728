# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people do to a network by hand, and what a run has to make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ANYWHERE = "0.0.0.0/0"
#: A drift: it gets a factory of clients and the outputs of the network.
Drift = Callable[[Callable[[str], Any], dict[str, Any]], None]


def ours(ec2: Any, listing: str, member: str, name: str) -> Any:
    """Return one of our resources, by its logical name."""
    key = "Filter" if listing == "describe_flow_logs" else "Filters"
    component = [{"Name": "tag:pipeops:component", "Values": [f"network/{name}"]}]
    return getattr(ec2, listing)(**{key: component})[member][0]


def acl_of(ec2: Any, tier: str) -> Any:
    return ours(ec2, "describe_network_acls", "NetworkAcls", tier)


def _dns_off(client: Any, out: dict[str, Any]) -> None:
    client("ec2").modify_vpc_attribute(VpcId=out["vpc_id"], EnableDnsHostnames={"Value": False})


def _open_default_group(client: Any, out: dict[str, Any]) -> None:
    filters = [{"Name": "vpc-id", "Values": [out["vpc_id"]]}, {"Name": "group-name", "Values": ["default"]}]
    group = client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    _authorize(client, group, "198.51.100.0/24")


def _authorize(client: Any, group: str, cidr: str) -> None:
    client("ec2").authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": cidr}]}],
    )


def _give_public_addresses(client: Any, out: dict[str, Any]) -> None:
    subnet = out["subnet_ids"]["private"][0]
    client("ec2").modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})


def _drop_role_tag(client: Any, out: dict[str, Any]) -> None:
    client("ec2").delete_tags(Resources=[out["subnet_ids"]["public"][1]], Tags=[{"Key": "kubernetes.io/role/elb"}])


def _association(ec2: Any, subnet: str) -> str:
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    table = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]
    return str(next(a["RouteTableAssociationId"] for a in table["Associations"] if a.get("SubnetId") == subnet))


def move_to_public_table(client: Any, out: dict[str, Any]) -> None:
    association = _association(client("ec2"), out["subnet_ids"]["private"][2])
    client("ec2").replace_route_table_association(
        AssociationId=association, RouteTableId=out["route_table_ids"]["public"]
    )


def _fall_back_to_main_table(client: Any, out: dict[str, Any]) -> None:
    association = _association(client("ec2"), out["subnet_ids"]["database"][0])
    client("ec2").disassociate_route_table(AssociationId=association)


def internet(client: Any) -> str:
    return str(ours(client("ec2"), "describe_internet_gateways", "InternetGateways", "internet")["InternetGatewayId"])


def _open_database_tier(client: Any, out: dict[str, Any]) -> None:
    client("ec2").create_route(
        RouteTableId=out["route_table_ids"]["database"], DestinationCidrBlock=ANYWHERE, GatewayId=internet(client)
    )


def _drop_private_route(client: Any, out: dict[str, Any]) -> None:
    client("ec2").delete_route(RouteTableId=out["route_table_ids"]["private"], DestinationCidrBlock=ANYWHERE)


def _lead_private_route_astray(client: Any, out: dict[str, Any]) -> None:
    client("ec2").replace_route(
        RouteTableId=out["route_table_ids"]["private"], DestinationCidrBlock=ANYWHERE, GatewayId=internet(client)
    )


def _drop_entry(client: Any, _out: dict[str, Any]) -> None:
    acl = acl_of(client("ec2"), "database")["NetworkAclId"]
    client("ec2").delete_network_acl_entry(NetworkAclId=acl, Egress=False, RuleNumber=100)


def _narrow_entry(client: Any, _out: dict[str, Any]) -> None:
    acl = acl_of(client("ec2"), "private")["NetworkAclId"]
    client("ec2").replace_network_acl_entry(
        NetworkAclId=acl, Egress=True, RuleNumber=100, Protocol="-1", RuleAction="allow", CidrBlock="10.0.0.0/8"
    )


def _add_entry(client: Any, _out: dict[str, Any]) -> None:
    acl = acl_of(client("ec2"), "public")["NetworkAclId"]
    ports = {"From": 22, "To": 22}
    client("ec2").create_network_acl_entry(
        NetworkAclId=acl,
        Egress=False,
        RuleNumber=50,
        Protocol="6",
        RuleAction="allow",
        CidrBlock=ANYWHERE,
        PortRange=ports,
    )


def move_to_public_acl(client: Any, _out: dict[str, Any]) -> None:
    ec2 = client("ec2")
    association = acl_of(ec2, "private")["Associations"][0]["NetworkAclAssociationId"]
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl_of(ec2, "public")["NetworkAclId"])


def _revoke_rule(client: Any, out: dict[str, Any]) -> None:
    group = client("ec2").describe_security_groups(GroupIds=[out["security_group_ids"]["database"]])
    client("ec2").revoke_security_group_ingress(
        GroupId=out["security_group_ids"]["database"], IpPermissions=group["SecurityGroups"][0]["IpPermissions"]
    )


def _add_rule(client: Any, out: dict[str, Any]) -> None:
    _authorize(client, out["security_group_ids"]["alb"], ANYWHERE)


def _describe_rule_anew(client: Any, out: dict[str, Any]) -> None:
    ranges = [{"CidrIp": ANYWHERE, "Description": "temporary"}]
    client("ec2").update_security_group_rule_descriptions_ingress(
        GroupId=out["security_group_ids"]["alb"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ranges}],
    )


def _detach_endpoint(client: Any, out: dict[str, Any]) -> None:
    endpoint = ours(client("ec2"), "describe_vpc_endpoints", "VpcEndpoints", "s3")["VpcEndpointId"]
    client("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveRouteTableIds=[out["route_table_ids"]["database"]])


def _take_private_name(client: Any, _out: dict[str, Any]) -> None:
    endpoint = ours(client("ec2"), "describe_vpc_endpoints", "VpcEndpoints", "sts")["VpcEndpointId"]
    client("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False)


def _shrink_interface_endpoint(client: Any, out: dict[str, Any]) -> None:
    endpoint = ours(client("ec2"), "describe_vpc_endpoints", "VpcEndpoints", "sts")["VpcEndpointId"]
    client("ec2").modify_vpc_endpoint(
        VpcEndpointId=endpoint,
        RemoveSubnetIds=[out["subnet_ids"]["private"][0]],
        AddSecurityGroupIds=[out["security_group_ids"]["nodes"]],
    )


def _delete_endpoint(client: Any, _out: dict[str, Any]) -> None:
    endpoint = ours(client("ec2"), "describe_vpc_endpoints", "VpcEndpoints", "dynamodb")["VpcEndpointId"]
    client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint])


def _delete_flow_log(client: Any, _out: dict[str, Any]) -> None:
    log = ours(client("ec2"), "describe_flow_logs", "FlowLogs", "vpc")["FlowLogId"]
    client("ec2").delete_flow_logs(FlowLogIds=[log])


def _shorten_retention(client: Any, out: dict[str, Any]) -> None:
    client("logs").put_retention_policy(logGroupName=out["flow_log_group"], retentionInDays=1)


def _drop_policy(client: Any, _out: dict[str, Any]) -> None:
    client("iam").delete_role_policy(RoleName="pipeops-prod-vpc-flow-logs", PolicyName="write")


def _delete_nat_gateway(client: Any, out: dict[str, Any]) -> None:
    client("ec2").delete_nat_gateway(NatGatewayId=out["nat_gateway_id"])


ROUTE = f"ec2_route/private-{ANYWHERE}"
#: Each drift with exactly the actions that mend it.
DRIFTS: list[tuple[Drift, list[str]]] = [
    (_dns_off, ["update/ec2_vpc/main/dns_hostnames"]),
    (_open_default_group, ["update/ec2_vpc/main/default_group_rules"]),
    (_give_public_addresses, ["update/ec2_subnet/private-us-west-2a/public_ips"]),
    (_drop_role_tag, ["update/ec2_subnet/public-us-west-2b/tags"]),
    (move_to_public_table, ["update/ec2_route_table/private/subnets"]),
    (_fall_back_to_main_table, ["update/ec2_route_table/database/subnets"]),
    (_open_database_tier, [f"delete/ec2_route/database-{ANYWHERE}"]),
    (_drop_private_route, [f"create/{ROUTE}"]),
    (_lead_private_route_astray, [f"update/{ROUTE}/target"]),
    (_drop_entry, ["update/ec2_network_acl/database/entries"]),
    (_narrow_entry, ["update/ec2_network_acl/private/entries"]),
    (_add_entry, ["update/ec2_network_acl/public/entries"]),
    (move_to_public_acl, ["update/ec2_network_acl/private/subnets"]),
    (_revoke_rule, ["update/ec2_security_group/database/rules"]),
    (_add_rule, ["update/ec2_security_group/alb/rules"]),
    (_describe_rule_anew, ["update/ec2_security_group/alb/rules"]),
    (_detach_endpoint, ["update/ec2_vpc_endpoint/s3/route_tables"]),
    (_take_private_name, ["update/ec2_vpc_endpoint/sts/private_dns"]),
    (
        _shrink_interface_endpoint,
        ["update/ec2_vpc_endpoint/sts/subnets", "update/ec2_vpc_endpoint/sts/security_groups"],
    ),
    (_delete_endpoint, ["create/ec2_vpc_endpoint/dynamodb"]),
    (_delete_flow_log, ["create/ec2_flow_log/vpc"]),
    (_shorten_retention, ["update/log_group/vpc-flow-logs/retention_days"]),
    (_drop_policy, ["update/iam_role/vpc-flow-logs/inline_policies"]),
    (_delete_nat_gateway, ["create/ec2_nat_gateway/zonal-us-west-2a", f"update/{ROUTE}/target"]),
]
