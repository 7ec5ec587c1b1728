"""VPC endpoints: gateway ones that write routes, interface ones that take their time."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES, COVERED_ENDPOINT_SERVICES, VPCEndPoint
from moto.ec2.utils import random_private_ip

from ...clock import Timeline
from ...errors import AwsError
from ...runtime import runtime
from .base import Ec2Base, now

# https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
GATEWAY_SERVICES = ("dynamodb", "s3")


def settle_endpoints(backend: EC2Backend) -> None:
    """Bring each endpoint to its state of now, and forget the deleted ones with their interfaces."""
    for endpoint in list(backend.vpc_end_points.values()):
        timeline: Timeline | None = getattr(endpoint, "timeline", None)
        if timeline is None:
            continue
        endpoint.state = timeline.state(now())
        if endpoint.state == "deleted":
            for eni_id in endpoint.network_interface_ids:
                backend.enis.pop(eni_id, None)
            del backend.vpc_end_points[endpoint.id]
            backend.tags.pop(endpoint.id, None)


def _is_true(value: object) -> bool:
    """moto keeps an attribute of a VPC as a boolean until it is changed, then maybe as a word."""
    return str(value).lower() == "true"


def is_interface(endpoint: VPCEndPoint) -> bool:
    """Tell interface endpoints from gateway ones."""
    return str(endpoint.vpc_endpoint_type).lower() == "interface"


@functools.cache
def endpoint_services(region: str) -> list[dict[str, Any]]:
    """Return AWS's own endpoint services of a Region.

    moto asks every service's backend for these, which loads a dozen services and their libraries.
    """
    names = sorted({*AWS_ENDPOINT_SERVICES, *COVERED_ENDPOINT_SERVICES})
    zones = [zone.name for zone in RegionsAndZonesBackend.zones.get(region, [])]
    offers = [(name, "Interface") for name in names] + [(name, "Gateway") for name in GATEWAY_SERVICES]
    services = []
    for name, kind in offers:
        service = BaseBackend.default_vpc_endpoint_service_factory(region, zones, name, kind, kind == "Interface")[0]
        digest = hashlib.sha256(f"{region}/{name}/{kind}".encode()).hexdigest()
        services.append(service | {"ServiceId": f"vpce-svc-{digest[:17]}"})
    return services


def install_endpoint_services() -> None:
    """Let moto list endpoint services from its table of names."""

    def collect(_account: str, region: str) -> list[dict[str, Any]]:
        return endpoint_services(region)

    EC2Backend._collect_default_endpoint_services = staticmethod(collect)  # type: ignore[method-assign,assignment]


class Endpoints(Ec2Base):
    """The VPC endpoint operations."""

    def create_vpc_endpoint(self) -> ActionResult:
        """Create an endpoint; an interface endpoint is ``pending`` at first."""
        vpc = self.backend.get_vpc(self.required("VpcId"))
        kind = self.params.setdefault("VpcEndpointType", "Gateway")
        self._check_service(self.required("ServiceName"), kind)
        if kind == "Gateway":
            self.params["PrivateDnsEnabled"] = False
            for table in self._get_param("RouteTableIds", []):
                self._check_route_table(vpc.id, table)
        elif kind == "Interface":
            self._check_interface(vpc)
        endpoint = super().create_vpc_endpoint().result["VpcEndpoint"]  # type: ignore[index]
        seconds = runtime.clock.duration("ec2:interface_endpoint_create") if kind == "Interface" else 0.0
        phases = [("pending", seconds)] if kind == "Interface" else []
        endpoint.timeline = Timeline.start(now(), *phases, last="available")
        endpoint.state = endpoint.timeline.first
        self._dress_interfaces(endpoint)
        return ActionResult({"VpcEndpoint": endpoint, "ClientToken": self._get_param("ClientToken")})

    def _check_service(self, name: str, kind: str) -> None:
        offers = [row for row in endpoint_services(self.region) if row["ServiceName"] == name]
        kinds = {kind["ServiceType"] for row in offers for kind in row["ServiceType"]}
        if not kinds:
            raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
        if kind not in kinds:
            raise AwsError("InvalidParameter", f"The VPC endpoint service {name} does not support the type {kind}.")

    def _check_route_table(self, vpc_id: str, table_id: str) -> None:
        table = self.backend.get_route_table(table_id)
        if table.vpc_id != vpc_id:
            raise AwsError("InvalidParameter", f"Route table {table_id} does not belong to VPC {vpc_id}.")
        prefix = self._prefix_list(self._get_param("ServiceName"))
        if any(route.destination_prefix_list_id == prefix for route in table.routes):
            text = f"route table {table_id} already has a route with destination-prefix-list-id {prefix}"
            raise AwsError("RouteAlreadyExists", text)

    def _prefix_list(self, service: str) -> str | None:
        lists = self.backend.managed_prefix_lists.values()
        return next((row.id for row in lists if row.prefix_list_name == service), None)

    def _check_interface(self, vpc: Any) -> None:
        """Check subnets, groups and private DNS of an interface endpoint; the VPC's default group is the default."""
        self._check_subnets(vpc.id, self._get_param("SubnetIds", []))
        groups = self._get_param("SecurityGroupIds", [])
        if not groups:
            default = self.backend.get_default_security_group(vpc.id)
            groups = self.params["SecurityGroupIds"] = [default.id] if default else []
        self._check_groups(vpc.id, groups)
        if self._get_bool_param("PrivateDnsEnabled", True):
            self._check_private_dns(vpc, self._get_param("ServiceName"))

    def _check_groups(self, vpc_id: str, groups: list[str]) -> None:
        for identifier in groups:
            group = self.backend.get_security_group_from_id(identifier)
            if group is None or group.vpc_id != vpc_id:
                text = f"The security group '{identifier}' does not exist in VPC {vpc_id}"
                raise AwsError("InvalidSecurityGroupId.NotFound", text)

    def _check_subnets(self, vpc_id: str, identifiers: list[str]) -> None:
        zones: set[str] = set()
        for identifier in identifiers:
            subnet = self.backend.get_subnet(identifier)
            if subnet.vpc_id != vpc_id:
                raise AwsError("InvalidParameter", f"Subnet {identifier} does not belong to VPC {vpc_id}.")
            if subnet.availability_zone in zones:
                text = f"Found another VPC endpoint subnet in the availability zone of {identifier}"
                raise AwsError("DuplicateSubnetsInSameZone", text)
            zones.add(subnet.availability_zone)

    def _check_private_dns(self, vpc: Any, service: str) -> None:
        if not (_is_true(vpc.enable_dns_support) and _is_true(vpc.enable_dns_hostnames)):
            text = "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to "
            raise AwsError("InvalidParameter", f"{text}true for {vpc.id}")
        for row in self.backend.vpc_end_points.values():
            same = (row.vpc_id, row.service_name) == (vpc.id, service)
            if same and is_interface(row) and row.private_dns_enabled and row.state != "deleting":
                text = "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                raise AwsError("InvalidParameter", f"{text}{service} in the VPC {vpc.id}")

    def modify_vpc_endpoint(self) -> ActionResult:
        """Change an endpoint; moto writes no routes, and knows neither ResetPolicy nor PrivateDnsEnabled."""
        endpoint = self.backend.get_vpc_end_point(self.required("VpcEndpointId"))
        if endpoint.state == "deleting":
            raise AwsError("InvalidParameter", f"Endpoint must be in available state, {endpoint.id} is deleting.")
        self.params["ServiceName"] = endpoint.service_name
        added = [row for row in self._get_param("AddRouteTableIds", []) if row not in endpoint.route_table_ids]
        for table in added:
            self._check_route_table(endpoint.vpc_id, table)
        kept = [row for row in endpoint.subnet_ids or [] if row not in self._get_param("RemoveSubnetIds", [])]
        self._check_subnets(endpoint.vpc_id, [*kept, *self._get_param("AddSubnetIds", [])])
        self._check_groups(endpoint.vpc_id, self._get_param("AddSecurityGroupIds", []))
        removed = [row for row in self._get_param("RemoveRouteTableIds", []) if row in endpoint.route_table_ids]
        before = set(endpoint.subnet_ids or [])
        result = super().modify_vpc_endpoint()
        self._write_routes(endpoint, added, removed)
        self._move_interfaces(endpoint, before)
        if self._get_bool_param("ResetPolicy"):
            endpoint.policy_document = json.dumps(VPCEndPoint.DEFAULT_POLICY)
        private_dns = self._get_bool_param("PrivateDnsEnabled")
        endpoint.private_dns_enabled = endpoint.private_dns_enabled if private_dns is None else private_dns
        return result

    def _move_interfaces(self, endpoint: VPCEndPoint, before: set[str]) -> None:
        """Give each new subnet of an interface endpoint its interface, and take those of the subnets that left."""
        if not is_interface(endpoint):
            return
        after = set(endpoint.subnet_ids or [])
        for eni_id in list(endpoint.network_interface_ids):
            if self.backend.enis[eni_id].subnet.id not in after:
                del self.backend.enis[eni_id]
                endpoint.network_interface_ids.remove(eni_id)
        for subnet_id in sorted(after - before):
            subnet = self.backend.get_subnet(subnet_id)
            eni = self.backend.create_network_interface(subnet, random_private_ip(subnet.cidr_block))
            endpoint.network_interface_ids.append(eni.id)
        self._dress_interfaces(endpoint)

    def _dress_interfaces(self, endpoint: VPCEndPoint) -> None:
        """Mark the endpoint's interfaces as its own, in its groups."""
        for eni_id in endpoint.network_interface_ids:
            eni = self.backend.enis[eni_id]
            groups = [self.backend.get_security_group_from_id(group) for group in endpoint.security_group_ids]
            eni._group_set = [group for group in groups if group is not None]
            eni.description, eni.interface_type = f"VPC Endpoint Interface {endpoint.id}", "vpc_endpoint"
            eni.requester_managed, eni.status = True, "in-use"

    def _write_routes(self, endpoint: VPCEndPoint, added: list[str], removed: list[str]) -> None:
        prefix = endpoint.destination_prefix_list_id
        for table in added:
            self.backend.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix)
        for table in removed:
            self.backend.delete_route(table, "", destination_prefix_list_id=prefix)

    def delete_vpc_endpoints(self) -> ActionResult:
        """Delete endpoints; the interfaces of one linger until it is gone."""
        unsuccessful = []
        for identifier in self.required("VpcEndpointIds"):
            endpoint = self.backend.vpc_end_points.get(identifier)
            if endpoint is None:
                text = f"The Vpc Endpoint Id '{identifier}' does not exist"
                refusal = {"Code": "InvalidVpcEndpointId.NotFound", "Message": text}
                unsuccessful.append({"ResourceId": identifier, "Error": refusal})
            elif endpoint.state != "deleting":
                self._start_deletion(endpoint)
        return ActionResult({"Unsuccessful": unsuccessful})

    def _start_deletion(self, endpoint: VPCEndPoint) -> None:
        seconds = runtime.clock.duration("ec2:interface_endpoint_delete") if is_interface(endpoint) else 0.0
        if endpoint.destination_prefix_list_id:
            tables = [row for row in endpoint.route_table_ids if row in self.backend.route_tables]
            self._write_routes(endpoint, [], tables)
        endpoint.timeline = Timeline.start(now(), ("deleting", seconds), last="deleted")  # type: ignore[attr-defined]
        endpoint.state = "deleting"
