"""The ARNs and tags of what a request is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from ..routing import Call
from .parameters import Parameters

PARTITION = "aws"


@dataclass(frozen=True)
class Resource:
    """One resource: its ARN, its type, and the tags by which policies tell it."""

    kind: str
    arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Finder:
    """Finds the resources of a request.

    Attributes:
        account: whose they are.
        call: the call.
        given: its parameters.
    """

    account: str
    call: Call
    given: Parameters

    def of_kind(self, kind: str) -> Iterator[Resource]:
        """Yield the resources of a type that the request names."""
        service = self.call.service
        for name in self.given.every(*known_names(service).get(kind, ())) or self._behind(kind):
            arn = self._arn(service, kind, name)
            if arn:
                yield Resource(kind, arn, self._tags(service, name, arn))

    def named_by_arn(self) -> Iterator[Resource]:
        """Yield the resource of a call that sets tags, which names it by its ARN or, in EC2, by its id."""
        if self.call.service == "ec2":
            for name in self.given.every("ResourceId"):
                yield Resource("", self._regional("ec2", f"{_kind_of(name)}/{name}"), self._tags("ec2", name, ""))
            return
        members = ("ResourceName", "ResourceArn", "resourceArn", "ResourceARN", "TargetArn")
        for arn in self.given.every(*members):
            if arn.startswith("arn:"):
                yield Resource("", arn, {})

    def anew(self, kind: str) -> Resource:
        """Return a resource that the request makes, whose name AWS makes up."""
        return Resource(kind, self._regional(self.call.service, f"{kind}/*"), {})

    def made(self) -> Resource:
        """Return what a call makes that is about no resource yet, as its tags are authorised."""
        kind = {"kms": "key", "eks": "cluster"}.get(self.call.service, "")
        named = next(self.of_kind(kind), None) if kind != "key" else None
        return named or self.anew(kind or "*")

    def key(self, name: str) -> Resource | None:
        """Return a KMS key by its id, its ARN, or an alias; None if there is none."""
        backend: Any = kms_backends[self.account][_region_of(name) or self.call.region]
        plain = name.rpartition(":")[2].removeprefix("key/")
        key_id = plain if plain in backend.keys else backend.get_key_id_from_alias(plain)
        if not key_id or key_id not in backend.keys:
            return None
        return Resource("key", str(backend.keys[key_id].arn), self._tags("kms", key_id, str(backend.keys[key_id].arn)))

    def _regional(self, service: str, rest: str) -> str:
        return f"arn:{PARTITION}:{service}:{self.call.region}:{self.account}:{rest}"

    def _global(self, service: str, rest: str, *, account: bool = True) -> str:
        return f"arn:{PARTITION}:{service}::{self.account if account else ''}:{rest}"

    def _arn(self, service: str, kind: str, name: str) -> str:
        """Return the ARN of a resource by what the request calls it; empty if it has none."""
        if service == "kms":
            found = self.key(name) if kind == "key" else None
            return found.arn if found else self._regional("kms", name if kind == "alias" else f"key/{name}")
        if name.startswith("arn:") and kind != "access-entry":
            return name
        make = getattr(self, f"_of_{service}", None)
        return (
            str(make(kind, name))
            if make
            else self._regional(service, SHAPES.get(service, "{kind}:{name}").format(kind=kind, name=name))
        )

    def _of_budgets(self, _kind: str, name: str) -> str:
        return self._global("budgets", f"budget/{name}")

    def _of_ec2(self, kind: str, name: str) -> str:
        if kind == "launch-template" and not name.startswith("lt-"):
            templates = ec2_backends[self.account][self.call.region].launch_templates.values()
            name = next((one.id for one in templates if one.name == name), "*")
        return self._regional("ec2", f"{kind}/{name}")

    def _of_eks(self, kind: str, name: str) -> str:
        cluster = self.given.first("clusterName", "name")
        if kind == "cluster":
            return self._regional("eks", f"cluster/{cluster}")
        if kind == "access-entry":
            _arn, _partition, _service, _region, account, rest = name.split(":", 5)
            return self._regional(
                "eks", f"access-entry/{cluster}/{rest.split('/')[0]}/{account}/{rest.split('/')[-1]}/*"
            )
        return self._regional("eks", f"{kind}/{cluster}/{name}{'' if kind.startswith('pod') else '/*'}")

    def _of_iam(self, kind: str, name: str) -> str:
        backend = iam_backends[self.account][PARTITION]
        if kind == "oidc-provider":
            return self._global("iam", f"oidc-provider/{name.removeprefix('https://').rstrip('/')}")
        if name.endswith(".amazonaws.com"):
            return self._global("iam", f"role/aws-service-role/{name}/*")
        standing: Any = {
            "role": [one for one in backend.roles.values() if one.name == name],
            "user": [backend.users[name]] if name in backend.users else [],
        }
        found = next(iter(standing.get(kind, [])), None)
        return str(found.arn) if found else self._global("iam", f"{kind}{self.given.first('Path') or '/'}{name}")

    def _of_route53(self, _kind: str, name: str) -> str:
        return self._global("route53", f"hostedzone/{name.rpartition('/')[2]}", account=False)

    def _of_s3(self, kind: str, name: str) -> str:
        bucket = self.given.first("Bucket")
        return self._global("s3", bucket if kind == "bucket" else f"{bucket}/{name}", account=False)

    def _of_scheduler(self, kind: str, name: str) -> str:
        group = f"{self.given.first('GroupName') or 'default'}/" if kind == "schedule" else ""
        return self._regional("scheduler", f"{kind}/{group}{name}")

    def _of_secretsmanager(self, _kind: str, name: str) -> str:
        # The six characters that AWS makes up are not asked for: patterns of policies leave them open.
        return self._regional("secretsmanager", f"secret:{name}-??????")

    def _of_sns(self, _kind: str, name: str) -> str:
        return self._regional("sns", name)

    def _tags(self, service: str, name: str, arn: str) -> Mapping[str, str]:
        """Return the tags of resources that policies tell by them, which are those with made up names."""
        if service == "ec2":
            tags: Mapping[str, str] = ec2_backends[self.account][self.call.region].tags.get(
                arn.rpartition("/")[2] or name, {}
            )
            return tags
        if service == "kms" and ":key/" in arn:
            backend: Any = kms_backends[self.account][_region_of(arn)]
            return {
                row["TagKey"]: row["TagValue"] for row in backend.list_resource_tags(arn.rpartition("/")[2])["Tags"]
            }
        return {}

    def _behind(self, kind: str) -> Iterator[str]:
        """Yield what an association leads to, or a definition is of, where a request names that instead."""
        if kind == "budget":
            yield from (value for member, value in self.given.texts if member == "BudgetName")
            return
        association, backend = self.given.first("AssociationId"), ec2_backends[self.account][self.call.region]
        if self.call.service != "ec2" or not association:
            return
        if kind == "route-table":
            yield from (one.id for one in backend.route_tables.values() if association in one._associations)
        elif kind == "subnet":
            for one in backend.network_acls.values():
                yield from (str(row.subnet_id) for key, row in one._associations.items() if key == association)
        elif kind == "vpc":
            yield from (one.id for one in backend.vpcs.values() if association in one._cidr_block_association_set)


#: How the last part of an ARN is written, by service; where a method above does not say it.
SHAPES = {"dynamodb": "table/{name}", "cloudwatch": "alarm:{name}", "logs": "log-group:{name}"}


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 5 else ""


def _kind_of(identifier: str) -> str:
    """Return the type of a resource of EC2 by how its id begins."""
    return KINDS.get(identifier.rpartition("-")[0], "*")


KINDS = {
    "vpc": "vpc", "subnet": "subnet", "rtb": "route-table", "sg": "security-group", "igw": "internet-gateway",
    "nat": "natgateway", "eipalloc": "elastic-ip", "acl": "network-acl", "vpce": "vpc-endpoint",
    "fl": "vpc-flow-log", "lt": "launch-template", "vol": "volume", "eni": "network-interface", "i": "instance",
}  # fmt: skip


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    text = files("pipeops_sandbox").joinpath("data/iam_resources.yml").read_text("utf-8")
    table: dict[str, dict[str, list[str]]] = yaml.safe_load(text)
    return table


def known_names(service: str) -> dict[str, list[str]]:
    """Return the parameters that name resources of a service, by type."""
    return _table().get(service, {})
