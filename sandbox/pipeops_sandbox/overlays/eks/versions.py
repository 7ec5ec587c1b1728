"""UpdateClusterVersion, DescribeClusterVersions."""

from __future__ import annotations

from typing import Any

from ...errors import AwsError
from . import insights
from .call import Answer, Call, invalid_parameter, operation, page
from .state import Cluster, find_cluster
from .updates import require_idle, start_update
from .version_catalogue import (
    default_version,
    minor,
    platform_version,
    require_version,
    scaling_tiers,
    support_status,
    timestamp,
    versions,
)

ROLLBACK_SECONDS = 7 * 24 * 3600.0
"""How long after an upgrade it can be rolled back (EKS user guide, "rollback-cluster")."""

_ROLLBACK_MINUTES = range(120, 10081)
_STATUS = {"STANDARD_SUPPORT": "standard-support", "EXTENDED_SUPPORT": "extended-support", "UNSUPPORTED": "unsupported"}


@operation("UpdateClusterVersion")
def update_cluster_version(call: Call) -> Answer:
    """Move the control plane one minor version up, or back down within a week."""
    cluster = find_cluster(call, call["name"])
    name, wanted, running = cluster.name, call["version"], cluster.document["version"]
    if wanted == running:
        raise invalid_parameter(f"Cluster {name} is already at Kubernetes version {wanted}", clusterName=name)
    require_version(name, wanted, call.now)
    step = minor(wanted) - minor(running)
    kind = "VersionUpdate" if step > 0 else "VersionRollback"
    require_idle(cluster, kind, call.now)
    if step not in (1, -1):
        raise invalid_parameter(
            f"Unsupported Kubernetes minor version update from {running} to {wanted}", clusterName=name
        )
    if step < 0:
        _check_rollback(call, cluster, wanted)
    elif call.get("rollbackConfig"):
        raise invalid_parameter("rollbackConfig is for a rollback only", clusterName=name)
    else:
        _check_nodegroups(cluster)
        _check_insights(call, cluster, wanted)
    changes = {"version": wanted, "platformVersion": platform_version(wanted)}
    params = {"Version": wanted, "PlatformVersion": changes["platformVersion"]}
    return start_update(cluster, kind, "eks:update_cluster_version", call.now, changes, params)


def _check_nodegroups(cluster: Cluster) -> None:
    """Refuse an upgrade while a node group is behind: it must match the control plane before that moves on."""
    version = cluster.document["version"]
    behind = sorted(name for name, group in cluster.nodegroups.items() if group.document["version"] != version)
    if behind:
        raise invalid_parameter(
            f"Nodegroups {', '.join(behind)} must be updated to match cluster version {version} "
            "before updating cluster version",
            clusterName=cluster.name,
        )


def _check_insights(call: Call, cluster: Cluster, wanted: str) -> None:
    """Refuse an upgrade that insights speak against, unless the caller forces it."""
    blocking = insights.errors(cluster, wanted, call.now)
    if blocking and not call.get("force"):
        raise AwsError(
            "InvalidStateException",
            f"Cluster {cluster.name} cannot be updated to {wanted} because of insights: {', '.join(blocking)}",
            clusterName=cluster.name,
        )


def _check_rollback(call: Call, cluster: Cluster, wanted: str) -> None:
    upgrades = [update for update in cluster.updates.values() if update.applied and update.type == "VersionUpdate"]
    finished = upgrades[-1].timeline.phases[-1][1] if upgrades else None
    if finished is None or call.now > finished + ROLLBACK_SECONDS:
        raise invalid_parameter(
            f"Cluster {cluster.name} cannot be rolled back to {wanted}: it was not upgraded in the last 7 days",
            clusterName=cluster.name,
        )
    minutes = call.get("rollbackConfig", {}).get("timeoutMinutes")
    if minutes is not None and minutes not in _ROLLBACK_MINUTES:
        raise invalid_parameter("rollbackConfig.timeoutMinutes must be from 120 to 10080", clusterName=cluster.name)


@operation("DescribeClusterVersions")
def describe_cluster_versions(call: Call) -> Answer:
    """Return the versions that EKS offers; those without support only with ``includeAll`` or by name."""
    if call.get("clusterType", "eks") != "eks":
        return {"clusterVersions": []}
    named = call.get("clusterVersions") or []
    unknown = sorted(set(named) - set(versions()))
    if unknown:
        raise invalid_parameter(f"Unknown Kubernetes versions: {', '.join(unknown)}")
    rows = [_version(version, call.now) for version in versions() if not named or version in named]
    return page(call, [row for row in rows if _wanted(call, row, bool(named))], "clusterVersions")


def _wanted(call: Call, row: dict[str, Any], named: bool) -> bool:
    if call.get("defaultOnly") and not row["defaultVersion"]:
        return False
    if call.get("versionStatus"):
        return bool(row["versionStatus"] == call["versionStatus"])
    if call.get("status"):
        return bool(row["status"] == call["status"])
    return named or call.get("includeAll", False) or row["versionStatus"] != "UNSUPPORTED"


def _version(version: str, now: float) -> dict[str, Any]:
    row, status = versions()[version], support_status(version, now)
    return {
        "clusterVersion": version,
        "clusterType": "eks",
        "defaultPlatformVersion": row["platform"],
        "defaultVersion": version == default_version(),
        "releaseDate": timestamp(row["released"]),
        "endOfStandardSupportDate": timestamp(row["standard_until"]),
        "endOfExtendedSupportDate": timestamp(row["extended_until"]),
        "status": _STATUS[status],
        "versionStatus": status,
        "kubernetesPatchVersion": row["patch"],
        "controlPlaneScalingTiers": [{"tierName": tier} for tier in scaling_tiers()],
    }
