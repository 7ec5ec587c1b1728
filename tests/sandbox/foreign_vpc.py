# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network that somebody made by hand: what a takeover finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ZONES = ("us-west-2a", "us-west-2b", "us-west-2c")
#: The ranges that the inventory's split gives, as somebody who prepared for it would choose them.
RANGES = {
    "public": ("10.0.192.0/22", "10.0.196.0/22", "10.0.200.0/22"),
    "private": ("10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"),
    "database": ("10.0.208.0/22", "10.0.212.0/22", "10.0.216.0/22"),
}


@dataclass
class ForeignVpc:
    """What stands, by the names that ours will have."""

    vpc_id: str
    subnets: dict[str, str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    gateway: str = ""
    nat: str = ""
    allocation: str = ""
    endpoint: str = ""
    spare_subnet: str = ""


def make(ec2: Any) -> ForeignVpc:
    """Make it: no tags of ours, one table a tier, a NAT gateway, an endpoint for S3, and a subnet that nobody wants."""
    vpc = ForeignVpc(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
    vpc.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=vpc.gateway, VpcId=vpc.vpc_id)
    for tier, ranges in RANGES.items():
        table = ec2.create_route_table(VpcId=vpc.vpc_id)["RouteTable"]["RouteTableId"]
        vpc.tables[tier] = table
        for zone, cidr in zip(ZONES, ranges, strict=True):
            vpc.subnets[f"{tier}-{zone}"] = subnet = _subnet(ec2, vpc.vpc_id, cidr, zone)
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    vpc.spare_subnet = _subnet(ec2, vpc.vpc_id, "10.0.240.0/24", ZONES[0])
    vpc.allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    vpc.nat = ec2.create_nat_gateway(SubnetId=vpc.subnets["public-us-west-2a"], AllocationId=vpc.allocation)[
        "NatGateway"
    ]["NatGatewayId"]
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[vpc.nat], WaiterConfig={"Delay": 1})
    ec2.create_route(RouteTableId=vpc.tables["public"], DestinationCidrBlock="0.0.0.0/0", GatewayId=vpc.gateway)
    ec2.create_route(RouteTableId=vpc.tables["private"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=vpc.nat)
    vpc.endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc.vpc_id, ServiceName="com.amazonaws.us-west-2.s3", RouteTableIds=[vpc.tables["private"]]
    )["VpcEndpoint"]["VpcEndpointId"]
    return vpc


def _subnet(ec2: Any, vpc_id: str, cidr: str, zone: str) -> str:
    return str(ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"])
