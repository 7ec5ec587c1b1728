"""Elastic IP addresses, and the internet gateway that cannot leave while they are mapped."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_ip_addresses import ElasticAddress

from ...errors import AwsError
from .base import Ec2Base
from .nat import nat_gateway_of_interface


class Addresses(Ec2Base):
    """The address operations."""

    def _address(self) -> ElasticAddress:
        allocation, association = self._get_param("AllocationId"), self._get_param("AssociationId")
        if allocation:
            return self.backend.address_by_allocation([allocation])[0]
        if association:
            return self.backend.address_by_association([association])[0]
        return self.backend.address_by_ip([self.required("PublicIp")])[0]

    def allocate_address(self) -> ActionResult:
        """Allocate an address for VPCs: ``standard`` meant EC2-Classic, which is no more."""
        self.params["Domain"] = "vpc"
        return super().allocate_address()

    def release_address(self) -> ActionResult:
        """Release an address that nothing uses."""
        address = self._address()
        if address.association_id:
            text = f"Address {address.public_ip} is in use."
            raise AwsError("InvalidIPAddress.InUse", text)
        result = super().release_address()
        self.backend.tags.pop(address.id or "", None)
        return result

    def disassociate_address(self) -> ActionResult:
        """Take an address from an interface, unless a NAT gateway holds it."""
        address = self._address()
        managed = getattr(address, "ServiceManaged", "")
        if managed or (address.eni is not None and nat_gateway_of_interface(self.backend, address.eni.id)):
            raise AwsError("AuthFailure", "You do not have permission to access the specified resource.")
        return super().disassociate_address()

    def detach_internet_gateway(self) -> ActionResult:
        """Detach an internet gateway from a VPC without public addresses in use."""
        vpc_id = self.required("VpcId")
        mapped = any(row.eni is not None and row.eni.subnet.vpc_id == vpc_id for row in self.backend.addresses)
        regional = any(
            row.vpc_id == vpc_id and row.address_set and not row.subnet_id for row in self.backend.nat_gateways.values()
        )
        if mapped or regional:
            text = f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before "
            raise AwsError("DependencyViolation", f"{text}detaching the gateway.")
        return super().detach_internet_gateway()
