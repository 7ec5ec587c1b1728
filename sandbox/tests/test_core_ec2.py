"""EC2: states that take time, and what AWS refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pipeops_sandbox.runtime import runtime

FLOW_TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
     "Action": "sts:AssumeRole"}}
)  # fmt: skip


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def wait(seconds: float) -> None:
    runtime.clock.restore(runtime.clock.now() + seconds)


@dataclass
class Network:
    """A VPC with an internet gateway and a subnet in zone a and one in zone b."""

    ec2: Any
    vpc: str
    gateway: str
    subnets: list[str]

    def eip(self) -> str:
        return str(self.ec2.allocate_address(Domain="vpc")["AllocationId"])

    def nat(self, allocation: str, **more: Any) -> str:
        made = self.ec2.create_nat_gateway(SubnetId=self.subnets[0], AllocationId=allocation, **more)
        return str(made["NatGateway"]["NatGatewayId"])

    def nat_state(self, nat: str) -> str:
        return str(self.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"])


@pytest.fixture
def net(client: Any) -> Network:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    return Network(ec2, vpc, gateway, [row["SubnetId"] for row in subnets])


def test_zones_have_their_ids(client: Any) -> None:
    def zones(region: str) -> dict[str, str]:
        rows = client("ec2", region).describe_availability_zones()["AvailabilityZones"]
        return {row["ZoneName"]: row["ZoneId"] for row in rows}

    assert set(zones("us-west-2")) == {f"us-west-2{zone}" for zone in "abcd"}
    assert set(zones("us-east-1")) == {f"us-east-1{zone}" for zone in "abcdef"}
    assert "use1-az3" in zones("us-east-1").values()


def test_a_zonal_nat_gateway_goes_through_its_states(net: Network) -> None:
    runtime.clock.set("aws")
    wait(10)
    allocation = net.eip()
    tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Name", "Value": "n"}]}]
    made = net.ec2.create_nat_gateway(SubnetId=net.subnets[0], AllocationId=allocation, TagSpecifications=tags)
    nat = made["NatGateway"]
    assert nat["State"] == "pending"
    assert nat["NatGatewayAddresses"][0]["AllocationId"] == allocation
    wait(60)
    assert net.nat_state(nat["NatGatewayId"]) == "pending"
    wait(61)
    assert net.nat_state(nat["NatGatewayId"]) == "available"
    found = net.ec2.describe_nat_gateways(Filters=[{"Name": "tag:Name", "Values": ["other"]}])["NatGateways"]
    assert found == []
    tags = net.ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["natgateway"]}])["Tags"]
    assert [row["ResourceId"] for row in tags] == [nat["NatGatewayId"]]
    net.ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    assert net.nat_state(nat["NatGatewayId"]) == "deleting"
    with refused("InvalidIPAddress.InUse"):
        net.ec2.release_address(AllocationId=allocation)
    with refused("DependencyViolation"):
        net.ec2.delete_subnet(SubnetId=net.subnets[0])
    wait(91)
    assert net.nat_state(nat["NatGatewayId"]) == "deleted"
    net.ec2.release_address(AllocationId=allocation)
    net.ec2.delete_subnet(SubnetId=net.subnets[0])
    wait(3601)
    with refused("NatGatewayNotFound"):
        net.nat_state(nat["NatGatewayId"])


def test_a_nat_gateway_that_cannot_work_fails_later(net: Network) -> None:
    runtime.clock.set("aws")
    allocation = net.eip()
    net.nat(allocation)
    second = net.nat(allocation)
    wait(1.5)
    assert net.nat_state(second) == "pending"
    wait(31)
    shown = net.ec2.describe_nat_gateways(NatGatewayIds=[second])["NatGateways"][0]
    assert (shown["State"], shown["FailureCode"]) == ("failed", "Resource.AlreadyAssociated")


def test_a_nat_gateway_needs_an_internet_gateway(client: Any) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_nat_gateway(AvailabilityMode="regional", VpcId=vpc)["NatGateway"]
    shown = ec2.describe_nat_gateways(NatGatewayIds=[made["NatGatewayId"]])["NatGateways"][0]
    assert (shown["State"], shown["FailureCode"]) == ("failed", "Gateway.NotAttached")


def test_a_regional_nat_gateway(net: Network) -> None:
    nat = net.ec2.create_nat_gateway(AvailabilityMode="regional", VpcId=net.vpc)["NatGateway"]
    shown = net.ec2.describe_nat_gateways(Filters=[{"Name": "vpc-id", "Values": [net.vpc]}])["NatGateways"][0]
    assert (shown["State"], shown["AvailabilityMode"]) == ("available", "regional")
    assert (shown["AutoProvisionZones"], shown["AutoScalingIps"]) == ("enabled", "enabled")
    assert "SubnetId" not in shown
    assert [row["AvailabilityZone"] for row in shown["NatGatewayAddresses"]] == ["us-west-2a", "us-west-2b"]
    table = net.ec2.describe_route_tables(RouteTableIds=[shown["RouteTableId"]])["RouteTables"][0]
    assert net.gateway in [row.get("GatewayId") for row in table["Routes"]]
    managed = net.ec2.describe_addresses()["Addresses"]
    assert {row["ServiceManaged"] for row in managed} == {"nat"}
    with refused("InvalidIPAddress.InUse"):
        net.ec2.release_address(AllocationId=managed[0]["AllocationId"])
    with refused("DependencyViolation"):
        net.ec2.detach_internet_gateway(InternetGatewayId=net.gateway, VpcId=net.vpc)
    net.ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    assert net.nat_state(nat["NatGatewayId"]) == "deleted"
    assert net.ec2.describe_addresses()["Addresses"] == []
    net.ec2.detach_internet_gateway(InternetGatewayId=net.gateway, VpcId=net.vpc)


def test_a_regional_nat_gateway_with_addresses_of_ours(net: Network) -> None:
    allocation = net.eip()
    zones = [{"AvailabilityZone": "us-west-2a", "AllocationIds": [allocation]}]
    net.ec2.create_nat_gateway(AvailabilityMode="regional", VpcId=net.vpc, AvailabilityZoneAddresses=zones)
    shown = net.ec2.describe_nat_gateways()["NatGateways"][0]
    assert shown["AutoProvisionZones"] == "disabled"
    assert [row["AllocationId"] for row in shown["NatGatewayAddresses"]] == [allocation]
    with refused("InvalidParameterCombination"):
        net.ec2.create_nat_gateway(AvailabilityMode="regional", VpcId=net.vpc, SubnetId=net.subnets[0])
    with refused("MissingParameter"):
        net.ec2.create_nat_gateway(AvailabilityMode="regional")


def test_the_same_token_makes_one_thing(net: Network) -> None:
    allocation = net.eip()
    first = net.nat(allocation, ClientToken="t1")
    assert net.nat(allocation, ClientToken="t1") == first
    with refused("IdempotentParameterMismatch"):
        net.nat(net.eip(), ClientToken="t1")
    service = "com.amazonaws.us-west-2.s3"
    made = [
        net.ec2.create_vpc_endpoint(VpcId=net.vpc, ServiceName=service, ClientToken="t2")["VpcEndpoint"]
        for _ in range(2)
    ]
    assert made[0]["VpcEndpointId"] == made[1]["VpcEndpointId"]
    assert len(net.ec2.describe_vpc_endpoints()["VpcEndpoints"]) == 1


def test_routes_need_their_targets(net: Network) -> None:
    table = net.ec2.create_route_table(VpcId=net.vpc)["RouteTable"]["RouteTableId"]
    with refused("InvalidNatGatewayID.NotFound"):
        net.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId="nat-0123")
    loose = net.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    with refused("InvalidParameterValue"):
        net.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=loose)
    nat = net.nat(net.eip())
    net.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    net.ec2.delete_nat_gateway(NatGatewayId=nat)
    routes = net.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert [row["State"] for row in routes if row.get("NatGatewayId") == nat] == ["blackhole"]


def test_a_subnet_has_one_route_table(net: Network) -> None:
    tables = [net.ec2.create_route_table(VpcId=net.vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]
    net.ec2.associate_route_table(RouteTableId=tables[0], SubnetId=net.subnets[0])
    with refused("Resource.AlreadyAssociated"):
        net.ec2.associate_route_table(RouteTableId=tables[1], SubnetId=net.subnets[0])
    with refused("DependencyViolation"):
        net.ec2.delete_route_table(RouteTableId=tables[0])
    net.ec2.delete_subnet(SubnetId=net.subnets[0])
    net.ec2.delete_route_table(RouteTableId=tables[0])


def test_security_groups_in_use_stay(net: Network) -> None:
    def group(name: str) -> str:
        return str(net.ec2.create_security_group(GroupName=name, Description=name, VpcId=net.vpc)["GroupId"])

    one, two = group("one"), group("two")
    pair = [{"GroupId": one, "Description": "from one"}]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": pair}
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "Name", "Value": "r"}]}]
    made = net.ec2.authorize_security_group_ingress(GroupId=two, IpPermissions=[rule], TagSpecifications=tags)
    rule_id = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    shown = net.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"][0]
    assert shown["Tags"] == [{"Key": "Name", "Value": "r"}]
    assert (shown["Description"], shown["ReferencedGroupInfo"]["GroupId"]) == ("from one", one)
    with refused("DependencyViolation"):
        net.ec2.delete_security_group(GroupId=one)
    revoked = net.ec2.revoke_security_group_ingress(GroupId=two, SecurityGroupRuleIds=[rule_id])
    assert [row["SecurityGroupRuleId"] for row in revoked["RevokedSecurityGroupRules"]] == [rule_id]
    net.ec2.delete_security_group(GroupId=one)
    default = net.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
    with refused("CannotDelete"):
        net.ec2.delete_security_group(GroupId=default["SecurityGroups"][0]["GroupId"])


def test_permissions_are_applied_together_or_not_at_all(net: Network) -> None:
    group = net.ec2.create_security_group(GroupName="g", Description="g", VpcId=net.vpc)["GroupId"]

    def rule(port: int) -> dict[str, Any]:
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}

    made = net.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule(1), rule(2)])
    assert len(made["SecurityGroupRules"]) == 2
    with refused("InvalidPermission.Duplicate"):
        net.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule(3), rule(2)])
    shown = net.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    ports = {row["FromPort"] for row in shown["SecurityGroupRules"] if not row["IsEgress"]}
    assert ports == {1, 2}


def test_flow_logs(net: Network, client: Any) -> None:
    iam, logs = client("iam"), client("logs")
    logs.create_log_group(logGroupName="flow")
    runtime.clock.set("aws")
    role = iam.create_role(RoleName="flow", AssumeRolePolicyDocument=FLOW_TRUST)["Role"]["Arn"]
    request: dict[str, Any] = {
        "ResourceIds": [net.vpc, "vpc-none"], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flow",
        "DeliverLogsPermissionArn": role,
    }  # fmt: skip
    with refused("InvalidParameter"):
        net.ec2.create_flow_logs(**request)
    wait(11)
    made = net.ec2.create_flow_logs(**request)
    assert len(made["FlowLogIds"]) == 1
    assert [row["Error"]["Code"] for row in made["Unsuccessful"]] == ["InvalidVpcID.NotFound"]
    again = net.ec2.create_flow_logs(**(request | {"ResourceIds": [net.vpc]}))
    assert again["FlowLogIds"] == []
    assert again["Unsuccessful"][0]["Error"]["Code"] == "FlowLogAlreadyExists"
    wait(2)
    shown = net.ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [net.vpc]}])["FlowLogs"][0]
    assert (shown["FlowLogStatus"], shown["DeliverLogsStatus"]) == ("ACTIVE", "SUCCESS")
    gone = net.ec2.delete_flow_logs(FlowLogIds=[*made["FlowLogIds"], "fl-none"])
    assert [row["ResourceId"] for row in gone["Unsuccessful"]] == ["fl-none"]


def test_gateway_endpoints_write_routes(net: Network) -> None:
    tables = [net.ec2.create_route_table(VpcId=net.vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]
    service = "com.amazonaws.us-west-2.s3"
    made = net.ec2.create_vpc_endpoint(VpcId=net.vpc, ServiceName=service, RouteTableIds=tables[:1])["VpcEndpoint"]
    assert (made["State"], made["VpcEndpointType"]) == ("available", "Gateway")

    def has_route(table: str) -> bool:
        routes = net.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        return made["VpcEndpointId"] in [row.get("GatewayId") for row in routes]

    assert (has_route(tables[0]), has_route(tables[1])) == (True, False)
    with refused("RouteAlreadyExists"):
        net.ec2.create_vpc_endpoint(VpcId=net.vpc, ServiceName=service, RouteTableIds=tables[:1])
    net.ec2.modify_vpc_endpoint(
        VpcEndpointId=made["VpcEndpointId"], AddRouteTableIds=tables[1:], RemoveRouteTableIds=tables[:1]
    )
    assert (has_route(tables[0]), has_route(tables[1])) == (False, True)
    gone = net.ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"], "vpce-none"])
    assert [row["ResourceId"] for row in gone["Unsuccessful"]] == ["vpce-none"]
    assert not has_route(tables[1])
    assert net.ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_interface_endpoints_take_their_time(net: Network) -> None:
    net.ec2.modify_vpc_attribute(VpcId=net.vpc, EnableDnsHostnames={"Value": True})
    runtime.clock.set("aws")
    request: dict[str, Any] = {"VpcId": net.vpc, "VpcEndpointType": "Interface", "SubnetIds": net.subnets}
    made = net.ec2.create_vpc_endpoint(ServiceName="com.amazonaws.us-west-2.sts", **request)["VpcEndpoint"]
    assert made["State"] == "pending"
    assert len(made["NetworkInterfaceIds"]) == 2
    assert made["Groups"][0]["GroupName"] == "default"
    wait(121)

    def state() -> str:
        rows = net.ec2.describe_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])["VpcEndpoints"]
        return str(rows[0]["State"])

    assert state() == "available"
    changed = {"RemoveSubnetIds": net.subnets[1:], "PrivateDnsEnabled": True}
    net.ec2.modify_vpc_endpoint(VpcEndpointId=made["VpcEndpointId"], **changed)
    shown = net.ec2.describe_vpc_endpoints()["VpcEndpoints"][0]
    assert (shown["SubnetIds"], len(shown["NetworkInterfaceIds"])) == (net.subnets[:1], 1)
    with refused("InvalidParameter"):
        net.ec2.create_vpc_endpoint(ServiceName="com.amazonaws.us-west-2.sts", **request)
    with refused("InvalidServiceName"):
        net.ec2.create_vpc_endpoint(ServiceName="com.amazonaws.us-west-2.nothing", **request)
    net.ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    assert state() == "deleting"
    with refused("DependencyViolation"):
        net.ec2.delete_subnet(SubnetId=net.subnets[0])
    wait(121)
    with refused("InvalidVpcEndpointId.NotFound"):
        state()
    net.ec2.delete_subnet(SubnetId=net.subnets[0])


def test_private_dns_needs_the_vpcs_dns(net: Network) -> None:
    with refused("InvalidParameter"):
        net.ec2.create_vpc_endpoint(
            VpcId=net.vpc, VpcEndpointType="Interface", SubnetIds=net.subnets, ServiceName="com.amazonaws.us-west-2.sts"
        )


def test_a_vpc_goes_last(net: Network) -> None:
    with refused("DependencyViolation"):
        net.ec2.delete_vpc(VpcId=net.vpc)
    for subnet in net.subnets:
        net.ec2.delete_subnet(SubnetId=subnet)
    with refused("DependencyViolation"):
        net.ec2.delete_vpc(VpcId=net.vpc)
    net.ec2.detach_internet_gateway(InternetGatewayId=net.gateway, VpcId=net.vpc)
    net.ec2.delete_vpc(VpcId=net.vpc)
    acls = net.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [net.vpc]}])["NetworkAcls"]
    assert acls == []


def test_subnets_stay_in_their_region_and_vpc(net: Network) -> None:
    for cidr, zone, code in (
        ("10.0.9.0/24", "us-east-1a", "InvalidParameterValue"),
        ("10.0.0.0/24", "us-west-2a", "InvalidSubnet.Conflict"),
        ("10.9.0.0/24", "us-west-2a", "InvalidSubnet.Range"),
        ("10.0.9.0/30", "us-west-2a", "InvalidSubnet.Range"),
    ):
        with refused(code):
            net.ec2.create_subnet(VpcId=net.vpc, CidrBlock=cidr, AvailabilityZone=zone)
    made = net.ec2.create_subnet(VpcId=net.vpc, CidrBlock="10.0.9.0/24", AvailabilityZoneId="usw2-az3")["Subnet"]
    assert (made["AvailabilityZone"], made["MapPublicIpOnLaunch"]) == ("us-west-2c", False)


def test_network_acls_keep_their_bounds(net: Network) -> None:
    acl = net.ec2.create_network_acl(VpcId=net.vpc)["NetworkAcl"]["NetworkAclId"]

    def entry(number: int) -> dict[str, Any]:
        return {"NetworkAclId": acl, "RuleNumber": number, "Protocol": "-1", "RuleAction": "allow", "Egress": False,
                "CidrBlock": "10.0.0.0/16"}  # fmt: skip

    with refused("InvalidParameterValue"):
        net.ec2.create_network_acl_entry(**entry(32767))
    for number in range(1, 21):
        net.ec2.create_network_acl_entry(**entry(number))
    with refused("NetworkAclEntryLimitExceeded"):
        net.ec2.create_network_acl_entry(**entry(21))
    with refused("InvalidNetworkAclEntry.NotFound"):
        net.ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=99, Egress=False)
    with refused("InvalidAssociationID.NotFound"):
        net.ec2.replace_network_acl_association(AssociationId="aclassoc-none", NetworkAclId=acl)
    with refused("InvalidNetworkAclID.NotFound"):
        net.ec2.describe_network_acls(NetworkAclIds=["acl-none"])


def test_tags_are_checked(net: Network) -> None:
    with refused("InvalidID"):
        net.ec2.create_tags(Resources=["eipalloc-none"], Tags=[{"Key": "a", "Value": "b"}])
    with refused("InvalidParameterValue"):
        net.ec2.create_tags(Resources=[net.vpc], Tags=[{"Key": "aws:a", "Value": "b"}])
    with refused("InvalidParameterValue"):
        net.ec2.allocate_address(TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}])
    assert net.ec2.allocate_address(Domain="standard")["AllocationId"].startswith("eipalloc-")
    spec = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "a", "Value": "b"}]}]
    allocation = net.ec2.allocate_address(TagSpecifications=spec)["AllocationId"]
    only = [{"Name": "resource-type", "Values": ["elastic-ip"]}]
    assert [row["ResourceId"] for row in net.ec2.describe_tags(Filters=only)["Tags"]] == [allocation]
    net.ec2.release_address(AllocationId=allocation)
    assert net.ec2.describe_tags(Filters=only)["Tags"] == []


def test_new_things_are_seen_a_little_later(net: Network) -> None:
    runtime.clock.set("aws", 0.001)
    vpc = net.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    with refused("InvalidVpcID.NotFound"):
        net.ec2.describe_vpcs(VpcIds=[vpc])
    assert vpc not in [row["VpcId"] for row in net.ec2.describe_vpcs()["Vpcs"]]
    subnet = net.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    wait(1.1)
    assert net.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert net.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]


def test_what_a_load_balancer_is_in_stays(client: Any, net: Network) -> None:
    group = net.ec2.create_security_group(GroupName="alb", Description="alb", VpcId=net.vpc)["GroupId"]
    elb = client("elbv2")
    balancer = elb.create_load_balancer(Name="k8s-alb", Subnets=net.subnets, SecurityGroups=[group])["LoadBalancers"][0]
    with refused("DependencyViolation"):
        net.ec2.delete_security_group(GroupId=group)
    with refused("DependencyViolation"):
        net.ec2.delete_subnet(SubnetId=net.subnets[0])
    elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    net.ec2.delete_security_group(GroupId=group)
    net.ec2.delete_subnet(SubnetId=net.subnets[0])


def test_what_a_database_is_in_stays(client: Any, net: Network) -> None:
    group = net.ec2.create_security_group(GroupName="db", Description="db", VpcId=net.vpc)["GroupId"]
    rds = client("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="db", DBSubnetGroupDescription="db", SubnetIds=net.subnets)
    rds.create_db_instance(
        DBInstanceIdentifier="db", Engine="postgres", DBInstanceClass="db.t3.medium", AllocatedStorage=20,
        MasterUsername="admins", MasterUserPassword="only-for-a-test", DBSubnetGroupName="db",
        VpcSecurityGroupIds=[group],
    )  # fmt: skip
    with refused("DependencyViolation"):
        net.ec2.delete_security_group(GroupId=group)
    with refused("DependencyViolation"):
        net.ec2.delete_subnet(SubnetId=net.subnets[1])
    rds.describe_db_instances()
    rds.delete_db_instance(DBInstanceIdentifier="db", SkipFinalSnapshot=True)
    net.ec2.delete_security_group(GroupId=group)
    rds.delete_db_subnet_group(DBSubnetGroupName="db")
    net.ec2.delete_subnet(SubnetId=net.subnets[1])
