"""NAT gateways, zonal and regional, through the states that they take minutes for.

A creation that cannot work is answered with success and fails later, as on AWS: the gateway goes
to ``failed`` with a FailureCode.
"""

from __future__ import annotations

from typing import Any, cast

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.utils import generic_filter, random_nat_gateway_id, random_private_ip

from ...clock import Timeline
from ...errors import AwsError
from ...runtime import runtime
from .base import Ec2Base, attached_gateway, now, subnets_of_vpc

# "A deleted NAT gateway remains visible for a short time, usually about an hour":
# https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html. The same in every time profile.
DELETED_VISIBLE_SECONDS = 3600.0
GONE = ("deleted", "failed")


def settle_nat_gateways(backend: EC2Backend) -> None:
    """Bring each gateway to its state of now; forget those that AWS has stopped showing."""
    for nat in list(backend.nat_gateways.values()):
        timeline: Timeline = nat.timeline  # type: ignore[attr-defined]
        nat.state = timeline.state(now())
        ended = timeline.settled(now()) and nat.state == "deleted"
        if ended and nat.address_set:
            _free(backend, nat)
        if nat.state in GONE and now() > timeline.phases[-1][1] + DELETED_VISIBLE_SECONDS:
            del backend.nat_gateways[nat.id]
            backend.tags.pop(nat.id, None)


def _free(backend: EC2Backend, nat: NatGateway) -> None:
    """Give up what a deleted gateway held: interfaces, the link to addresses of ours, addresses of AWS's own."""
    for address in list(backend.addresses):
        if address.allocation_id in {row.get("AllocationId") for row in nat.address_set}:
            address.eni, address.association_id = None, None
            if getattr(address, "ServiceManaged", ""):
                backend.addresses.remove(address)
    for row in nat.address_set:
        backend.enis.pop(row.get("NetworkInterfaceId", ""), None)
    backend.route_tables.pop(getattr(nat, "RouteTableId", ""), None)
    nat.address_set = []


def nat_gateway_of_interface(backend: EC2Backend, eni_id: str) -> NatGateway | None:
    """Return the gateway that an interface belongs to."""
    for nat in backend.nat_gateways.values():
        if any(row.get("NetworkInterfaceId") == eni_id for row in nat.address_set):
            return nat
    return None


def _new(backend: EC2Backend, vpc_id: str, subnet_id: str | None, connectivity: str) -> NatGateway:
    """Make a gateway object without moto's constructor, which knows zonal ones that succeed only."""
    kind: Any = NatGateway
    nat: Any = kind.__new__(kind)
    nat.id, nat.ec2_backend, nat.vpc_id, nat.subnet_id = random_nat_gateway_id(), backend, vpc_id, subnet_id
    nat.connectivity_type, nat.address_set, nat._created_at = connectivity, [], utcnow()
    return cast(NatGateway, nat)


