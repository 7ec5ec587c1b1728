# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which parts of a network that others made are meant by which parts of the one that is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.adoption import Found
from ..engine.aws import Aws
from ..engine.errors import PlanRefused
from ..engine.model import Key, Wanted
from ..resources._ec2 import is_unknown
from ._vpc_addresses import TIERS

Item = Mapping[str, Any]
#: What is listed of a VPC: the client's method, the member of its answer, that of an item's identifier, the name of the
#: filter on the VPC, and that of the listing's filters.
LISTINGS = {
    "ec2_internet_gateway": (
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
        "attachment.vpc-id",
        "Filters",
    ),
    "ec2_subnet": ("describe_subnets", "Subnets", "SubnetId", "vpc-id", "Filters"),
    "ec2_route_table": ("describe_route_tables", "RouteTables", "RouteTableId", "vpc-id", "Filters"),
    "ec2_network_acl": ("describe_network_acls", "NetworkAcls", "NetworkAclId", "vpc-id", "Filters"),
    "ec2_nat_gateway": ("describe_nat_gateways", "NatGateways", "NatGatewayId", "vpc-id", "Filter"),
    "ec2_vpc_endpoint": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "vpc-id", "Filters"),
}
#: Why something of a kind stays as it is.
REASONS = {
    "ec2_internet_gateway": "the VPC has another one",
    "ec2_subnet": "no tier of the inventory has this range in this zone",
    "ec2_route_table": "it serves subnets of no tier, or of several, or another table serves more of the tier",
    "ec2_network_acl": "it is the VPC's default, or guards subnets of no tier, or of several, or fewer than another",
    "ec2_nat_gateway": "the inventory wants none of its mode in its place",
    "ec2_vpc_endpoint": "the inventory asks for no endpoint of its service and type",
}
GONE = ("deleting", "deleted", "failed", "rejected", "expired")


@dataclass
class Match:
    """What has been matched so far: for each kind, identifiers with logical names."""

    identifiers: dict[str, dict[str, str]] = field(default_factory=dict)

    def take(self, kind: str, identifier: str, name: str) -> None:
        self.identifiers.setdefault(kind, {})[identifier] = name

    def names(self, kind: str) -> Mapping[str, str]:
        return self.identifiers.get(kind, {})


def read(aws: Aws, vpc_id: str) -> dict[str, list[Item]]:
    """Return what lies in a VPC, by kind.

    Raises:
        PlanRefused: if there is no such VPC.
    """
    try:
        aws.client("ec2").describe_vpcs(VpcIds=[vpc_id])
    except aws.client("ec2").exceptions.ClientError as error:
        if not is_unknown(error):
            raise
        raise PlanRefused(
            [f"vpc_id is {vpc_id}, and {aws.region} has no such VPC. Name one of this region."]
        ) from error
    return {
        kind: aws.pages("ec2", method, member, **{filters: [{"Name": vpc_filter, "Values": [vpc_id]}]})
        for kind, (method, member, _identifier, vpc_filter, filters) in LISTINGS.items()
    }


def match(vpc_id: str, lying: Mapping[str, Sequence[Item]], wanted: Mapping[Key, Wanted]) -> Found:
    """Return which of the things that lie in a VPC is meant by which wanted one. Pure.

    Subnets are known by range and zone, tables and ACLs by the subnets that use them, a zonal NAT gateway by the
    subnet that it stands in, endpoints by their service. Security groups are never taken over: other instances may
    be in them, and ours would lose their rules.
    """
    found = Match()
    found.take("ec2_vpc", vpc_id, "main")
    for gateway in lying["ec2_internet_gateway"][:1]:
        found.take("ec2_internet_gateway", gateway["InternetGatewayId"], "internet")
    _match_subnets(found, lying["ec2_subnet"], wanted)
    for kind in ("ec2_route_table", "ec2_network_acl"):
        _match_by_subnets(found, kind, lying[kind])
    _match_nat(found, lying["ec2_nat_gateway"], wanted)
    _match_endpoints(found, lying["ec2_vpc_endpoint"], wanted)
    return Found(found.identifiers, tuple(_left_alone(found, lying)))


def _match_subnets(found: Match, subnets: Iterable[Item], wanted: Mapping[Key, Wanted]) -> None:
    places = {
        (item.attributes["cidr"], item.attributes["zone"]): name
        for (kind, name), item in wanted.items()
        if kind == "ec2_subnet"
    }
    for subnet in subnets:
        name = places.get((subnet["CidrBlock"], subnet["AvailabilityZone"]))
        if name:
            found.take("ec2_subnet", subnet["SubnetId"], name)


def _match_by_subnets(found: Match, kind: str, items: Iterable[Item]) -> None:
    """Match what serves subnets of one tier alone; of several the one that serves most of them."""
    identifier = LISTINGS[kind][2]
    for tier in TIERS:
        own = {subnet for subnet, name in found.names("ec2_subnet").items() if name.startswith(f"{tier}-")}
        serving = {item[identifier]: _served(item) for item in items if not _default(item)}
        fitting = [one for one, subnets in serving.items() if subnets and subnets <= own]
        if fitting:
            found.take(kind, min(fitting, key=lambda one: (-len(serving[one]), one)), tier)


def _default(item: Item) -> bool:
    """Tell whether it is what all subnets of the VPC fall back to, which cannot be removed."""
    return bool(item.get("IsDefault")) or any(one.get("Main") for one in item.get("Associations") or ())


def _served(item: Item) -> set[str]:
    return {one["SubnetId"] for one in item.get("Associations") or () if one.get("SubnetId")}


def _match_nat(found: Match, gateways: Iterable[Item], wanted: Mapping[Key, Wanted]) -> None:
    """Match the gateway that stands where one is wanted, and the address that it stands on."""
    names = {name for kind, name in wanted if kind == "ec2_nat_gateway"}
    for gateway in gateways:
        regional = gateway.get("AvailabilityMode", "zonal") == "regional"
        subnet = found.names("ec2_subnet").get(gateway.get("SubnetId", ""), "")
        name = "regional" if regional else f"zonal-{subnet.removeprefix('public-')}"
        if gateway["State"] in GONE or name not in names or gateway.get("ConnectivityType", "public") != "public":
            continue
        found.take("ec2_nat_gateway", gateway["NatGatewayId"], name)
        addresses = [one["AllocationId"] for one in gateway.get("NatGatewayAddresses") or () if "AllocationId" in one]
        if addresses and not regional:
            found.take("ec2_elastic_ip", addresses[0], f"nat-{subnet.removeprefix('public-')}")
        names.discard(name)


def _match_endpoints(found: Match, endpoints: Iterable[Item], wanted: Mapping[Key, Wanted]) -> None:
    names = {
        (item.attributes["service"], item.attributes["type"]): name
        for (kind, name), item in wanted.items()
        if kind == "ec2_vpc_endpoint"
    }
    for endpoint in endpoints:
        name = names.pop((endpoint["ServiceName"], endpoint["VpcEndpointType"]), None)
        if name and str(endpoint["State"]).lower() not in GONE:
            found.take("ec2_vpc_endpoint", endpoint["VpcEndpointId"], name)


def _left_alone(found: Match, lying: Mapping[str, Sequence[Item]]) -> Iterable[dict[str, str]]:
    for kind, items in lying.items():
        for item in items:
            identifier = item[LISTINGS[kind][2]]
            if identifier not in found.names(kind) and str(item.get("State", "")).lower() not in GONE:
                yield {"kind": kind, "id": identifier, "reason": REASONS[kind]}
