"""CreateCluster, DescribeCluster, ListClusters, DeleteCluster."""

from __future__ import annotations

import copy
import re
from typing import Any

from moto.moto_api._internal import mock_random

from ...clock import Timeline
from ...errors import AwsError
from ...runtime import runtime
from ..kms import key_is_usable
from . import auto_mode, health, network
from .call import Answer, Call, in_use, invalid_parameter, invalid_request, operation, page
from .control_plane import Identity, data_plane
from .lifecycle import ensure_log_group
from .managed_entries import refresh_managed_entries
from .principals import EKS, caller_arn, require_role, service_linked_role
from .state import Cluster, find_cluster, state_of
from .tags import check_tags
from .version_catalogue import default_version, platform_version, require_version

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
CLUSTERS_PER_REGION = 100
"""Default quota of clusters in a region (EKS user guide, "service quotas")."""

_NAME = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]*")
_AS_GIVEN = ("remoteNetworkConfig", "kubeApiServerConfig", "kubeSchedulerConfig", "kubeControllerManagerConfig")


@operation("CreateCluster")
def create_cluster(call: Call) -> Answer:
    """Create a cluster: CREATING, then ACTIVE."""
    name = call["name"]
    _check_name(call, name)
    document = _document(call, name)
    identity = Identity(call.account, call.region, name, mock_random.uuid4().hex)
    vpc = document["resourcesVpcConfig"]
    cluster = Cluster(
        name=name,
        id=identity.id,
        account=call.account,
        region=call.region,
        partition=call.partition,
        creator=caller_arn(call),
        service_role=service_linked_role(call),
        document=document,
        timeline=Timeline.start(call.now, ("CREATING", runtime.clock.duration("eks:create_cluster")), last="ACTIVE"),
        network=network.create(call, name, identity.id, vpc["vpcId"], vpc),
        control_plane=data_plane().launch(identity, call.now, document["kubernetesNetworkConfig"]["serviceIpv4Cidr"]),
        self_managed=not document["computeConfig"]["enabled"] and call.get("bootstrapSelfManagedAddons", True),
    )
    state_of(call).clusters[name] = cluster
    ensure_log_group(cluster)
    refresh_managed_entries(cluster, call.now)
    return {"cluster": {**_visible(cluster, created=False), "status": cluster.timeline.first}}


def _check_name(call: Call, name: str) -> None:
    clusters = state_of(call).clusters
    if not _NAME.fullmatch(name):
        raise invalid_parameter(f"The cluster name {name!r} must match {_NAME.pattern}", clusterName=name)
    if name in clusters:
        raise in_use(f"Cluster already exists with name: {name}", clusterName=name)
    if len(clusters) >= CLUSTERS_PER_REGION:
        raise AwsError(
            "ResourceLimitExceededException", f"Cluster limit of {CLUSTERS_PER_REGION} exceeded", clusterName=name
        )


def _document(call: Call, name: str) -> dict[str, Any]:
    """Check a CreateCluster request and return what DescribeCluster will say of it."""
    check_tags(call.get("tags", {}))
    version = call.get("version", default_version())
    require_version(name, version, call.now)
    auto = auto_mode.wanted(name, call.params)
    access = _access_config(call, name, auto)
    vpc = _vpc_config(call, name)
    document: dict[str, Any] = {
        "name": name,
        "arn": call.arn(f"cluster/{name}"),
        "createdAt": call.now,
        "version": version,
        "platformVersion": platform_version(version),
        "roleArn": call["roleArn"],
        "resourcesVpcConfig": vpc,
        "kubernetesNetworkConfig": _network_config(call, name, vpc["vpcId"], auto),
        "logging": logging_of(name, call.get("logging", {}), set()),
        "accessConfig": access,
        "computeConfig": _compute_config(call, name, auto),
        "storageConfig": {"blockStorage": {"enabled": auto}},
        "tags": dict(call.get("tags", {})),
        **_plain_settings(call),
    }
    if call.get("encryptionConfig"):
        document["encryptionConfig"] = encryption_of(call, name, call["encryptionConfig"])
    require_role(call, name, call["roleArn"], EKS, tag_session=auto)
    return document


