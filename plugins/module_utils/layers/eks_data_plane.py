# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What works in a cluster that stands: its EKS add-ons, and managed node groups where EKS does not run the nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Key, Observed, Wanted
from ..engine.values import Derived, Ref, is_pending
from ..resources.ec2_launch_template import Ec2LaunchTemplate
from ..resources.eks_addon import TAG_PRESERVE, EksAddon
from ..resources.eks_node_group import KEEP, EksNodeGroup
from ..resources.eks_offers import EksOffers, choose
from ..resources.eks_parts import OFFERS
from ..resources.iam_role import IamRole
from ..resources.iam_workload_role import IamWorkloadRole, irsa_trust, pod_identity_trust, workload_path
from ..resources.policies import aws_managed_policy, service_trust
from ._eks_addons import BEFORE_NODES, addon_problems, complete
from ._eks_nodes import group_name, machine, share
from ._eks_rules import LONGEST_ROLE_NAME

OFFER = Ref(*OFFERS, "offers")
WORKER, TEMPLATE = Ref("iam_role", "worker"), Ref("ec2_launch_template", "worker")
#: What a node of a managed node group needs; its pods get addresses by the role of vpc-cni.
WORKER_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
#: The namespace of an add-on's service accounts that no option names: that of all add-ons that AWS makes but a few.
SYSTEM = "kube-system"


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return everything that the options ask for.

    Raises:
        PlanRefused: with every reason why that cannot be.
    """
    reasons = list(_problems(params, context)) if params["state"] == "present" else []
    if reasons:
        raise PlanRefused(reasons)
    cluster = params["cluster_name"] or context.identity.prefix
    addons = complete(params["addons"], params["auto_mode"])
    nodes = [] if params["auto_mode"] else _nodes(params, context, cluster, addons)
    groups = tuple(item.key for item in nodes if item.kind == "eks_node_group")
    return [
        _offers(params, cluster, addons),
        *(role for addon in addons for role in _roles(params, context, cluster, addon)),
        *(_addon(params, context, cluster, addon, groups) for addon in addons),
        *nodes,
    ]


def _problems(params: Mapping[str, Any], context: Context) -> Iterator[str]:
    cluster = params["cluster_name"] or context.identity.prefix
    auto_mode, irsa = params["auto_mode"], params["workload_identity"] == "irsa"
    for reason, mend in addon_problems(params["addons"], auto_mode=auto_mode, irsa=irsa):
        yield f"addons: {reason}. {mend}"
    for addon in complete(params["addons"], auto_mode):
        for name in (_role_name(cluster, addon, role) for role in addon["roles"] if not role.get("role_arn")):
            if len(name) > LONGEST_ROLE_NAME:
                yield f"addons has a role named {name!r}, and IAM takes {LONGEST_ROLE_NAME} characters. Set role_name."
    if irsa and not params["oidc_issuer"] and any(addon["roles"] for addon in complete(params["addons"], auto_mode)):
        yield "workload_identity is irsa, but oidc_issuer is empty. Pass the issuer of the cluster."
    if auto_mode:
        return
    if not params["zones"] or len(params["zones"]) != len(params["subnet_ids"]):
        yield (
            f"There are {len(params['zones'])} zones and {len(params['subnet_ids'])} subnet_ids. Name one subnet for "
            "each zone, in the same order."
        )
    if not 0 < params["node_minimum"] <= params["node_maximum"]:
        yield (
            f"node_minimum is {params['node_minimum']}, node_maximum {params['node_maximum']}. Set a minimum of at "
            "least 1, and a maximum that is no less."
        )
    if not params["instance_types"]:
        yield "instance_types is empty, so no node could start. Name at least one."


def _offers(params: Mapping[str, Any], cluster: str, addons: Sequence[Mapping[str, Any]]) -> Wanted:
    attributes = {
        "cluster_name": cluster,
        "kubernetes_version": params["kubernetes_version"],
        "addons": [addon["name"] for addon in addons],
    }
    return Wanted(*OFFERS, attributes)


def _namespace(addon: Mapping[str, Any]) -> str:
    return str(addon.get("namespace") or SYSTEM)


def _role_name(cluster: str, addon: Mapping[str, Any], role: Mapping[str, Any]) -> str:
    return str(role.get("role_name") or f"{cluster}-{_namespace(addon)}-{role['service_account']}")


def _roles(params: Mapping[str, Any], context: Context, cluster: str, addon: Mapping[str, Any]) -> Iterator[Wanted]:
    """Yield the roles that are made for an add-on; those given by their ARN are somebody else's."""
    for role in addon["roles"]:
        if role.get("role_arn"):
            continue
        workload = f"{_namespace(addon)}/{role['service_account']}"
        account = {"namespace": _namespace(addon), "service_account": role["service_account"]}
        partition = context.aws.partition
        policies = role.get("managed_policies") or []
        attributes = {
            "name": _role_name(cluster, addon, role),
            "path": workload_path(context.identity),
            "description": f"The add-on {addon['name']} of the cluster {cluster}",
            "trust": _trust(params, context, cluster, account),
            "managed_policies": [p if p.startswith("arn:") else aws_managed_policy(partition, p) for p in policies],
            "inline_policies": role.get("inline_policies") or {},
        }
        yield Wanted("iam_workload_role", workload, attributes, context.tags(workload))


def _trust(params: Mapping[str, Any], context: Context, cluster: str, account: Mapping[str, str]) -> dict[str, Any]:
    if params["workload_identity"] == "irsa":
        issuer = str(params["oidc_issuer"]).removeprefix("https://")
        return irsa_trust(context.aws.partition, context.aws.account_id, issuer, **account)
    return pod_identity_trust(context.arn("eks", f"cluster/{cluster}"), **account)


