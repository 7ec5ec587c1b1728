"""Makes and removes a cluster's nodes as planned, and says in the pools' status what there is."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from pipeops_sandbox.runtime import runtime

from .api import Api, ApiError, Object
from .facts import Facts
from .nodes import LEAVING, daemon_pod, node_object, occupies, standing, unschedulable
from .planning import Planned, Planner, Standing
from .pods import now_text
from .pools import POOL_LABEL, Pool, pools
from .volumes import zones_of
from .watching import Mirror, key_of

log = logging.getLogger(__name__)
NODES = "/api/v1/nodes"
NODE_POOLS = "/apis/karpenter.sh/v1/nodepools"
NODE_CLASSES = "/apis/eks.amazonaws.com/v1/nodeclasses"


@dataclass
class Launch:
    """A node on its way: the instance runs, and has not joined. ``due`` is model time."""

    planned: Planned
    node: Object
    due: float


class Provisioner:
    """Keeps the nodes of one cluster.

    Args:
        mirrors: by kind; those used are pods, nodes, daemonsets, claims, volumes, nodepools and nodeclasses.
    """

    def __init__(self, api: Api, mirrors: dict[str, Mirror]) -> None:
        self._api, self._mirrors = api, mirrors
        self._planner = Planner()
        self._launches: list[Launch] = []
        self._made: dict[str, float] = {}
        self._idle_since: dict[str, float] = {}
        self._shown: dict[str, Object] = {}
        self.capacity = False

    def round(self, facts: Facts) -> None:
        """Do what is to be done now."""
        found = pools(facts, self._mirrors["nodepools"].all(), self._mirrors["nodeclasses"].all())
        nodes = self._standing()
        waiting = [pod for pod in self._mirrors["pods"].all() if unschedulable(pod)]
        daemons = [daemon_pod(one) for one in self._mirrors["daemonsets"].all()]
        plan = self._planner.plan(found, nodes, waiting, daemons, self._zones())
        for planned in plan.create:
            delay = runtime.clock.duration("eks:auto_node") if planned.pool.label[0] == POOL_LABEL else 0.0
            node = node_object(planned, facts.region, facts.account)
            self._launches.append(Launch(planned, node, runtime.clock.now() + delay))
        self._join()
        for name in plan.drain:
            self._empty(name)
        for one in nodes:
            if one.leaving:
                self._evict(one)
        self.capacity = any(not node.leaving for node in nodes) or any(
            pool.replicas is None and pool.joins and pool.candidates() for pool in found
        )
        self._show(facts, found, nodes)

    def _standing(self) -> list[Standing]:
        """Return the nodes that there are, those on their way, and those made that the mirror does not show yet."""
        pods: dict[str, list[Object]] = {}
        for pod in self._mirrors["pods"].all():
            if pod["spec"].get("nodeName") and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                pods.setdefault(pod["spec"]["nodeName"], []).append(pod)
        now, there = time.monotonic(), self._mirrors["nodes"].all()
        self._made = {name: at for name, at in self._made.items() if now - at < 2.0}
        busy = {name for name, every in pods.items() if any(occupies(pod) for pod in every)}
        names = {node["metadata"]["name"] for node in there}
        self._idle_since = {name: self._idle_since.get(name, now) for name in names - busy}
        found = [
            standing(node, pods.get(name, []), now - self._idle_since.get(name, now))
            for node in there
            if (name := node["metadata"]["name"])
        ]
        coming = [one.node for one in self._launches if one.node["metadata"]["name"] not in names]
        stamp = now_text()
        return found + [
            standing({**node, "metadata": {**node["metadata"], "creationTimestamp": stamp}}, [], 0.0) for node in coming
        ]

    def _zones(self) -> Any:
        claims = {key_of(one): one for one in self._mirrors["claims"].all()}
        volumes = {key_of(one): one for one in self._mirrors["volumes"].all()}
        return lambda pod: zones_of(pod, claims, volumes)

    def _join(self) -> None:
        """Let those join that are due; one that has joined is remembered until the mirror shows it."""
        for launch in list(self._launches):
            name = launch.node["metadata"]["name"]
            if self._mirrors["nodes"].get(name):
                self._launches.remove(launch)
            elif launch.due <= runtime.clock.now() and name not in self._made:
                self._made[name] = time.monotonic()
                self._api.create(NODES, launch.node)

    def _empty(self, name: str) -> None:
        patch = {"metadata": {"annotations": {LEAVING: now_text()}}, "spec": {"unschedulable": True}}
        self._launches = [one for one in self._launches if one.node["metadata"]["name"] != name]
        self._api.patch(f"{NODES}/{name}", patch)

    def _evict(self, node: Standing) -> None:
        """Evict what a leaving node has, as disruption budgets allow; an empty one goes."""
        left = [pod for pod in node.pods if occupies(pod)]
        for pod in left:
            if pod["metadata"].get("deletionTimestamp"):
                continue
            namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
            eviction = {
                "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace},
            }  # fmt: skip
            try:
                self._api.call("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", eviction)
            except ApiError as error:
                # 429: a disruption budget says not now. 404: it went by itself.
                if error.status not in (404, 409, 429):
                    raise
        if not left:
            self._api.delete(f"{NODES}/{node.name}")

    def _show(self, facts: Facts, found: list[Pool], nodes: list[Standing]) -> None:
        """Bring the status of NodePools and NodeClasses up to date."""
        classes = {one["metadata"]["name"]: one for one in self._mirrors["nodeclasses"].all()}
        usable = {pool.label[1]: bool(pool.subnets) for pool in found if pool.label[0] == POOL_LABEL}
        for pool in self._mirrors["nodepools"].all():
            name = pool["metadata"]["name"]
            own = [node for node in nodes if node.pool == (POOL_LABEL, name)]
            ready = usable.get(name, False)
            status: Object = {"nodes": len(own), "resources": _resources(own)}
            status["conditions"] = _conditions(
                pool, {"NodeClassReady": ready, "ValidationSucceeded": True, "Ready": ready}
            )
            self._tell(f"{NODE_POOLS}/{name}", pool, status)
        for name, item in classes.items():
            good = any(pool.subnets for pool in found if pool.labels.get("eks.amazonaws.com/nodeclass") == name)
            unused = all(pool.labels.get("eks.amazonaws.com/nodeclass") != name for pool in found)
            kinds = {"SubnetsReady": good or unused, "SecurityGroupsReady": True, "Ready": good or unused}
            self._tell(f"{NODE_CLASSES}/{name}", item, {"conditions": _conditions(item, kinds)})

    def _tell(self, path: str, item: Object, status: Object) -> None:
        shown = {key: item.get("status", {}).get(key) for key in status}
        if shown != status and self._shown.get(path) != status:
            self._shown[path] = status
            self._api.patch(f"{path}/status", {"status": status})
        elif shown == status:
            self._shown.pop(path, None)


def _resources(nodes: list[Standing]) -> dict[str, str]:
    machines = [node.machine for node in nodes]
    cpu, memory = sum(one.cpu for one in machines), sum(one.memory for one in machines)
    return {"cpu": str(cpu), "memory": f"{memory}Mi", "nodes": str(len(nodes)), "pods": str(110 * len(nodes))}


def _conditions(item: Object, wanted: dict[str, bool]) -> list[Object]:
    """Return conditions; one that stays as it is keeps the time of its last change."""
    old = {one["type"]: one for one in item.get("status", {}).get("conditions", [])}
    now, generation = now_text(), item["metadata"].get("generation", 1)
    found = []
    for kind, value in wanted.items():
        same = old.get(kind, {}).get("status") == str(value)
        since = old[kind]["lastTransitionTime"] if same else now
        found.append({
            "type": kind, "status": str(value), "reason": kind if value else "NotReady", "message": "",
            "observedGeneration": generation, "lastTransitionTime": since,
        })  # fmt: skip
    return found
