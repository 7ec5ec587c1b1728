"""What a cluster has from its first moment on: Auto Mode's kinds, and the pools of EKS's own that are switched on."""

from __future__ import annotations

import time
from functools import cache
from importlib import resources

import yaml

from .api import Api, Object
from .facts import Facts
from .provisioner import NODE_CLASSES, NODE_POOLS

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVED_SECONDS = 20.0


@cache
def _kinds() -> tuple[Object, ...]:
    text = resources.files("pipeops_sandbox").joinpath("data/eks_auto_mode_crds.yml").read_text("utf-8")
    return tuple(document for document in yaml.safe_load_all(text) if document)


def prepare(api: Api) -> None:
    """Make the kinds that Auto Mode brings, and wait until they are served.

    Raises:
        ApiError: if the server refuses one.
    """
    for kind in _kinds():
        api.apply(f"{CRDS}/{kind['metadata']['name']}", kind)
    deadline = time.monotonic() + SERVED_SECONDS
    for kind in _kinds():
        while not _established(api, kind["metadata"]["name"]) and time.monotonic() < deadline:
            time.sleep(0.05)


def _established(api: Api, name: str) -> bool:
    found = api.get(f"{CRDS}/{name}") or {}
    conditions = found.get("status", {}).get("conditions", [])
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def built_in_pools(api: Api, facts: Facts) -> None:
    """Make the built-in pools that are on, and remove those that are off; without any there is no default NodeClass."""
    if facts.built_in:
        api.apply(f"{NODE_CLASSES}/default", _default_class(facts))
    for name in ("general-purpose", "system"):
        if name in facts.built_in:
            api.apply(f"{NODE_POOLS}/{name}", _built_in(name))
        elif _ours(api.get(f"{NODE_POOLS}/{name}")):
            api.delete(f"{NODE_POOLS}/{name}")
    if not facts.built_in and _ours(api.get(f"{NODE_CLASSES}/default")):
        api.delete(f"{NODE_CLASSES}/default")


def _ours(item: Object | None) -> bool:
    return bool(item) and (item or {})["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == "eks"


def _default_class(facts: Facts) -> Object:
    return {
        "apiVersion": "eks.amazonaws.com/v1", "kind": "NodeClass",
        "metadata": {"name": "default", "labels": {"app.kubernetes.io/managed-by": "eks"}},
        "spec": {
            "role": facts.node_role,
            "subnetSelectorTerms": [{"id": subnet} for subnet in facts.own],
            "securityGroupSelectorTerms": [{"tags": {"aws:eks:cluster-name": facts.name}}],
        },
    }  # fmt: skip


def _built_in(name: str) -> Object:
    """Return a built-in pool: on-demand C, M and R of the fifth generation or newer."""
    architectures = ["amd64", "arm64"] if name == "system" else ["amd64"]
    spec: Object = {
        "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"},
        "requirements": [
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]},
            {"key": "eks.amazonaws.com/instance-category", "operator": "In", "values": ["c", "m", "r"]},
            {"key": "eks.amazonaws.com/instance-generation", "operator": "Gt", "values": ["4"]},
            {"key": "kubernetes.io/arch", "operator": "In", "values": architectures},
        ],
        "expireAfter": "336h", "terminationGracePeriod": "24h0m0s",
    }  # fmt: skip
    if name == "system":
        spec["taints"] = [{"key": "CriticalAddonsOnly", "effect": "NoSchedule"}]
    return {
        "apiVersion": "karpenter.sh/v1", "kind": "NodePool",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "eks"}},
        "spec": {
            "disruption": {
                "consolidateAfter": "30s", "consolidationPolicy": "WhenEmptyOrUnderutilized",
                "budgets": [{"nodes": "10%"}],
            },
            "template": {"metadata": {}, "spec": spec},
        },
    }  # fmt: skip