def _addon(
    params: Mapping[str, Any], context: Context, cluster: str, addon: Mapping[str, Any], groups: tuple[Key, ...]
) -> Wanted:
    name = addon["name"]
    arns = [(role["service_account"], _role_arn(addon, role)) for role in addon["roles"]]
    irsa = params["workload_identity"] == "irsa"
    attributes = {
        "cluster_name": cluster,
        "version": Derived(OFFER, partial(_version, name, addon["version"])),
        "namespace": addon["namespace"],
        "configuration": addon["configuration"],
        "service_account_role_arn": arns[0][1] if irsa and arns else None,
        "pod_identities": None if irsa else [{"service_account": one, "role_arn": arn} for one, arn in arns],
        "resolve_conflicts": addon["resolve_conflicts"],
        "auto_mode": params["auto_mode"],
        "condition": "sound",
    }
    more = {TAG_PRESERVE: str(addon["preserve"]).lower()}
    after = () if name in BEFORE_NODES else groups
    return Wanted("eks_addon", name, attributes, context.tags(name, **more), after)


def _version(name: str, wanted: str, offers: Mapping[str, Any]) -> str:
    return choose(offers[name], wanted)


def _role_arn(addon: Mapping[str, Any], role: Mapping[str, Any]) -> Any:
    own = Ref("iam_workload_role", f"{_namespace(addon)}/{role['service_account']}", "arn")
    return role.get("role_arn") or own


def _nodes(
    params: Mapping[str, Any], context: Context, cluster: str, addons: Sequence[Mapping[str, Any]]
) -> list[Wanted]:
    """Return one group a zone, and what its nodes are made with."""
    role = {
        "name": f"{cluster}-worker",
        "description": f"Nodes of managed node groups of the cluster {cluster}",
        "trust": service_trust("ec2.amazonaws.com"),
        "managed_policies": [aws_managed_policy(context.aws.partition, name) for name in WORKER_POLICIES],
        "inline_policies": {},
    }
    own = {"Name": f"{cluster}-worker", **context.identity.tags(f"{context.layer}/worker")}
    data = machine(params["ami_type"], params["node_disk_gib"], params["kms_key_arn"], own, cluster)
    before = tuple(("eks_addon", addon["name"]) for addon in addons if addon["name"] in BEFORE_NODES)
    # A removal need not know where nodes are: groups are found by their tags.
    zones = dict(zip(params["zones"], params["subnet_ids"], strict=params["state"] == "present"))
    bounds = share(params["node_minimum"], params["node_maximum"], list(zones))
    return [
        Wanted(WORKER.kind, WORKER.name, role, context.tags(WORKER.name)),
        Wanted(TEMPLATE.kind, TEMPLATE.name, {"name": f"{cluster}-worker", "data": data}, context.tags(TEMPLATE.name)),
        *(_group(params, context, cluster, zone, zones[zone], bounds[zone], data, before) for zone in bounds),
    ]


def _group(
    params: Mapping[str, Any],
    context: Context,
    cluster: str,
    zone: str,
    subnet_id: str,
    bounds: tuple[int, int],
    data: Mapping[str, Any],
    before: tuple[Key, ...],
) -> Wanted:
    made_with = {
        "node_role_arn": Ref(WORKER.kind, WORKER.name, "arn"),
        "launch_template_id": Ref(TEMPLATE.kind, TEMPLATE.name),
        "launch_template_version": Ref(TEMPLATE.kind, TEMPLATE.name, "version"),
        "template": data,
    }
    attributes = {
        **_machines(params),
        **made_with,
        "cluster_name": cluster,
        "name": group_name(cluster, zone, params["node_revision"]),
        "version": None if params["node_version_rule"] == KEEP else params["kubernetes_version"],
        "version_rule": params["node_version_rule"],
        "subnet_ids": [subnet_id],
        "minimum": bounds[0],
        "maximum": bounds[1],
        "labels": {"pipeops.platform/pool": "base"},
        "max_unavailable": 1,
        "condition": "sound",
    }
    return Wanted("eks_node_group", zone, attributes, context.tags(zone), before)


def _machines(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "release_version": params["node_release_version"],
        "instance_types": params["instance_types"],
        "ami_type": params["ami_type"],
        "capacity_type": "ON_DEMAND",
    }


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what other roles need."""
    return {
        "addons": {
            name: {
                "version": view.get("eks_addon", name, "version"),
                "role_arns": _role_arns(view.get("eks_addon", name, "pod_identities")),
            }
            for name in view.names("eks_addon")
        },
        "node_groups": {
            zone: {name: view.get("eks_node_group", zone, name) for name in ("name", "minimum", "maximum")}
            for zone in view.names("eks_node_group")
        },
        "worker_role_arn": view.get(WORKER.kind, WORKER.name, "arn"),
    }


def _role_arns(identities: Any) -> dict[str, Any]:
    """Return the role of each service account; those that sign in otherwise, or that nobody can know yet, have none."""
    return {} if is_pending(identities) else {one["service_account"]: one["role_arn"] for one in identities or ()}


def report(
    _params: Mapping[str, Any], _before: Mapping[Key, Observed], after: Mapping[Key, Observed]
) -> dict[str, Any]:
    """Return what ails add-ons and node groups, in EKS's words."""
    issues = {"/".join(key): item.get("failure") for key, item in after.items() if item.get("failure")}
    return {"health": issues}


LAYER = Layer(
    "data-plane",
    (EksOffers(), IamRole(), IamWorkloadRole(), Ec2LaunchTemplate(), EksAddon(), EksNodeGroup()),
    build,
    outputs,
    report=report,
)
