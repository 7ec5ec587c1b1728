"""Route 53: changes that take a moment, batches that are applied whole, private zones of real VPCs."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.route53.models import FakeZone
from moto.route53.responses import Route53 as MotoRoute53

from ..clock import Timeline
from ..errors import AwsError
from ..overlay import Prepared, install
from ..runtime import runtime


@dataclass
class Changes:
    """The changes of an account: id -> when it was asked for, and its way to INSYNC."""

    submitted: dict[str, tuple[float, Timeline]] = field(default_factory=dict)


def _key(record: dict[str, Any]) -> tuple[str, str, str | None]:
    """What makes a record set unique in its zone."""
    return str(record["Name"]).rstrip(".").lower(), str(record["Type"]), record.get("SetIdentifier")


def _key_of(rrset: Any) -> tuple[str, str, str | None]:
    return str(rrset.name).rstrip(".").lower(), str(rrset.type), getattr(rrset, "set_identifier", None) or None


class Route53(Prepared, MotoRoute53):
    """moto's Route 53 with AWS's refusals."""

    @property
    def _changes(self) -> Changes:
        return runtime.store("route53", self.current_account, "global", Changes)

    def _change_info(self) -> dict[str, Any]:
        """Begin a change: PENDING until all name servers have it."""
        changes = self._changes.submitted
        identifier, now = f"C{len(changes) + 1:013d}", runtime.clock.now()
        timeline = Timeline.start(now, ("PENDING", runtime.clock.duration("route53:change")), last="INSYNC")
        changes[identifier] = (now, timeline)
        return self._show(identifier, timeline.first)

    def _show(self, identifier: str, status: str) -> dict[str, Any]:
        submitted = datetime.fromtimestamp(self._changes.submitted[identifier][0], tz=UTC).replace(tzinfo=None)
        return {"Id": f"/change/{identifier}", "Status": status, "SubmittedAt": submitted}

    def _with_change(self, result: ActionResult) -> ActionResult:
        answer: Any = result.result
        return ActionResult(answer | {"ChangeInfo": self._change_info()})

    def get_change(self) -> ActionResult:
        """Return how far a change is."""
        identifier = str(self._get_param("Id")).rsplit("/", 1)[-1]
        if identifier not in self._changes.submitted:
            raise AwsError("NoSuchChange", f"Could not find resource with ID: {identifier}")
        status = self._changes.submitted[identifier][1].state(runtime.clock.now())
        return ActionResult({"ChangeInfo": self._show(identifier, status)})

    def create_hosted_zone(self) -> ActionResult:
        """Create a zone; a CallerReference is used once, and a private zone belongs to a VPC."""
        reference = self._get_param("CallerReference")
        if any(zone.caller_reference == reference for zone in self.backend.zones.values()):
            text = f"A hosted zone has already been created with the specified caller reference: {reference}"
            raise AwsError("HostedZoneAlreadyExists", text)
        vpc, region = self._get_param("VPC.VPCId"), self._get_param("VPC.VPCRegion")
        private = bool(self._get_bool_param("HostedZoneConfig.PrivateZone", False))
        if private != bool(vpc):
            text = "A private hosted zone needs a VPC with its Region, and a public one has none"
            raise AwsError("InvalidInput", text)
        if vpc:
            self._check_vpc(str(self._get_param("Name")), vpc, region)
        return self._with_change(super().create_hosted_zone())

    def _check_vpc(self, name: str, vpc: str, region: str) -> None:
        """The VPC must exist in its Region, and have no other zone of this name."""
        backends = ec2_backends[self.current_account]
        if region not in backends or vpc not in backends[region].vpcs:
            raise AwsError("InvalidVPCId", f"The VPC {vpc} in {region} that you provided is not valid or not yours")
        for zone in self.backend.zones.values():
            same = zone.name.rstrip(".") == name.rstrip(".")
            if same and vpc in {row["vpc_id"] for row in zone.vpcs}:
                text = f"The VPC {vpc} in region {region} has already been associated with the hosted zone "
                raise AwsError("ConflictingDomainExists", f"{text}{zone.resource_id} with the same domain name.")

    def delete_hosted_zone(self) -> ActionResult:
        """Delete an empty zone."""
        return self._with_change(super().delete_hosted_zone())

    def associate_vpc_with_hosted_zone(self) -> ActionResult:
        """Make a private zone visible in another VPC, of any Region."""
        zone = self._zone()
        self._check_vpc(zone.name, self._get_param("VPC.VPCId"), self._get_param("VPC.VPCRegion"))
        return self._with_change(super().associate_vpc_with_hosted_zone())

    def disassociate_vpc_from_hosted_zone(self) -> ActionResult:
        """Take a private zone from a VPC that is not its last."""
        vpc = self._get_param("VPC.VPCId")
        if vpc not in {row["vpc_id"] for row in self._zone().vpcs}:
            raise AwsError("VPCAssociationNotFound", f"The specified VPC {vpc} and hosted zone are not associated.")
        return self._with_change(super().disassociate_vpc_from_hosted_zone())

    def _zone(self) -> FakeZone:
        identifier = self._get_param("HostedZoneId") or self._get_param("Id")
        return self.backend.get_hosted_zone(str(identifier).rsplit("/", 1)[-1])

    def change_resource_record_sets(self) -> ActionResult:
        """Apply a batch whole, or not at all."""
        zone = self._zone()
        errors = _batch_errors(zone, self._get_param("ChangeBatch.Changes"))
        if errors:
            raise AwsError("InvalidChangeBatch", f"[{', '.join(errors)}]")
        records, journal = list(zone.rrsets), copy(zone.rr_changes)
        try:
            return self._with_change(super().change_resource_record_sets())
        except Exception:
            zone.rrsets, zone.rr_changes = records, journal
            raise


def _batch_errors(zone: FakeZone, changes: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with a batch, in Route 53's words; each change sees what those before it did."""
    present = {_key_of(rrset) for rrset in zone.rrsets}
    errors: list[str] = []
    for change in changes:
        record, key = change["ResourceRecordSet"], _key(change["ResourceRecordSet"])
        shown = f"[name='{key[0]}.', type='{key[1]}']"
        if change["Action"] == "DELETE":
            if key not in present:
                errors.append(f"Tried to delete resource record set {shown} but it was not found")
            present.discard(key)
            continue
        if change["Action"] == "CREATE" and key in present:
            errors.append(f"Tried to create resource record set {shown} but it already exists")
        errors += _cname_errors(zone, present, record)
        present.add(key)
    return errors


def _cname_errors(zone: FakeZone, present: set[tuple[str, str, str | None]], record: dict[str, Any]) -> list[str]:
    """A CNAME is alone at its name, and the zone's own name cannot be one."""
    name, kind, _identifier = _key(record)
    others = {row[1] for row in present if row[0] == name} - {kind}
    prefix = f"RRSet of type {kind} with DNS name {name}. is not permitted"
    if kind == "CNAME" and name == zone.name.rstrip(".").lower():
        return [f"{prefix} at apex in zone {zone.name}"]
    if (kind == "CNAME" and others) or "CNAME" in others:
        return [f"{prefix} as it conflicts with other records with the same DNS name in zone {zone.name}"]
    return []


def register() -> None:
    """Put this overlay in front of moto's Route 53."""
    install("route53", Route53)
