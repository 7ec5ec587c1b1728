# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS clusters, each known by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, error_message
from ..engine.errors import EngineError
from ..engine.model import TAG_ENVIRONMENT, Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from .eks_updates import BUSY, DELETION, Cluster, await_idle, carry_out, iam_lag, standing

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
#: Authentication modes in the only order in which EKS lets a cluster move.
MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")

#: Most updates take "a few minutes" (EKS API reference, UpdateClusterConfig); those that touch no host of the control
#: plane take seconds. All secrets are written anew for another key.
SLOW_UPDATE, QUICK_UPDATE, REENCRYPTION = 180.0, 15.0, 900.0
_CUT_OFF = "the API server for ranges that are taken away"
_DRAINED = "pods on Auto Mode nodes, where Auto Mode or a built-in pool is switched off"


class EksCluster(ResourceType):
    """A cluster's control plane and the settings of Auto Mode.

    Attributes:
        name: unique in a region, so it finds the cluster.
        version: major and minor, e.g. ``1.36``.
        role_arn: the role that EKS works with.
        subnet_ids: where the control plane's interfaces lie.
        security_group_ids: further groups of these interfaces, beside the one that EKS makes.
        endpoint_public_access: whether the API server is reached from the internet.
        endpoint_private_access: whether it is reached from the VPC without leaving it.
        public_access_cidrs: from where it is reached publicly.
        service_ipv4_cidr: the range of Kubernetes services.
        kms_key_arn: the key that encrypts Kubernetes secrets.
        log_types: the logs that are written, out of ``LOG_TYPES``.
        authentication_mode: one of ``MODES``.
        support_type: ``STANDARD`` or ``EXTENDED``.
        deletion_protection: whether EKS refuses to delete it.
        zonal_shift: whether traffic may be led away from a failing zone.
        auto_mode: whether EKS runs nodes, volumes and load balancers.
        builtin_node_pools: EKS's own pools that are on.
        node_role_arn: the role of the nodes of these pools.

    Read only: ``arn``, ``endpoint``, ``certificate_authority`` (base64 of PEM), ``oidc_issuer``,
    ``cluster_security_group_id``, ``platform_version``, ``failure``.
    """

    kind = "eks_cluster"
    label = "EKS cluster"
    service = "eks"
    slow = True
    # terraform-aws-modules/terraform-aws-eks 3218 measured ten minutes.
    creation = Traits(seconds=600)
    deletion = Traits(seconds=DELETION, interrupts="everything that runs in the cluster", reversible=False)
    updates = (
        # Before Auto Mode, whose nodes cannot join a cluster that only knows the aws-auth ConfigMap.
        Update(
            "authentication",
            ("authentication_mode",),
            Traits(SLOW_UPDATE, "whoever only the aws-auth ConfigMap lets in", reversible=False),
        ),
        Update("upgrade_policy", ("support_type",), Traits(QUICK_UPDATE)),
        Update(
            "endpoint_access",
            ("endpoint_public_access", "endpoint_private_access", "public_access_cidrs"),
            Traits(SLOW_UPDATE, _CUT_OFF),
        ),
        Update("vpc_config", ("subnet_ids", "security_group_ids"), Traits(SLOW_UPDATE)),
        Update("logging", ("log_types",), Traits(SLOW_UPDATE)),
        Update("encryption", ("kms_key_arn",), Traits(REENCRYPTION, reversible=False)),
        Update("auto_mode", ("auto_mode", "builtin_node_pools", "node_role_arn"), Traits(SLOW_UPDATE, _DRAINED)),
        Update("zonal_shift", ("zonal_shift",), Traits(QUICK_UPDATE)),
        Update("deletion_protection", ("deletion_protection",), Traits(QUICK_UPDATE)),
    )
    fixed: ClassVar[Mapping[str, str]] = {
        "version": "site.yml upgrades none. Run ansible-playbook playbooks/upgrade_cluster.yml -i inventories/ENV: "
        "it goes up one minor at a time, with checks before; until then set eks_version to what stands.",
        "role_arn": "EKS keeps a cluster's role for good: give the role its former name, or build a new cluster.",
        "service_ipv4_cidr": "It is set for good at creation: set it back, or build a new cluster beside this one.",
    }
    inherited = frozenset({"role_arn", "kms_key_arn", "service_ipv4_cidr"})
    unordered = frozenset(
        {"subnet_ids", "security_group_ids", "public_access_cidrs", "log_types", "builtin_node_pools"}
    )

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = []
        for logical_name, wanted in scope.wanted.items():
            cluster = standing(aws, wanted.attributes["name"])
            if cluster:
                _refuse_foreign(aws, scope, cluster)
                found.append(_observed(logical_name, cluster))
        return found

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        request = _creation(wanted.attributes)
        cluster = aws.client("eks", once=True).create_cluster(tags=dict(wanted.tags or {}), **request)["cluster"]
        return _observed(wanted.name, cluster)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        seconds = update.traits.seconds
        if update.name == "authentication":
            first = MODES.index(observed.get("authentication_mode")) + 1
            for mode in MODES[first : MODES.index(wanted.attributes["authentication_mode"]) + 1]:
                _configure(aws, observed.id, seconds, {"accessConfig": {"authenticationMode": mode}})
        elif update.name == "encryption":
            config = _encryption(wanted.attributes)
            client = aws.client("eks")
            carry_out(
                aws,
                observed.id,
                seconds,
                lambda: client.associate_encryption_config(clusterName=observed.id, encryptionConfig=config),
            )
        else:
            _configure(aws, observed.id, seconds, _CHANGES[update.name](wanted.attributes))

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("eks").tag_resource(resourceArn=observed.get("arn"), tags=dict(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        """Lift the protection, which the layer only asks for if the option says so, and delete the cluster."""
        client = aws.client("eks")
        cluster = await_idle(aws, observed.id)
        if cluster is None or cluster["status"] == "DELETING":
            return
        if cluster.get("deletionProtection"):
            _configure(aws, observed.id, QUICK_UPDATE, {"deletionProtection": False})
        try:
            client.delete_cluster(name=observed.id)
        except client.exceptions.ResourceNotFoundException:
            return

    def readiness(self, observed: Observed) -> Readiness:
        if observed.status == "FAILED":
            return Readiness.FAILED
        return Readiness.WAIT if observed.status in BUSY else Readiness.READY

    def transient(self, error: Exception) -> str:
        busy = error_code(error) == "ResourceInUseException" and "in progress" in error_message(error)
        return "EKS is still busy with an update" if busy else iam_lag(error)

    def refuses(self, attribute: str, wanted: Any, observed: Any) -> str:
        if attribute == "kms_key_arn" and observed:
            return "EKS never changes the key of a cluster: set it back, or build a new cluster beside it."
        if attribute == "node_role_arn" and observed:
            return "EKS keeps the role of its built-in node pools while they are on: switch them off first."
        return ""


def _refuse_foreign(aws: Aws, scope: Scope, cluster: Cluster) -> None:
    owner = cluster.get("tags", {}).get(TAG_ENVIRONMENT)
    if owner not in (None, scope.identity.environment):
        raise EngineError(
            f"EKS cluster {cluster['name']} in {aws.region} belongs to environment {owner}, not to "
            f"{scope.identity.environment}. Choose another cluster_name."
        )


def _configure(aws: Aws, name: str, seconds: float, change: Mapping[str, Any]) -> None:
    client = aws.client("eks")
    carry_out(aws, name, seconds, lambda: client.update_cluster_config(name=name, **change))


def _observed(logical_name: str, cluster: Cluster) -> Observed:
    tags = cluster.get("tags", {})
    return Observed("eks_cluster", logical_name, cluster["name"], _attributes(cluster), tags, cluster["status"])


def _attributes(cluster: Cluster) -> dict[str, Any]:
    compute, vpc = cluster.get("computeConfig") or {}, cluster["resourcesVpcConfig"]
    keys = [item["provider"]["keyArn"] for item in cluster.get("encryptionConfig") or ()]
    setups = cluster.get("logging", {}).get("clusterLogging", [])
    return {
        "name": cluster["name"],
        "version": cluster["version"],
        "role_arn": cluster["roleArn"],
        "subnet_ids": vpc["subnetIds"],
        "security_group_ids": vpc.get("securityGroupIds", []),
        "endpoint_public_access": vpc["endpointPublicAccess"],
        "endpoint_private_access": vpc["endpointPrivateAccess"],
        "public_access_cidrs": vpc.get("publicAccessCidrs", []),
        "service_ipv4_cidr": cluster.get("kubernetesNetworkConfig", {}).get("serviceIpv4Cidr"),
        "kms_key_arn": keys[0] if keys else "",
        "log_types": [kind for setup in setups if setup.get("enabled") for kind in setup["types"]],
        "authentication_mode": cluster["accessConfig"]["authenticationMode"],
        "support_type": cluster.get("upgradePolicy", {}).get("supportType"),
        "deletion_protection": cluster.get("deletionProtection", False),
        "zonal_shift": cluster.get("zonalShiftConfig", {}).get("enabled", False),
        "auto_mode": compute.get("enabled", False),
        "builtin_node_pools": compute.get("nodePools") or [],
        "node_role_arn": compute.get("nodeRoleArn"),
        **_read_only(cluster),
    }


def _read_only(cluster: Cluster) -> dict[str, Any]:
    """Return what only EKS can tell; most of it is not there before the cluster is ACTIVE."""
    issues = cluster.get("health", {}).get("issues", [])
    return {
        "arn": cluster["arn"],
        "endpoint": cluster.get("endpoint"),
        "certificate_authority": cluster.get("certificateAuthority", {}).get("data"),
        "oidc_issuer": cluster.get("identity", {}).get("oidc", {}).get("issuer"),
        "cluster_security_group_id": cluster["resourcesVpcConfig"].get("clusterSecurityGroupId"),
        "platform_version": cluster.get("platformVersion"),
        "failure": "; ".join(f"{issue.get('code')}: {issue.get('message')}" for issue in issues) or None,
    }


def _creation(attributes: Mapping[str, Any]) -> dict[str, Any]:
    auto = _auto_mode(attributes)
    kubernetes = {**auto["kubernetesNetworkConfig"], "serviceIpv4Cidr": attributes["service_ipv4_cidr"]}
    vpc = {**_vpc_config(attributes)["resourcesVpcConfig"], **_endpoint(attributes)["resourcesVpcConfig"]}
    return {
        "name": attributes["name"],
        "version": attributes["version"],
        "roleArn": attributes["role_arn"],
        **auto,
        "resourcesVpcConfig": vpc,
        "kubernetesNetworkConfig": kubernetes,
        "logging": _logging(attributes)["logging"],
        # Whoever runs the play gets in by an access entry or not at all: the flag cannot be taken back later.
        "accessConfig": {
            "authenticationMode": attributes["authentication_mode"],
            "bootstrapClusterCreatorAdminPermissions": False,
        },
        "bootstrapSelfManagedAddons": False,
        **_CHANGES["upgrade_policy"](attributes),
        **_CHANGES["zonal_shift"](attributes),
        **_CHANGES["deletion_protection"](attributes),
        **({"encryptionConfig": _encryption(attributes)} if attributes.get("kms_key_arn") else {}),
    }


def _encryption(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"resources": ["secrets"], "provider": {"keyArn": attributes["kms_key_arn"]}}]


def _vpc_config(attributes: Mapping[str, Any]) -> dict[str, Any]:
    groups = list(attributes["security_group_ids"])
    return {"resourcesVpcConfig": {"subnetIds": list(attributes["subnet_ids"]), "securityGroupIds": groups}}


def _endpoint(attributes: Mapping[str, Any]) -> dict[str, Any]:
    cidrs = attributes.get("public_access_cidrs")
    access = {
        "endpointPublicAccess": attributes["endpoint_public_access"],
        "endpointPrivateAccess": attributes["endpoint_private_access"],
        **({"publicAccessCidrs": list(cidrs)} if cidrs is not None else {}),
    }
    return {"resourcesVpcConfig": access}


def _logging(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the switch of each log type: EKS leaves those as they are that a request does not name."""
    on = [kind for kind in LOG_TYPES if kind in attributes["log_types"]]
    off = [kind for kind in LOG_TYPES if kind not in on]
    return {"logging": {"clusterLogging": [{"types": t, "enabled": e} for t, e in ((on, True), (off, False)) if t]}}


def _auto_mode(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the three switches of Auto Mode, which EKS only takes together."""
    on, pools = attributes["auto_mode"], list(attributes["builtin_node_pools"])
    compute: dict[str, Any] = {"enabled": on}
    if on:
        # EKS takes a node role with pools only, and no pools without one.
        compute |= {"nodePools": pools, **({"nodeRoleArn": attributes["node_role_arn"]} if pools else {})}
    return {
        "computeConfig": compute,
        "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": on}},
        "storageConfig": {"blockStorage": {"enabled": on}},
    }


#: The members of UpdateClusterConfig for each change; it takes one kind at a time.
_CHANGES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "upgrade_policy": lambda attributes: {"upgradePolicy": {"supportType": attributes["support_type"]}},
    "endpoint_access": _endpoint,
    "vpc_config": _vpc_config,
    "logging": _logging,
    "auto_mode": _auto_mode,
    "zonal_shift": lambda attributes: {"zonalShiftConfig": {"enabled": attributes["zonal_shift"]}},
    "deletion_protection": lambda attributes: {"deletionProtection": attributes["deletion_protection"]},
}
