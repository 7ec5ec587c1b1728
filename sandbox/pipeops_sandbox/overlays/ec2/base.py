"""What the parts of the EC2 overlay share."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses import EC2Response

from ...errors import AwsError
from ...overlay import Prepared
from ...runtime import runtime


class Ec2Base(Prepared, EC2Response):
    """moto's EC2, with helpers for refusals."""

    @property
    def backend(self) -> EC2Backend:
        """moto's backend of the request's Region."""
        return self.ec2_backend  # type: ignore[no-any-return]

    def required(self, name: str) -> Any:
        """Return a parameter, or refuse the call as EC2 does."""
        value = self._get_param(name)
        if value in (None, "", []):
            wire = name[0].lower() + name[1:]
            raise AwsError("MissingParameter", f"The request must contain the parameter {wire}")
        return value

    def tags_of_request(self, resource_type: str) -> dict[str, str]:
        """Return the tags that the request gives to a kind of resource."""
        return dict(self._parse_tag_specification().get(resource_type, {}))


def now() -> float:
    """Model time, in seconds since 1970."""
    return runtime.clock.now()


def dependency(kind: str, identifier: str) -> AwsError:
    """Return EC2's refusal to delete something that is in use."""
    return AwsError("DependencyViolation", f"The {kind} '{identifier}' has dependencies and cannot be deleted.")


def subnets_of_vpc(backend: EC2Backend, vpc_id: str) -> list[Subnet]:
    """Return the subnets of a VPC."""
    return [subnet for zone in backend.subnets.values() for subnet in zone.values() if subnet.vpc_id == vpc_id]


def attached_gateway(backend: EC2Backend, vpc_id: str) -> Any | None:
    """Return the internet gateway of a VPC, if it has one."""
    gateways = backend.internet_gateways.values()
    return next((row for row in gateways if row.vpc is not None and row.vpc.id == vpc_id), None)
