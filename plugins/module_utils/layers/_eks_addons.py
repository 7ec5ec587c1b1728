# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which EKS add-ons a cluster gets, and what their options must be like. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..resources.eks_offers import DEFAULT, LATEST

#: What Auto Mode brings itself: EKS has no nodes for it there (EKS user guide, "workloads-add-ons-available-eks").
PART_OF_AUTO_MODE = frozenset(
    {
        "vpc-cni",
        "kube-proxy",
        "coredns",
        "aws-ebs-csi-driver",
        "eks-pod-identity-agent",
        "eks-node-monitoring-agent",
    }
)
#: What a node cannot become ready without: DaemonSets, which are well before there is any node.
BEFORE_NODES = frozenset({"vpc-cni", "kube-proxy", "eks-pod-identity-agent"})
VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")
NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]*")
#: An add-on of which nothing but its name is said.
PLAIN: Mapping[str, Any] = {
    "version": DEFAULT,
    "configuration": {},
    "namespace": None,
    "resolve_conflicts": "preserve",
    "preserve": False,
    "roles": (),
}
#: What nodes of managed node groups need, with the roles that AWS names for their service accounts.
NEEDED_BY_NODE_GROUPS: Sequence[Mapping[str, Any]] = (
    {"name": "vpc-cni", "roles": [{"service_account": "aws-node", "managed_policies": ["AmazonEKS_CNI_Policy"]}]},
    {"name": "kube-proxy"},
    {"name": "eks-pod-identity-agent"},
    {"name": "coredns"},
    {
        "name": "aws-ebs-csi-driver",
        "roles": [
            {
                "service_account": "ebs-csi-controller-sa",
                "managed_policies": ["service-role/AmazonEBSCSIDriverPolicy"],
            }
        ],
    },
)


def complete(addons: Iterable[Mapping[str, Any]], auto_mode: bool) -> list[dict[str, Any]]:
    """Return all add-ons: those of the list, and those that the nodes cannot do without.

    What the list says of one of the latter counts, but for roles that it leaves out.
    """
    listed = {addon["name"]: {key: value for key, value in addon.items() if value is not None} for addon in addons}
    needed = () if auto_mode else NEEDED_BY_NODE_GROUPS
    first = [{**PLAIN, **addon, **_said(listed.pop(addon["name"], {}))} for addon in needed]
    return [*first, *({**PLAIN, **addon} for addon in listed.values())]


def _said(addon: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in addon.items() if key != "roles" or value}


def addon_problems(addons: Sequence[Mapping[str, Any]], *, auto_mode: bool, irsa: bool) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the list of add-ons: the reason, and the mend."""
    for name, count in Counter(str(addon.get("name")) for addon in addons).items():
        if not NAME.fullmatch(name):
            yield f"{name!r} is no name of an add-on", "Write the name that EKS has for it, e.g. metrics-server."
        if count > 1:
            yield f"{name} is there {count} times", "Join them."
        if auto_mode and name in PART_OF_AUTO_MODE:
            yield (
                f"Auto Mode brings {name} itself, and EKS has no nodes for the add-on",
                f"Take {name} off the list, or set eks_compute to managed_node_groups.",
            )
    for addon in addons:
        yield from _one(addon, irsa)


def _one(addon: Mapping[str, Any], irsa: bool) -> Iterator[tuple[str, str]]:
    name, version, roles = addon.get("name"), addon.get("version") or DEFAULT, addon.get("roles") or []
    if version not in (DEFAULT, LATEST) and not VERSION.fullmatch(str(version)):
        yield (
            f"{version!r} is no version of the add-on {name}",
            "Write default, latest, or a version as EKS lists it, e.g. v1.22.1-eksbuild.1.",
        )
    if irsa and len(roles) > 1:
        yield f"{name} has {len(roles)} roles, and by IRSA EKS gives an add-on one", "Use Pod Identity, or join them."
    for role in roles:
        given = [key for key in ("role_arn", "managed_policies", "inline_policies") if role.get(key)]
        if not given or ("role_arn" in given and len(given) > 1):
            yield (
                f"the role of {role.get('service_account')} in {name} has {' and '.join(given) or 'no policies'}",
                "Give it role_arn, or managed_policies and inline_policies.",
            )
