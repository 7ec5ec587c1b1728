# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security groups: who may reach what, by group and range, with memory of connections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ..engine.aws import Aws
from ..engine.model import Observed, Traits, Update, Wanted
from ._ec2 import Ec2Resource, once_known, tolerating, unless_gone

#: The word for "this group" where a rule names a group.
ITSELF = "self"
#: What tells one rule of a group from another. Two that differ in nothing else are the same to EC2.
IDENTITY = ("direction", "protocol", "ports", "peer")
#: Where a permission lists its peers, and which member of such an item names one.
PEERS = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "UserIdGroupPairs": "GroupId",
    "PrefixListIds": "PrefixListId",
}
Rule = Mapping[str, Any]

_RECREATE = "Remove the group by hand once nothing uses it; the next run makes it anew."


class SecurityGroup(Ec2Resource):
    """A security group and all of its rules.

    Attributes:
        group_name: unique in a VPC.
        description: for people; AWS fixes it with the creation.
        vpc_id: where it lies.
        rules: each with ``direction`` (``ingress`` or ``egress``), ``protocol`` (``tcp``, ``udp``, ``all``, ...),
            ``ports`` (``FROM-TO`` or ``all``), ``peer`` (a range, the id of a group or prefix list, ``self``, or
            ``ACCOUNT/GROUP``) and ``description``. All others go.
    """

    kind = "ec2_security_group"
    label = "security group"
    listing, member = "describe_security_groups", "SecurityGroups"
    id_member, ids, tag_type = "GroupId", "GroupIds", "security-group"
    creation = Traits(seconds=3)
    deletion = Traits(seconds=2, interrupts="connections that only this group allows")
    updates = (
        Update("rules", ("rules",), Traits(seconds=2, interrupts="connections that only a revoked rule allows")),
    )
    fixed: ClassVar[Mapping[str, str]] = dict.fromkeys(("group_name", "description", "vpc_id"), _RECREATE)
    unordered = frozenset({"rules"})
    prune = True

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        directions = {"ingress": item["IpPermissions"], "egress": item["IpPermissionsEgress"]}
        rules = [
            rule
            for direction, permissions in directions.items()
            for permission in permissions
            for rule in _rules(direction, permission, item)
        ]
        return {
            "group_name": item["GroupName"],
            "description": item["Description"],
            "vpc_id": item["VpcId"],
            "rules": sorted(rules, key=lambda rule: repr(_identity(rule))),
        }

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        group_id = str(
            aws.client("ec2", once=True).create_security_group(
                GroupName=attributes["group_name"],
                Description=attributes["description"],
                VpcId=attributes["vpc_id"],
                TagSpecifications=self.specification(wanted.tags),
            )["GroupId"]
        )
        what = f"security group {wanted.name!r} ({group_id})"
        once_known(aws, what, lambda: _set_rules(aws, group_id, attributes["rules"], [_born_with()]))
        return Observed(self.kind, wanted.name, group_id, attributes, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        _set_rules(aws, observed.id, wanted.attributes["rules"], observed.get("rules") or [])

    def delete(self, aws: Aws, observed: Observed) -> None:
        with unless_gone():
            aws.client("ec2").delete_security_group(GroupId=observed.id)


def _born_with() -> Rule:
    """Return the rule that AWS gives every new group."""
    return {"direction": "egress", "protocol": "all", "ports": "all", "peer": "0.0.0.0/0", "description": ""}


def _identity(rule: Rule) -> tuple[str, ...]:
    return tuple(str(rule[name]) for name in IDENTITY)


def _rules(direction: str, permission: Mapping[str, Any], group: Mapping[str, Any]) -> Iterable[Rule]:
    protocol = {"-1": "all"}.get(permission["IpProtocol"], permission["IpProtocol"])
    first, last = permission.get("FromPort", -1), permission.get("ToPort", -1)
    ports = "all" if protocol == "all" or first == -1 else f"{first}-{last}"
    for member, name in PEERS.items():
        for one in permission.get(member) or ():
            yield {
                "direction": direction,
                "protocol": protocol,
                "ports": ports,
                "peer": _peer(str(one[name]), one.get("UserId"), group),
                "description": one.get("Description", ""),
            }


def _peer(peer: str, account: str | None, group: Mapping[str, Any]) -> str:
    if peer == group["GroupId"]:
        return ITSELF
    # A group of another account, behind a peering, is only found together with its account.
    return f"{account}/{peer}" if account and account != group.get("OwnerId", account) else peer


def _set_rules(aws: Aws, group_id: str, wanted: Sequence[Rule], standing: Sequence[Rule]) -> None:
    """Authorize, then describe anew, then revoke, so that what is allowed before and after stays allowed between."""
    client = aws.client("ec2")
    after, before = {_identity(one): one for one in wanted}, {_identity(one): one for one in standing}
    for direction in ("ingress", "egress"):
        added = [rule for key, rule in after.items() if key not in before and key[0] == direction]
        for rule in added:
            with tolerating("InvalidPermission.Duplicate"):
                call = getattr(client, f"authorize_security_group_{direction}")
                call(GroupId=group_id, IpPermissions=[_permission(rule, group_id)])
        told = [rule for key, rule in after.items() if key in before and key[0] == direction]
        renamed = [rule for rule in told if rule["description"] != before[_identity(rule)]["description"]]
        if renamed:
            call = getattr(client, f"update_security_group_rule_descriptions_{direction}")
            call(GroupId=group_id, IpPermissions=[_permission(rule, group_id) for rule in renamed])
        revoked = [rule for key, rule in before.items() if key not in after and key[0] == direction]
        if revoked:
            with tolerating("InvalidPermission.NotFound"):
                call = getattr(client, f"revoke_security_group_{direction}")
                call(GroupId=group_id, IpPermissions=[_permission(rule, group_id) for rule in revoked])


def _permission(rule: Rule, group_id: str) -> dict[str, Any]:
    account, _slash, peer = str(rule["peer"]).rpartition("/sg-")
    peer = f"sg-{peer}" if account else group_id if rule["peer"] == ITSELF else str(rule["peer"])
    member = _peer_member(peer)
    more = {"UserId": account, "Description": rule["description"]}
    permission: dict[str, Any] = {
        "IpProtocol": "-1" if rule["protocol"] == "all" else rule["protocol"],
        member: [{PEERS[member]: peer, **{name: value for name, value in more.items() if value}}],
    }
    if rule["ports"] != "all":
        first, _dash, last = str(rule["ports"]).partition("-")
        permission |= {"FromPort": int(first), "ToPort": int(last)}
    elif rule["protocol"] in ("icmp", "icmpv6"):
        permission |= {"FromPort": -1, "ToPort": -1}
    return permission


def _peer_member(peer: str) -> str:
    if peer.startswith("sg-"):
        return "UserIdGroupPairs"
    if peer.startswith("pl-"):
        return "PrefixListIds"
    return "Ipv6Ranges" if ":" in peer else "IpRanges"
