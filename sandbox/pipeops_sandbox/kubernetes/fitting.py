"""Whether a pod could run on a node: labels, taints, and others that it does not want beside it."""

from __future__ import annotations

from typing import Any

from .api import Object
from .machines import satisfies

HOSTNAME = "kubernetes.io/hostname"


def fits(pod: Object, labels: dict[str, str], taints: tuple[dict[str, str], ...], zones: set[str] | None) -> bool:
    """Tell whether a pod could run on a node with these labels and taints.

    Args:
        zones: where its volumes are, or None if it has none that lie somewhere already.
    """
    if zones is not None and labels.get("topology.kubernetes.io/zone") not in zones:
        return False
    return selects(pod, labels) and tolerates(pod, taints)


def selects(pod: Object, labels: dict[str, str]) -> bool:
    """Tell whether node selector and required node affinity allow a node."""
    spec = pod["spec"]
    if any(labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items() if key != HOSTNAME):
        return False
    affinity = spec.get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    if not affinity:
        return True
    return any(
        all(satisfies(labels, one) for one in term.get("matchExpressions", []) if one["key"] != HOSTNAME)
        for term in affinity["nodeSelectorTerms"]
    )


def tolerates(pod: Object, taints: tuple[dict[str, str], ...]) -> bool:
    """Tell whether a pod tolerates all taints that keep pods away."""
    tolerations = pod["spec"].get("tolerations", [])
    hard = [taint for taint in taints if taint["effect"] in ("NoSchedule", "NoExecute")]
    return all(any(_tolerates(one, taint) for one in tolerations) for taint in hard)


def _tolerates(toleration: dict[str, Any], taint: dict[str, str]) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in (None, "", taint["key"])
    return toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", "")


def averse(pod: Object) -> bool:
    """Tell whether there are pods that a pod does not want on its node."""
    return bool(pod["spec"].get("affinity", {}).get("podAntiAffinity"))


def apart(pod: Object, other: Object) -> bool:
    """Tell whether a pod refuses to be on one node with another: required anti-affinity between host names."""
    terms = pod["spec"].get("affinity", {}).get("podAntiAffinity", {})
    for term in terms.get("requiredDuringSchedulingIgnoredDuringExecution", []):
        namespaces = term.get("namespaces") or [pod["metadata"]["namespace"]]
        same = term["topologyKey"] == HOSTNAME and other["metadata"]["namespace"] in namespaces
        if same and matches(term.get("labelSelector") or {}, other["metadata"].get("labels", {})):
            return True
    return False


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Tell whether a label selector selects labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(satisfies(labels, one) for one in selector.get("matchExpressions", []))