def _plain_settings(call: Call) -> dict[str, Any]:
    """Return the settings that stand alone, with the API's defaults."""
    return {
        "upgradePolicy": {"supportType": call.get("upgradePolicy", {}).get("supportType", "EXTENDED")},
        "zonalShiftConfig": {"enabled": call.get("zonalShiftConfig", {}).get("enabled", False)},
        "deletionProtection": call.get("deletionProtection", False),
        "controlPlaneScalingConfig": {"tier": call.get("controlPlaneScalingConfig", {}).get("tier", "standard")},
        **{member: call.get(member) for member in _AS_GIVEN if call.get(member)},
    }


def _access_config(call: Call, name: str, auto: bool) -> dict[str, Any]:
    given = call.get("accessConfig", {})
    mode = given.get("authenticationMode", "CONFIG_MAP")
    bootstrap = given.get("bootstrapClusterCreatorAdminPermissions", True)
    if mode == "CONFIG_MAP" and not bootstrap:
        raise invalid_parameter(
            "bootstrapClusterCreatorAdminPermissions must be true if cluster authentication mode is CONFIG_MAP",
            clusterName=name,
        )
    if auto:
        auto_mode.check_authentication_mode(name, mode)
    return {"authenticationMode": mode, "bootstrapClusterCreatorAdminPermissions": bootstrap}


def _vpc_config(call: Call, name: str) -> dict[str, Any]:
    given = call["resourcesVpcConfig"]
    vpc_id = network.check_subnets(call, name, given.get("subnetIds", []))
    network.check_vpc(call, name, vpc_id)
    network.check_security_groups(call, name, given.get("securityGroupIds", []), vpc_id)
    config = {
        "subnetIds": list(given["subnetIds"]),
        "securityGroupIds": list(given.get("securityGroupIds", [])),
        "vpcId": vpc_id,
        "endpointPublicAccess": given.get("endpointPublicAccess", True),
        "endpointPrivateAccess": given.get("endpointPrivateAccess", False),
        "publicAccessCidrs": list(given.get("publicAccessCidrs") or ["0.0.0.0/0"]),
        "controlPlaneEgressMode": given.get("controlPlaneEgressMode", "AWS_MANAGED"),
    }
    network.check_endpoint_access(name, config)
    return config


def _network_config(call: Call, name: str, vpc_id: str, auto: bool) -> dict[str, Any]:
    given = call.get("kubernetesNetworkConfig", {})
    if given.get("ipFamily", "ipv4") != "ipv4":
        raise invalid_parameter("The sandbox has no IPv6 clusters: ipFamily must be ipv4", clusterName=name)
    return {
        "serviceIpv4Cidr": network.service_cidr(call, name, given.get("serviceIpv4Cidr"), vpc_id),
        "ipFamily": "ipv4",
        "elasticLoadBalancing": {**given.get("elasticLoadBalancing", {}), "enabled": auto},
    }


def _compute_config(call: Call, name: str, auto: bool) -> dict[str, Any]:
    given = call.get("computeConfig", {})
    if not auto:
        auto_mode.check_off(name, given)
        return {"enabled": False, "nodePools": []}
    if call.get("bootstrapSelfManagedAddons"):
        raise invalid_parameter(
            "bootstrapSelfManagedAddons must be false when EKS Auto Mode is enabled", clusterName=name
        )
    auto_mode.check_compute(call, name, given)
    return {**given, "nodePools": list(given.get("nodePools") or [])}


