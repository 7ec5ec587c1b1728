# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a former leader and its replicas off the network, by a security group that lets nothing in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from ..engine.aws import Aws, describe_error, is_aws_error, tag_dict, tag_list
from ..engine.errors import EngineError
from ..resources import rds_calls
from ..resources.rds_describe import Instance, all_instances
from .retirement import removal_order
from .standing import TAG_FENCED


def require_answer(aws: Aws) -> None:
    """Ask the region for anything, so that one that is down is known within seconds."""
    aws.client("rds", probe=True).describe_db_instances(MaxRecords=20)


def apply(aws: Aws, identifier: str, *, replicas: bool, check_mode: bool) -> dict[str, Any]:
    """Fence an instance, and its read replicas in the region, unless they are fenced already or gone.

    The instance comes first, its tag last: one that bears the tag has no replica that is still to be fenced.

    Args:
        replicas: whether its replicas are fenced, too; without them it gets no tag.

    Returns:
        ``fenced``, ``changed``, ``diff``, and why a replica is not fenced, by its identifier, in ``unfenced``.

    Raises:
        EngineError: if the default security group of its VPC lets something in.
    """
    found = {one["DBInstanceIdentifier"]: one for one in all_instances(aws) if one["DBInstanceStatus"] != "deleting"}
    instance = found.get(identifier)
    if instance is None:
        return {"fenced": True, "changed": False, "unfenced": {}}
    group = _closed_group(aws, instance)
    followers = [name for name in removal_order(identifier, list(found.values())) if name != identifier]
    names = [identifier, *(reversed(followers) if replicas else ())]
    before = {name: groups_of(found[name]) for name in names}
    untagged = [name for name in names if replicas and TAG_FENCED not in tag_dict(found[name].get("TagList"))]
    changed, unfenced = bool(untagged) or any(groups != [group] for groups in before.values()), {}
    if changed and not check_mode:
        _close(aws, found[identifier], group)
        unfenced = _fence_all(aws, [found[name] for name in names[1:]], group)
        if identifier in untagged and not unfenced:
            _tag(aws, instance)
    return {
        "fenced": not unfenced and not (check_mode and changed),
        "changed": changed,
        "unfenced": unfenced,
        "diff": _diff(aws.region, before, group),
    }


def _diff(region: str, before: Mapping[str, list[str]], group: str) -> dict[str, Any]:
    header = f"security groups of DB instances in {region}"
    after = {name: [group] for name in before}
    return {"before_header": header, "after_header": header, "before": dict(before), "after": after}


def _fence_all(aws: Aws, replicas: Sequence[Instance], group: str) -> dict[str, str]:
    """Fence replicas, all at once; return why one is not. The others must not wait for one that is in trouble."""

    def fence(replica: Instance) -> str:
        try:
            _close(aws, replica, group)
            if TAG_FENCED not in tag_dict(replica.get("TagList")):
                _tag(aws, replica)
        except Exception as error:
            if not (isinstance(error, EngineError) or is_aws_error(error)):
                raise
            return describe_error(error)
        return ""

    if not replicas:
        return {}
    with ThreadPoolExecutor(len(replicas)) as pool:
        reasons = pool.map(fence, replicas)
        names = [replica["DBInstanceIdentifier"] for replica in replicas]
        return {name: reason for name, reason in zip(names, reasons, strict=True) if reason}


def _close(aws: Aws, instance: Instance, group: str) -> None:
    if groups_of(instance) != [group]:
        name = instance["DBInstanceIdentifier"]
        rds_calls.modify(aws, name, "taking it off the network", 60, VpcSecurityGroupIds=[group])


def _tag(aws: Aws, instance: Instance) -> None:
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    aws.client("rds").add_tags_to_resource(ResourceName=instance["DBInstanceArn"], Tags=tag_list({TAG_FENCED: since}))


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
