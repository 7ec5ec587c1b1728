# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Route tables, and the routes in them that lead out of a VPC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ..engine.aws import Aws
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from ._ec2 import Ec2Resource, missing_from, once_known, tolerating, unless_gone

#: Identifiers of gates to the internet, and of machines that could be one, by their prefix.
GATES = {
    "igw-": "GatewayId",
    "nat-": "NatGatewayId",
    "eigw-": "EgressOnlyInternetGatewayId",
    "i-": "InstanceId",
    "eni-": "NetworkInterfaceId",
}
#: All members of a route that can name its target. That of an instance comes with its network interface.
TARGETS = (
    *("GatewayId", "NatGatewayId", "EgressOnlyInternetGatewayId", "InstanceId", "NetworkInterfaceId"),
    *("TransitGatewayId", "VpcPeeringConnectionId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn"),
)


class RouteTable(Ec2Resource):
    """A route table and the subnets that use it. What it routes where, :class:`Route` says.

    Attributes:
        vpc_id: where it lies.
        subnets: the ids of the subnets that use it. Others may use it too.
    """

    kind = "ec2_route_table"
    label = "route table"
    listing, member = "describe_route_tables", "RouteTables"
    id_member, ids, tag_type = "RouteTableId", "RouteTableIds", "route-table"
    creation = Traits(seconds=2)
    deletion = Traits(interrupts="the routes of its subnets, which fall back to the main table", reversible=True)
    # The association is moved in one step, so established connections go on if the new table leads there too.
    updates = (Update("subnets", ("subnets",)),)
    fixed: ClassVar[Mapping[str, str]] = {"vpc_id": "Remove the table; the next run makes it in the VPC."}

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"vpc_id": item["VpcId"], "subnets": sorted(_associations([item]))}

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "subnets":
            return not missing_from(wanted, observed)
        return super().same(attribute, wanted, observed)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        item = aws.client("ec2", once=True).create_route_table(
            VpcId=attributes["vpc_id"], TagSpecifications=self.specification(wanted.tags)
        )["RouteTable"]
        table_id = str(item["RouteTableId"])
        what = f"route table {wanted.name!r} ({table_id})"
        once_known(aws, what, lambda: _use(aws, table_id, attributes["subnets"]))
        return Observed(self.kind, wanted.name, table_id, attributes, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        _use(aws, observed.id, missing_from(wanted.attributes["subnets"], observed.get("subnets")))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("ec2")
        with unless_gone():
            tables = client.describe_route_tables(RouteTableIds=[observed.id])["RouteTables"]
            for association in _associations(tables).values():
                with unless_gone():
                    client.disassociate_route_table(AssociationId=association)
            client.delete_route_table(RouteTableId=observed.id)


class Route(ResourceType):
    """A route out of the VPC, named ``TABLE-DESTINATION``.

    Of the routes that are not wanted, only those to the internet or to a machine count as ours, since they open a
    tier or lead its traffic astray. Those of gateway endpoints, virtual private gateways, peerings and transit
    gateways are made by others for reasons of theirs.

    Attributes:
        route_table_id: the table.
        destination: the range, IPv4 or IPv6.
        target: the id of the gateway.
    """

    kind = "ec2_route"
    label = "route"
    service = "ec2"
    deletion = Traits(interrupts="traffic to its destination from the subnets of its table")
    updates = (Update("target", ("target",), Traits(interrupts="connections that run through the former target")),)
    fixed: ClassVar[Mapping[str, str]] = {"route_table_id": "Run again: the table was replaced meanwhile."}
    prune = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [
            observed
            for table, item in RouteTable().owned(aws, scope).items()
            for route in item["Routes"]
            for observed in [_route(table, str(item["RouteTableId"]), route)]
            if observed.name in scope.wanted or _gate(observed.get("target"))
        ]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        aws.client("ec2", once=True).create_route(
            RouteTableId=attributes["route_table_id"],
            **_destination(attributes["destination"]),
            **{str(_gate(attributes["target"])): attributes["target"]},
        )
        route_id = _route_id(attributes["route_table_id"], attributes["destination"])
        return Observed(self.kind, wanted.name, route_id, attributes, status="active")

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        attributes = wanted.attributes
        aws.client("ec2").replace_route(
            RouteTableId=attributes["route_table_id"],
            **_destination(attributes["destination"]),
            **{str(_gate(attributes["target"])): attributes["target"]},
        )

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            aws.client("ec2").delete_route(
                RouteTableId=observed.get("route_table_id"), **_destination(observed.get("destination"))
            )

    def transient(self, error: Exception) -> str:
        return RouteTable().transient(error)


def _associations(tables: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the association of each subnet that uses one of these tables by name, not for want of another."""
    return {
        one["SubnetId"]: one["RouteTableAssociationId"]
        for table in tables
        for one in table.get("Associations") or ()
        if one.get("SubnetId") and one.get("AssociationState", {}).get("State", "associated") != "disassociated"
    }


def _use(aws: Aws, table_id: str, subnets: Sequence[str]) -> None:
    """Let subnets use a table, in one step each: no subnet falls back to the main table in between."""
    if not subnets:
        return
    client = aws.client("ec2")
    filters = [{"Name": "association.subnet-id", "Values": list(subnets)}]
    used = _associations(aws.pages("ec2", "describe_route_tables", "RouteTables", Filters=filters))
    for subnet in subnets:
        if subnet in used:
            with tolerating("InvalidAssociationID.NotFound"):
                client.replace_route_table_association(AssociationId=used[subnet], RouteTableId=table_id)
        else:
            with tolerating("Resource.AlreadyAssociated"):
                client.associate_route_table(RouteTableId=table_id, SubnetId=subnet)


def _route(table: str, table_id: str, route: Mapping[str, Any]) -> Observed:
    destination = next(
        (route[name] for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock") if route.get(name)), None
    )
    # A gateway endpoint's route names a prefix list; it is the endpoint's, and never wanted or astray.
    target = next((route[name] for name in TARGETS if route.get(name)), None) if destination else None
    attributes = {"route_table_id": table_id, "destination": destination, "target": target}
    name, route_id = f"{table}-{destination}", _route_id(table_id, str(destination))
    return Observed(Route.kind, name, route_id, attributes, status=str(route.get("State", "")))


def _route_id(table_id: str, destination: str) -> str:
    return f"{table_id} {destination}"


def _gate(target: Any) -> str | None:
    """Return the member of a request that takes a target like this one; None if it is no gate."""
    return next((member for prefix, member in GATES.items() if str(target).startswith(prefix)), None)


def _destination(cidr: str) -> dict[str, str]:
    return {"DestinationIpv6CidrBlock" if ":" in cidr else "DestinationCidrBlock": cidr}
