"""UpdateClusterConfig and AssociateEncryptionConfig: one kind of change in a call."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from . import auto_mode, network
from .call import Answer, Call, invalid_parameter, operation
from .clusters import encryption_of, logging_of
from .principals import EKS, require_role
from .state import Cluster, find_cluster
from .updates import require_idle, start_update
from .version_catalogue import support_status

Changes = dict[str, Any]
Planner = Callable[[Call, Cluster], Changes]
_ENDPOINT = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
_MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
_COMPONENTS = ("kubeApiServerConfig", "kubeSchedulerConfig", "kubeControllerManagerConfig")
_AUTO_BLOCKS = ("computeConfig", "kubernetesNetworkConfig", "storageConfig")


@operation("UpdateClusterConfig")
def update_cluster_config(call: Call) -> Answer:
    """Start one change of a cluster's settings."""
    cluster = find_cluster(call, call["name"])
    kind = _kind(call, cluster.name)
    require_idle(cluster, kind, call.now)
    planner, step = _PLANNERS[kind]
    changes = planner(call, cluster)
    if all(cluster.document.get(member) == value for member, value in changes.items()):
        raise invalid_parameter(
            f"Cluster is already at the desired configuration with {_words(changes)}", clusterName=cluster.name
        )
    return start_update(cluster, kind, step, call.now, changes, _shown(kind, changes))


def _kind(call: Call, name: str) -> str:
    """Return the one type of update that a request asks for.

    Raises:
        AwsError: InvalidParameterException for none or several.
    """
    kinds = {kind for member, kind in _MEMBER_KINDS.items() if call.get(member) is not None}
    vpc = call.get("resourcesVpcConfig")
    if vpc is not None:
        kinds |= {kind for member, kind in _VPC_KINDS.items() if member in vpc}
    if len(kinds) > 1:
        raise invalid_parameter("Only one type of update can be allowed.", clusterName=name)
    if not kinds:
        raise invalid_parameter("At least one type of update must be given.", clusterName=name)
    return kinds.pop()


_MEMBER_KINDS = {
    "logging": "LoggingUpdate",
    "accessConfig": "AccessConfigUpdate",
    "upgradePolicy": "UpgradePolicyUpdate",
    "zonalShiftConfig": "ZonalShiftConfigUpdate",
    "deletionProtection": "DeletionProtectionUpdate",
    "controlPlaneScalingConfig": "ControlPlaneScalingConfigUpdate",
    "remoteNetworkConfig": "RemoteNetworkConfigUpdate",
    **dict.fromkeys(_AUTO_BLOCKS, "AutoModeUpdate"),
    **dict.fromkeys(_COMPONENTS, "ControlPlaneComponentConfigUpdate"),
}
_VPC_KINDS = {
    **dict.fromkeys(_ENDPOINT, "EndpointAccessUpdate"),
    "subnetIds": "VpcConfigUpdate",
    "securityGroupIds": "VpcConfigUpdate",
    "controlPlaneEgressMode": "ControlPlaneEgressUpdate",
}


def _words(changes: Changes) -> str:
    return ", ".join(f"{member}: {value}" for member, value in changes.items())


_SHOWN_VPC_NAMES = {
    "endpointPublicAccess": "EndpointPublicAccess",
    "endpointPrivateAccess": "EndpointPrivateAccess",
    "publicAccessCidrs": "PublicAccessCidrs",
    "subnetIds": "Subnets",
    "securityGroupIds": "SecurityGroups",
    "controlPlaneEgressMode": "ControlPlaneEgressMode",
}
_SHOWN_NAMES = {"logging": "ClusterLogging", "controlPlaneScalingConfig": "UpdatedTier"}
_VPC_SHOWN = {
    "EndpointAccessUpdate": _ENDPOINT,
    "VpcConfigUpdate": ("subnetIds", "securityGroupIds"),
    "ControlPlaneEgressUpdate": ("controlPlaneEgressMode",),
}


def _shown(kind: str, changes: Changes) -> dict[str, Any]:
    """Return the parameters that DescribeUpdate shows, in the names of the API's UpdateParamType."""
    shown: dict[str, Any] = {}
    for member, value in changes.items():
        if member == "resourcesVpcConfig":
            shown |= {_SHOWN_VPC_NAMES[each]: value[each] for each in _VPC_SHOWN[kind]}
        elif member == "accessConfig":
            shown["AuthenticationMode"] = value["authenticationMode"]
        else:
            shown[_SHOWN_NAMES.get(member, member[0].upper() + member[1:])] = value
    return shown


