# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.adoption import Found
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Wanted
from ansible_collections.pipeops.platform.plugins.module_utils.layers._vpc_adoption import LISTINGS, match

S3 = "com.amazonaws.us-west-2.s3"
WANTED = [
    *(
        Wanted("ec2_subnet", f"public-{zone}", {"cidr": cidr, "zone": zone})
        for zone, cidr in (("z1", "p1"), ("z2", "p2"))
    ),
    Wanted("ec2_subnet", "private-z1", {"cidr": "i1", "zone": "z1"}),
    Wanted("ec2_nat_gateway", "zonal-z1"),
    Wanted("ec2_vpc_endpoint", "s3", {"service": S3, "type": "Gateway"}),
]
SUBNETS = [
    {"SubnetId": "s-p1", "CidrBlock": "p1", "AvailabilityZone": "z1"},
    {"SubnetId": "s-p2", "CidrBlock": "p2", "AvailabilityZone": "z2"},
    {"SubnetId": "s-i1", "CidrBlock": "i1", "AvailabilityZone": "z1"},
    {"SubnetId": "s-spare", "CidrBlock": "p2", "AvailabilityZone": "z3"},
]


def matched(**lying: list[dict[str, Any]]) -> Found:
    everything = {kind: lying.get(kind, []) for kind in LISTINGS}
    return match("vpc-1", {**everything, "ec2_subnet": SUBNETS}, {item.key: item for item in WANTED})


def table(name: str, *subnets: str, **more: Any) -> dict[str, Any]:
    uses = [{"SubnetId": subnet} for subnet in subnets]
    return {"RouteTableId": name, "Associations": [*uses, *([{"Main": True}] if more.get("main") else [])]}


def gateway(name: str, subnet: str, **more: Any) -> dict[str, Any]:
    addresses = [{"AllocationId": f"eip-{name}"}]
    return {
        "NatGatewayId": name,
        "SubnetId": subnet,
        "State": "available",
        "NatGatewayAddresses": addresses,
        **more,
    }


def test_subnets_are_known_by_range_and_zone() -> None:
    found = matched()
    assert found.identifiers["ec2_subnet"] == {"s-p1": "public-z1", "s-p2": "public-z2", "s-i1": "private-z1"}
    assert [item["id"] for item in found.left_alone] == ["s-spare"]


@pytest.mark.parametrize(
    ("tables", "taken"),
    [
        pytest.param([table("t", "s-p1", "s-p2")], {"t": "public"}, id="of one tier"),
        pytest.param([table("t", "s-p1", "s-i1")], {}, id="of two tiers"),
        pytest.param([table("t", "s-p1", "s-spare")], {}, id="of a subnet that nobody wants"),
        pytest.param([table("a", "s-p1"), table("b", "s-p1", "s-p2")], {"b": "public"}, id="the one with the most"),
        pytest.param([table("b", "s-p1"), table("a", "s-p2")], {"a": "public"}, id="of equals always the same"),
        pytest.param([table("t", "s-p1", main=True)], {}, id="the main table"),
        pytest.param([table("t")], {}, id="of no subnet"),
    ],
)
def test_tables_are_known_by_their_subnets(tables, taken) -> None:
    found = matched(ec2_route_table=tables)
    assert found.identifiers.get("ec2_route_table", {}) == taken
    assert {item["id"] for item in found.left_alone} >= {one["RouteTableId"] for one in tables} - taken.keys()


@pytest.mark.parametrize(
    ("gateways", "taken"),
    [
        pytest.param([gateway("n", "s-p1")], "n", id="where one is wanted"),
        pytest.param([gateway("n", "s-p2")], None, id="in another zone"),
        pytest.param([gateway("n", "s-i1")], None, id="in a private subnet"),
        pytest.param([gateway("n", "s-p1", State="deleted")], None, id="one that is gone"),
        pytest.param([gateway("n", "s-p1", ConnectivityType="private")], None, id="one without an address"),
        pytest.param([gateway("n", "", AvailabilityMode="regional")], None, id="a regional one"),
        pytest.param([gateway("m", "s-p1"), gateway("n", "s-p1")], "m", id="the first of two"),
    ],
)
def test_a_nat_gateway_is_known_by_where_it_stands(gateways, taken) -> None:
    found = matched(ec2_nat_gateway=gateways).identifiers
    assert found.get("ec2_nat_gateway", {}) == ({taken: "zonal-z1"} if taken else {})
    assert found.get("ec2_elastic_ip", {}) == ({f"eip-{taken}": "nat-z1"} if taken else {})


def test_endpoints_are_known_by_service_and_type() -> None:
    endpoints = [
        {"VpcEndpointId": "a", "ServiceName": S3, "VpcEndpointType": "Interface", "State": "available"},
        {"VpcEndpointId": "b", "ServiceName": S3, "VpcEndpointType": "Gateway", "State": "available"},
    ]
    assert matched(ec2_vpc_endpoint=endpoints).identifiers["ec2_vpc_endpoint"] == {"b": "s3"}
