"""DB subnet groups, and where an instance is placed in one."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.errors import AwsError

from . import ties
from .call import Call, page
from .rules import combination, group_name, invalid
from .store import RdsStore, SubnetGroup, arn

DEFAULT = "default"
ZONES_NEEDED = 2
"""Zones that a DB subnet group has at least."""


def find(store: RdsStore, name: str) -> SubnetGroup:
    """Return a subnet group; ``default`` is made of the default VPC when first asked for.

    Raises:
        AwsError: ``DBSubnetGroupNotFoundFault``.
    """
    key = name.lower() or DEFAULT
    if key == DEFAULT and DEFAULT not in store.subnet_groups:
        facts = ties.default_vpc_subnets(store.account, store.region)
        if facts:
            subnets = {one.subnet_id: one.zone for one in facts}
            store.subnet_groups[DEFAULT] = SubnetGroup(DEFAULT, DEFAULT, facts[0].vpc_id, subnets)
    if key not in store.subnet_groups:
        raise AwsError("DBSubnetGroupNotFoundFault", f"DBSubnetGroup {name} not found in {store.region}.")
    return store.subnet_groups[key]


def rendered(store: RdsStore, group: SubnetGroup) -> dict[str, Any]:
    """Return the API's ``DBSubnetGroup``."""
    return {
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "VpcId": group.vpc_id,
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {
                "SubnetIdentifier": subnet_id,
                "SubnetAvailabilityZone": {"Name": zone},
                "SubnetOutpost": {},
                "SubnetStatus": "Active",
            }
            for subnet_id, zone in sorted(group.subnets.items())
        ],
        "DBSubnetGroupArn": arn(store.region, store.account, "subgrp", group.name),
        "SupportedNetworkTypes": ["IPV4"],
    }


def _checked_subnets(call: Call) -> tuple[str, dict[str, str]]:
    """Return the VPC and the zones by subnet of the subnets that a call names."""
    facts = [ties.subnet(call.account, call.region, str(one)) for one in dict.fromkeys(call.items("SubnetIds"))]
    vpcs = sorted({one.vpc_id for one in facts})
    if len(vpcs) > 1:
        raise AwsError("InvalidSubnet", f"The specified subnets are not in one VPC: {', '.join(vpcs)}.")
    zones = sorted({one.zone for one in facts})
    if len(zones) < ZONES_NEEDED:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(zones)}. Add subnets to cover at least {ZONES_NEEDED} AZs.",
        )
    return vpcs[0], {one.subnet_id: one.zone for one in facts}


def create_db_subnet_group(call: Call) -> dict[str, Any]:
    """CreateDBSubnetGroup."""
    name = group_name(call.text("DBSubnetGroupName"), "DBSubnetGroupName")
    if name in call.store.subnet_groups:
        raise AwsError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    description = call.text("DBSubnetGroupDescription")
    if not description:
        raise invalid("The parameter DBSubnetGroupDescription must be provided and must not be blank.")
    vpc_id, subnets = _checked_subnets(call)
    group = SubnetGroup(name, description, vpc_id, subnets, call.tags())
    call.store.subnet_groups[name] = group
    return {"DBSubnetGroup": rendered(call.store, group)}


def modify_db_subnet_group(call: Call) -> dict[str, Any]:
    """ModifyDBSubnetGroup: the subnets of the call replace those of the group."""
    group = find(call.store, call.text("DBSubnetGroupName"))
    vpc_id, subnets = _checked_subnets(call)
    users = _users(call.store, group)
    if vpc_id != group.vpc_id:
        raise AwsError("InvalidSubnet", f"Subnets of {vpc_id} cannot replace those of {group.name}, in {group.vpc_id}.")
    used = {one.settings["AvailabilityZone"]: one.identifier for one in users}
    for zone, identifier in sorted(used.items()):
        if zone not in subnets.values():
            raise AwsError("SubnetAlreadyInUse", f"The subnet of {group.name} in {zone} is in use by {identifier}.")
    group.subnets = subnets
    group.description = call.text("DBSubnetGroupDescription", group.description)
    return {"DBSubnetGroup": rendered(call.store, group)}


def _users(store: RdsStore, group: SubnetGroup) -> list[Any]:
    return [one for one in store.instances.values() if one.subnet_group == group.name]


def delete_db_subnet_group(call: Call) -> dict[str, Any]:
    """DeleteDBSubnetGroup."""
    group = find(call.store, call.text("DBSubnetGroupName"))
    users = _users(call.store, group)
    if users or group.name == DEFAULT:
        names = ", ".join(one.identifier for one in users) or "it is the default group"
        raise AwsError(
            "InvalidDBSubnetGroupStateFault",
            f"Cannot delete the subnet group '{group.name}' because at least one database instance is still using it: "
            f"{names}.",
        )
    del call.store.subnet_groups[group.name]
    return {}


def describe_db_subnet_groups(call: Call) -> dict[str, Any]:
    """DescribeDBSubnetGroups."""
    store = call.store
    groups = sorted(store.subnet_groups.values(), key=lambda group: group.name)
    if call.has("DBSubnetGroupName"):
        groups = [find(store, call.text("DBSubnetGroupName"))]
    return page(call, "DBSubnetGroups", groups, lambda group: rendered(store, group))


def place(group: SubnetGroup, zone: str, multi_az: bool) -> dict[str, Any]:
    """Return the zone members of an instance in a subnet group.

    Raises:
        AwsError: for a zone together with Multi-AZ, or one that the group does not cover.
    """
    zones = sorted(set(group.subnets.values()))
    if zone and multi_az:
        raise combination("Requesting a specific availability zone is not valid for Multi-AZ instances.")
    if zone and zone not in zones:
        raise AwsError(
            "InvalidVPCNetworkStateFault",
            f"Cannot create a DB instance in {zone}: the subnet group {group.name} covers {', '.join(zones)}.",
        )
    if not multi_az:
        return {"AvailabilityZone": zone or zones[0], "MultiAZ": False}
    if len(zones) < ZONES_NEEDED:
        raise AwsError("DBSubnetGroupDoesNotCoverEnoughAZs", f"{group.name} covers {zones}; Multi-AZ needs two zones.")
    return {"AvailabilityZone": zones[0], "SecondaryAvailabilityZone": zones[1], "MultiAZ": True}
