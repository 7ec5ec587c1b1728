# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DB subnet groups: the subnets that databases may be placed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted


class RdsSubnetGroup(ResourceType):
    """A DB subnet group.

    Attributes:
        name: unique in a region, in lower case, so it finds the group.
        description: for people.
        subnet_ids: in at least two zones of one VPC.
        vpc_id: the VPC of the subnets, if the caller knows it.

    Read only: ``arn``.
    """

    kind = "rds_subnet_group"
    label = "DB subnet group"
    service = "rds"
    updates = (Update("subnets", ("subnet_ids", "description")),)
    fixed: ClassVar[Mapping[str, str]] = {
        "vpc_id": "A database cannot move to another VPC without being restored there: keep the VPC, or restore a "
        "snapshot into a new environment (playbooks/restore.yml)."
    }
    deletion = Traits(seconds=2, reversible=True)
    unordered = frozenset({"subnet_ids"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = (self._describe(aws, wanted) for wanted in scope.wanted.values())
        return [item for item in found if item]

    @staticmethod
    def _describe(aws: Aws, wanted: Wanted) -> Observed | None:
        client = aws.client("rds")
        try:
            group = client.describe_db_subnet_groups(DBSubnetGroupName=wanted.attributes["name"])["DBSubnetGroups"][0]
            tags = client.list_tags_for_resource(ResourceName=group["DBSubnetGroupArn"])["TagList"]
        except client.exceptions.DBSubnetGroupNotFoundFault:
            return None
        attributes = {
            "arn": group["DBSubnetGroupArn"],
            "name": group["DBSubnetGroupName"],
            "description": group["DBSubnetGroupDescription"],
            "subnet_ids": [subnet["SubnetIdentifier"] for subnet in group["Subnets"]],
            "vpc_id": group["VpcId"],
        }
        return Observed("rds_subnet_group", wanted.name, group["DBSubnetGroupName"], attributes, tag_dict(tags))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        group = aws.client("rds", once=True).create_db_subnet_group(
            DBSubnetGroupName=attributes["name"],
            DBSubnetGroupDescription=attributes["description"],
            SubnetIds=attributes["subnet_ids"],
            Tags=tag_list(wanted.tags or {}),
        )["DBSubnetGroup"]
        known = {**attributes, "arn": group["DBSubnetGroupArn"], "vpc_id": group["VpcId"]}
        return Observed("rds_subnet_group", wanted.name, group["DBSubnetGroupName"], known, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        aws.client("rds").modify_db_subnet_group(
            DBSubnetGroupName=observed.id,
            DBSubnetGroupDescription=wanted.attributes["description"],
            SubnetIds=wanted.attributes["subnet_ids"],
        )

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("rds").add_tags_to_resource(ResourceName=observed.get("arn"), Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("rds")
        try:
            client.delete_db_subnet_group(DBSubnetGroupName=observed.id)
        except client.exceptions.DBSubnetGroupNotFoundFault:
            return
