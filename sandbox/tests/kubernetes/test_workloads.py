"""Workloads on nodes: what waiting for a rollout means, and bounds that hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

POOLS = "/apis/karpenter.sh/v1/nodepools"
CLASSES = "/apis/eks.amazonaws.com/v1/nodeclasses"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
AUTO_NODE = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSAutoNodePolicy"


def node_pool(name: str, types: tuple[str, ...] = ("m5.large", "m5.xlarge"), **spec: Any) -> dict[str, Any]:
    requirements = [{"key": "node.kubernetes.io/instance-type", "operator": "In", "values": list(types)}]
    reference = {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "own"}
    template = {"spec": {"nodeClassRef": reference, "requirements": requirements}}
    return {
        "apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name},
        "spec": {"template": template, "disruption": {"consolidateAfter": "1s"}} | spec,
    }  # fmt: skip


def deployment(name: str, replicas: int, cpu: str = "100m", **pod: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "nginx:1.29", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]} | pod}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }  # fmt: skip


@pytest.fixture
def pools(stand: Any, kube: Any) -> Iterator[Callable[..., None]]:
    """Make NodePools with a NodeClass of their own; afterwards everything of the test is gone."""
    role = stand.role("own-node", "ec2.amazonaws.com")
    eks = stand.client("eks")
    if role not in eks.list_access_entries(clusterName="prod")["accessEntries"]:
        eks.create_access_entry(clusterName="prod", principalArn=role, type="EC2")
    eks.associate_access_policy(
        clusterName="prod", principalArn=role, policyArn=AUTO_NODE, accessScope={"type": "cluster"}
    )
    subnets = stand.active("prod")["resourcesVpcConfig"]["subnetIds"]
    spec = {
        "role": "own-node", "subnetSelectorTerms": [{"id": one} for one in subnets],
        "securityGroupSelectorTerms": [{"tags": {"aws:eks:cluster-name": "prod"}}],
    }  # fmt: skip
    kube.create(
        CLASSES, {"apiVersion": "eks.amazonaws.com/v1", "kind": "NodeClass", "metadata": {"name": "own"}, "spec": spec}
    )

    def make(*wanted: dict[str, Any]) -> None:
        for one in wanted:
            kube.create(POOLS, one)

    yield make
    for each in kube.items(DEPLOYMENTS):
        kube.ask("DELETE", f"{DEPLOYMENTS}/{each['metadata']['name']}")
    for each in kube.items(POOLS):
        kube.ask("DELETE", f"{POOLS}/{each['metadata']['name']}")
    kube.ask("DELETE", f"{CLASSES}/own")
    stand.until(lambda: not nodes(kube) and not kube.items("/api/v1/namespaces/default/pods"))


def nodes(kube: Any, pool: str = "") -> list[dict[str, Any]]:
    chosen = f"?labelSelector=karpenter.sh/nodepool={pool}" if pool else ""
    found: list[dict[str, Any]] = kube.items(f"/api/v1/nodes{chosen}")
    return found


def rolled_out(kube: Any, name: str) -> bool:
    shown = kube.get(f"{DEPLOYMENTS}/{name}")
    status, wanted = shown.get("status", {}), shown["spec"]["replicas"]
    current = status.get("observedGeneration") == shown["metadata"]["generation"]
    return current and status.get("availableReplicas", 0) == status.get("updatedReplicas", 0) == wanted


def test_a_deployment_rolls_out_on_the_nodes_of_a_static_pool(stand: Any, kube: Any, pools: Any) -> None:
    pools(node_pool("base", replicas=2))
    kube.create(DEPLOYMENTS, deployment("web", 3))
    stand.until(lambda: rolled_out(kube, "web"))
    assert len(nodes(kube, "base")) == 2
    kube.merge(f"{DEPLOYMENTS}/web", {"spec": {"template": {"metadata": {"annotations": {"changed": "yes"}}}}})
    stand.until(lambda: rolled_out(kube, "web"))
    shown = stand.until(
        lambda: kube.get(f"{POOLS}/base").get("status", {}).get("nodes") == 2 and kube.get(f"{POOLS}/base")
    )
    assert {one["type"]: one["status"] for one in shown["status"]["conditions"]}["Ready"] == "True"


def test_a_rollout_that_cannot_work_does_not_look_done(stand: Any, kube: Any, pools: Any) -> None:
    pools(node_pool("base", replicas=1))
    broken = deployment("web", 1)
    broken["spec"]["template"]["metadata"]["annotations"] = {"pipeops.sandbox/hold": "pull"}
    kube.create(DEPLOYMENTS, broken)
    pods = "/api/v1/namespaces/default/pods"

    def reason() -> str:
        statuses = [one["status"].get("containerStatuses", [{}])[0] for one in kube.items(pods)]
        return str(statuses[0].get("state", {}).get("waiting", {}).get("reason", "")) if statuses else ""

    stand.until(lambda: reason() == "ImagePullBackOff")
    assert kube.get(f"{DEPLOYMENTS}/web")["status"].get("availableReplicas", 0) == 0
    kube.merge(f"{DEPLOYMENTS}/web", {"spec": {"template": {"metadata": {"annotations": None}}}})
    stand.until(lambda: rolled_out(kube, "web"))


@pytest.mark.parametrize(
    ("static", "limits", "types", "most"),
    [
        pytest.param(3, {"nodes": "7", "cpu": "28", "memory": "112Gi"}, ("m5.xlarge",), 10, id="prod"),
        pytest.param(2, {"nodes": "2", "cpu": "4"}, ("t3.large",), 4, id="staging"),
        pytest.param(2, {"nodes": "1", "cpu": "2"}, ("t3.medium",), 3, id="dev"),
        pytest.param(2, {"nodes": "4", "cpu": "8"}, ("t3.medium", "t3.large"), 6, id="dr"),
    ],
)
def test_bounds_hold_when_200_pods_come_and_go(
    stand: Any, kube: Any, pools: Any, static: int, limits: dict[str, str], types: tuple[str, ...], most: int
) -> None:
    base = node_pool("base", types, replicas=static, limits={"nodes": str(static + 1)})
    pools(base, node_pool("burst", types, limits=limits))
    stand.until(lambda: len(nodes(kube)) == static)
    kube.create(DEPLOYMENTS, deployment("load", 200, "250m"))
    seen: list[int] = []

    def full() -> bool:
        seen.append(len(nodes(kube)))
        return seen[-1] == most

    stand.until(full)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        full()
    kube.merge(f"{DEPLOYMENTS}/load", {"spec": {"replicas": 0}})

    def empty() -> bool:
        seen.append(len(nodes(kube)))
        return seen[-1] == static

    stand.until(empty)
    assert (min(seen), max(seen)) == (static, most)


def test_pools_are_refused_as_auto_mode_refuses_them(kube: Any) -> None:
    def refused(pool: dict[str, Any]) -> str:
        status, answer = kube.ask("POST", POOLS, pool)
        assert status == 422, answer
        return str(answer["message"])

    assert "no weight and no limits but nodes" in refused(node_pool("x", replicas=1, limits={"cpu": "4"}))
    wrong = node_pool("x")
    wrong["spec"]["template"]["spec"]["requirements"][0]["key"] = "karpenter.k8s.aws/instance-cpu"
    assert "not known to Auto Mode" in refused(wrong)
    wrong = node_pool("x")
    wrong["spec"]["template"]["spec"]["requirements"][0]["values"] = []
    assert "operator In needs values" in refused(wrong)
    status, answer = kube.ask("POST", f"{POOLS}?fieldValidation=Strict", node_pool("x", unknown="field"))
    assert (status, "unknown field" in answer["message"]) == (400, True)


def test_a_static_pool_stays_static(kube: Any, pools: Any) -> None:
    pools(node_pool("base", replicas=0))
    patch = {"spec": {"replicas": None}}
    status, answer = kube.ask("PATCH", f"{POOLS}/base", patch, **{"Content-Type": "application/merge-patch+json"})
    assert (status, "stays static or dynamic" in answer["message"]) == (422, True)


def test_a_claim_gets_a_volume_in_its_pods_zone(stand: Any, kube: Any, pools: Any) -> None:
    pools(node_pool("base", replicas=1))
    kube.create(
        "/apis/storage.k8s.io/v1/storageclasses",
        {
            "metadata": {"name": "gp3"}, "provisioner": "ebs.csi.eks.amazonaws.com",
            "volumeBindingMode": "WaitForFirstConsumer", "parameters": {"type": "gp3", "encrypted": "true"},
        },
    )  # fmt: skip
    claims = "/api/v1/namespaces/default/persistentvolumeclaims"
    spec = {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "resources": {"requests": {"storage": "5Gi"}},
    }  # fmt: skip
    kube.create(claims, {"metadata": {"name": "data"}, "spec": spec})
    kube.create(
        DEPLOYMENTS,
        deployment("db", 1, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]),
    )
    stand.until(lambda: rolled_out(kube, "db"))
    assert kube.get(f"{claims}/data")["status"]["phase"] == "Bound"
    kube.ask("DELETE", f"{DEPLOYMENTS}/db")
    kube.ask("DELETE", f"{claims}/data")
    stand.until(lambda: not kube.items("/api/v1/persistentvolumes"))
    kube.ask("DELETE", "/apis/storage.k8s.io/v1/storageclasses/gp3")
