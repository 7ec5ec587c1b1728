"""Access entries that EKS keeps itself: the creator's, the node role's, the cluster role's, its own service's."""

from __future__ import annotations

from typing import Any

from moto.moto_api._internal import mock_random

from .state import AccessEntry, Cluster

POLICY_ARN_PREFIX = "arn:aws:eks::aws:cluster-access-policy/"
CLUSTER_SCOPE: dict[str, Any] = {"type": "cluster", "namespaces": []}

_AUTO_MODE_CLUSTER_POLICIES = (
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
)


def new_entry(cluster: Cluster, principal: str, kind: str, now: float, **members: Any) -> AccessEntry:
    """Build the access entry of a principal (not stored yet)."""
    _arn, _partition, _service, _region, account, resource = principal.split(":", 5)
    identity, path = resource.split("/", 1)
    suffix = f"{cluster.name}/{identity}/{account}/{path.rsplit('/', 1)[-1]}/{mock_random.uuid4()}"
    return AccessEntry(
        {
            "clusterName": cluster.name,
            "principalArn": principal,
            "kubernetesGroups": members.get("groups", []),
            "accessEntryArn": f"arn:{cluster.partition}:eks:{cluster.region}:{cluster.account}:access-entry/{suffix}",
            "createdAt": now,
            "modifiedAt": now,
            "tags": members.get("tags", {}),
            "username": members.get("username") or default_username(principal, kind),
            "type": kind,
        }
    )


def default_username(principal: str, kind: str) -> str:
    """Return the Kubernetes user that a principal becomes if the entry names none."""
    account, resource = principal.split(":", 5)[4:]
    if kind in ("EC2", "EC2_LINUX"):
        return "system:node:{{EC2PrivateDNSName}}"
    if kind == "STANDARD" and resource.startswith("role/"):
        return f"arn:aws:sts::{account}:assumed-role/{resource.rsplit('/', 1)[-1]}/{{{{SessionName}}}}"
    return principal if kind == "STANDARD" else "system:node:{{SessionName}}"


def associated(policy_arn: str, scope: dict[str, Any], now: float) -> dict[str, Any]:
    """Return the association of an access policy with an entry."""
    return {"policyArn": policy_arn, "accessScope": scope, "associatedAt": now, "modifiedAt": now}


def ensure_entry(cluster: Cluster, principal: str, kind: str, now: float, policies: tuple[str, ...]) -> None:
    """Make an access entry with cluster-wide policies unless the principal has one."""
    if principal in cluster.entries:
        return
    entry = new_entry(cluster, principal, kind, now)
    for name in policies:
        arn = POLICY_ARN_PREFIX + name
        entry.policies[arn] = associated(arn, dict(CLUSTER_SCOPE), now)
    cluster.entries[principal] = entry


def refresh_managed_entries(cluster: Cluster, now: float) -> None:
    """Make the entries that EKS keeps for a cluster of this kind; with CONFIG_MAP there are none."""
    if cluster.authentication_mode == "CONFIG_MAP":
        return
    ensure_entry(
        cluster, cluster.service_role, "STANDARD", now, ("AmazonEKSClusterInsightsPolicy", "AmazonEKSEventPolicy")
    )
    if cluster.document["accessConfig"]["bootstrapClusterCreatorAdminPermissions"]:
        ensure_entry(cluster, cluster.creator, "STANDARD", now, ("AmazonEKSClusterAdminPolicy",))
    if not cluster.auto_mode:
        return
    ensure_entry(cluster, cluster.document["roleArn"], "STANDARD", now, _AUTO_MODE_CLUSTER_POLICIES)
    node_role = cluster.document["computeConfig"].get("nodeRoleArn")
    if node_role:
        ensure_entry(cluster, node_role, "EC2", now, ("AmazonEKSAutoNodePolicy",))