def _vpc(cluster: Cluster) -> dict[str, Any]:
    return copy.deepcopy(cluster.document["resourcesVpcConfig"])


def _plan_endpoint(call: Call, cluster: Cluster) -> Changes:
    vpc = _vpc(cluster) | {
        each: call["resourcesVpcConfig"][each] for each in _ENDPOINT if each in call["resourcesVpcConfig"]
    }
    vpc["publicAccessCidrs"] = vpc["publicAccessCidrs"] or ["0.0.0.0/0"]
    network.check_endpoint_access(cluster.name, vpc)
    return {"resourcesVpcConfig": _same_order(vpc, cluster.document["resourcesVpcConfig"])}


def _same_order(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Keep the old order of lists that hold the same items: for AWS they are sets."""
    return {
        name: old[name] if isinstance(value, list) and sorted(value) == sorted(old.get(name, [])) else value
        for name, value in new.items()
    }


def _plan_vpc(call: Call, cluster: Cluster) -> Changes:
    """Swap subnets within the same zones and VPC, or the extra security groups."""
    old, given = cluster.document["resourcesVpcConfig"], call["resourcesVpcConfig"]
    vpc = _vpc(cluster) | {each: given[each] for each in ("subnetIds", "securityGroupIds") if each in given}
    if network.check_subnets(call, cluster.name, vpc["subnetIds"]) != old["vpcId"]:
        raise invalid_parameter(f"Subnets must belong to VPC {old['vpcId']}", clusterName=cluster.name)
    before, after = (
        network.zone_ids(network.find_subnets(call, cluster.name, ids)) for ids in (old["subnetIds"], vpc["subnetIds"])
    )
    if before != after:
        raise invalid_parameter(
            f"Provided subnets must belong to the same set of AZs: {', '.join(sorted(before))}",
            clusterName=cluster.name,
        )
    network.check_security_groups(call, cluster.name, vpc["securityGroupIds"], old["vpcId"])
    return {"resourcesVpcConfig": _same_order(vpc, old)}


def _plan_egress(call: Call, cluster: Cluster) -> Changes:
    vpc = _vpc(cluster)
    wanted = call["resourcesVpcConfig"]["controlPlaneEgressMode"]
    if vpc["controlPlaneEgressMode"] != "AWS_MANAGED" and wanted == "AWS_MANAGED":
        raise invalid_parameter("controlPlaneEgressMode cannot go back to AWS_MANAGED", clusterName=cluster.name)
    return {"resourcesVpcConfig": vpc | {"controlPlaneEgressMode": wanted}}


def _plan_logging(call: Call, cluster: Cluster) -> Changes:
    setups = cluster.document["logging"]["clusterLogging"]
    already = {kind for setup in setups if setup["enabled"] for kind in setup["types"]}
    return {"logging": logging_of(cluster.name, call["logging"], already)}


def _plan_access(call: Call, cluster: Cluster) -> Changes:
    """Move the authentication mode one step forward; back is impossible."""
    now, wanted = (
        cluster.authentication_mode,
        call["accessConfig"].get("authenticationMode", cluster.authentication_mode),
    )
    if _MODES.index(wanted) - _MODES.index(now) not in (0, 1):
        raise invalid_parameter(
            f"Unsupported authentication mode update from {now} to {wanted}", clusterName=cluster.name
        )
    return {"accessConfig": cluster.document["accessConfig"] | {"authenticationMode": wanted}}


def _plan_upgrade_policy(call: Call, cluster: Cluster) -> Changes:
    policy = {"supportType": call["upgradePolicy"].get("supportType", "EXTENDED")}
    version = cluster.document["version"]
    if policy["supportType"] == "STANDARD" and support_status(version, call.now) == "EXTENDED_SUPPORT":
        raise invalid_parameter(
            f"Kubernetes {version} is in extended support, upgrade before changing supportType to STANDARD",
            clusterName=cluster.name,
        )
    return {"upgradePolicy": policy}


def _plan_zonal_shift(call: Call, cluster: Cluster) -> Changes:
    return {"zonalShiftConfig": {"enabled": call["zonalShiftConfig"].get("enabled", False)}}


def _plan_deletion_protection(call: Call, cluster: Cluster) -> Changes:
    return {"deletionProtection": call["deletionProtection"]}


def _plan_scaling(call: Call, cluster: Cluster) -> Changes:
    return {"controlPlaneScalingConfig": {"tier": call["controlPlaneScalingConfig"].get("tier", "standard")}}


def _plan_as_given(call: Call, cluster: Cluster) -> Changes:
    return {member: call[member] for member in ("remoteNetworkConfig", *_COMPONENTS) if call.get(member) is not None}


def _plan_auto_mode(call: Call, cluster: Cluster) -> Changes:
    """Switch Auto Mode on or off, or change its node pools; the node role holds while it is on."""
    name, old = cluster.name, cluster.document["computeConfig"]
    auto = auto_mode.wanted_in_update(name, call.params)
    given = call["computeConfig"]
    if "serviceIpv4Cidr" in call["kubernetesNetworkConfig"] or "ipFamily" in call["kubernetesNetworkConfig"]:
        raise invalid_parameter("serviceIpv4Cidr and ipFamily can be set at creation only", clusterName=name)
    compute = _compute(call, cluster, given, old) if auto else {"enabled": False, "nodePools": []}
    if not auto:
        auto_mode.check_off(name, given)
    balancing = call["kubernetesNetworkConfig"]["elasticLoadBalancing"]
    networks = cluster.document["kubernetesNetworkConfig"]
    return {
        "computeConfig": compute,
        "kubernetesNetworkConfig": networks | {"elasticLoadBalancing": networks["elasticLoadBalancing"] | balancing},
        "storageConfig": {"blockStorage": {"enabled": auto}},
    }


def _compute(call: Call, cluster: Cluster, given: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    name = cluster.name
    compute = {**old, **given}
    compute["nodePools"] = sorted(compute.get("nodePools") or [], key=lambda pool: (pool not in old["nodePools"], pool))
    if set(compute["nodePools"]) == set(old["nodePools"]):
        compute["nodePools"] = old["nodePools"]
    held = old.get("nodeRoleArn")
    if held and not compute["nodePools"] and "nodeRoleArn" not in given:
        del compute["nodeRoleArn"]
    if held and compute.get("nodeRoleArn", held) != held:
        raise invalid_parameter("nodeRoleArn cannot be changed while Auto Mode is enabled", clusterName=name)
    auto_mode.check_authentication_mode(name, cluster.authentication_mode)
    auto_mode.check_compute(call, name, compute)
    require_role(call, name, cluster.document["roleArn"], EKS, tag_session=True)
    return compute


_PLANNERS: dict[str, tuple[Planner, str]] = {
    "EndpointAccessUpdate": (_plan_endpoint, "eks:update_cluster"),
    "VpcConfigUpdate": (_plan_vpc, "eks:update_cluster"),
    "ControlPlaneEgressUpdate": (_plan_egress, "eks:update_cluster"),
    "LoggingUpdate": (_plan_logging, "eks:update_cluster"),
    "AccessConfigUpdate": (_plan_access, "eks:update_cluster"),
    "UpgradePolicyUpdate": (_plan_upgrade_policy, "eks:update_cluster_metadata"),
    "ZonalShiftConfigUpdate": (_plan_zonal_shift, "eks:update_cluster_metadata"),
    "DeletionProtectionUpdate": (_plan_deletion_protection, "eks:update_cluster_metadata"),
    "ControlPlaneScalingConfigUpdate": (_plan_scaling, "eks:update_cluster"),
    "RemoteNetworkConfigUpdate": (_plan_as_given, "eks:update_cluster"),
    "ControlPlaneComponentConfigUpdate": (_plan_as_given, "eks:update_cluster"),
    "AutoModeUpdate": (_plan_auto_mode, "eks:update_cluster"),
}


@operation("AssociateEncryptionConfig")
def associate_encryption_config(call: Call) -> Answer:
    """Encrypt the secrets of a cluster with a key of one's own; it cannot be undone or changed."""
    cluster = find_cluster(call, call["clusterName"])
    require_idle(cluster, "AssociateEncryptionConfig", call.now)
    if cluster.document.get("encryptionConfig"):
        raise invalid_parameter(f"Encryption is already enabled for cluster {cluster.name}", clusterName=cluster.name)
    config = encryption_of(call, cluster.name, call["encryptionConfig"])
    return start_update(
        cluster, "AssociateEncryptionConfig", "eks:associate_encryption", call.now,
        {"encryptionConfig": config}, {"EncryptionConfig": config},
    )  # fmt: skip
