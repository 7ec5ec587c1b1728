# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a cluster that goes to sleep, or wakes: node pools that go, nodes that go with them, nodes that come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.waiting import Progress, wait_until
from .api import Api, object_path
from .manifests import SET_LABEL, Name
from .objects import Outcome

API_VERSION, KIND = "karpenter.sh/v1", "NodePool"
#: The labels by which nodes are known to be of a node pool, or of a managed node group.
POOL, GROUP = "karpenter.sh/nodepool", "eks.amazonaws.com/nodegroup"
#: Seconds for nodes to go, pods' grace included, and for nodes to come.
LEAVE, COME = 180.0, 120.0
MEND = "Look at the node claims (kubectl get nodeclaims), then run the play again: it goes on where this one stopped."


def end_nodes(
    api: Api, set_name: str, groups: Sequence[str], *, check_mode: bool, progress: Progress
) -> tuple[Outcome, list[str]]:
    """Delete the node pools of a set and wait until their nodes and those of node groups are gone.

    Returns:
        What was deleted, and the nodes that are left because other pools than ours made them.
    """
    outcome = Outcome()
    served = api.kind(API_VERSION, KIND)
    for item in _pools(api, served, set_name):
        name = Name.of({**item, "apiVersion": API_VERSION, "kind": KIND})
        if item["metadata"].get("deletionTimestamp"):
            continue
        if served and not check_mode:
            api.delete(object_path(served, API_VERSION, "", name.name))
        outcome.add("delete", name, item, None)
    own = {item["metadata"]["name"] for item in _pools(api, served, set_name)}
    others = {item["metadata"]["name"] for item in _pools(api, served, "")} - own
    if not check_mode:
        _await_none(api, others, groups, progress)
    return outcome, [name for name, item in _nodes(api) if not _ours(item, others, groups)]


def await_nodes(api: Api, minimum: int, progress: Progress) -> int:
    """Wait until at least so many nodes are ready, and return how many there are."""

    def check() -> tuple[int | None, str]:
        ready = sum(_is_ready(item) for _name, item in _nodes(api))
        return (ready if ready >= minimum else None), f"{ready} of {minimum} ready"

    return wait_until(check, f"nodes of {api.where}", COME, api.patience, progress, MEND)


def ready_nodes(api: Api) -> int:
    """Return how many nodes are ready now."""
    return sum(_is_ready(item) for _name, item in _nodes(api))


def _pools(api: Api, served: Mapping[str, Any] | None, set_name: str) -> list[dict[str, Any]]:
    if served is None:
        return []
    query = {"labelSelector": f"{SET_LABEL}={set_name}"} if set_name else {}
    return list((api.get(object_path(served, API_VERSION, ""), **query) or {}).get("items", []))


def _nodes(api: Api) -> list[tuple[str, dict[str, Any]]]:
    items = (api.get("/api/v1/nodes") or {}).get("items", [])
    return sorted((item["metadata"]["name"], item) for item in items)


def _ours(node: Mapping[str, Any], others: set[str], groups: Sequence[str]) -> bool:
    """Tell whether a node is one that goes: of one of our pools, there or gone by now, or of a named node group."""
    labels = node["metadata"].get("labels", {})
    return (POOL in labels and labels[POOL] not in others) or labels.get(GROUP) in groups


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = {one["type"]: one["status"] for one in node.get("status", {}).get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["metadata"].get("deletionTimestamp")


def _await_none(api: Api, others: set[str], groups: Sequence[str], progress: Progress) -> None:
    def check() -> tuple[bool | None, str]:
        left = {name: item for name, item in _nodes(api) if _ours(item, others, groups)}
        leaving = {name for name, item in left.items() if _is_leaving(item)}
        held = _release(api, leaving) if leaving else 0
        return (True if not left else None), f"{len(left)} left, {held} pods on them"

    wait_until(check, f"the end of the nodes of {api.where}", LEAVE, api.patience, progress, MEND)


def _is_leaving(node: Mapping[str, Any]) -> bool:
    return bool(node["metadata"].get("deletionTimestamp") or node["spec"].get("unschedulable"))


def _release(api: Api, leaving: set[str]) -> int:
    """Delete the pods of nodes that leave, and return how many there were.

    A drain evicts them as disruption budgets allow, and these allow none where no other node can take the next pod:
    nodes would be held, and paid, until their grace of an hour is over.
    """
    pods = [pod for pod in (api.get("/api/v1/pods") or {}).get("items", []) if pod["spec"].get("nodeName") in leaving]
    held = [pod for pod in pods if _holds_a_node(pod)]
    for pod in held:
        if not pod["metadata"].get("deletionTimestamp"):
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            api.delete(f"/api/v1/namespaces/{namespace}/pods/{name}")
    return len(held)


def _holds_a_node(pod: Mapping[str, Any]) -> bool:
    """Tell whether a drain waits for a pod: not for those of DaemonSets, static ones, or such as have ended."""
    owners = {owner["kind"] for owner in pod["metadata"].get("ownerReferences", [])}
    static = "kubernetes.io/config.mirror" in pod["metadata"].get("annotations", {})
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not (owners & {"DaemonSet", "Node"} or static or ended)
