# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a former leader off the network, by a security group that lets nothing in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.errors import EngineError
from ..resources import rds_calls
from ..resources.rds_describe import Instance, describe
from .standing import TAG_FENCED


def require_answer(aws: Aws) -> None:
    """Ask the region for anything, so that one that is down is known within seconds."""
    aws.client("rds", probe=True).describe_db_instances(MaxRecords=20)


def apply(aws: Aws, identifier: str, check_mode: bool) -> dict[str, Any]:
    """Fence an instance, unless it is fenced already or gone.

    Raises:
        EngineError: if the default security group of its VPC lets something in.
    """
    instance = describe(aws, identifier)
    if instance is None or instance["DBInstanceStatus"] == "deleting":
        return {"fenced": True, "changed": False}
    before, group = groups_of(instance), _closed_group(aws, instance)
    tagged = TAG_FENCED in tag_dict(instance.get("TagList"))
    changed = before != [group] or not tagged
    if changed and not check_mode:
        if before != [group]:
            rds_calls.modify(aws, identifier, "taking it off the network", 60, VpcSecurityGroupIds=[group])
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        aws.client("rds").add_tags_to_resource(
            ResourceName=instance["DBInstanceArn"], Tags=tag_list({TAG_FENCED: since})
        )
    header = f"DB instance {identifier} in {aws.region}"
    shown = {"before": {"security_group_ids": before}, "after": {"security_group_ids": [group]}}
    diff = {"before_header": header, "after_header": header, **shown}
    return {"fenced": not check_mode or not changed, "changed": changed, "diff": diff}


def groups_of(instance: Instance) -> list[str]:
    """Return the security groups that an instance has or is getting."""
    groups = instance.get("VpcSecurityGroups") or ()
    return sorted(group["VpcSecurityGroupId"] for group in groups if group.get("Status") != "removing")


def _closed_group(aws: Aws, instance: Mapping[str, Any]) -> str:
    vpc = instance["DBSubnetGroup"]["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = aws.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=filters)
    if group["IpPermissions"]:
        raise EngineError(
            f"The default security group {group['GroupId']} of {vpc} in {aws.region} has rules that let something in, "
            f"so it is no fence for {instance['DBInstanceIdentifier']}. Run playbooks/network.yml for that "
            "environment, which takes them out, or remove them by hand, then run again."
        )
    return str(group["GroupId"])
