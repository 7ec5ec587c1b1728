"""Access entries and the access policies associated with them."""

from __future__ import annotations

import copy
import re
from typing import Any

from .call import Answer, Call, in_use, invalid_parameter, invalid_request, not_found, operation, page
from .managed_entries import POLICY_ARN_PREFIX, associated, default_username, new_entry
from .principals import require_principal
from .state import AccessEntry, Cluster, find_cluster, state_of
from .tags import check_tags
from .tokens import forget_answers_about
from .updates import require_active

NODE_TYPES = ("EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX")
_WITH_POLICIES = ("STANDARD", "EC2")
_NAMESPACE = re.compile(r"\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?\*?")

ACCESS_POLICIES = tuple(
    f"AmazonEKS{name}Policy"
    for name in (
        "Admin", "AdminView", "AutoNode", "BlockStorage", "BlockStorageCluster", "ClusterAdmin", "ClusterInsights",
        "Compute", "ComputeCluster", "Edit", "Event", "Hybrid", "LoadBalancing", "LoadBalancingCluster",
        "Networking", "NetworkingCluster", "View",
    )
)  # fmt: skip
"""Names as in the EKS user guide, "access-policy-permissions"; those for hardware we never use are left out."""


def _cluster(call: Call) -> Cluster:
    """Return the cluster of a request, if it lets IAM principals in through access entries.

    Raises:
        AwsError: ResourceNotFoundException, or InvalidRequestException for a cluster that is not up
            or whose authentication mode is CONFIG_MAP.
    """
    cluster = find_cluster(call, call["clusterName"])
    if cluster.authentication_mode == "CONFIG_MAP":
        raise invalid_request(
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] "
            "to perform this operation.",
            clusterName=cluster.name,
        )
    return cluster


def _changeable(call: Call) -> Cluster:
    cluster = _cluster(call)
    require_active(cluster, call.now)
    if ":role/aws-service-role/" in call["principalArn"]:
        raise invalid_parameter(
            "The caller is not allowed to modify access entries with a principalArn value of a Service Linked Role.",
            clusterName=cluster.name,
        )
    return cluster


def _entry(cluster: Cluster, principal: str) -> AccessEntry:
    entry = cluster.entries.get(principal)
    if entry is None:
        raise not_found(
            f"The specified principalArn could not be found. You must specify a principalArn "
            f"with an access entry in cluster {cluster.name}, not {principal}.",
            clusterName=cluster.name,
        )
    return entry


@operation("CreateAccessEntry")
def create_access_entry(call: Call) -> Answer:
    """Let an IAM principal into a cluster."""
    cluster, principal = _changeable(call), call["principalArn"]
    kind = call.get("type", "STANDARD")
    require_principal(call, cluster.name, principal)
    if principal in cluster.entries:
        raise in_use("The specified access entry resource is already in use on this cluster.", clusterName=cluster.name)
    _check_type(cluster, kind, principal)
    _check_names(call, cluster, kind)
    tags = dict(call.get("tags", {}))
    check_tags(tags)
    groups, username = list(call.get("kubernetesGroups", [])), call.get("username")
    entry = new_entry(cluster, principal, kind, call.now, groups=groups, tags=tags, username=username)
    cluster.entries[principal] = entry
    return {"accessEntry": copy.deepcopy(entry.document)}


def _check_type(cluster: Cluster, kind: str, principal: str) -> None:
    if kind not in ("STANDARD", *NODE_TYPES):
        raise invalid_parameter(f"The type {kind} of the access entry is not valid", clusterName=cluster.name)
    if kind in NODE_TYPES and ":role/" not in principal:
        raise invalid_parameter(f"An access entry of type {kind} takes an IAM role only", clusterName=cluster.name)


def _check_names(call: Call, cluster: Cluster, kind: str) -> None:
    groups, username = call.get("kubernetesGroups") or [], call.get("username")
    if kind in NODE_TYPES and (groups or username):
        raise invalid_parameter(
            f"You cannot set kubernetesGroups or username for access entries of type {kind}", clusterName=cluster.name
        )
    for name in [*groups, *([username] if username else [])]:
        if name.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
            raise invalid_parameter(
                f"The name {name} begins with a prefix that Kubernetes or AWS reserves", clusterName=cluster.name
            )


@operation("DescribeAccessEntry")
def describe_access_entry(call: Call) -> Answer:
    """Return an access entry."""
    return {"accessEntry": copy.deepcopy(_entry(_cluster(call), call["principalArn"]).document)}