def logging_of(name: str, given: dict[str, Any], already: set[str]) -> dict[str, Any]:
    """Return the logging block once a request is merged into the types that are on already.

    Raises:
        AwsError: InvalidParameterException if a type is switched both on and off.
    """
    setups = given.get("clusterLogging", [])
    on = {kind for setup in setups if setup.get("enabled") for kind in setup.get("types", [])}
    off = {kind for setup in setups if not setup.get("enabled") for kind in setup.get("types", [])}
    if on & off:
        raise invalid_parameter(f"Log types both enabled and disabled: {', '.join(sorted(on & off))}", clusterName=name)
    enabled = (already | on) - off
    groups = {True: [k for k in LOG_TYPES if k in enabled], False: [k for k in LOG_TYPES if k not in enabled]}
    return {"clusterLogging": [{"types": kinds, "enabled": state} for state, kinds in groups.items() if kinds]}


def encryption_of(call: Call, name: str, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Check an encryption block and return it.

    Raises:
        AwsError: InvalidParameterException for other resources than secrets, or a key that EKS cannot use.
    """
    for each in given:
        key = each.get("provider", {}).get("keyArn")
        if each.get("resources") != ["secrets"]:
            raise invalid_parameter("encryptionConfig: resources must be [secrets]", clusterName=name)
        if not key or not key_is_usable(call.account, call.region, key):
            raise invalid_parameter(
                f"KeyArn in encryptionConfig provider, {key}, is not an enabled key of {call.region}", clusterName=name
            )
    return copy.deepcopy(given)


@operation("DescribeCluster")
def describe_cluster(call: Call) -> Answer:
    """Return a cluster as it stands now."""
    return {"cluster": describe(find_cluster(call, call["name"]), call.now)}


def describe(cluster: Cluster, now: float) -> dict[str, Any]:
    """Return what DescribeCluster says of a cluster at a model time."""
    return {**_visible(cluster, created=cluster.timeline.settled(now)), "status": cluster.status(now)}


def _visible(cluster: Cluster, created: bool) -> dict[str, Any]:
    """Return the document; endpoint, CA, issuer and security group exist only once the cluster is created."""
    document = copy.deepcopy(cluster.document)
    document["health"] = {"issues": health.issues(cluster)}
    document["certificateAuthority"] = {}
    if created:
        plane = cluster.control_plane
        document["endpoint"] = plane.endpoint
        document["certificateAuthority"] = {"data": plane.certificate_authority}
        document["identity"] = {"oidc": {"issuer": plane.oidc_issuer}}
        document["resourcesVpcConfig"]["clusterSecurityGroupId"] = cluster.network.security_group_id
    return document


@operation("ListClusters")
def list_clusters(call: Call) -> Answer:
    """Return the names of the clusters of a region, in order."""
    return page(call, sorted(state_of(call).clusters), "clusters")


@operation("DeleteCluster")
def delete_cluster(call: Call) -> Answer:
    """Delete a cluster: DELETING, then gone."""
    name = call["name"]
    cluster = find_cluster(call, name)
    _check_deletable(cluster, call.now)
    cluster.deletion = Timeline.start(
        call.now, ("DELETING", runtime.clock.duration("eks:delete_cluster")), last="DELETED"
    )
    return {"cluster": {**_visible(cluster, created=True), "status": cluster.deletion.first}}


def _check_deletable(cluster: Cluster, now: float) -> None:
    name = cluster.name
    if cluster.document["deletionProtection"]:
        raise invalid_request(
            f"Cluster {name} has deletion protection enabled. Disable it before deleting the cluster.", clusterName=name
        )
    if cluster.nodegroups:
        raise in_use("Cluster has nodegroups attached", clusterName=name, nodegroupName=next(iter(cluster.nodegroups)))
    status = cluster.status(now)
    update = cluster.running_update(now)
    if update is not None:
        raise in_use(f"Cannot delete cluster {name} because update {update.id} is in progress", clusterName=name)
    if status != "ACTIVE":
        raise in_use(f"Cluster {name} cannot be deleted in status {status}", clusterName=name)
