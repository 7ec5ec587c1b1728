# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosted zones and their records have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.aws import Aws, error_code, tag_dict
from ..engine.errors import EngineError
from ..engine.model import Identity, Scope

#: ListTagsForResources takes this many zones at a time.
TAGGED_AT_A_TIME = 10


@dataclass(frozen=True)
class Zone:
    """A private hosted zone as Route 53 lists it: its bare id, its name without the last dot."""

    id: str
    name: str
    comment: str


def bare_name(name: str) -> str:
    """Return a domain name as people write it: Route 53 ends names in a dot and writes ``*`` as ``\\052``."""
    return name.replace("\\052", "*").rstrip(".").lower()


def reference_prefix(identity: Identity, layer: str, name: str) -> str:
    """Return the start of a zone's caller reference, by which it is ours from its first moment on.

    A zone is made without tags, and a caller reference can never be used again, so the rest of it is random.
    """
    return f"{identity.prefix}/{layer}/{name}/"


def find_zone(aws: Aws, scope: Scope, name: str, zone_name: str) -> Zone | None:
    """Find a zone of ours by its caller reference, or else by its name and the owner tags.

    Raises:
        EngineError: if there are several.
    """
    listed = _private_zones(aws)
    prefix = reference_prefix(scope.identity, scope.layer, name)
    found = [item for item in listed if item["CallerReference"].startswith(prefix)]
    if not found:
        namesakes = {_zone_id(item): item for item in listed if bare_name(item["Name"]) == bare_name(zone_name)}
        tags = zone_tags(aws, list(namesakes))
        found = [item for zone_id, item in namesakes.items() if scope.owns(tags[zone_id]) == name]
    if len(found) > 1:
        ids = ", ".join(sorted(_zone_id(item) for item in found))
        raise EngineError(
            f"Several private hosted zones are those of {scope.identity.prefix} ({scope.region}): {ids}. Look which "
            "one is in use, delete the others, then run again."
        )
    return next(map(_zone, found), None)


def find_zone_by_name(aws: Aws, zone_name: str, zone_id: str | None = None) -> Zone | None:
    """Find a private zone, whoever made it.

    Args:
        zone_id: the one that is meant if several have the name. It counts for nothing once it is gone.

    Raises:
        EngineError: if several have the name and none of them is meant.
    """
    found = [_zone(item) for item in _private_zones(aws) if bare_name(item["Name"]) == bare_name(zone_name)]
    meant = [zone for zone in found if zone.id == zone_id] or found
    if len(meant) > 1:
        raise EngineError(
            f"Several private hosted zones are called {zone_name}: {', '.join(sorted(zone.id for zone in meant))} "
            f"(account {aws.account_id}, {aws.region}). Name the one that is meant in the option zone_id."
        )
    return meant[0] if meant else None


def vpc_of(vpc: Mapping[str, Any]) -> dict[str, Any]:
    """Return a VPC as Route 53 takes it."""
    return {"VPCId": vpc["vpc_id"], "VPCRegion": vpc["region"]}


def associate(aws: Aws, zone_id: str, vpc: Mapping[str, Any]) -> None:
    """Let a VPC resolve a zone. One that does already, e.g. since the answer was lost, is no error."""
    client = aws.client("route53")
    try:
        client.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=vpc_of(vpc))
    except client.exceptions.ConflictingDomainExists:
        if vpc_of(vpc) not in client.get_hosted_zone(Id=zone_id).get("VPCs", []):
            raise


def vpc_unknown(error: Exception) -> str:
    """Return why an error about a VPC will clear: it may be seconds old, and Route 53 asks EC2 for it. Else empty."""
    return "Route 53 does not know the VPC yet" if error_code(error) == "InvalidVPCId" else ""


def _private_zones(aws: Aws) -> list[Any]:
    listed = aws.pages("route53", "list_hosted_zones", "HostedZones")
    return [item for item in listed if item["Config"]["PrivateZone"]]


def _zone(item: Mapping[str, Any]) -> Zone:
    return Zone(_zone_id(item), bare_name(item["Name"]), item["Config"].get("Comment", ""))


def _zone_id(item: Mapping[str, Any]) -> str:
    return str(item["Id"]).rpartition("/")[2]


def zone_tags(aws: Aws, zone_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the tags of zones by their ids."""
    client = aws.client("route53")
    tags: dict[str, dict[str, str]] = {}
    for start in range(0, len(zone_ids), TAGGED_AT_A_TIME):
        some = list(zone_ids[start : start + TAGGED_AT_A_TIME])
        for item in client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=some)["ResourceTagSets"]:
            tags[item["ResourceId"]] = tag_dict(item["Tags"])
    return tags