@operation("ListAccessEntries")
def list_access_entries(call: Call) -> Answer:
    """Return the principals of a cluster, or of those with one access policy."""
    policy = call.get("associatedPolicyArn")
    entries = _cluster(call).entries
    return page(
        call, sorted(arn for arn, entry in entries.items() if not policy or policy in entry.policies), "accessEntries"
    )


@operation("UpdateAccessEntry")
def update_access_entry(call: Call) -> Answer:
    """Change groups or user name of an entry; its type and its principal stay."""
    cluster = _changeable(call)
    entry = _entry(cluster, call["principalArn"])
    kind = entry.document["type"]
    _check_names(call, cluster, kind)
    if call.get("kubernetesGroups") is not None:
        entry.document["kubernetesGroups"] = list(call["kubernetesGroups"])
    if call.get("username") is not None:
        entry.document["username"] = call["username"] or default_username(call["principalArn"], kind)
    entry.document["modifiedAt"] = call.now
    return {"accessEntry": copy.deepcopy(entry.document)}


@operation("DeleteAccessEntry")
def delete_access_entry(call: Call) -> Answer:
    """Take an entry and its access policies away."""
    cluster = _changeable(call)
    entry = _entry(cluster, call["principalArn"])
    del cluster.entries[call["principalArn"]]
    forget_answers_about(state_of(call), entry.document["accessEntryArn"])
    return {}


@operation("AssociateAccessPolicy")
def associate_access_policy(call: Call) -> Answer:
    """Give an entry an access policy, or the one it has another scope."""
    cluster = _changeable(call)
    entry, policy = _entry(cluster, call["principalArn"]), call["policyArn"]
    _check_policy(cluster, entry, policy)
    scope = _scope(cluster, call["accessScope"])
    held = entry.policies.get(policy)
    entry.policies[policy] = associated(policy, scope, call.now)
    if held:
        entry.policies[policy]["associatedAt"] = held["associatedAt"]
    return {
        "clusterName": cluster.name,
        "principalArn": call["principalArn"],
        "associatedAccessPolicy": entry.policies[policy],
    }


def _check_policy(cluster: Cluster, entry: AccessEntry, policy: str) -> None:
    if policy.removeprefix(POLICY_ARN_PREFIX) not in ACCESS_POLICIES:
        raise invalid_parameter(f"The policyArn {policy} is not an EKS access policy", clusterName=cluster.name)
    kind = entry.document["type"]
    if kind not in _WITH_POLICIES:
        raise invalid_request(
            f"Access policies cannot be associated with an access entry of type {kind}", clusterName=cluster.name
        )


def _scope(cluster: Cluster, given: dict[str, Any]) -> dict[str, Any]:
    """Return the scope of an association: the cluster, or the namespaces that are named."""
    kind, namespaces = given.get("type", "cluster"), list(given.get("namespaces") or [])
    if (kind == "namespace") != bool(namespaces):
        raise invalid_parameter(
            "accessScope: namespaces must be given with type namespace, and only then", clusterName=cluster.name
        )
    for namespace in namespaces:
        if not _NAMESPACE.fullmatch(namespace):
            raise invalid_parameter(f"accessScope: {namespace} is not a namespace", clusterName=cluster.name)
    return {"type": kind, "namespaces": namespaces}


@operation("DisassociateAccessPolicy")
def disassociate_access_policy(call: Call) -> Answer:
    """Take an access policy from an entry."""
    cluster = _changeable(call)
    entry = _entry(cluster, call["principalArn"])
    if entry.policies.pop(call["policyArn"], None) is None:
        raise not_found(
            f"The access policy {call['policyArn']} is not associated with {call['principalArn']}",
            clusterName=cluster.name,
        )
    return {}


@operation("ListAssociatedAccessPolicies")
def list_associated_access_policies(call: Call) -> Answer:
    """Return the access policies of an entry."""
    entry = _entry(_cluster(call), call["principalArn"])
    policies = [copy.deepcopy(entry.policies[arn]) for arn in sorted(entry.policies)]
    answer = page(call, policies, "associatedAccessPolicies")
    return {"clusterName": call["clusterName"], "principalArn": call["principalArn"], **answer}


@operation("ListAccessPolicies")
def list_access_policies(call: Call) -> Answer:
    """Return all access policies that there are."""
    return page(call, [{"name": name, "arn": POLICY_ARN_PREFIX + name} for name in ACCESS_POLICIES], "accessPolicies")
