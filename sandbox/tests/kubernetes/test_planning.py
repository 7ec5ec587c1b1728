"""Which nodes there are to be: bounds above all."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from pipeops_sandbox.kubernetes.facts import Facts, Subnet
from pipeops_sandbox.kubernetes.machines import machine
from pipeops_sandbox.kubernetes.planning import Plan, Planner, Standing
from pipeops_sandbox.kubernetes.pools import POOL_LABEL, Pool, pools, seconds

ZONES = ("us-west-2a", "us-west-2b", "us-west-2c")
_numbers = itertools.count(1)


def facts(**changes: Any) -> Facts:
    subnets = {f"subnet-{n}": Subnet(f"subnet-{n}", zone, f"usw2-az{n}", {}) for n, zone in enumerate(ZONES, 1)}
    known: dict[str, Any] = {
        "name": "prod", "region": "us-west-2", "account": "123456789012", "version": "1.36.3", "auto_mode": True,
        "built_in": (), "node_role": "", "subnets": subnets, "own": tuple(subnets), "joining": frozenset({"node"}),
    }  # fmt: skip
    return Facts(**known | changes)


def node_class(name: str = "own", role: str = "node") -> dict[str, Any]:
    terms = [{"id": f"subnet-{n}"} for n in (1, 2, 3)]
    return {"metadata": {"name": name}, "spec": {"role": role, "subnetSelectorTerms": terms}}


def node_pool(name: str, types: tuple[str, ...] = ("m5.large", "m5.xlarge"), **spec: Any) -> dict[str, Any]:
    requirements = [{"key": "node.kubernetes.io/instance-type", "operator": "In", "values": list(types)}]
    template = {"spec": {"nodeClassRef": {"name": "own"}, "requirements": requirements}}
    return {
        "metadata": {"name": name},
        "spec": {"template": template, "disruption": {"consolidateAfter": "30s"}} | spec,
    }


def the_pool(*given: dict[str, Any], **changes: Any) -> list[Pool]:
    return pools(facts(**changes), list(given), [node_class()])


def pod(cpu: str = "500m", memory: str = "256Mi", **spec: Any) -> dict[str, Any]:
    number = next(_numbers)
    container = {"name": "app", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
    metadata = {"name": f"p{number}", "namespace": "default", "uid": f"u{number}", "labels": {"app": "web"}}
    return {"metadata": metadata, "spec": {"containers": [container]} | spec}


def node(pool: str, kind: str = "m5.large", zone: str = ZONES[0], **changes: Any) -> Standing:
    known: dict[str, Any] = {
        "name": f"i-{next(_numbers)}", "pool": (POOL_LABEL, pool), "zone": zone, "machine": machine(kind),
        "version": "1.36.3", "labels": {}, "age": 60.0, "idle": 0.0, "leaving": False,
    }  # fmt: skip
    return Standing(**known | changes)


def plan(given: list[Pool], nodes: list[Standing], waiting: list[Any], planner: Planner | None = None) -> Plan:
    return (planner or Planner()).plan(given, nodes, waiting, [], lambda _pod: None)


def test_a_static_pool_has_its_replicas_spread_over_zones() -> None:
    made = plan(the_pool(node_pool("base", replicas=3, limits={"nodes": "4"})), [], [])
    assert sorted(one.subnet.zone for one in made.create) == list(ZONES)
    assert {one.machine.name for one in made.create} == {"m5.large"}
    assert plan(the_pool(node_pool("base", replicas=3)), [node("base"), node("base"), node("base")], []) == Plan()


def test_a_static_pool_shrinks_by_its_emptiest_nodes() -> None:
    busy, empty = node("base", pods=[pod()]), node("base")
    assert plan(the_pool(node_pool("base", replicas=1)), [busy, empty], []).drain == [empty.name]


def test_a_static_pool_replaces_old_nodes_the_new_one_first_and_within_its_limit() -> None:
    old, new = node("base", version="1.35.6"), node("base")
    made = plan(the_pool(node_pool("base", replicas=2, limits={"nodes": "3"})), [old, new], [])
    assert (len(made.create), made.drain) == (1, [])
    made = plan(the_pool(node_pool("base", replicas=2, limits={"nodes": "3"})), [old, new, node("base")], [])
    assert (made.create, made.drain) == ([], [old.name])
    assert plan(the_pool(node_pool("base", replicas=2, limits={"nodes": "2"})), [old, new], []) == Plan()


def test_a_dynamic_pool_has_no_nodes_without_pods() -> None:
    assert plan(the_pool(node_pool("burst")), [], []) == Plan()


def test_pods_get_the_smallest_machine_that_takes_them_all() -> None:
    made = plan(the_pool(node_pool("burst")), [], [pod("500m") for _ in range(3)])
    assert [one.machine.name for one in made.create] == ["m5.large"]
    made = plan(the_pool(node_pool("burst")), [], [pod("500m") for _ in range(7)])
    assert [one.machine.name for one in made.create] == ["m5.xlarge"]


@pytest.mark.parametrize(
    ("limits", "nodes"),
    [({"cpu": "8"}, 2), ({"nodes": "3"}, 3), ({"memory": "40Gi"}, 2), ({"cpu": "8", "nodes": "1"}, 1)],
)
def test_limits_hold_however_many_pods_wait(limits: dict[str, str], nodes: int) -> None:
    given, planner = the_pool(node_pool("burst", ("m5.xlarge",), limits=limits)), Planner()
    waiting = [pod("900m") for _ in range(200)]
    standing: list[Standing] = []
    for _ in range(5):
        made = plan(given, standing, waiting, planner)
        standing += [node("burst", one.machine.name) for one in made.create]
    assert len(standing) == nodes


def test_nodes_that_leave_count_until_they_are_gone() -> None:
    leaving = node("burst", leaving=True)
    assert plan(the_pool(node_pool("burst", limits={"nodes": "1"})), [leaving], [pod()]).create == []
    assert (
        plan(the_pool(node_pool("base", replicas=1, limits={"nodes": "1"})), [node("base", leaving=True)], []) == Plan()
    )


def test_a_fresh_node_is_waited_for_before_another_is_made() -> None:
    given, waiting = the_pool(node_pool("burst")), [pod()]
    labels = given[0].labels_on(machine("m5.large"), given[0].subnets[0])
    assert plan(given, [node("burst", age=1.0, labels=labels)], waiting).create == []
    assert len(plan(given, [node("burst", age=9.0, labels=labels)], waiting).create) == 1


def test_a_pod_that_no_node_helps_gets_no_nodes_without_end() -> None:
    given, planner, waiting = the_pool(node_pool("burst")), Planner(), [pod()]
    standing: list[Standing] = []
    for _ in range(10):
        standing += [node("burst") for _ in plan(given, standing, waiting, planner).create]
    assert len(standing) == 3


def test_pods_that_do_not_fit_the_pool_get_nothing() -> None:
    given = the_pool(node_pool("burst"))
    misfits = [
        pod("64"),
        pod(nodeSelector={"disk": "ssd"}),
        pod(nodeSelector={"kubernetes.io/arch": "arm64"}),
        pod(nodeSelector={"topology.kubernetes.io/zone": "us-west-2d"}),
    ]
    assert plan(given, [], misfits).create == []


def test_taints_keep_pods_away_unless_they_tolerate_them() -> None:
    taint = {"key": "CriticalAddonsOnly", "effect": "NoSchedule"}
    wanted = node_pool("system")
    wanted["spec"]["template"]["spec"]["taints"] = [taint]
    assert plan(the_pool(wanted), [], [pod()]).create == []
    tolerating = pod(tolerations=[{"key": "CriticalAddonsOnly", "operator": "Exists"}])
    assert len(plan(the_pool(wanted), [], [tolerating]).create) == 1


def test_replicas_that_must_not_share_a_host_get_a_node_each() -> None:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    made = plan(the_pool(node_pool("burst")), [], [pod("100m", affinity=apart) for _ in range(3)])
    assert [len(one.pods) for one in made.create] == [1, 1, 1]
    assert len({one.subnet.zone for one in made.create}) == 3


def test_empty_nodes_go_after_their_time() -> None:
    given = the_pool(node_pool("burst"))
    assert plan(given, [node("burst", idle=29.0)], []).drain == []
    idle = node("burst", idle=31.0)
    assert plan(given, [idle, node("burst", idle=40.0, leaving=True)], []).drain == [idle.name]
    never = the_pool(node_pool("burst", disruption={"consolidateAfter": "Never"}))
    assert plan(never, [node("burst", idle=9999.0)], []).drain == []


def test_nodes_of_a_role_without_access_entry_never_join() -> None:
    given = the_pool(node_pool("base", replicas=2), node_pool("burst"), joining=frozenset())
    assert plan(given, [], [pod()]) == Plan()


def test_nodes_of_a_pool_that_is_gone_leave() -> None:
    orphan = node("deleted")
    assert plan(the_pool(node_pool("base", replicas=0)), [orphan], []).drain == [orphan.name]


def test_a_node_group_has_its_desired_size() -> None:
    group = {
        "nodegroupName": "zone-a", "scalingConfig": {"minSize": 1, "maxSize": 4, "desiredSize": 2}, "labels": {},
        "taints": [{"key": "own", "value": "x", "effect": "NO_SCHEDULE"}], "capacityType": "ON_DEMAND",
        "subnets": ["subnet-1"], "releaseVersion": "1.36.3-20261105", "instanceTypes": ["t3.large"],
    }  # fmt: skip
    made = plan(pools(facts(auto_mode=False, nodegroups=(group,)), [], []), [], [])
    assert [(one.machine.name, one.subnet.zone) for one in made.create] == [("t3.large", ZONES[0])] * 2
    assert made.create[0].pool.taints == ({"key": "own", "value": "x", "effect": "NoSchedule"},)


def test_durations() -> None:
    assert [seconds(text) for text in ("30s", "1h30m", "0s", "Never")] == [30.0, 5400.0, 0.0, None]
