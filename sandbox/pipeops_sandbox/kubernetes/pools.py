"""Where nodes come from: NodePools of Auto Mode, static or dynamic, and managed node groups, all in one shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .api import Object
from .facts import Facts, Subnet
from .machines import Machine, machine, machines, satisfies
from .quantities import number

POOL_LABEL = "karpenter.sh/nodepool"
GROUP_LABEL = "eks.amazonaws.com/nodegroup"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


@dataclass(frozen=True)
class Pool:
    """A pool.

    Attributes:
        label: what its nodes are known by: the label's key and value.
        replicas: of a static pool; None if pods decide.
        limits: thousandths of a CPU, MiB and nodes at most; what is not limited is not there.
        idle_seconds: after which an empty node goes; None: never.
        subnets: where its nodes can be.
        joins: whether its nodes are let into the cluster.
    """

    label: tuple[str, str]
    labels: dict[str, str]
    taints: tuple[dict[str, str], ...]
    requirements: tuple[dict[str, Any], ...]
    replicas: int | None
    limits: dict[str, float]
    idle_seconds: float | None
    subnets: tuple[Subnet, ...]
    joins: bool
    version: str
    types: tuple[str, ...] = field(default=())
    weight: int = 0

    def candidates(self) -> list[tuple[Machine, Subnet]]:
        """Return the machines that its nodes can be, with where, the smallest first; of equal ones only the first."""
        kinds = [machine(name) for name in self.types] if self.types else machines()
        found, shapes = [], set[tuple[int, int, str, str]]()
        for kind in kinds:
            if not all(satisfies(kind.labels, one) for one in self.requirements if _of_machine(one)):
                continue
            for subnet in self.subnets:
                shape = (kind.cpu, kind.memory, kind.architecture, subnet.zone)
                labels = self.labels_on(kind, subnet)
                if shape not in shapes and all(satisfies(labels, one) for one in self.requirements):
                    shapes.add(shape)
                    found.append((kind, subnet))
        return found

    def labels_on(self, kind: Machine, subnet: Subnet) -> dict[str, str]:
        """Return the labels of a node."""
        base = {
            **kind.labels,
            "kubernetes.io/os": "linux",
            "beta.kubernetes.io/os": "linux",
            "beta.kubernetes.io/arch": kind.architecture,
            "topology.kubernetes.io/zone": subnet.zone,
            "topology.k8s.aws/zone-id": subnet.zone_id,
            "topology.kubernetes.io/region": subnet.zone[:-1],
            "failure-domain.beta.kubernetes.io/zone": subnet.zone,
            "failure-domain.beta.kubernetes.io/region": subnet.zone[:-1],
            self.label[0]: self.label[1],
        }
        if self.label[0] == POOL_LABEL:
            capacity = next((one for one in self.requirements if one["key"] == "karpenter.sh/capacity-type"), {})
            base |= {
                "karpenter.sh/capacity-type": (capacity.get("values") or ["on-demand"])[0],
                "karpenter.sh/registered": "true",
                "karpenter.sh/initialized": "true",
                "eks.amazonaws.com/compute-type": "auto",
            }
        return base | self.labels


def _of_machine(requirement: dict[str, Any]) -> bool:
    return str(requirement["key"]).startswith(("eks.amazonaws.com/instance-", "node.kubernetes.io/instance-type"))


def pools(facts: Facts, node_pools: list[Object], node_classes: list[Object]) -> list[Pool]:
    """Return all pools of a cluster, the heaviest first."""
    classes = {one["metadata"]["name"]: one for one in node_classes}
    found = [_group(facts, document) for document in facts.nodegroups]
    if facts.auto_mode:
        for one in node_pools:
            name = one["spec"]["template"]["spec"]["nodeClassRef"]["name"]
            if name in classes and not one["metadata"].get("deletionTimestamp"):
                found.append(_node_pool(facts, one, classes[name]))
    return sorted(found, key=lambda one: (-one.weight, one.label))


def _node_pool(facts: Facts, pool: Object, node_class: Object) -> Pool:
    spec, template = pool["spec"], pool["spec"]["template"]
    disruption = spec.get("disruption", {})
    role = str(node_class["spec"].get("role") or node_class["spec"].get("instanceProfile") or "")
    limits = {str(name): number(value) for name, value in spec.get("limits", {}).items()}
    limits |= {"cpu": limits["cpu"] * 1000} if "cpu" in limits else {}
    limits |= {"memory": limits["memory"] / 2**20} if "memory" in limits else {}
    return Pool(
        label=(POOL_LABEL, pool["metadata"]["name"]),
        labels={**template.get("metadata", {}).get("labels", {}), "eks.amazonaws.com/nodeclass": _name(node_class)},
        taints=tuple(template["spec"].get("taints", [])),
        requirements=tuple(template["spec"].get("requirements", [])),
        replicas=spec.get("replicas"),
        limits=limits,
        idle_seconds=seconds(disruption.get("consolidateAfter", "0s")),
        subnets=tuple(_selected(facts, node_class["spec"].get("subnetSelectorTerms", []))),
        joins=role in facts.joining,
        version=facts.version,
        weight=int(spec.get("weight", 0)),
    )


def _name(item: Object) -> str:
    return str(item["metadata"]["name"])


def _selected(facts: Facts, terms: list[dict[str, Any]]) -> Iterator[Subnet]:
    """Yield the subnets that a NodeClass selects: any of its terms, each with all that it says."""
    for subnet in facts.subnets.values():
        for term in terms:
            named = term.get("id", subnet.id) == subnet.id
            if named and all(_tagged(subnet, key, value) for key, value in term.get("tags", {}).items()):
                yield subnet
                break


def _tagged(subnet: Subnet, key: str, value: str) -> bool:
    return key in subnet.tags and value in ("*", subnet.tags[key])


def _group(facts: Facts, document: dict[str, Any]) -> Pool:
    sizes = document["scalingConfig"]
    return Pool(
        label=(GROUP_LABEL, document["nodegroupName"]),
        labels={**document["labels"], "eks.amazonaws.com/capacityType": document["capacityType"]},
        taints=tuple(
            {"key": one["key"], "value": one.get("value", ""), "effect": _EFFECTS[one["effect"]]}
            for one in document["taints"]
        ),
        requirements=(),
        replicas=int(sizes["desiredSize"]),
        limits={"nodes": float(sizes["maxSize"]) + 1},
        idle_seconds=None,
        subnets=tuple(facts.subnets[one] for one in document["subnets"] if one in facts.subnets),
        joins=True,
        version=document["releaseVersion"].rpartition("-")[0],
        types=tuple(document.get("instanceTypes") or ("t3.medium",))[:1],
    )


def seconds(text: str) -> float | None:
    """Return a duration such as ``30s`` or ``1h30m``; None for ``Never``."""
    if text == "Never":
        return None
    return sum(float(value) * _SECONDS[unit] for value, unit in _DURATION.findall(text))
