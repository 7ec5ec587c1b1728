# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private hosted zones of Route 53."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_list
from ..engine.errors import EngineError
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from ._route53 import associate, bare_name, find_zone, vpc_of, vpc_unknown, zone_tags

#: Changes that Route 53 takes in one batch (ChangeResourceRecordSets's reference: a thousand records).
CHANGED_AT_A_TIME = 500
#: Every zone has these of its own.
OWN_RECORDS = frozenset({"NS", "SOA"})


class Route53Zone(ResourceType):
    """A private hosted zone.

    Attributes:
        name: the domain, without a dot at its end.
        comment: for people.
        vpcs: VPCs that resolve it, each with ``vpc_id`` and ``region``; at least one. Others that do too are left
            alone: another environment may have joined, and Route 53 cannot tell whose association it is.
        reference: the start of its caller reference, see :func:`reference_prefix`; counts only when it is made.
        emptied: True if the run removes it with all records in it.

    Read only: ``name_servers``.
    """

    kind = "route53_zone"
    label = "private hosted zone"
    service = "route53"
    creation = Traits(seconds=5)
    deletion = Traits(seconds=5, interrupts="all names in the zone", reversible=False)
    updates = (
        Update("comment", ("comment",)),
        Update("vpcs", ("vpcs",), Traits(seconds=60)),
    )
    fixed: ClassVar[Mapping[str, str]] = {
        "name": "Route 53 cannot rename a zone: set the name back, or remove this one with state absent first."
    }
    create_only = frozenset({"reference", "emptied"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = [self._describe(aws, scope, wanted) for wanted in scope.wanted.values()]
        return [zone for zone in found if zone]

    def _describe(self, aws: Aws, scope: Scope, wanted: Wanted) -> Observed | None:
        zone = find_zone(aws, scope, wanted.name, wanted.attributes["name"])
        if zone is None:
            return None
        client = aws.client("route53")
        try:
            vpcs = client.get_hosted_zone(Id=zone.id).get("VPCs", [])
            # Of a private zone, only its NS record tells the name servers; it is the first one at the zone's name.
            first = client.list_resource_record_sets(
                HostedZoneId=zone.id, StartRecordName=zone.name, StartRecordType="NS", MaxItems="1"
            )
            tags = zone_tags(aws, [zone.id])[zone.id]
        except client.exceptions.NoSuchHostedZone:
            return None
        attributes: dict[str, Any] = {
            "name": zone.name,
            "comment": zone.comment,
            "vpcs": [{"vpc_id": vpc["VPCId"], "region": vpc["VPCRegion"]} for vpc in vpcs],
            "name_servers": _values(first["ResourceRecordSets"]),
        }
        if wanted.attributes.get("emptied"):
            attributes["emptied"] = True
        return Observed("route53_zone", wanted.name, zone.id, attributes, tags)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("route53"), wanted.attributes
        first, *others = attributes["vpcs"]
        reference = f"{attributes['reference']}{uuid.uuid4().hex}"
        try:
            # A repeated call carries the same reference, so it cannot make a second zone.
            made = client.create_hosted_zone(
                Name=attributes["name"],
                CallerReference=reference,
                VPC=vpc_of(first),
                HostedZoneConfig={"Comment": attributes["comment"], "PrivateZone": True},
            )
            zone_id = made["HostedZone"]["Id"].rpartition("/")[2]
        except client.exceptions.HostedZoneAlreadyExists:
            zone_id = _by_reference(aws, reference)
        standing = Observed("route53_zone", wanted.name, zone_id, attributes, wanted.tags or {})
        if wanted.tags:
            self.set_tags(aws, standing, wanted.tags)
        for vpc in others:
            associate(aws, zone_id, vpc)
        return standing

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        client = aws.client("route53")
        if update.name == "comment":
            client.update_hosted_zone_comment(Id=observed.id, Comment=wanted.attributes["comment"])
            return
        joined = observed.get("vpcs")
        for vpc in (vpc for vpc in wanted.attributes["vpcs"] if vpc not in joined):
            associate(aws, observed.id, vpc)

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "vpcs":
            return all(vpc in observed for vpc in wanted)
        return super().same(attribute, wanted, observed)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("route53").change_tags_for_resource(
            ResourceType="hostedzone", ResourceId=observed.id, AddTags=tag_list(tags)
        )

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("route53")
        with suppress(client.exceptions.NoSuchHostedZone):
            records = aws.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=observed.id)
            others = [item for item in records if item["Type"] not in OWN_RECORDS]
            left = [f"{bare_name(item['Name'])} {item['Type']}" for item in others]
            if observed.get("emptied"):
                _empty(aws, observed.id, others)
            elif left:
                raise EngineError(
                    f"Private hosted zone {observed.get('name')!r} ({observed.id}) in {aws.region} still holds records "
                    f"that are not in the option records: {', '.join(left)}. Delete them, or set empty: true, then run "
                    "again."
                )
            client.delete_hosted_zone(Id=observed.id)

    def transient(self, error: Exception) -> str:
        return vpc_unknown(error)


def _empty(aws: Aws, zone_id: str, records: Sequence[Mapping[str, Any]]) -> None:
    client = aws.client("route53")
    for start in range(0, len(records), CHANGED_AT_A_TIME):
        some = records[start : start + CHANGED_AT_A_TIME]
        changes = [{"Action": "DELETE", "ResourceRecordSet": item} for item in some]
        client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})


def _values(records: Iterable[Mapping[str, Any]]) -> list[str]:
    return [bare_name(value["Value"]) for record in records for value in record.get("ResourceRecords", [])]


def _by_reference(aws: Aws, reference: str) -> str:
    """Return the id of the zone that a call with this reference made, though its answer was lost."""
    zones = aws.pages("route53", "list_hosted_zones", "HostedZones")
    made = next((zone for zone in zones if zone["CallerReference"] == reference), None)
    if made is None:
        raise EngineError(
            f"Route 53 says that the zone of the caller reference {reference!r} exists, but does not list it "
            f"(account {aws.account_id}, {aws.region}). Run again in a minute."
        )
    return str(made["Id"]).rpartition("/")[2]
