"""Which nodes a cluster is to have: decided from its pools, its nodes and its pods, without doing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .api import Object
from .facts import Subnet
from .fitting import apart, averse, fits, selects, tolerates
from .machines import PODS_PER_NODE, Machine
from .pools import Pool
from .quantities import Amount, requests

FRESH_SECONDS = 4.0
"""For so long the scheduler may not have looked at a new node, so its room counts as promised to pods that wait."""
TRIES = 3
"""New nodes for one pod; what does not run on the third does not wait for a node."""
Zones = Callable[[Object], set[str] | None]


@dataclass
class Standing:
    """A node that there is.

    Attributes:
        age: seconds.
        idle: seconds that no pod but those of DaemonSets was on it; 0 if one is.
        leaving: whether it is being emptied.
    """

    name: str
    pool: tuple[str, str]
    zone: str
    machine: Machine
    version: str
    labels: dict[str, str]
    age: float
    idle: float
    leaving: bool
    pods: list[Object] = field(default_factory=list)


@dataclass
class Planned:
    """A node that there is to be, and the pods that it is made for."""

    pool: Pool
    machine: Machine
    subnet: Subnet
    pods: list[Object] = field(default_factory=list)


@dataclass
class Plan:
    """What is to be done."""

    create: list[Planned] = field(default_factory=list)
    drain: list[str] = field(default_factory=list)


class Planner:
    """Decides for one cluster. It remembers how often it made a node for a pod."""

    def __init__(self) -> None:
        self._tries: dict[str, int] = {}

    def plan(
        self, pools: list[Pool], nodes: list[Standing], waiting: list[Object], daemons: list[Object], zones: Zones
    ) -> Plan:
        """Return what is to be done now.

        Args:
            waiting: the pods for which the scheduler found no node.
            daemons: a pod of each DaemonSet.
            zones: returns where a pod's volumes are.
        """
        plan = Plan()
        for pool in pools:
            own = [node for node in nodes if node.pool == pool.label]
            if pool.replicas is not None:
                _static(pool, own, plan)
            else:
                _consolidate(pool, own, plan)
        known = {pool.label for pool in pools}
        # Those whose pool is gone.
        plan.drain += [node.name for node in nodes if node.pool not in known and not node.leaving]
        self._dynamic([pool for pool in pools if pool.replicas is None], nodes, waiting, daemons, zones, plan)
        return plan

    def _dynamic(
        self,
        pools: list[Pool],
        nodes: list[Standing],
        waiting: list[Object],
        daemons: list[Object],
        zones: Zones,
        plan: Plan,
    ) -> None:
        alive = {str(pod["metadata"]["uid"]) for pod in waiting}
        self._tries = {uid: count for uid, count in self._tries.items() if uid in alive}
        left = _not_promised(waiting, nodes, daemons, zones)
        for pool in pools:
            mine = [pod for pod in left if self._tries.get(str(pod["metadata"]["uid"]), 0) < TRIES]
            served = _fill(pool, nodes, mine, daemons, zones, plan)
            for uid in served:
                self._tries[uid] = self._tries.get(uid, 0) + 1
            left = [pod for pod in left if pod["metadata"]["uid"] not in served]


def _static(pool: Pool, own: list[Standing], plan: Plan) -> None:
    """Bring a pool to its number of nodes; what is of another version is replaced, the new one first."""
    staying = [node for node in own if not node.leaving]
    stale = [node for node in staying if node.version != pool.version]
    most = int(pool.limits.get("nodes", len(own) + (pool.replicas or 0) + 1))
    wanted = (pool.replicas or 0) + (1 if stale and pool.replicas else 0)
    # Those that leave still count against the limit.
    room = most - len(own)
    candidates = pool.candidates() if pool.joins else []
    if candidates:
        for _ in range(max(0, min(wanted - len(staying), room))):
            zone = _rarest_zone(candidates, [*(node.zone for node in staying), *_planned_zones(pool, plan)])
            plan.create.append(Planned(pool, *next(one for one in candidates if one[1].zone == zone)))
    surplus = len(staying) - (pool.replicas or 0)
    first = sorted(staying, key=lambda node: (node.version == pool.version, len(node.pods), -node.age))
    plan.drain += [node.name for node in first[: max(0, surplus)]]


def _planned_zones(pool: Pool, plan: Plan) -> list[str]:
    return [one.subnet.zone for one in plan.create if one.pool.label == pool.label]


def _rarest_zone(candidates: list[tuple[Machine, Subnet]], used: list[str]) -> str:
    zones = sorted({subnet.zone for _machine, subnet in candidates})
    return min(zones, key=lambda zone: (used.count(zone), zone))


def _consolidate(pool: Pool, own: list[Standing], plan: Plan) -> None:
    """Let empty nodes go, and one at a time of another version."""
    if pool.idle_seconds is not None:
        patience = max(pool.idle_seconds, 2 * FRESH_SECONDS)
        plan.drain += [node.name for node in own if not node.leaving and node.idle >= patience]
    if any(node.leaving for node in own):
        return
    stale = [node.name for node in own if node.version != pool.version and node.name not in plan.drain]
    plan.drain += stale[:1]


def _not_promised(waiting: list[Object], nodes: list[Standing], daemons: list[Object], zones: Zones) -> list[Object]:
    """Return the pods that do not find room on nodes which the scheduler has not looked at yet."""
    fresh = [_Room.on(node, daemons) for node in nodes if node.age < FRESH_SECONDS and not node.leaving]
    return [pod for pod in waiting if not any(room.take(pod, zones(pod)) for room in fresh)]


def _fill(
    pool: Pool, nodes: list[Standing], waiting: list[Object], daemons: list[Object], zones: Zones, plan: Plan
) -> set[str]:
    """Plan nodes of a pool for pods, within its limits; return the uids of those that get one."""
    served: set[str] = set()
    candidates = pool.candidates() if pool.joins and waiting else []
    while candidates:
        left = [pod for pod in waiting if pod["metadata"]["uid"] not in served]
        choice = _choose(pool, candidates, nodes, left, daemons, zones, plan)
        if choice is None:
            return served
        plan.create.append(choice)
        served |= {str(pod["metadata"]["uid"]) for pod in choice.pods}
    return served


def _choose(
    pool: Pool,
    candidates: list[tuple[Machine, Subnet]],
    nodes: list[Standing],
    waiting: list[Object],
    daemons: list[Object],
    zones: Zones,
    plan: Plan,
) -> Planned | None:
    """Return the smallest machine that takes all that wait, or the one that takes most."""
    used = [node.zone for node in nodes if node.pool == pool.label] + _planned_zones(pool, plan)
    remaining = _remaining(pool, nodes, plan)
    best: Planned | None = None
    for kind, subnet in sorted(candidates, key=lambda one: (one[0].cpu, one[0].memory, used.count(one[1].zone))):
        if not _within(kind, remaining):
            continue
        labels = pool.labels_on(kind, subnet)
        room = _Room(kind, labels, pool.taints, _overhead(daemons, labels, pool.taints))
        taken = [pod for pod in waiting if room.take(pod, zones(pod))]
        if taken and (best is None or len(taken) > len(best.pods)):
            best = Planned(pool, kind, subnet, taken)
        if best and len(best.pods) == len(waiting):
            break
    return best


def _remaining(pool: Pool, nodes: list[Standing], plan: Plan) -> dict[str, float]:
    """Return what a pool's limits leave; nodes that leave count until they are gone."""
    machines = [node.machine for node in nodes if node.pool == pool.label]
    machines += [one.machine for one in plan.create if one.pool.label == pool.label]
    used = {
        "cpu": 1000.0 * sum(one.cpu for one in machines),
        "memory": float(sum(one.memory for one in machines)),
        "nodes": float(len(machines)),
    }
    return {name: limit - used.get(name, 0.0) for name, limit in pool.limits.items()}


