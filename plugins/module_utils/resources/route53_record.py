# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records in a private hosted zone of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..engine.aws import Aws, error_message
from ..engine.model import Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from ._route53 import Zone, bare_name, find_zone

#: Seconds until all name servers answer with a change, "generally within 60 seconds" (GetChange's reference).
SPREAD_SECONDS = 60
#: The status of a change that not all name servers know yet.
SPREADING = "PENDING"
#: The longest character string of a TXT record; longer texts are several of them (RFC 1035, 3.3).
TXT_STRING = 255


class Route53Record(ResourceType):
    """A simple record.

    Records carry no tags, so only those are known that are wanted: others in the zone are left alone.

    Attributes:
        zone: the logical name of the zone.
        zone_name: the domain of the zone.
        zone_id: the zone.
        name: the full domain name, without a dot at its end.
        type: ``A``, ``CNAME`` or ``TXT``.
        ttl: seconds that resolvers may keep the answer.
        values: what the record says; texts without the quotes of zone files.
    """

    kind = "route53_record"
    label = "DNS record"
    service = "route53"
    creation = Traits(seconds=SPREAD_SECONDS)
    deletion = Traits(seconds=SPREAD_SECONDS, interrupts="whoever looks the name up", reversible=True)
    updates = (Update("values", ("values", "ttl"), Traits(SPREAD_SECONDS)),)
    unordered = frozenset({"values"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        zones = {wanted.attributes["zone"]: wanted.attributes["zone_name"] for wanted in scope.wanted.values()}
        return [found for name, domain in zones.items() for found in self._in_zone(aws, scope, name, domain)]

    def zone(self, aws: Aws, scope: Scope, name: str, domain: str) -> Zone | None:
        """Return the zone that the records are in: that of the environment itself."""
        return find_zone(aws, scope, name, domain)

    def _in_zone(self, aws: Aws, scope: Scope, name: str, domain: str) -> list[Observed]:
        zone = self.zone(aws, scope, name, domain)
        if zone is None:
            return []
        try:
            items = aws.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone.id)
        except aws.client("route53").exceptions.NoSuchHostedZone:
            return []
        by_key = {(bare_name(item["Name"]), item["Type"]): item for item in items}
        wanted = {
            (item.attributes["name"], item.attributes["type"]): item
            for item in scope.wanted.values()
            if item.attributes["zone"] == name
        }
        return [_observed(wanted[key], zone.id, by_key[key]) for key in wanted.keys() & by_key.keys()]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        # UPSERT, so that a repeated call after a lost answer does no harm.
        return _upsert(aws, wanted)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed:
        return _upsert(aws, wanted)

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("route53")
        zone_id, name, record_type = (observed.get(attribute) for attribute in ("zone_id", "name", "type"))
        with suppress(client.exceptions.NoSuchHostedZone):
            found = client.list_resource_record_sets(
                HostedZoneId=zone_id, StartRecordName=name, StartRecordType=record_type, MaxItems="1"
            )["ResourceRecordSets"]
            # Route 53 deletes only what is described exactly, and lists what comes next if there is no such record.
            exact = [item for item in found if (bare_name(item["Name"]), item["Type"]) == (name, record_type)]
            try:
                for item in exact:
                    _change(aws, zone_id, "DELETE", item)
            except client.exceptions.InvalidChangeBatch as error:
                if "not found" not in error_message(error):
                    raise

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        if not observed.get("change_id"):
            return super().refresh(aws, scope, observed)
        change = aws.client("route53").get_change(Id=observed.get("change_id"))["ChangeInfo"]
        return replace(observed, status=str(change["Status"]))

    def readiness(self, observed: Observed) -> Readiness:
        return Readiness.WAIT if observed.status == SPREADING else Readiness.READY

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "values":
            return sorted(map(_bare, wanted)) == sorted(map(_bare, observed or []))
        return super().same(attribute, wanted, observed)


def _bare(value: str) -> str:
    return value.rstrip(".").lower() if "." in value and " " not in value else value


def _observed(wanted: Wanted, zone_id: str, item: Mapping[str, Any]) -> Observed:
    values = [str(value["Value"]) for value in item.get("ResourceRecords", [])]
    attributes = {
        **{name: wanted.attributes[name] for name in ("zone", "zone_name", "name", "type")},
        "zone_id": zone_id,
        "ttl": item.get("TTL"),
        "values": [_unquoted(value) for value in values] if item["Type"] == "TXT" else values,
    }
    return Observed("route53_record", wanted.name, _id(zone_id, attributes), attributes)


def _id(zone_id: str, attributes: Mapping[str, Any]) -> str:
    return f"{zone_id}/{attributes['name']}/{attributes['type']}"


def _upsert(aws: Aws, wanted: Wanted) -> Observed:
    attributes = wanted.attributes
    values = [_quoted(value) for value in attributes["values"]] if attributes["type"] == "TXT" else attributes["values"]
    item = {
        "Name": attributes["name"],
        "Type": attributes["type"],
        "TTL": attributes["ttl"],
        "ResourceRecords": [{"Value": value} for value in values],
    }
    change = _change(aws, attributes["zone_id"], "UPSERT", item)
    record_id, shown = _id(attributes["zone_id"], attributes), {**attributes, "change_id": change["Id"]}
    return Observed("route53_record", wanted.name, record_id, shown, status=str(change["Status"]))


def _change(aws: Aws, zone_id: str, verb: str, item: Mapping[str, Any]) -> Mapping[str, Any]:
    batch = {"Changes": [{"Action": verb, "ResourceRecordSet": dict(item)}]}
    answer = aws.client("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)
    change: Mapping[str, Any] = answer["ChangeInfo"]
    return change


def _quoted(text: str) -> str:
    """Return a text as zone files have it: strings of at most 255 characters in quotes."""
    strings: Sequence[str] = [text[at : at + TXT_STRING] for at in range(0, len(text), TXT_STRING)] or [""]
    return " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in strings)


def _unquoted(value: str) -> str:
    """Undo :func:`_quoted`; a record made by hand may be one bare word."""
    if not value.startswith('"'):
        return value
    text, escaped, inside = "", False, False
    for character in value:
        if escaped or (inside and character not in '"\\'):
            text, escaped = text + character, False
        elif character == "\\":
            escaped = True
        else:
            inside = inside ^ (character == '"')
    return text
