"""EKS Auto Mode: three switches in three blocks, thrown together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .call import Call, invalid_parameter
from .principals import EC2, require_role

BUILT_IN_POOLS = frozenset({"general-purpose", "system"})
_TOGETHER = (
    "For EKS Auto Mode, please ensure that all required configs, including computeConfig, "
    "kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled."
)


def switches(params: Mapping[str, Any]) -> tuple[bool | None, bool | None, bool | None]:
    """Return what a request says of compute, load balancing and block storage; None is silence."""
    return (
        params.get("computeConfig", {}).get("enabled"),
        params.get("kubernetesNetworkConfig", {}).get("elasticLoadBalancing", {}).get("enabled"),
        params.get("storageConfig", {}).get("blockStorage", {}).get("enabled"),
    )


def wanted(name: str, params: Mapping[str, Any]) -> bool:
    """Tell whether a new cluster is to have Auto Mode.

    Raises:
        AwsError: InvalidParameterException when the switches differ.
    """
    values = {bool(value) for value in switches(params)}
    if len(values) > 1:
        raise invalid_parameter(_TOGETHER, clusterName=name)
    return values.pop()


def wanted_in_update(name: str, params: Mapping[str, Any]) -> bool:
    """Tell whether an update leaves Auto Mode on; all three switches must be sent, whatever else changes.

    Raises:
        AwsError: InvalidParameterException when one is missing or differs.
    """
    values = set(switches(params))
    if len(values) != 1 or None in values:
        raise invalid_parameter(_TOGETHER, clusterName=name)
    return bool(values.pop())


def check_compute(call: Call, name: str, compute: Mapping[str, Any]) -> None:
    """Refuse node pools that EKS does not have, or that have no role for their nodes.

    Raises:
        AwsError: InvalidParameterException.
    """
    pools, role = compute.get("nodePools") or [], compute.get("nodeRoleArn")
    unknown = sorted(set(pools) - BUILT_IN_POOLS)
    if unknown:
        raise invalid_parameter(f"nodePools: unknown built-in node pool {', '.join(unknown)}", clusterName=name)
    if bool(pools) != bool(role):
        raise invalid_parameter(
            "When using Compute Config, nodeRoleArn and nodePools must be supplied together", clusterName=name
        )
    if role:
        require_role(call, name, role, EC2)


def check_authentication_mode(name: str, mode: str) -> None:
    """Refuse CONFIG_MAP: Auto Mode's nodes join through access entries.

    Raises:
        AwsError: InvalidParameterException.
    """
    if mode == "CONFIG_MAP":
        raise invalid_parameter(
            "EKS Auto Mode requires authenticationMode API or API_AND_CONFIG_MAP, found CONFIG_MAP", clusterName=name
        )


def check_off(name: str, compute: Mapping[str, Any]) -> None:
    """Refuse pools or a node role where Auto Mode is off.

    Raises:
        AwsError: InvalidParameterException.
    """
    if compute.get("nodePools") or compute.get("nodeRoleArn"):
        raise invalid_parameter("computeConfig: nodePools and nodeRoleArn need enabled true", clusterName=name)
