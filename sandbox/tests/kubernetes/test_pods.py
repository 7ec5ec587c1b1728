"""What is told of pods, and of volumes and balancers."""

from __future__ import annotations

from typing import Any

import pytest
from pipeops_sandbox.kubernetes import pods, volumes
from pipeops_sandbox.kubernetes.quantities import amount, requests


def pod(annotation: str = "", owner: str = "ReplicaSet", **spec: Any) -> dict[str, Any]:
    metadata = {
        "name": "web", "namespace": "default", "uid": "u-1", "ownerReferences": [{"kind": owner}],
        "annotations": {pods.HOLD: annotation} if annotation else {},
    }  # fmt: skip
    known = {"nodeName": "i-1", "containers": [{"name": "app", "image": "nginx:1.29"}]}
    return {"metadata": metadata, "spec": known | spec, "status": {"phase": "Pending"}}


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {one["type"]: one["status"] for one in status["conditions"]}


def test_a_pod_on_a_node_runs_and_is_ready() -> None:
    given = pod(initContainers=[{"name": "init", "image": "busybox"}], readinessGates=[{"conditionType": "own/gate"}])
    assert pods.due(given)
    status = pods.status_of(given, "10.0.0.7")
    assert (status["phase"], conditions(status)["Ready"], conditions(status)["own/gate"]) == ("Running", "True", "True")
    assert status["containerStatuses"][0]["ready"]
    assert "terminated" in status["initContainerStatuses"][0]["state"]
    assert not pods.due({**given, "status": status})


def test_a_pod_without_a_node_waits() -> None:
    assert not pods.due(pod(nodeName=""))


def test_a_job_is_done() -> None:
    status = pods.status_of(pod(owner="Job"), "10.0.0.7")
    assert status["phase"] == "Succeeded"
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


@pytest.mark.parametrize(
    ("annotation", "phase", "reason"),
    [("pull", "Pending", "ImagePullBackOff"), ("crash", "Running", "CrashLoopBackOff")],
)
def test_a_pod_can_be_told_to_fail(annotation: str, phase: str, reason: str) -> None:
    given = pod(annotation)
    status = pods.status_of(given, "10.0.0.7")
    assert (status["phase"], conditions(status)["Ready"]) == (phase, "False")
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == reason
    shown = {**given, "status": status}
    assert not pods.due(shown), "it stays so"
    shown["metadata"]["annotations"] = {}
    assert pods.due(shown), "until the annotation goes"


def test_quantities() -> None:
    assert amount({"cpu": "1500m", "memory": "1Gi"}) == (1500, 1024)
    assert amount({"cpu": 2, "memory": "1000k"}) == (2000, 1)
    assert amount({}) == (0, 0)
    containers = [{"resources": {"requests": {"cpu": "100m"}}}, {"resources": {"requests": {"cpu": "0.2"}}}]
    init = [{"resources": {"requests": {"cpu": "1", "memory": "2Gi"}}}]
    assert requests({"spec": {"containers": containers, "initContainers": init}}) == (1000, 2048)


def test_a_claim_gets_a_volume_once_its_node_is_chosen_and_of_its_own_driver_only() -> None:
    claim: dict[str, Any] = {"metadata": {"uid": "c", "name": "data", "namespace": "web"}, "spec": {}}
    own = {"provisioner": volumes.AUTO_EBS, "volumeBindingMode": "WaitForFirstConsumer", "metadata": {"name": "gp3"}}
    assert not volumes.wants_volume(claim, own, True)
    claim["metadata"]["annotations"] = {volumes.SELECTED_NODE: "i-1"}
    assert volumes.wants_volume(claim, own, True)
    assert not volumes.wants_volume(claim, {**own, "provisioner": volumes.EBS}, True)
    assert not volumes.wants_volume(claim, None, True)


def test_balancers_come_by_their_class() -> None:
    service: dict[str, Any] = {"metadata": {"uid": "s", "name": "web", "namespace": "shop"}, "spec": {}}
    assert not volumes.service_name(service, "us-west-2", True)
    service["spec"]["type"] = "LoadBalancer"
    assert volumes.service_name(service, "us-west-2", True).endswith(".elb.us-west-2.amazonaws.com")
    service["spec"]["loadBalancerClass"] = "service.k8s.aws/nlb"
    assert not volumes.service_name(service, "us-west-2", True)
    classes = {"/alb": {"spec": {"controller": volumes.AUTO_ALB}}, "/nginx": {"spec": {"controller": "nginx"}}}
    ingress = {"metadata": service["metadata"], "spec": {"ingressClassName": "alb"}}
    assert volumes.ingress_name(ingress, classes, "us-west-2", True).startswith("k8s-shop-web-")
    assert not volumes.ingress_name({**ingress, "spec": {"ingressClassName": "nginx"}}, classes, "us-west-2", True)
