# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster of an environment: its control plane, the roles that it needs, and who may do what in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..engine.values import Derived, Ref, is_pending
from ..resources.eks_access_entry import EksAccessEntry
from ..resources.eks_cluster import EksCluster
from ..resources.eks_pod_identity import EksPodIdentity
from ..resources.iam_oidc_provider import IamOidcProvider
from ..resources.iam_role import IamRole
from ..resources.iam_workload_role import (
    AUDIENCE,
    IamWorkloadRole,
    irsa_trust,
    pod_identity_trust,
    workload_path,
)
from ..resources.log_group import LogGroup
from ..resources.policies import aws_managed_policy, document, service_trust
from ._eks_rules import NODES, entry_name, problems, role_name
from .kms_keys import USE

CLUSTER = Ref("eks_cluster", "main")
CLUSTER_ROLE, NODE_ROLE = Ref("iam_role", "cluster"), Ref("iam_role", "node")
LOGS = Ref("log_group", "cluster")
PROVIDER = Ref("iam_oidc_provider", "cluster")
#: What EKS needs to run a cluster in Auto Mode (EKS user guide, "Create a cluster with EKS Auto Mode").
CLUSTER_POLICIES = (
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
)
#: What an Auto Mode node needs (same page).
NODE_POLICIES = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
#: What lets an Auto Mode node join the cluster.
NODE_ACCESS = "AmazonEKSAutoNodePolicy"


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return everything that the options ask for.

    Raises:
        PlanRefused: with every reason why that cannot be.
    """
    name = cluster_name(params, context)
    reasons = problems(params, name)
    if reasons:
        raise PlanRefused(reasons)
    return [
        *_roles(params, context, name),
        _log_group(params, context, name),
        _cluster(params, context, name),
        *_access(params, context, name),
        *_provider(params, context),
        *_workload_roles(params, context, name),
        *_pod_identities(params, context, name),
    ]


def cluster_name(params: Mapping[str, Any], context: Context) -> str:
    """Return the name of the cluster, which is that of the environment unless the inventory chose another."""
    return params["cluster_name"] or context.identity.prefix


def _roles(params: Mapping[str, Any], context: Context, name: str) -> list[Wanted]:
    volumes = {"volumes": _volume_policy(context, params["ebs_kms_key_arn"])} if params["ebs_kms_key_arn"] else {}
    cluster = {
        "name": f"{name}-cluster",
        "description": f"EKS runs the cluster {name} with it",
        # Auto Mode tags the sessions in which it acts, and is refused without sts:TagSession.
        "trust": service_trust("eks.amazonaws.com", actions=("sts:AssumeRole", "sts:TagSession")),
        "managed_policies": _managed(context, CLUSTER_POLICIES),
        "inline_policies": volumes,
    }
    node = {
        "name": f"{name}-node",
        "description": f"Nodes of the cluster {name}",
        "trust": service_trust("ec2.amazonaws.com"),
        "managed_policies": _managed(context, NODE_POLICIES),
        "inline_policies": {},
    }
    return [
        Wanted(CLUSTER_ROLE.kind, CLUSTER_ROLE.name, cluster, context.tags(CLUSTER_ROLE.name)),
        Wanted(NODE_ROLE.kind, NODE_ROLE.name, node, context.tags(NODE_ROLE.name)),
    ]


def _managed(context: Context, policies: Sequence[str]) -> list[str]:
    """Return ARNs; a plain name is that of a policy that AWS keeps."""
    partition = context.aws.partition
    return [p if p.startswith("arn:") or is_pending(p) else aws_managed_policy(partition, p) for p in policies]


def _volume_policy(context: Context, key_arn: str) -> dict[str, Any]:
    """Return what Auto Mode needs to make volumes that are encrypted with a key of ours."""
    through_ec2 = {"StringEquals": {"kms:ViaService": f"ec2.{context.region}.amazonaws.com"}}
    key = {"Effect": "Allow", "Resource": key_arn}
    return document(
        {**key, "Action": USE, "Condition": through_ec2},
        {**key, "Action": "kms:CreateGrant", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}},
    )


def _log_group(params: Mapping[str, Any], context: Context, name: str) -> Wanted:
    """Return the group that EKS writes to; made before the cluster, since EKS would make one that keeps for ever."""
    attributes = {"name": f"/aws/eks/{name}/cluster", "retention_days": params["log_retention_days"]}
    return Wanted(LOGS.kind, LOGS.name, attributes, context.tags(LOGS.name))


def _cluster(params: Mapping[str, Any], context: Context, name: str) -> Wanted:
    public, pools = params["endpoint_public_access"], params["builtin_node_pools"]
    attributes = {
        "name": name,
        "version": params["version"],
        "role_arn": Ref(CLUSTER_ROLE.kind, CLUSTER_ROLE.name, "arn"),
        "subnet_ids": params["subnet_ids"],
        "security_group_ids": params["security_group_ids"],
        "endpoint_public_access": public,
        "endpoint_private_access": params["endpoint_private_access"],
        # EKS keeps ranges for an endpoint that is not public, but they mean nothing.
        "public_access_cidrs": params["public_access_cidrs"] if public else None,
        "service_ipv4_cidr": params["service_ipv4_cidr"],
        "kms_key_arn": params["kms_key_arn"],
        "log_types": params["log_types"],
        "authentication_mode": "API",
        "support_type": params["support_type"],
        "deletion_protection": params["deletion_protection"],
        "zonal_shift": params["zonal_shift"],
        "auto_mode": params["auto_mode"],
        "builtin_node_pools": pools,
        "node_role_arn": Ref(NODE_ROLE.kind, NODE_ROLE.name, "arn") if pools else None,
    }
    return Wanted(CLUSTER.kind, CLUSTER.name, attributes, context.tags(CLUSTER.name), (_key(LOGS),))


def _access(params: Mapping[str, Any], context: Context, name: str) -> list[Wanted]:
    """Return who gets in. Nodes get in with a role of a NodeClass of ours only by an entry of ours."""
    node = {
        "principal_arn": context.arn("iam", f"role/{name}-node", region=""),
        "type": "EC2",
        "groups": None,
        "policies": [{"policy_arn": _access_policy(context, NODE_ACCESS), "namespaces": []}],
    }
    nodes = [(NODES, node, (_key(CLUSTER), _key(NODE_ROLE)))] if params["auto_mode"] else []
    others = [(entry_name(entry), _entry(entry, context), (_key(CLUSTER),)) for entry in params["access_entries"]]
    return [
        Wanted("eks_access_entry", entry, {"cluster_name": name, **attributes}, context.tags(entry), after)
        for entry, attributes, after in (*nodes, *others)
    ]


def _entry(entry: Mapping[str, Any], context: Context) -> dict[str, Any]:
    return {
        "principal_arn": entry["principal_arn"],
        "type": entry["type"],
        "groups": entry["groups"] if entry["type"] == "STANDARD" else None,
        "policies": [
            {
                "policy_arn": policy.get("arn") or _access_policy(context, policy["name"]),
                "namespaces": policy["namespaces"],
            }
            for policy in entry["policies"]
        ],
    }


def _access_policy(context: Context, name: str) -> str:
    return f"arn:{context.aws.partition}:eks::aws:cluster-access-policy/{name}"


def _provider(params: Mapping[str, Any], context: Context) -> list[Wanted]:
    if params["workload_identity"] != "irsa":
        return []
    attributes = {"url": Ref(CLUSTER.kind, CLUSTER.name, "oidc_issuer"), "client_ids": [AUDIENCE]}
    return [Wanted(PROVIDER.kind, PROVIDER.name, attributes, context.tags(PROVIDER.name))]


def _workload(role: Mapping[str, Any]) -> str:
    return f"{role['namespace']}/{role['service_account']}"


def _workload_roles(params: Mapping[str, Any], context: Context, name: str) -> list[Wanted]:
    result = []
    for role in params["workload_roles"]:
        workload = _workload(role)
        attributes = {
            "name": role_name(role, name),
            "path": workload_path(context.identity),
            "description": f"Pods of {workload} in the cluster {name}",
            "trust": _trust(params, context, name, role),
            "managed_policies": _managed(context, role["managed_policies"]),
            "inline_policies": role["inline_policies"],
        }
        result.append(Wanted("iam_workload_role", workload, attributes, context.tags(workload)))
    return result


def _trust(params: Mapping[str, Any], context: Context, name: str, role: Mapping[str, Any]) -> Any:
    account = {"namespace": role["namespace"], "service_account": role["service_account"]}
    if params["workload_identity"] == "irsa":
        make = partial(irsa_trust, context.aws.partition, context.aws.account_id, **account)
        return Derived(Ref(PROVIDER.kind, PROVIDER.name, "issuer"), make)
    return pod_identity_trust(context.arn("eks", f"cluster/{name}"), **account)


def _pod_identities(params: Mapping[str, Any], context: Context, name: str) -> list[Wanted]:
    if params["workload_identity"] != "pod_identity":
        return []
    return [
        Wanted(
            "eks_pod_identity",
            _workload(role),
            {
                "cluster_name": name,
                "namespace": role["namespace"],
                "service_account": role["service_account"],
                "role_arn": Ref("iam_workload_role", _workload(role), "arn"),
            },
            context.tags(_workload(role)),
            (_key(CLUSTER),),
        )
        for role in params["workload_roles"]
    ]


def outputs(view: View, _params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what other roles need."""
    cluster, workloads = _key(CLUSTER), view.names("iam_workload_role")
    return {
        "cluster_name": view.get(*cluster, "name"),
        **{
            name: view.get(*cluster, name)
            for name in (
                *("arn", "endpoint", "certificate_authority", "oidc_issuer"),
                *("cluster_security_group_id", "version", "platform_version"),
            )
        },
        "cluster_role_arn": view.get(*_key(CLUSTER_ROLE), "arn"),
        "node_role_name": view.get(*_key(NODE_ROLE), "name"),
        "node_role_arn": view.get(*_key(NODE_ROLE), "arn"),
        "log_group": view.get(*_key(LOGS), "name"),
        "workload_role_arns": {name: view.get("iam_workload_role", name, "arn") for name in workloads},
    }


def _key(ref: Ref) -> tuple[str, str]:
    return ref.kind, ref.name


LAYER = Layer(
    "cluster",
    (
        IamRole(),
        LogGroup(),
        EksCluster(),
        EksAccessEntry(),
        IamOidcProvider(),
        IamWorkloadRole(),
        EksPodIdentity(),
    ),
    build,
    outputs,
    adopts={(CLUSTER.kind, CLUSTER.name): "Set cluster_name (eks_cluster_name) to that of the cluster to take over."},
)
