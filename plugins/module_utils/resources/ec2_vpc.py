# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VPCs: one for each environment and region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..engine.aws import Aws
from ..engine.model import Observed, Readiness, Traits, Update, Wanted
from ._ec2 import Ec2Resource, missing_from, once_known, once_seen, tolerating, unless_gone

#: Attributes that DescribeVpcAttribute and ModifyVpcAttribute know, one a call.
DNS = {"dns_support": "EnableDnsSupport", "dns_hostnames": "EnableDnsHostnames"}


class Vpc(Ec2Resource):
    """A VPC.

    Attributes:
        cidr: the first IPv4 range.
        secondary_cidrs: further ranges. AWS refuses to take one away while a subnet lies in it.
        dns_support: whether the resolver at the second address of the range answers.
        dns_hostnames: whether instances get names; EKS nodes cannot register without both.
        default_group_rules: rules of the default security group, as ``DIRECTION PROTOCOL PEER``. Only an empty list
            can be set. Whatever is not given a group falls into this one (CIS AWS Foundations Benchmark: "Ensure
            the default security group of every VPC restricts all traffic").
    """

    kind = "ec2_vpc"
    label = "VPC"
    listing, member, id_member, ids, tag_type = "describe_vpcs", "Vpcs", "VpcId", "VpcIds", "vpc"
    creation = Traits(seconds=3)
    deletion = Traits(seconds=2, interrupts="everything in the VPC", reversible=False)
    updates = (
        Update("dns_support", ("dns_support",)),
        Update("dns_hostnames", ("dns_hostnames",)),
        Update("secondary_cidrs", ("secondary_cidrs",), Traits(seconds=5)),
        Update(
            "default_group_rules",
            ("default_group_rules",),
            Traits(interrupts="traffic of what uses the VPC's default security group"),
        ),
    )
    fixed: ClassVar[Mapping[str, str]] = {
        "cidr": "Leave cidr as it is and add the range to secondary_cidrs, or build a new environment beside it."
    }
    unordered = frozenset({"secondary_cidrs", "default_group_rules"})

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        client, vpc_id = aws.client("ec2"), item["VpcId"]
        flags = {
            name: client.describe_vpc_attribute(VpcId=vpc_id, Attribute=f"{api[0].lower()}{api[1:]}")[api]["Value"]
            for name, api in DNS.items()
        }
        group = _default_group(aws, vpc_id)
        return {
            "cidr": item["CidrBlock"],
            "secondary_cidrs": sorted(_secondary(item)),
            **flags,
            "default_group_rules": [] if group is None else _rule_names(group),
        }

    def readiness(self, observed: Observed) -> Readiness:
        return Readiness.WAIT if observed.status == "pending" else Readiness.READY

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        item = aws.client("ec2", once=True).create_vpc(
            CidrBlock=attributes["cidr"], TagSpecifications=self.specification(wanted.tags)
        )["Vpc"]
        vpc_id = str(item["VpcId"])
        once_known(aws, f"VPC {wanted.name!r} ({vpc_id})", lambda: _set_dns(aws, vpc_id, attributes, ("dns_support",)))
        _set_dns(aws, vpc_id, attributes, ("dns_hostnames",))
        _associate(aws, vpc_id, attributes.get("secondary_cidrs") or ())
        if attributes.get("default_group_rules") is not None:
            _strip_default_group(aws, vpc_id)
        return Observed(self.kind, wanted.name, vpc_id, attributes, wanted.tags or {}, str(item["State"]))

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        if update.name == "secondary_cidrs":
            cidrs = wanted.attributes["secondary_cidrs"]
            _associate(aws, observed.id, missing_from(cidrs, observed.get("secondary_cidrs")))
            _disassociate(aws, observed.id, missing_from(observed.get("secondary_cidrs"), cidrs))
        elif update.name == "default_group_rules":
            _strip_default_group(aws, observed.id)
        else:
            _set_dns(aws, observed.id, wanted.attributes, (update.name,))

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            aws.client("ec2").delete_vpc(VpcId=observed.id)


def _set_dns(aws: Aws, vpc_id: str, attributes: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if attributes.get(name) is not None:
            aws.client("ec2").modify_vpc_attribute(VpcId=vpc_id, **{DNS[name]: {"Value": attributes[name]}})


def _secondary(item: Mapping[str, Any], states: Sequence[str] = ("associating", "associated")) -> dict[str, str]:
    """Return the association of each further range that is in one of these states."""
    return {
        one["CidrBlock"]: one["AssociationId"]
        for one in item.get("CidrBlockAssociationSet") or ()
        if one["CidrBlock"] != item["CidrBlock"] and one["CidrBlockState"]["State"] in states
    }


def _associate(aws: Aws, vpc_id: str, cidrs: Sequence[str]) -> None:
    """Add ranges, and wait until subnets can be cut out of them."""
    if not cidrs:
        return
    client = aws.client("ec2")
    for cidr in cidrs:
        client.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock=cidr)

    def look() -> bool | None:
        vpc = client.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]
        return not missing_from(cidrs, list(_secondary(vpc, ("associated",)))) or None

    once_seen(aws, f"the ranges {', '.join(cidrs)} of VPC {vpc_id}", look)


def _disassociate(aws: Aws, vpc_id: str, cidrs: Sequence[str]) -> None:
    if not cidrs:
        return
    associations = _secondary(aws.client("ec2").describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0])
    for cidr in cidrs:
        if cidr in associations:
            with unless_gone():
                aws.client("ec2").disassociate_vpc_cidr_block(AssociationId=associations[cidr])


def _default_group(aws: Aws, vpc_id: str) -> Mapping[str, Any] | None:
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    groups: list[Mapping[str, Any]] = aws.pages("ec2", "describe_security_groups", "SecurityGroups", Filters=filters)
    return next(iter(groups), None)


def _rule_names(group: Mapping[str, Any]) -> list[str]:
    """Return what the default group lets through, each as a line for people."""
    directions = {"ingress": group["IpPermissions"], "egress": group["IpPermissionsEgress"]}
    names = []
    for direction, permissions in directions.items():
        for permission in permissions:
            protocol = {"-1": "all"}.get(permission["IpProtocol"], permission["IpProtocol"])
            ranges = [one["CidrIp"] for one in permission.get("IpRanges") or ()]
            ranges += [one["CidrIpv6"] for one in permission.get("Ipv6Ranges") or ()]
            ranges += [one["GroupId"] for one in permission.get("UserIdGroupPairs") or ()]
            ranges += [one["PrefixListId"] for one in permission.get("PrefixListIds") or ()]
            names += [f"{direction} {protocol} {one}" for one in ranges]
    return sorted(names)


def _strip_default_group(aws: Aws, vpc_id: str) -> None:
    client = aws.client("ec2")
    group = once_seen(aws, f"the default security group of {vpc_id}", lambda: _default_group(aws, vpc_id))
    with tolerating("InvalidPermission.NotFound"):
        if group["IpPermissions"]:
            client.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    with tolerating("InvalidPermission.NotFound"):
        if group["IpPermissionsEgress"]:
            client.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
