"""Tags: by index instead of by search, of the right type, and on things that exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.core.responses import ActionResult
from moto.ec2 import utils
from moto.ec2.models import EC2Backend
from moto.ec2.models.core import TaggedEC2Resource

from ...errors import AwsError
from .base import Ec2Base

# Names that the API gives to types, where moto has its own or none.
_API_TYPES = {
    "nat": "natgateway",
    "eipalloc": "elastic-ip",
    "fl": "vpc-flow-log",
    "pl": "prefix-list",
    "eigw": "egress-only-internet-gateway",
}
# What each operation may tag, from the documentation of TagSpecifications.
TAGGED_AT_CREATION = {
    "CreateVpc": "vpc",
    "CreateSubnet": "subnet",
    "CreateInternetGateway": "internet-gateway",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "AuthorizeSecurityGroupIngress": "security-group-rule",
    "AuthorizeSecurityGroupEgress": "security-group-rule",
    "CreateNatGateway": "natgateway",
    "CreateVpcEndpoint": "vpc-endpoint",
    "CreateFlowLogs": "vpc-flow-log",
    "CreateNetworkAcl": "network-acl",
    "AllocateAddress": "elastic-ip",
}


def _tags_of(resource: TaggedEC2Resource) -> list[dict[str, str]]:
    """A resource's tags by its id. moto looks through all tags of the Region for each resource that it shows."""
    backend: EC2Backend = resource.ec2_backend  # type: ignore[attr-defined]
    identifier: str = resource.id  # type: ignore[attr-defined]
    kind = utils.EC2_PREFIX_TO_RESOURCE.get(utils.get_prefix(identifier), "") if identifier else ""
    tags = backend.tags.get(identifier, {}) if identifier else {}
    return [{"resource_id": identifier, "key": key, "value": value, "resource_type": kind}
            for key, value in tags.items()]  # fmt: skip


_iter_tagged = EC2Backend.iter_tagged_resources


def _iter_all_tagged(backend: EC2Backend) -> Iterator[TaggedResource]:
    """Yield what moto shows to the tagging API, and the kinds that it leaves out."""
    for resource in _iter_tagged(backend):
        resource.arn = resource.arn.replace(":flow-logs/", ":vpc-flow-log/")
        yield resource
    more: dict[str, Iterable[Any]] = {
        "elastic-ip": backend.addresses,
        "vpc-endpoint": backend.vpc_end_points.values(),
        "network-acl": backend.network_acls.values(),
    }
    for kind, resources in more.items():
        for row in resources:
            arn = f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}:{kind}/{row.id}"
            yield TaggedResource(arn, dict(backend.tags.get(row.id, {})), f"ec2:{kind}")


def install_tag_index() -> None:
    """Teach moto the API's type names, and the short way to a resource's tags."""
    utils.EC2_PREFIX_TO_RESOURCE.update(_API_TYPES)
    EC2Backend.iter_tagged_resources = _iter_all_tagged  # type: ignore[method-assign,assignment]
    TaggedEC2Resource.get_tags = _tags_of  # type: ignore[method-assign,assignment]


def existing_ids(backend: EC2Backend) -> set[str]:
    """Return the id of everything in a Region that can carry tags."""
    found = {str(row.id) for row in backend.addresses}
    for value in vars(backend).values():
        if isinstance(value, dict):
            for key, item in value.items():
                found |= set(item) if isinstance(item, dict) else {key}
    for groups in backend.groups.values():
        for group in groups.values():
            found |= {rule.id for rule in (*group.ingress_rules, *group.egress_rules)}
    for reservation in backend.reservations.values():
        found |= {instance.id for instance in reservation.instances}
    return found


class Tags(Ec2Base):
    """The tag operations."""

    def check_tag_specifications(self, action: str) -> None:
        """Refuse tags for another type than the one that an operation makes."""
        expected = TAGGED_AT_CREATION.get(action)
        for row in self._get_param("TagSpecifications", []) if expected else []:
            kind = row.get("ResourceType")
            if kind != expected:
                text = f"'{kind}' is not a valid taggable resource type for this operation."
                raise AwsError("InvalidParameterValue", text)
            self._check_keys(row.get("Tags", []))

    @staticmethod
    def _check_keys(tags: list[dict[str, Any]]) -> None:
        keys = [str(tag.get("Key", "")) for tag in tags]
        if any(key.lower().startswith("aws:") for key in keys):
            text = "Tag keys starting with 'aws:' are reserved for internal use"
            raise AwsError("InvalidParameterValue", text)
        if len(keys) != len(set(keys)):
            raise AwsError("InvalidParameterValue", "Duplicate tag keys are not allowed in a request")

    def create_tags(self) -> ActionResult:
        """Tag things that exist."""
        self._check_keys(self._get_param("Tags", []))
        known = existing_ids(self.backend)
        for identifier in self.required("Resources"):
            if identifier not in known:
                self.backend.do_resources_exist([identifier])
                raise AwsError("InvalidID", f"The ID '{identifier}' is not valid")
        return super().create_tags()

    def describe_tags(self) -> ActionResult:
        """Return the tags of things that exist; moto keeps those of deleted ones."""
        known = existing_ids(self.backend)
        filters: dict[str, Any] = self._filters_from_querystring()
        rows = self.backend.describe_tags(filters=filters)
        return ActionResult({"Tags": [row for row in rows if row["resource_id"] in known]})
