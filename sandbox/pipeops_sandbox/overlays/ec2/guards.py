"""What EC2 refuses and moto lets through: deleting things in use, routes and ACLs that cannot be."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.security_groups import SecurityGroup
from moto.elbv2.models import elbv2_backends

from ...errors import AwsError
from ..rds.lifecycle import settle
from ..rds.store import store_of
from .base import Ec2Base, attached_gateway, dependency, now, subnets_of_vpc
from .nat import GONE

# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html: rules a network ACL and direction.
MAX_ACL_RULES = 20
MAX_RULE_NUMBER = 32766


class Deletions(Ec2Base):
    """Deletions that wait for what depends on the thing."""

    def delete_subnet(self) -> ActionResult:
        """Delete a subnet without interfaces; its associations with route table and ACL go with it."""
        subnet = self.backend.get_subnet(self.required("SubnetId"))
        if any(eni.subnet.id == subnet.id for eni in self.backend.enis.values()) or self._is_used(subnet=subnet.id):
            raise dependency("subnet", subnet.id)
        result = super().delete_subnet()
        for table in self.backend.route_tables.values():
            table._associations = {key: value for key, value in table._associations.items() if value != subnet.id}
        for acl in self.backend.network_acls.values():
            acl._associations = {key: row for key, row in acl._associations.items() if row.subnet_id != subnet.id}
        self.backend.tags.pop(subnet.id, None)
        return result

    def delete_security_group(self) -> ActionResult:
        """Delete a group that no interface, endpoint or other group refers to."""
        name = self._get_param("GroupId") or self.required("GroupName")
        group = self.backend.get_security_group_by_name_or_id(name)
        if group is not None:
            self._check_group(group)
        result = super().delete_security_group()
        if group is not None:
            self.backend.tags.pop(group.id, None)
        return result

    def _check_group(self, group: SecurityGroup) -> None:
        if group.is_default:
            text = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
            raise AwsError("CannotDelete", text)
        others = [row for vpc in self.backend.groups.values() for row in vpc.values() if row.id != group.id]
        rules = [rule for row in others for rule in (*row.ingress_rules, *row.egress_rules)]
        referenced = any(rule.source_group.get("GroupId") == group.id for rule in rules)
        attached = any(group.id in _groups_of(eni) for eni in self.backend.enis.values())
        endpoint = any(group.id in row.security_group_ids for row in self.backend.vpc_end_points.values())
        if referenced or attached or endpoint or self._is_used(group=group.id):
            raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")

    def _is_used(self, *, subnet: str = "", group: str = "") -> bool:
        """Tell whether a DB instance or a load balancer, whose interfaces moto does not have, is in it."""
        account, region = self.current_account, self.region
        settle(account, now())
        databases = store_of(account, region)
        for instance in databases.instances.values():
            places = databases.subnet_groups[instance.subnet_group].subnets if subnet else ()
            if group in instance.security_groups or subnet in places:
                return True
        balancers = elbv2_backends[account][region].load_balancers.values()
        return any(group in row.security_groups or subnet in _subnets_of(row) for row in balancers)

    def delete_vpc(self) -> ActionResult:
        """Delete a VPC that holds nothing but its defaults; those go with it."""
        vpc = self.backend.get_vpc(self.required("VpcId"))
        if _holds_anything(self.backend, vpc.id):
            raise AwsError("DependencyViolation", f"The vpc '{vpc.id}' has dependencies and cannot be deleted.")
        result = super().delete_vpc()
        acls = self.backend.network_acls
        for acl in [row for row in acls.values() if row.vpc_id == vpc.id]:
            del acls[acl.id]
        self.backend.tags.pop(vpc.id, None)
        return result

    def delete_internet_gateway(self) -> ActionResult:
        """Delete a detached gateway, and its tags."""
        result = super().delete_internet_gateway()
        self.backend.tags.pop(self._get_param("InternetGatewayId"), None)
        return result

    def delete_route_table(self) -> ActionResult:
        """Delete a route table that is neither the main one nor AWS's own for a NAT gateway."""
        table = self.backend.get_route_table(self.required("RouteTableId"))
        of_nat = any(getattr(row, "RouteTableId", "") == table.id for row in self.backend.nat_gateways.values())
        if table.main_association_id or of_nat:
            raise dependency("routeTable", table.id)
        result = super().delete_route_table()
        self.backend.tags.pop(table.id, None)
        return result

    def delete_network_acl(self) -> ActionResult:
        """Delete an ACL that is not the default and has no subnets."""
        acl = self.backend.get_network_acl(self.required("NetworkAclId"))
        if acl.default:
            raise AwsError("InvalidParameterValue", f"cannot delete default network ACL {acl.id}")
        result = super().delete_network_acl()
        self.backend.tags.pop(acl.id, None)
        return result


