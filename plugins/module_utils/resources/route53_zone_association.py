# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VPCs that resolve a private zone which another environment keeps, and the records that may be changed in it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.model import Observed, ResourceType, Scope, Traits, Wanted
from ..engine.values import is_pending
from ._route53 import Zone, associate, find_zone_by_name, vpc_of, vpc_unknown
from .route53_record import Route53Record

KIND = "route53_zone_association"


class Route53ZoneAssociation(ResourceType):
    """The association of a VPC with a private zone of another environment of the account.

    Attributes:
        zone_name: the domain, which finds the zone.
        zone_id: the zone that is meant if several have the name; may be a placeholder for one that is to be made.
        vpc_id, region: the VPC.
        removal: True if the run removes it; then there may be no zone.
    """

    kind = KIND
    label = "zone association"
    service = "route53"
    creation = Traits(seconds=60)
    deletion = Traits(seconds=60, interrupts="names of the zone in this VPC", reversible=True)
    create_only = frozenset({"zone_id", "removal"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = [self._look(aws, wanted) for wanted in scope.wanted.values()]
        return [item for item in found if item]

    def _look(self, aws: Aws, wanted: Wanted) -> Observed | None:
        asked, client = wanted.attributes, aws.client("route53")
        zone = joined_zone(aws, asked)
        if zone is None:
            return None
        try:
            vpcs = client.get_hosted_zone(Id=zone.id).get("VPCs", [])
        except client.exceptions.NoSuchHostedZone:
            return None
        return self._observed(wanted, zone) if vpc_of(asked) in vpcs else None

    def _observed(self, wanted: Wanted, zone: Zone) -> Observed:
        attributes = {**wanted.attributes, "zone_id": zone.id}
        return Observed(self.kind, wanted.name, f"{zone.id}/{attributes['vpc_id']}", attributes)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        zone = joined_zone(aws, wanted.attributes)
        if zone is None:
            raise EngineError(_missing(aws, wanted.attributes["zone_name"]))
        associate(aws, zone.id, wanted.attributes)
        return self._observed(wanted, zone)

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("route53")
        with suppress(client.exceptions.NoSuchHostedZone, client.exceptions.VPCAssociationNotFound):
            client.disassociate_vpc_from_hosted_zone(
                HostedZoneId=observed.get("zone_id"), VPC=vpc_of(observed.attributes)
            )

    def transient(self, error: Exception) -> str:
        return vpc_unknown(error)


class JoinedZoneRecord(Route53Record):
    """A record in a zone that another environment keeps, found by the association with it."""

    def zone(self, aws: Aws, scope: Scope, name: str, domain: str) -> Zone | None:
        return joined_zone(aws, scope.layer_wanted[KIND, name].attributes)


def joined_zone(aws: Aws, asked: Any) -> Zone | None:
    """Return the zone; None if it is still to be made, or is gone and nothing of it is wanted.

    Raises:
        EngineError: if there is no such zone, or several.
    """
    zone = find_zone_by_name(aws, asked["zone_name"], asked["zone_id"])
    if zone is None and not is_pending(asked["zone_id"]) and not asked["removal"]:
        raise EngineError(_missing(aws, asked["zone_name"]))
    return zone


def _missing(aws: Aws, zone_name: str) -> str:
    return (
        f"There is no private hosted zone {zone_name} in account {aws.account_id} (asked in {aws.region}) to join. "
        "Run site.yml for the environment that keeps it, or correct the option zone_name."
    )