def _within(kind: Machine, remaining: dict[str, float]) -> bool:
    needs = {"cpu": 1000.0 * kind.cpu, "memory": float(kind.memory), "nodes": 1.0}
    return all(needs.get(name, 0.0) <= left for name, left in remaining.items())


def _overhead(daemons: list[Object], labels: dict[str, str], taints: tuple[dict[str, str], ...]) -> list[Object]:
    return [pod for pod in daemons if selects(pod, labels) and tolerates(pod, taints)]


class _Room:
    """What is free on a node."""

    def __init__(
        self, kind: Machine, labels: dict[str, str], taints: tuple[dict[str, str], ...], pods: Iterable[Object]
    ) -> None:
        self._labels, self._taints = labels, taints
        self._cpu, self._memory = kind.allocatable
        self._averse: list[Object] = []
        self._pods: list[Object] = []
        for pod in pods:
            self._add(pod, requests(pod))

    @classmethod
    def on(cls, node: Standing, daemons: list[Object]) -> _Room:
        """Return the room on a node that stands, on which not all pods of DaemonSets need be yet."""
        pods = node.pods or _overhead(daemons, node.labels, ())
        return cls(node.machine, node.labels, (), pods)

    def _add(self, pod: Object, needs: Amount) -> None:
        self._cpu -= needs[0]
        self._memory -= needs[1]
        self._pods.append(pod)
        if averse(pod):
            self._averse.append(pod)

    def take(self, pod: Object, zones: set[str] | None) -> bool:
        """Put a pod there if it goes."""
        needs = requests(pod)
        if needs[0] > self._cpu or needs[1] > self._memory or len(self._pods) >= PODS_PER_NODE:
            return False
        if not fits(pod, self._labels, self._taints, zones):
            return False
        if averse(pod) and any(apart(pod, other) for other in self._pods):
            return False
        if any(apart(other, pod) for other in self._averse):
            return False
        self._add(pod, needs)
        return True