class NatGateways(Ec2Base):
    """The NAT gateway operations."""

    def create_nat_gateway(self) -> ActionResult:
        """Start a gateway; it is ``pending`` at first."""
        regional = self._get_param("AvailabilityMode") == "regional"
        nat = self._regional() if regional else self._zonal()
        failure = self._failure(nat)
        if failure:
            nat.FailureCode, nat.FailureMessage = failure  # type: ignore[attr-defined]
            steps, last = ("pending", runtime.clock.duration("ec2:nat_gateway_fail")), "failed"
        else:
            steps, last = ("pending", runtime.clock.duration("ec2:nat_gateway_create")), "available"
            (self._take_zones if regional else self._take_subnet)(nat)
        nat.timeline = Timeline.start(now(), steps, last=last)  # type: ignore[attr-defined]
        nat.state = "pending"
        nat.add_tags(self.tags_of_request("natgateway"))
        self.backend.nat_gateways[nat.id] = nat
        return ActionResult({"NatGateway": nat, "ClientToken": self._get_param("ClientToken")})

    def _zonal(self) -> NatGateway:
        subnet = self.backend.get_subnet(self.required("SubnetId"))
        connectivity = self._get_param("ConnectivityType", "public")
        allocation = self._get_param("AllocationId")
        if connectivity == "public":
            self.backend.address_by_allocation([self.required("AllocationId")])
        elif allocation:
            text = "You cannot specify an AllocationId for a private NAT gateway"
            raise AwsError("InvalidParameterCombination", text)
        return _new(self.backend, subnet.vpc_id, subnet.id, connectivity)

    def _regional(self) -> NatGateway:
        """Check a regional gateway. Its error codes are not in AWS's documents, so these are the general ones."""
        vpc = self.backend.get_vpc(self.required("VpcId"))
        for name in ("SubnetId", "AllocationId"):
            if self._get_param(name):
                text = f"{name} cannot be specified for a NAT gateway with availability mode regional"
                raise AwsError("InvalidParameterCombination", text)
        if self._get_param("ConnectivityType", "public") != "public":
            raise AwsError("InvalidParameterCombination", "A regional NAT gateway has public connectivity only")
        automatic = "disabled" if self._get_param("AvailabilityZoneAddresses") else "enabled"
        nat = _new(self.backend, vpc.id, None, "public")
        nat.AvailabilityMode = "regional"  # type: ignore[attr-defined]
        nat.AutoProvisionZones = nat.AutoScalingIps = automatic  # type: ignore[attr-defined]
        return nat

    def _failure(self, nat: NatGateway) -> tuple[str, str] | None:
        """Return why the gateway will fail, as FailureCode and FailureMessage."""
        if nat.connectivity_type == "public" and attached_gateway(self.backend, nat.vpc_id) is None:
            return "Gateway.NotAttached", f"Network {nat.vpc_id} has no Internet gateway attached"
        wanted = [self._get_param("AllocationId")] if nat.subnet_id else self._given_allocations()
        for allocation in filter(None, wanted):
            if self.backend.address_by_allocation([allocation])[0].association_id:
                return "Resource.AlreadyAssociated", f"Elastic IP address [{allocation}] is already associated"
        if nat.subnet_id and self.backend.get_subnet(nat.subnet_id).available_ip_address_count < 1:
            text = f"Subnet {nat.subnet_id} has insufficient free addresses to create this NAT gateway"
            return "InsufficientFreeAddressesInSubnet", text
        return None

    def _given_allocations(self) -> list[str]:
        zones = self._get_param("AvailabilityZoneAddresses", [])
        return [allocation for zone in zones for allocation in zone.get("AllocationIds", [])]

    def _take_subnet(self, nat: NatGateway) -> None:
        """Make the interface of a zonal gateway, and tie the address to it."""
        subnet = self.backend.get_subnet(nat.subnet_id)
        private_ip = self._get_param("PrivateIpAddress") or random_private_ip(subnet.cidr_block)
        eni = self.backend.create_network_interface(
            subnet, private_ip, description=f"Interface for NAT Gateway {nat.id}"
        )
        eni.interface_type, eni.requester_managed, eni.status = "nat_gateway", True, "in-use"
        row = {"NetworkInterfaceId": eni.id, "PrivateIp": private_ip, "IsPrimary": True, "Status": "succeeded"}
        allocation = self._get_param("AllocationId")
        if allocation:
            row |= _associated(self.backend.associate_address(eni=eni, allocation_id=allocation))
        nat.address_set = [row]

    def _take_zones(self, nat: NatGateway) -> None:
        """Give a regional gateway an address in each zone that it serves, and the route table that AWS makes for it.

        AWS serves a zone once it sees an interface there; here every zone with a subnet is served from the start.
        """
        given = self._get_param("AvailabilityZoneAddresses", [])
        subnets = subnets_of_vpc(self.backend, nat.vpc_id)
        zones = {row.availability_zone: row.availability_zone_id for row in subnets}
        if given:
            nat.address_set = [row for zone in given for row in self._zone_addresses(zones, zone)]
        else:
            nat.address_set = [self._managed_address(name, zone_id) for name, zone_id in sorted(zones.items())]
        table = self.backend.create_route_table(nat.vpc_id)
        gateway = attached_gateway(self.backend, nat.vpc_id)
        if gateway is not None:
            self.backend.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
        nat.RouteTableId = table.id  # type: ignore[attr-defined]

    def _zone_addresses(self, zones: dict[str, str], zone: dict[str, Any]) -> list[dict[str, Any]]:
        names = {zone_id: name for name, zone_id in zones.items()}
        name = zone.get("AvailabilityZone") or names.get(zone.get("AvailabilityZoneId", ""), "")
        place = {"AvailabilityZone": name, "AvailabilityZoneId": zones.get(name, zone.get("AvailabilityZoneId", ""))}
        addresses = self.backend.address_by_allocation(zone.get("AllocationIds", []))
        return [_associated(_link(address)) | place | {"Status": "succeeded"} for address in addresses]

    def _managed_address(self, zone: str, zone_id: str) -> dict[str, Any]:
        address = self.backend.allocate_address("vpc")
        address.ServiceManaged = "nat"  # type: ignore[attr-defined]
        row = _associated(_link(address))
        return row | {"AvailabilityZone": zone, "AvailabilityZoneId": zone_id, "Status": "succeeded"}

    def delete_nat_gateway(self) -> ActionResult:
        """Start the deletion; the address stays associated until the gateway is ``deleted``."""
        nat = self._find([self.required("NatGatewayId")])[0]
        if nat.state not in ("deleting", "deleted"):
            step = ("deleting", runtime.clock.duration("ec2:nat_gateway_delete"))
            nat.timeline = Timeline.start(now(), step, last="deleted")  # type: ignore[attr-defined]
            nat.state = "deleting"
        return ActionResult({"NatGatewayId": nat.id})

    def describe_nat_gateways(self) -> ActionResult:
        """Return gateways by id and filter; moto ignores tag filters and ids that do not exist."""
        found = self._find(self._get_param("NatGatewayIds", []))
        for nat in found:
            nat.nat_gateway_id = nat.id  # type: ignore[attr-defined]
        return ActionResult({"NatGateways": generic_filter(self._filters_from_querystring(), found)})

    def _find(self, identifiers: list[str]) -> list[NatGateway]:
        known = self.backend.nat_gateways
        for identifier in identifiers:
            if identifier not in known:
                raise AwsError("NatGatewayNotFound", f"NatGateway {identifier} was not found")
        return [known[identifier] for identifier in identifiers] if identifiers else list(known.values())


def _link(address: ElasticAddress) -> ElasticAddress:
    """Mark an address as associated; a regional gateway has no interface that its owner can see."""
    address.association_id = f"eipassoc-{(address.allocation_id or '').removeprefix('eipalloc-')}"
    return address


def _associated(address: ElasticAddress) -> dict[str, Any]:
    return {
        "AllocationId": address.allocation_id,
        "PublicIp": address.public_ip,
        "AssociationId": address.association_id,
    }