def _subnets_of(balancer: Any) -> set[str]:
    return {subnet.id for subnet in balancer.subnets}


def _groups_of(eni: Any) -> set[str]:
    return {group.id for group in eni.group_set}


def _holds_anything(backend: EC2Backend, vpc_id: str) -> bool:
    """Tell whether a VPC has more than its default group, default ACL and main route table."""
    groups = [row for row in backend.groups.get(vpc_id, {}).values() if not row.is_default]
    acls = [row for row in backend.network_acls.values() if row.vpc_id == vpc_id and not row.default]
    nats = [row for row in backend.nat_gateways.values() if row.vpc_id == vpc_id and row.state not in GONE]
    endpoints = [row for row in backend.vpc_end_points.values() if row.vpc_id == vpc_id]
    interfaces = [row for row in backend.enis.values() if row.subnet.vpc_id == vpc_id]
    gateway = attached_gateway(backend, vpc_id)
    return bool(groups or acls or nats or endpoints or interfaces or gateway or subnets_of_vpc(backend, vpc_id))


class Routes(Ec2Base):
    """Routes to things that are there, and one route table a subnet."""

    def create_route(self) -> ActionResult:
        """Create a route."""
        self._check_target()
        return super().create_route()

    def replace_route(self) -> ActionResult:
        """Replace the target of a route."""
        self._check_target()
        return super().replace_route()

    def _check_target(self) -> None:
        table = self.backend.get_route_table(self.required("RouteTableId"))
        nat_id, gateway_id = self._get_param("NatGatewayId"), self._get_param("GatewayId")
        if nat_id:
            nat = self.backend.nat_gateways.get(nat_id)
            if nat is None or nat.state in (*GONE, "deleting"):
                raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat_id}' does not exist")
            self._check_same_network(table, nat_id, nat.vpc_id)
        if gateway_id and gateway_id.startswith("igw-"):
            gateway = self.backend.get_internet_gateway(gateway_id)
            self._check_same_network(table, gateway_id, gateway.vpc.id if gateway.vpc else "")

    @staticmethod
    def _check_same_network(table: RouteTable, target: str, vpc_id: str) -> None:
        if table.vpc_id != vpc_id:
            text = f"route table {table.id} and network gateway {target} belong to different networks"
            raise AwsError("InvalidParameterValue", text)

    def associate_route_table(self) -> ActionResult:
        """Associate a subnet that has no other table; moto returns the association with the other table."""
        table = self.backend.get_route_table(self.required("RouteTableId"))
        subnet_id = self._get_param("SubnetId")
        if subnet_id:
            subnet = self.backend.get_subnet(subnet_id)
            if subnet.vpc_id != table.vpc_id:
                text = f"Route table {table.id} and subnet {subnet_id} belong to different networks"
                raise AwsError("InvalidParameterValue", text)
            for other in self.backend.route_tables.values():
                if other is not table and subnet_id in other._associations.values():
                    text = f"the specified association for route table {table.id} conflicts with an existing "
                    raise AwsError("Resource.AlreadyAssociated", f"{text}association")
        return super().associate_route_table()

    def describe_route_tables(self) -> ActionResult:
        """Return route tables; a route whose target has gone is a black hole."""
        for table in self.backend.route_tables.values():
            for route in table._routes.values():
                nat = route.nat_gateway
                gateway: Any = route.gateway  # an internet gateway, or one of a VPN or an endpoint
                lost_nat = nat is not None and nat.state in GONE
                lost_gateway = gateway is not None and str(gateway.id).startswith("igw-") and gateway.vpc is None
                route.State = "blackhole" if lost_nat or lost_gateway else "active"  # type: ignore[attr-defined]
        return super().describe_route_tables()


