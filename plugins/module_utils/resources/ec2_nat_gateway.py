# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NAT gateways: the way out for subnets that nobody may come into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..engine.aws import Aws
from ..engine.model import Observed, Readiness, Scope, Traits, Wanted
from ..engine.waiting import wait_until
from ._ec2 import Ec2Resource, unless_gone

_NEW_ONE = "Give the Elastic IP and the subnet that it stands on their owner tags back."


class NatGateway(Ec2Resource):
    """A public NAT gateway.

    Nothing of it can be changed, so another mode or zone goes by another name: the new one is made, the route is
    moved, and only then the old one is removed.

    Attributes:
        mode: ``zonal`` (in one subnet, with an Elastic IP of ours) or ``regional`` (in no subnet; AWS brings the
            addresses and spreads it to the zones in which it sees network interfaces, usually within 15-20 min).
        vpc_id: for a regional one.
        subnet_id: the public subnet of a zonal one.
        allocation_id: the Elastic IP of a zonal one.

    Read only: ``public_ips``; ``failure`` if it did not come to be.
    """

    kind = "ec2_nat_gateway"
    label = "NAT gateway"
    listing, member, filters = "describe_nat_gateways", "NatGateways", "Filter"
    id_member, ids, tag_type = "NatGatewayId", "NatGatewayIds", "natgateway"
    # 1-3 min to make a zonal one, 1-2 min to remove it, as its users report; for a regional one nothing is published.
    creation = Traits(seconds=120)
    deletion = Traits(seconds=90, interrupts="the private subnets' connections to the internet through it")
    fixed: ClassVar[Mapping[str, str]] = dict.fromkeys(("mode", "vpc_id", "subnet_id", "allocation_id"), _NEW_ONE)
    prune = True
    slow = True

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        addresses = item.get("NatGatewayAddresses") or []
        allocations = [one["AllocationId"] for one in addresses if one.get("AllocationId")]
        zonal = item.get("AvailabilityMode", "zonal") == "zonal"
        code, message = item.get("FailureCode"), item.get("FailureMessage", "")
        return {
            "mode": "zonal" if zonal else "regional",
            "vpc_id": item["VpcId"],
            "subnet_id": item.get("SubnetId"),
            "allocation_id": allocations[0] if zonal and allocations else None,
            "public_ips": sorted(one["PublicIp"] for one in addresses if one.get("PublicIp")),
            "failure": f"{code}: {message}" if code else None,
        }

    def stands(self, item: Mapping[str, Any]) -> bool:
        # AWS keeps showing a failed one, and a deleted one, for about an hour; neither can be used again.
        return item["State"] in ("pending", "available")

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        now = self.by_id(aws, observed)
        return None if now is None or now.status == "deleted" else now

    def readiness(self, observed: Observed) -> Readiness:
        states = {"available": Readiness.READY, "failed": Readiness.FAILED}
        return states.get(observed.status, Readiness.WAIT)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        if attributes["mode"] == "regional":
            place = {"AvailabilityMode": "regional", "VpcId": attributes["vpc_id"]}
        else:
            self._await_address(aws, wanted)
            place = {"SubnetId": attributes["subnet_id"], "AllocationId": attributes["allocation_id"]}
        item = aws.client("ec2", once=True).create_nat_gateway(
            **place, ConnectivityType="public", TagSpecifications=self.specification(wanted.tags)
        )["NatGateway"]
        return self.observed(aws, wanted.name, item)

    @staticmethod
    def _await_address(aws: Aws, wanted: Wanted) -> None:
        """Wait until the address is free.

        A gateway that was just removed holds it for a minute or two. AWS would take the call all the same, and let
        the new gateway fail (``Resource.AlreadyAssociated``).
        """
        allocation_id = wanted.attributes["allocation_id"]

        def check() -> tuple[bool | None, str]:
            address = aws.client("ec2").describe_addresses(AllocationIds=[allocation_id])["Addresses"][0]
            held = address.get("AssociationId")
            return (None, f"held by {address.get('NetworkInterfaceId', held)}") if held else (True, "")

        what = f"Elastic IP {allocation_id} in {aws.region}, which NAT gateway {wanted.name!r} needs"
        wait_until(check, what, 90, aws.patience, aws.progress)

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            aws.client("ec2").delete_nat_gateway(NatGatewayId=observed.id)
