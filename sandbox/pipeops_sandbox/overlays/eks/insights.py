"""ListInsights and DescribeInsight: what EKS says of the next upgrade, and what a test has it say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from . import health
from .addon_catalogue import runs_on
from .call import Answer, Call, not_found, operation, page
from .state import Cluster, find_cluster
from .version_catalogue import minor, versions

STATUSES = ("PASSING", "WARNING", "ERROR", "UNKNOWN")
DEPRECATED_APIS = "Deprecated APIs removed in Kubernetes v{version}"
ADDONS, KUBELETS, HEALTH = "EKS add-on version compatibility", "Kubelet version skew", "Cluster health issues"


def errors(cluster: Cluster, version: str, now: float) -> list[str]:
    """Return the names of the insights that stand in the way of an upgrade."""
    found = _insights(cluster, now)
    blocking = (one for one in found if one["insightStatus"]["status"] == "ERROR")
    return [one["name"] for one in blocking if one["kubernetesVersion"] == version]


def _insights(cluster: Cluster, now: float) -> list[dict[str, Any]]:
    """Return the insights about the next version; none for a cluster of the last one."""
    running = str(cluster.document["version"])
    following = f"1.{minor(running) + 1}"
    return (
        [_shown(cluster, row, following, now) for row in _rows(cluster, following)] if following in versions() else []
    )


def _rows(cluster: Cluster, version: str) -> Iterator[dict[str, Any]]:
    """Yield what EKS looks at: name, status, reason, and what is concerned."""
    yield _row(DEPRECATED_APIS.format(version=version), "No deprecated API usage detected within the last 30 days.")
    old = [name for name, addon in cluster.addons.items() if not runs_on(name, addon.document["addonVersion"], version)]
    yield _row(ADDONS, "Add-on versions are compatible with the next Kubernetes version.", "WARNING", old)
    running = minor(cluster.document["version"])
    behind = [name for name, group in cluster.nodegroups.items() if minor(group.document["version"]) < running]
    yield _row(KUBELETS, "Node kubelet versions match the cluster control plane version.", "ERROR", behind)
    yield _row(HEALTH, "No cluster health issues detected.", "ERROR", [each["code"] for each in health.issues(cluster)])


def _row(name: str, well: str, otherwise: str = "", concerned: list[str] | None = None) -> dict[str, Any]:
    reason = f"Concerned: {', '.join(concerned)}" if concerned else well
    return {"name": name, "status": otherwise if concerned else "PASSING", "reason": reason, "on": concerned or []}


def _shown(cluster: Cluster, row: dict[str, Any], version: str, now: float) -> dict[str, Any]:
    name = row["name"]
    key = next((key for key in cluster.insights if name.startswith(key)), "")
    status, reason = cluster.insights.get(key, (row["status"], row["reason"]))
    return {
        "id": hashlib.sha256(f"{cluster.id} {name}".encode()).hexdigest()[:36],
        "name": name,
        "category": "UPGRADE_READINESS",
        "kubernetesVersion": version,
        "lastRefreshTime": now,
        "lastTransitionTime": now,
        "description": f"Checks: {name}.",
        "insightStatus": {"status": status, "reason": reason},
    }


@operation("ListInsights")
def list_insights(call: Call) -> Answer:
    """Return the insights of a cluster, filtered."""
    wanted = call.get("filter", {})
    members = (("categories", "category"), ("kubernetesVersions", "kubernetesVersion"))
    found = _insights(find_cluster(call, call["clusterName"]), call.now)
    kept = [one for one in found if all(one[member] in wanted.get(name, [one[member]]) for name, member in members)]
    statuses = wanted.get("statuses") or STATUSES
    return page(call, [one for one in kept if one["insightStatus"]["status"] in statuses], "insights")


@operation("DescribeInsight")
def describe_insight(call: Call) -> Answer:
    """Return one insight, with what to do and what is concerned."""
    cluster = find_cluster(call, call["clusterName"])
    found = next((one for one in _insights(cluster, call.now) if one["id"] == call["id"]), None)
    if found is None:
        raise not_found(f"No insight found for ID: {call['id']}", clusterName=cluster.name)
    concerned = found["insightStatus"]["status"] not in ("PASSING", "UNKNOWN")
    detail = {
        "usage": "/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas",
        "replacedWith": "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
        "stopServingVersion": found["kubernetesVersion"],
        "startServingReplacementVersion": "1.29",
        "clientStats": [{"userAgent": "old-operator/1.2", "numberOfRequestsLast30Days": 12}],
    }
    deprecated = [detail] if concerned and found["name"].startswith("Deprecated APIs") else []
    more = {
        "recommendation": "Update manifests, add-ons and nodes before the control plane.",
        "additionalInfo": {},
        "resources": [],
        "categorySpecificSummary": {"deprecationDetails": deprecated, "addonCompatibilityDetails": []},
    }
    return {"insight": {**found, **more}}
