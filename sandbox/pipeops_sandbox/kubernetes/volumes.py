"""What the EBS driver and the load balancer controller of Auto Mode do: volumes for claims, names for entrances."""

from __future__ import annotations

import hashlib
from typing import Any

from .api import Object

AUTO_EBS = "ebs.csi.eks.amazonaws.com"
EBS = "ebs.csi.aws.com"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONERS = (AUTO_EBS, EBS)
AUTO_NLB, AUTO_ALB = "eks.amazonaws.com/nlb", "eks.amazonaws.com/alb"


def volume_for(claim: Object, storage_class: Object, zone: str) -> Object:
    """Return the PersistentVolume that is made for a claim."""
    metadata = claim["metadata"]
    name = f"pvc-{metadata['uid']}"
    identifier = f"vol-{hashlib.sha256(name.encode()).hexdigest()[:17]}"
    driver = storage_class["provisioner"]
    expression = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
    return {
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": driver}},
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": metadata["name"],
                "namespace": metadata["namespace"], "uid": metadata["uid"],
            },
            "csi": {"driver": driver, "volumeHandle": identifier, "fsType": "ext4"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}},
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        },
    }  # fmt: skip


def wants_volume(claim: Object, storage_class: Object | None, auto_mode: bool) -> bool:
    """Tell whether a claim waits for a volume of a driver that the cluster has, with a node chosen if need be."""
    if claim["spec"].get("volumeName") or claim["metadata"].get("deletionTimestamp") or storage_class is None:
        return False
    wanted = AUTO_EBS if auto_mode else EBS
    if storage_class["provisioner"] != wanted:
        return False
    waits = storage_class.get("volumeBindingMode", "Immediate") == "WaitForFirstConsumer"
    return not waits or SELECTED_NODE in claim["metadata"].get("annotations", {})


def zones_of(pod: Object, claims: dict[str, Object], volumes: dict[str, Object]) -> set[str] | None:
    """Return the zones in which all of a pod's volumes are, or None if it has none yet."""
    found: set[str] | None = None
    for each in pod["spec"].get("volumes", []):
        name = each.get("persistentVolumeClaim", {}).get("claimName")
        claim = claims.get(f"{pod['metadata']['namespace']}/{name}") if name else None
        volume = volumes.get(f"/{claim['spec'].get('volumeName', '')}") if claim else None
        if volume:
            here = _zones(volume)
            found = here if found is None else found & here
    return found


def _zones(volume: Object) -> set[str]:
    terms: list[dict[str, Any]] = (
        volume["spec"].get("nodeAffinity", {}).get("required", {}).get("nodeSelectorTerms", [])
    )
    expressions = [one for term in terms for one in term.get("matchExpressions", [])]
    return {value for one in expressions if one["key"].endswith("/zone") for value in one["values"]}


def released(volume: Object) -> bool:
    """Tell whether a volume's claim is gone and the volume is to go, too."""
    spec = volume["spec"]
    return (
        volume.get("status", {}).get("phase") == "Released"
        and spec.get("persistentVolumeReclaimPolicy") == "Delete"
        and spec.get("csi", {}).get("driver") in PROVISIONERS
        and not volume["metadata"].get("deletionTimestamp")
    )


def service_name(service: Object, region: str, auto_mode: bool) -> str:
    """Return the host name of the balancer that a Service gets; empty if it has one, or gets none."""
    has = service.get("status", {}).get("loadBalancer", {}).get("ingress")
    if service["spec"].get("type") != "LoadBalancer" or has:
        return ""
    wanted = service["spec"].get("loadBalancerClass")
    # Without Auto Mode a class needs a controller of its own, and the classic balancer has no class.
    if wanted not in ((None, AUTO_NLB) if auto_mode else (None,)):
        return ""
    return _balancer(service, f"elb.{region}.amazonaws.com")


def ingress_name(ingress: Object, classes: dict[str, Object], region: str, auto_mode: bool) -> str:
    """Return the host name of the balancer that an Ingress gets; empty if it has one, or gets none."""
    if not auto_mode or ingress.get("status", {}).get("loadBalancer", {}).get("ingress"):
        return ""
    chosen = classes.get(f"/{ingress['spec'].get('ingressClassName', '')}")
    if chosen is None or chosen["spec"].get("controller") != AUTO_ALB:
        return ""
    return _balancer(ingress, f"{region}.elb.amazonaws.com")


def _balancer(item: Object, domain: str) -> str:
    metadata = item["metadata"]
    digest = hashlib.sha256(str(metadata["uid"]).encode()).hexdigest()
    return f"k8s-{metadata['namespace'][:8]}-{metadata['name'][:8]}-{digest[:10]}-{digest[10:26]}.{domain}"
