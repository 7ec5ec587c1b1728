# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subnets: ranges of a VPC, each in one zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..engine.aws import Aws
from ..engine.model import Observed, Readiness, Traits, Update, Wanted
from ._ec2 import Ec2Resource, unless_gone

_KEEP = "Set it back to what stands: everything in the subnet would have to move. Another range can be a new zone's."


class Subnet(Ec2Resource):
    """A subnet.

    Attributes:
        vpc_id: where it lies.
        cidr: its range; AWS keeps five addresses of it.
        zone: the availability zone by name.
        public_ips: whether instances in it get a public address unasked.
    """

    kind = "ec2_subnet"
    label = "subnet"
    listing, member, id_member, ids = "describe_subnets", "Subnets", "SubnetId", "SubnetIds"
    tag_type = "subnet"
    creation = Traits(seconds=2)
    deletion = Traits(seconds=2, interrupts="everything in the subnet", reversible=False)
    updates = (Update("public_ips", ("public_ips",)),)
    fixed: ClassVar[Mapping[str, str]] = {"vpc_id": _KEEP, "cidr": _KEEP, "zone": _KEEP}

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "vpc_id": item["VpcId"],
            "cidr": item["CidrBlock"],
            "zone": item["AvailabilityZone"],
            "public_ips": item["MapPublicIpOnLaunch"],
        }

    def readiness(self, observed: Observed) -> Readiness:
        return Readiness.WAIT if observed.status == "pending" else Readiness.READY

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        item = aws.client("ec2", once=True).create_subnet(
            VpcId=attributes["vpc_id"],
            CidrBlock=attributes["cidr"],
            AvailabilityZone=attributes["zone"],
            TagSpecifications=self.specification(wanted.tags),
        )["Subnet"]
        return self.observed(aws, wanted.name, item)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        value = {"Value": wanted.attributes["public_ips"]}
        aws.client("ec2").modify_subnet_attribute(SubnetId=observed.id, MapPublicIpOnLaunch=value)

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            aws.client("ec2").delete_subnet(SubnetId=observed.id)
