# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network ACLs: what may cross the border of a subnet, without memory of connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..engine.aws import Aws
from ..engine.model import Observed, Traits, Update, Wanted
from ._ec2 import Ec2Resource, missing_from, once_known, once_seen, tolerating, unless_gone

#: IP protocol numbers that EC2 uses here, by name (IANA's assigned numbers); -1 is EC2's "all".
PROTOCOLS = {"all": "-1", "tcp": "6", "udp": "17"}
#: The highest number that can be given to an entry; above it stand AWS's own last denials.
LAST_RULE = 32766
Entry = Mapping[str, Any]


class NetworkAcl(Ec2Resource):
    """A network ACL, its entries and the subnets that it guards.

    Attributes:
        vpc_id: where it lies.
        entries: each with ``direction`` (``ingress`` or ``egress``), ``rule`` (1-32766, the lowest that matches
            decides), ``action``, ``protocol``, ``ports`` (``FROM-TO`` or ``all``) and ``cidr``. All others go.
        subnets: the ids of the subnets that it guards. Others may use it too.
    """

    kind = "ec2_network_acl"
    label = "network ACL"
    listing, member = "describe_network_acls", "NetworkAcls"
    id_member, ids, tag_type = "NetworkAclId", "NetworkAclIds", "network-acl"
    creation = Traits(seconds=4)
    deletion = Traits(seconds=2)
    # Entries come before subnets: an ACL without entries lets nothing through.
    updates = (Update("entries", ("entries",), Traits(seconds=2)), Update("subnets", ("subnets",)))
    fixed: ClassVar[Mapping[str, str]] = {"vpc_id": "Remove the ACL; the next run makes it in the VPC."}
    unordered = frozenset({"entries"})

    def describe(self, aws: Aws, item: Mapping[str, Any]) -> Mapping[str, Any]:
        entries = [_entry(one) for one in item["Entries"] if one["RuleNumber"] <= LAST_RULE]
        return {
            "vpc_id": item["VpcId"],
            "entries": sorted(entries, key=_place),
            "subnets": sorted(one["SubnetId"] for one in item.get("Associations") or ()),
        }

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "subnets":
            return not missing_from(wanted, observed)
        return super().same(attribute, wanted, observed)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        item = aws.client("ec2", once=True).create_network_acl(
            VpcId=attributes["vpc_id"], TagSpecifications=self.specification(wanted.tags)
        )["NetworkAcl"]
        acl_id, what = str(item["NetworkAclId"]), f"network ACL {wanted.name!r} ({item['NetworkAclId']})"
        once_known(aws, what, lambda: _set_entries(aws, acl_id, attributes["entries"], []))
        _guard(aws, acl_id, attributes["subnets"])
        return Observed(self.kind, wanted.name, acl_id, attributes, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        if update.name == "entries":
            _set_entries(aws, observed.id, wanted.attributes["entries"], observed.get("entries") or [])
        else:
            _guard(aws, observed.id, missing_from(wanted.attributes["subnets"], observed.get("subnets")))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("ec2")
        with unless_gone():
            acl = client.describe_network_acls(NetworkAclIds=[observed.id])["NetworkAcls"][0]
            guarded = [one["SubnetId"] for one in acl.get("Associations") or ()]
            if guarded:
                # A subnet always has an ACL, so what ours leaves goes to the VPC's default one.
                filters = [{"Name": "vpc-id", "Values": [acl["VpcId"]]}, {"Name": "default", "Values": ["true"]}]
                default = client.describe_network_acls(Filters=filters)["NetworkAcls"][0]
                _guard(aws, str(default["NetworkAclId"]), guarded)
            client.delete_network_acl(NetworkAclId=observed.id)


def _entry(one: Mapping[str, Any]) -> Entry:
    names = {number: name for name, number in PROTOCOLS.items()}
    ports = one.get("PortRange")
    return {
        "direction": "egress" if one["Egress"] else "ingress",
        "rule": one["RuleNumber"],
        "action": one["RuleAction"],
        "protocol": names.get(str(one["Protocol"]), str(one["Protocol"])),
        "ports": f"{ports['From']}-{ports['To']}" if ports else "all",
        "cidr": one.get("CidrBlock") or one.get("Ipv6CidrBlock"),
    }


def _place(entry: Entry) -> tuple[str, int]:
    return str(entry["direction"]), int(entry["rule"])


def _set_entries(aws: Aws, acl_id: str, wanted: Sequence[Entry], standing: Sequence[Entry]) -> None:
    """Add, then change in place, then remove, so that what is allowed before and after stays allowed between."""
    client = aws.client("ec2")
    after, before = {_place(one): one for one in wanted}, {_place(one): one for one in standing}
    added = sorted(after.keys() - before.keys())
    for place in added:
        with tolerating("NetworkAclEntryAlreadyExists"):
            client.create_network_acl_entry(NetworkAclId=acl_id, **_place_params(place), **_entry_params(after[place]))
    changed = [place for place in sorted(after.keys() & before.keys()) if dict(after[place]) != dict(before[place])]
    # Where a list has grown its tail has moved up, so the change begins at the end; else at the start.
    for place in reversed(changed) if added else changed:
        client.replace_network_acl_entry(NetworkAclId=acl_id, **_place_params(place), **_entry_params(after[place]))
    for place in sorted(before.keys() - after.keys()):
        with unless_gone():
            client.delete_network_acl_entry(NetworkAclId=acl_id, **_place_params(place))


def _place_params(place: tuple[str, int]) -> dict[str, Any]:
    return {"Egress": place[0] == "egress", "RuleNumber": place[1]}


def _entry_params(entry: Entry) -> dict[str, Any]:
    first, _dash, last = str(entry["ports"]).partition("-")
    return {
        "Protocol": PROTOCOLS[entry["protocol"]],
        "RuleAction": entry["action"],
        "CidrBlock": entry["cidr"],
        **({} if entry["ports"] == "all" else {"PortRange": {"From": int(first), "To": int(last)}}),
    }


def _guard(aws: Aws, acl_id: str, subnets: Sequence[str]) -> None:
    """Move subnets to an ACL, each in one step."""
    if not subnets:
        return
    filters = [{"Name": "association.subnet-id", "Values": list(subnets)}]

    def look() -> list[Mapping[str, Any]] | None:
        acls = aws.pages("ec2", "describe_network_acls", "NetworkAcls", Filters=filters)
        found = [one for acl in acls for one in acl.get("Associations") or () if one["SubnetId"] in subnets]
        return found if len(found) == len(subnets) else None

    # A subnet has an ACL from its first moment on, which EC2 may show a moment later.
    for one in once_seen(aws, f"the network ACLs of {', '.join(subnets)}", look):
        if one["NetworkAclId"] != acl_id:
            with tolerating("InvalidAssociationID.NotFound"):
                aws.client("ec2").replace_network_acl_association(
                    AssociationId=one["NetworkAclAssociationId"], NetworkAclId=acl_id
                )
