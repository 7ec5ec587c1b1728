"""What AWS allows in a managed node group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends

from . import network
from .call import Call, invalid_parameter
from .state import Cluster
from .version_catalogue import minor, require_version

DEFAULT_DISK_GIB = 20
DEFAULT_SIZES = {"minSize": 1, "maxSize": 2, "desiredSize": 2}
DEFAULT_INSTANCE_TYPE = "t3.medium"
DEFAULT_AMI_TYPE = "AL2023_x86_64_STANDARD"
WORKER_POLICIES = frozenset({"AmazonEKSWorkerNodePolicy", "AmazonEKSWorkerNodeMinimalPolicy"})
"""One of them a node's role needs (EKS user guide, "create-node-role")."""
SKEW = 3
"""Minor versions that nodes may be behind the control plane (Kubernetes version skew policy)."""


def check_launch_template(call: Call, cluster: Cluster, name: str) -> None:
    """Refuse what must be in the launch template, where one is given, or what names none or two of them.

    Raises:
        AwsError: InvalidParameterException.
    """
    template = call.get("launchTemplate")
    if not template:
        return
    if bool(template.get("id")) == bool(template.get("name")):
        raise _invalid(cluster, name, "Give either id or name of the launch template, not both")
    for member, word in (("diskSize", "Disk size"), ("remoteAccess", "Remote access configuration")):
        if call.get(member):
            raise _invalid(cluster, name, f"{word} must be specified within the launch template.")


def join_issues(call: Call, cluster: Cluster, name: str) -> list[dict[str, Any]]:
    """Return why nodes of a new group will not join: no networking, or a role that may not."""
    roles = iam_backends[call.account][call.partition].get_roles()
    role = next((role for role in roles if role.arn == call["nodeRole"]), None)
    policies = {arn.rpartition("/")[2] for arn in role.managed_policies} if role else set()
    if not policies & WORKER_POLICIES:
        return [_creation_failure(name, "Instances failed to join the kubernetes cluster")]
    if not cluster.auto_mode and not cluster.self_managed and "vpc-cni" not in cluster.addons:
        return [_creation_failure(name, "Unhealthy nodes in the kubernetes cluster")]
    return []


def _creation_failure(name: str, message: str) -> dict[str, Any]:
    return {"code": "NodeCreationFailure", "message": message, "resourceIds": [f"eks-{name}"]}


def check_subnets(call: Call, cluster: Cluster, name: str) -> None:
    """Refuse subnets outside the cluster's VPC.

    Raises:
        AwsError: InvalidParameterException.
    """
    vpc_id = cluster.document["resourcesVpcConfig"]["vpcId"]
    for subnet in network.find_subnets(call, cluster.name, call["subnets"]):
        if subnet.vpc_id != vpc_id:
            raise _invalid(cluster, name, f"Subnet {subnet.id} is not in VPC {vpc_id} of the cluster")


def check_version(call: Call, cluster: Cluster, name: str, version: str) -> None:
    """Refuse nodes newer than the control plane, or too far behind it.

    Raises:
        AwsError: InvalidParameterException.
    """
    control_plane = cluster.document["version"]
    require_version(cluster.name, version, call.now)
    if not 0 <= minor(control_plane) - minor(version) <= SKEW:
        raise _invalid(
            cluster, name, f"Requested Nodegroup version {version} does not fit cluster version {control_plane}"
        )


def ami_type(call: Call, cluster: Cluster, name: str) -> str:
    """Return the AMI type: AL2023 if none is given. Amazon Linux 2 has had no image since November 2025.

    Raises:
        AwsError: InvalidParameterException.
    """
    wanted = str(call.get("amiType", DEFAULT_AMI_TYPE))
    if wanted.startswith("AL2_"):
        version = cluster.document["version"]
        raise _invalid(cluster, name, f"Requested AMI type {wanted} is not supported for Kubernetes version {version}")
    if wanted == "CUSTOM" and not call.get("launchTemplate"):
        raise _invalid(cluster, name, "AMI type CUSTOM needs a launch template")
    return wanted