class NetworkAcls(Ec2Base):
    """Network ACL rules within their bounds."""

    def create_network_acl_entry(self) -> ActionResult:
        """Add a rule."""
        number, egress = int(self.required("RuleNumber")), self._get_bool_param("Egress")
        if not 1 <= number <= MAX_RULE_NUMBER:
            raise AwsError("InvalidParameterValue", f"Value ({number}) for parameter ruleNumber is invalid.")
        acl = self.backend.get_network_acl(self.required("NetworkAclId"))
        # The rule that denies the rest has a number above the range, and does not count.
        rules = [row for row in acl.network_acl_entries if row.egress == egress and row.rule_number <= MAX_RULE_NUMBER]
        if len(rules) >= MAX_ACL_RULES:
            text = f"The maximum number of network ACL entries has been reached: {MAX_ACL_RULES}"
            raise AwsError("NetworkAclEntryLimitExceeded", text)
        return super().create_network_acl_entry()

    def delete_network_acl_entry(self) -> ActionResult:
        """Remove a rule that is there."""
        self._check_entry()
        return super().delete_network_acl_entry()

    def replace_network_acl_entry(self) -> ActionResult:
        """Replace a rule that is there."""
        self._check_entry()
        return super().replace_network_acl_entry()

    def _check_entry(self) -> None:
        number, egress = int(self.required("RuleNumber")), self._get_bool_param("Egress")
        acl = self.backend.get_network_acl(self.required("NetworkAclId"))
        if not any(row.rule_number == number and row.egress == egress for row in acl.network_acl_entries):
            text = f"The {'egress' if egress else 'ingress'} entry {number} does not exist in network ACL {acl.id}"
            raise AwsError("InvalidNetworkAclEntry.NotFound", text)

    def replace_network_acl_association(self) -> ActionResult:
        """Move a subnet to another ACL of its VPC."""
        association = self.required("AssociationId")
        holders = [row for row in self.backend.network_acls.values() if association in row._associations]
        if not holders:
            raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist")
        target = self.backend.get_network_acl(self.required("NetworkAclId"))
        if target.vpc_id != holders[0].vpc_id:
            text = f"network acl {target.id} and association {association} belong to different networks"
            raise AwsError("InvalidParameterValue", text)
        return super().replace_network_acl_association()

    def describe_network_acls(self) -> ActionResult:
        """Return ACLs; an unknown id is an ACL's error, where moto gives a route table's."""
        for identifier in self._get_param("NetworkAclIds", []):
            if identifier not in self.backend.network_acls:
                raise AwsError("InvalidNetworkAclID.NotFound", f"The networkAcl ID '{identifier}' does not exist")
        return super().describe_network_acls()


class Subnets(Ec2Base):
    """Subnets in zones of their own Region."""

    def create_subnet(self) -> ActionResult:
        """Create a subnet; moto takes zones of any Region, and forgets the zone's name when given its id."""
        zones = {row.zone_id: row.name for row in self.backend.describe_availability_zones()}
        zone_id, name = self._get_param("AvailabilityZoneId"), self._get_param("AvailabilityZone")
        if zone_id:
            name = zones.get(zone_id)
        name = name or (None if zone_id else min(zones.values()))
        if name not in zones.values():
            given = zone_id or self._get_param("AvailabilityZone")
            text = f"Value ({given}) for parameter availabilityZone is invalid. Subnets can currently only be created "
            raise AwsError("InvalidParameterValue", f"{text}in the following availability zones: {_zone_list(zones)}.")
        self.params.pop("AvailabilityZoneId", None)
        self.params["AvailabilityZone"] = name
        self._check_size(self.required("CidrBlock"))
        result = super().create_subnet()
        subnet = result.result["Subnet"]  # type: ignore[index]
        subnet.default_for_az = subnet.map_public_ip_on_launch = False
        return result

    @staticmethod
    def _check_size(cidr: str) -> None:
        try:
            network = IPv4Network(cidr)
        except ValueError as error:
            raise AwsError("InvalidParameterValue", f"Value ({cidr}) for parameter cidrBlock is invalid.") from error
        if not 16 <= network.prefixlen <= 28:
            raise AwsError("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid: a block is between a /28 and a /16.")


def _zone_list(zones: dict[str, str]) -> str:
    return ", ".join(sorted(zones.values()))
