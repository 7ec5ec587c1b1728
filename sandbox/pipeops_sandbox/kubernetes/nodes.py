"""Nodes as objects: what a machine that joins a cluster tells of itself."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from .api import Object
from .machines import PODS_PER_NODE, machine
from .planning import Planned, Standing
from .pods import now_text
from .pools import GROUP_LABEL, POOL_LABEL

LEAVING = "pipeops.sandbox/leaving"
"""Annotation of a node that is being emptied."""
EPHEMERAL_GIB = 80


def node_object(planned: Planned, region: str, account: str) -> Object:
    """Return a new node for a plan."""
    kind, subnet, pool = planned.machine, planned.subnet, planned.pool
    instance = f"i-{secrets.token_hex(8)}{secrets.token_hex(1)[:1]}"
    name = instance if pool.label[0] == POOL_LABEL else f"{_address(instance, '-')}.{region}.compute.internal"
    labels = {**pool.labels_on(kind, subnet), "kubernetes.io/hostname": name}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"pipeops.sandbox/account": account}},
        "spec": {"providerID": f"aws:///{subnet.zone}/{instance}", "taints": list(pool.taints)},
        "status": node_status(planned, name, instance),
    }


def node_status(planned: Planned, name: str, instance: str) -> Object:
    """Return the status of a node that is up."""
    kind = planned.machine
    cpu, memory = kind.allocatable
    disk = f"{EPHEMERAL_GIB}Gi"
    now = now_text()
    good = [("MemoryPressure", False), ("DiskPressure", False), ("PIDPressure", False), ("Ready", True)]
    return {
        "capacity": {
            "cpu": str(kind.cpu), "memory": f"{kind.memory}Mi", "pods": str(PODS_PER_NODE), "ephemeral-storage": disk,
        },
        "allocatable": {
            "cpu": f"{cpu}m", "memory": f"{memory}Mi", "pods": str(PODS_PER_NODE), "ephemeral-storage": disk,
        },
        "conditions": [
            {
                "type": kind_of, "status": str(value), "reason": "Kubelet", "message": "the sandbox says so",
                "lastHeartbeatTime": now, "lastTransitionTime": now,
            }
            for kind_of, value in good
        ],
        "addresses": [
            {"type": "InternalIP", "address": _address(instance, ".")},
            {"type": "InternalDNS", "address": name},
            {"type": "Hostname", "address": name},
        ],
        "nodeInfo": {
            "kubeletVersion": f"v{planned.pool.version}-eks-{hashlib.sha256(instance.encode()).hexdigest()[:7]}",
            "kubeProxyVersion": f"v{planned.pool.version}", "containerRuntimeVersion": "containerd://2.1.4",
            "osImage": "Bottlerocket (EKS Auto)", "operatingSystem": "linux", "architecture": kind.architecture,
            "kernelVersion": "6.12", "machineID": instance, "systemUUID": instance, "bootID": instance,
        },
    }  # fmt: skip


def _address(instance: str, separator: str) -> str:
    """Return an address of a machine; in AWS's names of nodes its parts are joined by hyphens, after ``ip``."""
    digest = hashlib.sha256(instance.encode()).digest()
    parts = ["10", str(digest[0]), str(digest[1]), str(1 + digest[2] % 254)]
    return "ip-" + "-".join(parts) if separator == "-" else ".".join(parts)


def host_of(node: Object) -> str:
    """Return a node's address."""
    addresses = node.get("status", {}).get("addresses", [])
    return next((str(one["address"]) for one in addresses if one["type"] == "InternalIP"), "10.0.0.1")


def pool_of(node: Object) -> tuple[str, str]:
    """Return the label by which a node belongs to a pool; empty for one that somebody else made."""
    labels = node["metadata"].get("labels", {})
    return next(((key, labels[key]) for key in (POOL_LABEL, GROUP_LABEL) if key in labels), ("", ""))


def standing(node: Object, pods: list[Object], idle: float) -> Standing:
    """Return a node in the shape that plans are made of."""
    metadata, labels = node["metadata"], node["metadata"].get("labels", {})
    annotations = metadata.get("annotations", {})
    version = node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")
    return Standing(
        name=metadata["name"],
        pool=pool_of(node),
        zone=labels.get("topology.kubernetes.io/zone", ""),
        machine=machine(labels.get("node.kubernetes.io/instance-type", "")),
        version=version.removeprefix("v").partition("-")[0],
        labels=labels,
        age=time.time() - moment(metadata["creationTimestamp"]),
        idle=idle,
        leaving=LEAVING in annotations or "deletionTimestamp" in metadata,
        pods=pods,
    )


def moment(text: str) -> float:
    """Return a time of the API in seconds since 1970."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def occupies(pod: Object) -> bool:
    """Tell whether a pod keeps a node from being empty."""
    owners = pod["metadata"].get("ownerReferences", [])
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not ended and not any(owner["kind"] in ("DaemonSet", "Node") for owner in owners)


def unschedulable(pod: Object) -> bool:
    """Tell whether the scheduler looked for a node for a pod and found none."""
    if pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "PodScheduled" and one.get("reason") == "Unschedulable" for one in conditions)


def daemon_pod(daemon: Object) -> Object:
    """Return the pod that a DaemonSet would put on a node."""
    template: dict[str, Any] = daemon["spec"]["template"]
    spec = dict(template["spec"])
    extra = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]
    metadata = {
        "name": daemon["metadata"]["name"], "namespace": daemon["metadata"]["namespace"],
        "uid": daemon["metadata"]["uid"], "labels": template.get("metadata", {}).get("labels", {}),
    }  # fmt: skip
    return {"metadata": metadata, "spec": {**spec, "tolerations": [*spec.get("tolerations", []), *extra]}}
