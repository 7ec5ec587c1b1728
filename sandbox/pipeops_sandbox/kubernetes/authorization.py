"""EKS's access policies: what they allow, asked by the API server of each request that RBAC does not allow."""

from __future__ import annotations

import fnmatch
from functools import cache
from importlib import resources
from typing import Any

import yaml

from pipeops_sandbox.overlays.eks.managed_entries import POLICY_ARN_PREFIX
from pipeops_sandbox.overlays.eks.state import AccessEntry

Rule = dict[str, list[str]]
Attributes = dict[str, Any]


@cache
def policies() -> dict[str, list[Rule]]:
    """Return the rules of each access policy, by its name."""
    text = resources.files("pipeops_sandbox").joinpath("data/eks_access_policies.yml").read_text("utf-8")
    blocks: dict[str, list[list[Rule]]] = yaml.safe_load(text)
    return {name: [rule for block in given for rule in block] for name, given in blocks.items() if name[0].isupper()}


def allowed(entry: AccessEntry, review: Attributes) -> str:
    """Return the name of a policy of the entry that allows a request, or nothing.

    Args:
        review: the ``spec`` of a SubjectAccessReview.
    """
    resource = review.get("resourceAttributes")
    for arn, association in entry.policies.items():
        name = arn.removeprefix(POLICY_ARN_PREFIX)
        scope = association["accessScope"]
        if scope["type"] == "namespace" and not _within(scope["namespaces"], resource):
            continue
        rules = policies().get(name, [])
        if resource and any(_allows(rule, resource) for rule in rules):
            return name
        if not resource and any(_allows_path(rule, review.get("nonResourceAttributes", {})) for rule in rules):
            return name
    return ""


def _within(namespaces: list[str], resource: Attributes | None) -> bool:
    """Tell whether a request is in one of the namespaces; a name may end with an asterisk."""
    namespace = (resource or {}).get("namespace", "")
    return bool(namespace) and any(fnmatch.fnmatchcase(namespace, pattern) for pattern in namespaces)


def _allows(rule: Rule, resource: Attributes) -> bool:
    kind = resource.get("resource", "")
    if resource.get("subresource"):
        kind = f"{kind}/{resource['subresource']}"
    return (
        _has(rule.get("verbs", []), resource.get("verb", ""))
        and _has(rule.get("apiGroups", []), resource.get("group", ""))
        and _has(rule.get("resources", []), kind)
        and (not rule.get("resourceNames") or resource.get("name") in rule["resourceNames"])
    )


def _allows_path(rule: Rule, request: Attributes) -> bool:
    paths = rule.get("nonResourceURLs", [])
    return _has(rule.get("verbs", []), request.get("verb", "")) and any(
        fnmatch.fnmatchcase(request.get("path", ""), path) for path in paths
    )


def _has(values: list[str], wanted: str) -> bool:
    return "*" in values or wanted in values
