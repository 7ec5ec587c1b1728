# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cluster needs before anything runs in it: nodes within bounds, storage, a way in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

NODE_CLASS = "platform"
STORAGE_CLASS = "gp3"
INGRESS_CLASS = "alb"
#: The driver of volumes: Auto Mode's own has another name than the add-on's.
DRIVERS = {"auto": "ebs.csi.eks.amazonaws.com", "managed_node_groups": "ebs.csi.aws.com"}
SIZE = re.compile(r"\.(?:(?P<times>[0-9]*)xlarge|(?P<word>medium|large))$")


def vcpus(instance_type: str) -> int:
    """Return the vCPUs of an instance type: every current family has 4 at xlarge, and 2 below, T at medium included.

    Raises:
        ValueError: if the size says nothing of them, as ``metal`` does.
    """
    found = SIZE.search(instance_type)
    if not found:
        raise ValueError(f"the size of {instance_type} does not tell how many vCPUs it has. Choose a large or xlarge")
    return 2 if found["word"] else 4 * int(found["times"] or 1)


def spread(minimum: int, zones: Sequence[str]) -> dict[str, int]:
    """Return how many nodes each zone has at least, the first zones one more where it does not come out even."""
    share, rest = divmod(minimum, len(zones))
    return {zone: share + (number < rest) for number, zone in enumerate(zones) if share + (number < rest)}


def node_pools(minimum: int, maximum: int, zones: Sequence[str], types: Sequence[str]) -> list[dict[str, Any]]:
    """Return pools that keep between these numbers of nodes.

    The least stand in static pools, one a zone, since Auto Mode has no other minimum, and a pool over several zones is
    not spread evenly for sure. What comes on top is in one dynamic pool of the largest of the types only: then its
    limit of vCPUs is one of nodes too, also where a limit of nodes alone is not kept.
    """
    pools = [_static(zone, replicas, types) for zone, replicas in spread(minimum, zones).items()]
    return [*pools, _dynamic(maximum - minimum, zones, types)] if maximum > minimum else pools


def _static(zone: str, replicas: int, types: Sequence[str]) -> dict[str, Any]:
    # One above, so that a node can be replaced by a newer one: the new one comes first.
    spec = {"replicas": replicas, "limits": {"nodes": str(replicas + 1)}}
    return _pool(f"base-{zone}", "base", [zone], types, spec)


def _dynamic(room: int, zones: Sequence[str], types: Sequence[str]) -> dict[str, Any]:
    most = max(vcpus(name) for name in types)
    largest = [name for name in types if vcpus(name) == most]
    spec = {
        "limits": {"nodes": str(room), "cpu": str(room * most)},
        "disruption": {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "5m"},
    }
    return _pool("burst", "burst", zones, largest, spec)


def _pool(
    name: str, purpose: str, zones: Sequence[str], types: Sequence[str], spec: Mapping[str, Any]
) -> dict[str, Any]:
    requirements = [
        {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": sorted(types)},
        {"key": "topology.kubernetes.io/zone", "operator": "In", "values": sorted(zones)},
        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand"]},
        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
    ]
    template = {
        "metadata": {"labels": {"pipeops.platform/pool": purpose}},
        "spec": {
            "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": NODE_CLASS},
            "requirements": requirements,
            "expireAfter": "336h",
            "terminationGracePeriod": "1h",
        },
    }
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": name},
        "spec": {**spec, "template": template},
    }


def node_class(outputs: Mapping[str, Any], subnet_ids: Sequence[str], kms_key_arn: str, disk_gib: int) -> Any:
    """Return how nodes are made: with the role of nodes, in the private subnets, on encrypted disks."""
    spec = {
        "role": outputs["node_role_name"],
        "subnetSelectorTerms": [{"id": subnet} for subnet in subnet_ids],
        # The group that EKS made: it may change the rules of no other one, so load balancers would not reach the nodes.
        "securityGroupSelectorTerms": [{"id": outputs["cluster_security_group_id"]}],
        "ephemeralStorage": {"size": f"{disk_gib}Gi", "kmsKeyID": kms_key_arn},
        "networkPolicy": "DefaultAllow",
        "networkPolicyEventLogs": "Enabled",
    }
    return {
        "apiVersion": "eks.amazonaws.com/v1",
        "kind": "NodeClass",
        "metadata": {"name": NODE_CLASS},
        "spec": spec,
    }


def storage_class(kms_key_arn: str, compute: str = "auto") -> dict[str, Any]:
    """Return the default class of volumes."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": DRIVERS[compute],
        "parameters": {"type": "gp3", "encrypted": "true", "kmsKeyId": kms_key_arn},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def ingress_class(scheme: str, certificate_arns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the class by which an Ingress becomes a load balancer of Auto Mode, and what it is like."""
    certificates = {"certificateARNs": list(certificate_arns)} if certificate_arns else {}
    return [
        {
            "apiVersion": "eks.amazonaws.com/v1",
            "kind": "IngressClassParams",
            "metadata": {"name": INGRESS_CLASS},
            "spec": {"scheme": scheme, **certificates},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {
                "name": INGRESS_CLASS,
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {
                "controller": "eks.amazonaws.com/alb",
                "parameters": {
                    "apiGroup": "eks.amazonaws.com",
                    "kind": "IngressClassParams",
                    "name": INGRESS_CLASS,
                },
            },
        },
    ]


def network_policies_enforced() -> dict[str, Any]:
    """Return the switch without which Auto Mode takes network policies and does not act on them."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "amazon-vpc-cni", "namespace": "kube-system"},
        "data": {"enable-network-policy-controller": "true"},
    }


def ground(outputs: Mapping[str, Any], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all of it, in the order in which it is applied.

    Args:
        outputs: those of the module ``eks_cluster``.
        settings: ``compute``, ``minimum``, ``maximum``, ``zones``, ``instance_types``, ``subnet_ids``,
            ``kms_key_arn`` (of volumes), ``disk_gib``, ``ingress_scheme``, ``certificate_arns``.
    """
    key = settings["kms_key_arn"]
    if settings["compute"] != "auto":
        # Nodes are EKS's node groups, and load balancers a matter of the add-on that makes them.
        return [storage_class(key, settings["compute"])]
    pools = node_pools(
        int(settings["minimum"]), int(settings["maximum"]), settings["zones"], settings["instance_types"]
    )
    return [
        network_policies_enforced(),
        node_class(outputs, settings["subnet_ids"], key, int(settings["disk_gib"])),
        *pools,
        storage_class(key),
        *ingress_class(settings["ingress_scheme"], settings["certificate_arns"]),
    ]