def machine(call: Call) -> dict[str, Any]:
    """Return instance types and disk size: a launch template holds them itself unless types are given here."""
    types = call.get("instanceTypes")
    if call.get("launchTemplate"):
        return {"instanceTypes": list(types)} if types else {}
    return {
        "instanceTypes": list(types or [DEFAULT_INSTANCE_TYPE]),
        "diskSize": call.get("diskSize", DEFAULT_DISK_GIB),
    }


def scaling(cluster: Cluster, name: str, given: Mapping[str, int], held: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes once a request is merged into those that hold.

    Raises:
        AwsError: InvalidParameterException unless minimum <= desired <= maximum.
    """
    sizes = {**held, **given}
    low, desired, high = sizes["minSize"], sizes["desiredSize"], sizes["maxSize"]
    if low > high:
        raise _invalid(cluster, name, f"Minimum capacity {low} can't be greater than maximum capacity {high}")
    if not low <= desired <= high:
        raise _invalid(cluster, name, f"desired capacity {desired} must lie between {low} and {high}")
    return sizes


def update_config(cluster: Cluster, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the update settings.

    Raises:
        AwsError: InvalidParameterException if the number of nodes is given both ways.
    """
    if "maxUnavailable" in given and "maxUnavailablePercentage" in given:
        raise _invalid(cluster, name, "Give maxUnavailable or maxUnavailablePercentage, not both")
    if given.get("maxUnavailable", 1) > 100:
        raise _invalid(cluster, name, "maxUnavailable must be from 1 to 100")
    return {"updateStrategy": "DEFAULT", **given}


def changed_labels(held: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels after an addOrUpdateLabels/removeLabels request."""
    labels = {**held, **given.get("addOrUpdateLabels", {})}
    return {key: value for key, value in labels.items() if key not in given.get("removeLabels", [])}


def changed_taints(held: list[dict[str, str]], given: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the taints after an addOrUpdateTaints/removeTaints request; key and effect identify a taint."""
    taints = {_taint_key(taint): taint for taint in [*held, *given.get("addOrUpdateTaints", [])]}
    gone = {_taint_key(taint) for taint in given.get("removeTaints", [])}
    return [taint for key, taint in taints.items() if key not in gone]


def _taint_key(taint: Mapping[str, str]) -> tuple[str | None, str | None]:
    return taint.get("key"), taint.get("effect")


def next_launch_template(cluster: Cluster, document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return the launch template with its new version; the template itself is fixed at creation.

    Raises:
        AwsError: InvalidParameterException for another template, or where the group has none.
    """
    name, held = document["nodegroupName"], document.get("launchTemplate")
    if not held:
        raise _invalid(cluster, name, "A node group without launch template cannot be given one")
    if any(given.get(member, held.get(member)) != held.get(member) for member in ("id", "name")):
        raise _invalid(cluster, name, "The launch template of a node group cannot be exchanged, only its version")
    return {**held, "version": given.get("version", held.get("version", "1"))}


def shown(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what DescribeUpdate shows of an UpdateNodegroupConfig request."""
    scaling_config, update = params.get("scalingConfig") or {}, params.get("updateConfig") or {}
    labels, taints = params.get("labels") or {}, params.get("taints") or {}
    found = {
        "MinSize": scaling_config.get("minSize"),
        "MaxSize": scaling_config.get("maxSize"),
        "DesiredSize": scaling_config.get("desiredSize"),
        "LabelsToAdd": labels.get("addOrUpdateLabels"),
        "LabelsToRemove": labels.get("removeLabels"),
        "TaintsToAdd": taints.get("addOrUpdateTaints"),
        "TaintsToRemove": taints.get("removeTaints"),
        "MaxUnavailable": update.get("maxUnavailable"),
        "MaxUnavailablePercentage": update.get("maxUnavailablePercentage"),
        "UpdateStrategy": update.get("updateStrategy"),
        "NodeRepairConfig": params.get("nodeRepairConfig"),
        "WarmPoolEnabled": (params.get("warmPoolConfig") or {}).get("enabled"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _invalid(cluster: Cluster, name: str, message: str) -> Exception:
    return invalid_parameter(message, clusterName=cluster.name, nodegroupName=name)
