# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VPC endpoints: ways to AWS services that do not leave the VPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, error_message
from ..engine.model import Observed, Readiness, Scope, Traits, Update, Wanted
from ._ec2 import Ec2Resource, missing_from, raise_unsuccessful, unless_gone

_ANOTHER = "Remove the endpoint by hand; the next run makes it anew."


class VpcEndpoint(Ec2Resource):
    """A gateway endpoint (a route in tables of the VPC) or an interface endpoint (an address in its subnets).

    Attributes:
        vpc_id: where it lies.
        service: the service's whole name, e.g. ``com.amazonaws.us-west-2.s3``.
        type: ``Gateway`` or ``Interface``.
        route_tables: the ids of all tables that lead to a gateway endpoint.
        subnets: the ids of all subnets in which an interface endpoint has an address.
        security_groups: the ids of all groups of an interface endpoint.
        private_dns: whether the service's usual name leads to an interface endpoint.
    """

    kind = "ec2_vpc_endpoint"
    label = "VPC endpoint"
    listing, member = "describe_vpc_endpoints", "VpcEndpoints"
    id_member, ids, tag_type = "VpcEndpointId", "VpcEndpointIds", "vpc-endpoint"
    # 1-3 min for an interface endpoint, as its users report; a gateway endpoint is there at once.
    creation = Traits(seconds=120)
    deletion = Traits(seconds=120, interrupts="open connections to the service that run through it")
    updates = (
        Update("route_tables", ("route_tables",), Traits(interrupts="open connections to the service")),
        Update("subnets", ("subnets",), Traits(seconds=60)),
        Update("security_groups", ("security_groups",)),
        Update("private_dns", ("private_dns",), Traits(seconds=60)),
    )
    fixed: ClassVar[Mapping[str, str]] = dict.fromkeys(("vpc_id", "service", "type"), _ANOTHER)
    unordered = frozenset({"route_tables", "subnets", "security_groups"})
    prune = True
    slow = True

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        error = item.get("LastError") or {}
        return {
            "vpc_id": item["VpcId"],
            "service": item["ServiceName"],
            "type": item["VpcEndpointType"],
            "route_tables": sorted(item.get("RouteTableIds") or ()),
            "subnets": sorted(item.get("SubnetIds") or ()),
            "security_groups": sorted(one["GroupId"] for one in item.get("Groups") or ()),
            "private_dns": bool(item.get("PrivateDnsEnabled")),
            "failure": f"{error.get('Code')}: {error.get('Message')}" if error else None,
        }

    def status(self, item: Mapping[str, Any]) -> str:
        # The reference spells the states with a capital, the service answers without.
        return str(item["State"]).lower()

    def stands(self, item: Mapping[str, Any]) -> bool:
        return self.status(item) not in ("deleting", "deleted", "failed", "rejected", "expired")

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        now = self.by_id(aws, observed)
        return None if now is None or now.status == "deleted" else now

    def readiness(self, observed: Observed) -> Readiness:
        states = {"available": Readiness.READY, "failed": Readiness.FAILED, "rejected": Readiness.FAILED}
        return states.get(observed.status, Readiness.WAIT)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        options = {
            "RouteTableIds": attributes.get("route_tables"),
            "SubnetIds": attributes.get("subnets"),
            "SecurityGroupIds": attributes.get("security_groups"),
            "PrivateDnsEnabled": attributes.get("private_dns"),
        }
        item = aws.client("ec2", once=True).create_vpc_endpoint(
            VpcId=attributes["vpc_id"],
            ServiceName=attributes["service"],
            VpcEndpointType=attributes["type"],
            TagSpecifications=self.specification(wanted.tags),
            **{name: value for name, value in options.items() if value is not None},
        )["VpcEndpoint"]
        return self.observed(aws, wanted.name, item)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        value, standing = wanted.attributes[update.name], observed.get(update.name)
        if update.name == "private_dns":
            change = {"PrivateDnsEnabled": value}
        else:
            member = {"route_tables": "RouteTableIds", "subnets": "SubnetIds", "security_groups": "SecurityGroupIds"}
            added, removed = missing_from(value, standing), missing_from(standing, value)
            change = {f"Add{member[update.name]}": added, f"Remove{member[update.name]}": removed}
        aws.client("ec2").modify_vpc_endpoint(
            VpcEndpointId=observed.id, **{name: given for name, given in change.items() if given != []}
        )

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            answer = aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[observed.id])
            raise_unsuccessful(answer, "DeleteVpcEndpoints")

    def transient(self, error: Exception) -> str:
        if error_code(error) == "InvalidParameter" and "conflicting DNS domain" in error_message(error):
            return "the former endpoint still has the service's name"
        return super().transient(error)
