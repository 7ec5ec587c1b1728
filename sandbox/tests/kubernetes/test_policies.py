"""Access policies: what each allows, cluster-wide and in namespaces."""

from __future__ import annotations

from typing import Any

import pytest
from pipeops_sandbox.kubernetes.authorization import allowed, policies
from pipeops_sandbox.overlays.eks.access import ACCESS_POLICIES
from pipeops_sandbox.overlays.eks.state import AccessEntry

PREFIX = "arn:aws:eks::aws:cluster-access-policy/"


def entry(name: str, *namespaces: str) -> AccessEntry:
    scope = {"type": "namespace" if namespaces else "cluster", "namespaces": list(namespaces)}
    return AccessEntry({}, {f"{PREFIX}{name}": {"policyArn": f"{PREFIX}{name}", "accessScope": scope}})


def ask(verb: str, resource: str, namespace: str = "web", group: str = "", sub: str = "") -> dict[str, Any]:
    wanted = {"verb": verb, "resource": resource, "group": group, "namespace": namespace, "subresource": sub}
    return {"resourceAttributes": wanted}


def test_every_policy_with_rules_is_one_that_eks_has() -> None:
    assert set(policies()) <= set(ACCESS_POLICIES)


@pytest.mark.parametrize(
    ("policy", "review", "yes"),
    [
        ("ClusterAdmin", ask("delete", "nodes", ""), True),
        ("ClusterAdmin", ask("create", "nodepools", "", "karpenter.sh"), True),
        ("ClusterAdmin", {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}}, True),
        ("Admin", ask("create", "rolebindings", group="rbac.authorization.k8s.io"), True),
        ("Admin", ask("create", "clusterroles", "", "rbac.authorization.k8s.io"), False),
        ("Admin", ask("create", "externalsecrets", group="external-secrets.io"), False),
        ("Admin", ask("delete", "namespaces", ""), False),
        ("Edit", ask("patch", "deployments", group="apps"), True),
        ("Edit", ask("get", "secrets"), True),
        ("Edit", ask("create", "pods", sub="exec"), True),
        ("Edit", ask("create", "rolebindings", group="rbac.authorization.k8s.io"), False),
        ("View", ask("list", "pods"), True),
        ("View", ask("get", "pods", sub="log"), True),
        ("View", ask("get", "secrets"), False),
        ("View", ask("delete", "pods"), False),
        ("AdminView", ask("get", "secrets"), True),
        ("AdminView", ask("list", "nodepools", "", "karpenter.sh"), True),
        ("AdminView", ask("patch", "deployments", group="apps"), False),
        ("AutoNode", ask("list", "pods"), False),
    ],
)
def test_what_a_policy_allows(policy: str, review: dict[str, Any], yes: bool) -> None:
    name = f"AmazonEKS{policy}Policy"
    assert allowed(entry(name), review) == (name if yes else "")


def test_a_namespaced_policy_ends_at_its_namespaces() -> None:
    given = entry("AmazonEKSClusterAdminPolicy", "web", "team-*")
    assert allowed(given, ask("delete", "pods", "web"))
    assert allowed(given, ask("delete", "pods", "team-a"))
    assert not allowed(given, ask("delete", "pods", "kube-system"))
    assert not allowed(given, ask("list", "nodes", ""))
    assert not allowed(given, {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}})


def test_an_entry_without_policies_may_nothing() -> None:
    assert allowed(AccessEntry({}), ask("list", "pods")) == ""
