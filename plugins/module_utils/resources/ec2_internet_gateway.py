# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Internet gateways: a VPC's door to the internet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.aws import Aws
from ..engine.model import Observed, Traits, Update, Wanted
from ._ec2 import Ec2Resource, once_known, tolerating, unless_gone


class InternetGateway(Ec2Resource):
    """An internet gateway.

    Attributes:
        vpc_id: the VPC that it is attached to; None if it is attached to none.
    """

    kind = "ec2_internet_gateway"
    label = "internet gateway"
    listing, member = "describe_internet_gateways", "InternetGateways"
    id_member, ids, tag_type = "InternetGatewayId", "InternetGatewayIds", "internet-gateway"
    creation = Traits(seconds=2)
    deletion = Traits(seconds=2, interrupts="every way between the VPC and the internet")
    updates = (Update("attachment", ("vpc_id",)),)

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        # A gateway's attachment is "available" where one would expect "attached".
        attached = [one["VpcId"] for one in item.get("Attachments") or () if one["State"] != "detached"]
        return {"vpc_id": next(iter(attached), None)}

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        item = aws.client("ec2", once=True).create_internet_gateway(TagSpecifications=self.specification(wanted.tags))[
            "InternetGateway"
        ]
        gateway_id, vpc_id = str(item["InternetGatewayId"]), wanted.attributes["vpc_id"]
        what = f"internet gateway {wanted.name!r} ({gateway_id})"
        once_known(aws, what, lambda: _attach(aws, gateway_id, vpc_id))
        return Observed(self.kind, wanted.name, gateway_id, wanted.attributes, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        if observed.get("vpc_id"):
            self._detach(aws, observed)
        _attach(aws, observed.id, wanted.attributes["vpc_id"])

    def delete(self, aws: Aws, observed: Observed) -> None:
        if observed.get("vpc_id"):
            self._detach(aws, observed)
        with unless_gone():
            aws.client("ec2").delete_internet_gateway(InternetGatewayId=observed.id)

    @staticmethod
    def _detach(aws: Aws, observed: Observed) -> None:
        # AWS refuses with DependencyViolation while a public address is mapped in the VPC; that is retried.
        with tolerating("Gateway.NotAttached", "InvalidInternetGatewayID.NotFound"):
            aws.client("ec2").detach_internet_gateway(InternetGatewayId=observed.id, VpcId=observed.get("vpc_id"))


def _attach(aws: Aws, gateway_id: str, vpc_id: str) -> None:
    with tolerating("Resource.AlreadyAssociated"):
        aws.client("ec2").attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id)
