# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Elastic IPs: public addresses that stay ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.aws import Aws, error_code
from ..engine.model import Observed, Traits, Wanted
from ._ec2 import Ec2Resource, unless_gone


class ElasticIp(Ec2Resource):
    """An Elastic IP of a VPC.

    Read only: ``public_ip``, and ``association_id`` while something uses it.
    """

    kind = "ec2_elastic_ip"
    label = "Elastic IP"
    listing, member = "describe_addresses", "Addresses"
    id_member, ids, tag_type = "AllocationId", "AllocationIds", "elastic-ip"
    deletion = Traits(interrupts="whoever lets this address in by an allow list of theirs", reversible=False)
    prune = True

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"public_ip": item["PublicIp"], "association_id": item.get("AssociationId")}

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        item = aws.client("ec2", once=True).allocate_address(
            Domain="vpc", TagSpecifications=self.specification(wanted.tags)
        )
        return Observed(
            self.kind, wanted.name, item["AllocationId"], {"public_ip": item["PublicIp"]}, wanted.tags or {}
        )

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            aws.client("ec2").release_address(AllocationId=observed.id)

    def transient(self, error: Exception) -> str:
        if error_code(error) == "InvalidIPAddress.InUse":
            return "the gateway that used it has not let go of it yet"
        return super().transient(error)
