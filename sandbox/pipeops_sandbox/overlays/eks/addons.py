"""Add-ons of a cluster: create, describe, list, update, delete."""

from __future__ import annotations

import copy
from typing import Any

from moto.moto_api._internal import mock_random

from ...clock import Timeline
from ...runtime import runtime
from .addon_catalogue import catalogue_row, check_configuration, default_addon_version, require_addon_version
from .call import Answer, Call, in_use, invalid_parameter, not_found, operation, page
from .control_plane import data_plane
from .pod_identity import associate
from .principals import PODS, require_principal, require_role
from .state import Cluster, Part, find_cluster
from .tags import check_tags
from .updates import require_active, start_update


def _addon(cluster: Cluster, name: str) -> Part:
    addon = cluster.addons.get(name)
    if addon is None:
        raise not_found(f"No addon: {name} found in cluster: {cluster.name}", clusterName=cluster.name, addonName=name)
    return addon


@operation("CreateAddon")
def create_addon(call: Call) -> Answer:
    """Install an add-on: CREATING, then ACTIVE, or DEGRADED where no node can run it."""
    cluster, name = find_cluster(call, call["clusterName"]), call["addonName"]
    require_active(cluster, call.now)
    row = catalogue_row(cluster.name, name)
    if name in cluster.addons:
        raise in_use("Addon already exists.", clusterName=cluster.name, addonName=name)
    version = call.get("addonVersion") or default_addon_version(cluster.name, name, cluster.document["version"])
    _check(call, cluster, name, version)
    check_tags(call.get("tags", {}))
    document = {
        "addonName": name,
        "clusterName": cluster.name,
        "addonVersion": version,
        "addonArn": call.arn(f"addon/{cluster.name}/{name}/{mock_random.uuid4()}"),
        "createdAt": call.now,
        "modifiedAt": call.now,
        "publisher": row["publisher"],
        "owner": row["owner"],
        "tags": dict(call.get("tags", {})),
        "namespaceConfig": {"namespace": call.get("namespaceConfig", {}).get("namespace", row["namespace"])},
    }
    document |= {each: call[each] for each in ("serviceAccountRoleArn", "configurationValues") if call.get(each)}
    document["podIdentityAssociations"] = _bind(call, cluster, document, call.get("podIdentityAssociations") or [])
    issues = _conflicts(call, cluster, name)
    last = "CREATE_FAILED" if issues else "ACTIVE"
    timeline = Timeline.start(call.now, ("CREATING", runtime.clock.duration("eks:create_addon")), last=last)
    cluster.addons[name] = Part(document, timeline, issues=issues)
    return {"addon": _answer(cluster, cluster.addons[name], timeline.first)}


def _conflicts(call: Call, cluster: Cluster, addon: str) -> list[dict[str, Any]]:
    """Return the issue of an add-on whose software is there with other values, which nobody allowed to overwrite."""
    left = cluster.preserved.get(addon)
    if call.get("resolveConflicts") == "OVERWRITE" or left in (None, call.get("configurationValues", "")):
        cluster.preserved.pop(addon, None)
        return []
    message = f"Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Addon: {addon}"
    return [{"code": "ConfigurationConflict", "message": message, "resourceIds": [cluster.name]}]


def _check(call: Call, cluster: Cluster, addon: str, version: str) -> None:
    """Check what creating and updating have in common; a version that is there already is not questioned."""
    part = cluster.addons.get(addon)
    if part is None or part.document["addonVersion"] != version:
        require_addon_version(cluster.name, addon, version, cluster.document["version"])
    check_configuration(cluster.name, addon, call.get("configurationValues"))
    if call.get("serviceAccountRoleArn"):
        require_principal(call, cluster.name, call["serviceAccountRoleArn"])
        if call.get("podIdentityAssociations"):
            raise invalid_parameter(
                "Give serviceAccountRoleArn or podIdentityAssociations, not both",
                clusterName=cluster.name,
                addonName=addon,
            )
    for wanted in call.get("podIdentityAssociations") or []:
        require_role(call, cluster.name, wanted["roleArn"], PODS, tag_session=True)
    _check_service_accounts(call, cluster, addon)


def _check_service_accounts(call: Call, cluster: Cluster, addon: str) -> None:
    """Refuse a service account that has an association which is not this add-on's, or is named twice."""
    wanted = [each["serviceAccount"] for each in call.get("podIdentityAssociations") or []]
    part = cluster.addons.get(addon)
    arn = part.document["addonArn"] if part else None
    namespace = _namespace(call, cluster, addon)
    taken = {
        each["serviceAccount"]
        for each in cluster.associations.values()
        if each["namespace"] == namespace and each.get("ownerArn") != arn
    }
    clashes = sorted(taken & set(wanted)) or sorted({account for account in wanted if wanted.count(account) > 1})
    if clashes:
        raise in_use(
            f"Association already exists: {namespace}, {', '.join(clashes)}", clusterName=cluster.name, addonName=addon
        )


def _namespace(call: Call, cluster: Cluster, addon: str) -> str:
    if addon in cluster.addons:
        return str(cluster.addons[addon].document["namespaceConfig"]["namespace"])
    default = catalogue_row(cluster.name, addon)["namespace"]
    return str(call.get("namespaceConfig", {}).get("namespace", default))


def _bind(call: Call, cluster: Cluster, document: dict[str, Any], wanted: list[dict[str, str]]) -> list[str]:
    """Make the add-on's own associations those that are wanted, and return their ARNs."""
    owner = document["addonArn"]
    roles = {each["serviceAccount"]: each["roleArn"] for each in wanted}
    for identifier, held in list(cluster.associations.items()):
        if held.get("ownerArn") != owner:
            continue
        role = roles.pop(held["serviceAccount"], None)
        if role is None:
            del cluster.associations[identifier]
        elif role != held["roleArn"]:
            held |= {"roleArn": role, "modifiedAt": call.now}
    for account, role in roles.items():
        given = {"namespace": document["namespaceConfig"]["namespace"], "serviceAccount": account, "roleArn": role}
        associate(call, cluster, given, owner)
    return [each["associationArn"] for each in cluster.associations.values() if each.get("ownerArn") == owner]


@operation("DescribeAddon")
def describe_addon(call: Call) -> Answer:
    """Return an add-on as it stands now."""
    cluster = find_cluster(call, call["clusterName"])
    addon = _addon(cluster, call["addonName"])
    return {"addon": _answer(cluster, addon, _status(cluster, addon, call.now))}


def _status(cluster: Cluster, addon: Part, now: float) -> str:
    if addon.deletion is None and cluster.running_update(now, addon=addon.document["addonName"]):
        return "UPDATING"
    status = addon.status(now)
    # A DaemonSet without nodes has all the pods that it wants.
    needs_nodes = not catalogue_row(cluster.name, addon.document["addonName"]).get("daemon")
    return "DEGRADED" if status == "ACTIVE" and needs_nodes and not data_plane().can_run_pods(cluster) else status


def _answer(cluster: Cluster, addon: Part, status: str) -> dict[str, Any]:
    document = copy.deepcopy(addon.document)
    if not document["podIdentityAssociations"]:
        del document["podIdentityAssociations"]
    issue = {
        "code": "InsufficientNumberOfReplicas",
        "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
        "resourceIds": [cluster.name],
    }
    issues = {"DEGRADED": [issue], "CREATE_FAILED": addon.issues}.get(status, [])
    return {**document, "status": status, "health": {"issues": issues}}


@operation("ListAddons")
def list_addons(call: Call) -> Answer:
    """Return the names of a cluster's add-ons."""
    return page(call, sorted(find_cluster(call, call["clusterName"]).addons), "addons")


@operation("UpdateAddon")
def update_addon(call: Call) -> Answer:
    """Change an add-on: what is absent stays, an empty list of associations removes them."""
    cluster = find_cluster(call, call["clusterName"])
    addon, name = _addon(cluster, call["addonName"]), call["addonName"]
    _require_idle(cluster, addon, call.now)
    _check(call, cluster, name, call.get("addonVersion", addon.document["addonVersion"]))
    members = ("addonVersion", "serviceAccountRoleArn", "configurationValues")
    changes = {member: call[member] for member in members if call.get(member) is not None}
    params = {member[0].upper() + member[1:]: value for member, value in changes.items()}
    wanted = call.get("podIdentityAssociations")
    if wanted is not None:
        changes["podIdentityAssociations"] = _bind(call, cluster, addon.document, wanted)
        params["PodIdentityAssociations"] = wanted
    if call.get("resolveConflicts"):
        params["ResolveConflicts"] = call["resolveConflicts"]
    return start_update(cluster, "AddonUpdate", "eks:update_addon", call.now, changes, params, addon=name)


def _require_idle(cluster: Cluster, addon: Part, now: float, allowed: tuple[str, ...] = ("ACTIVE",)) -> None:
    require_active(cluster, now)
    name = addon.document["addonName"]
    running = cluster.running_update(now, addon=name)
    if running is not None:
        raise in_use(
            f"Addon {name} cannot be updated as it currently has update {running.id} in progress",
            clusterName=cluster.name,
            addonName=name,
        )
    status = addon.status(now)
    if status not in allowed:
        raise in_use(f"Addon {name} cannot be changed in status {status}", clusterName=cluster.name, addonName=name)


@operation("DeleteAddon")
def delete_addon(call: Call) -> Answer:
    """Take an add-on away, with the associations that it owns; with ``preserve`` its software stays in the cluster."""
    cluster = find_cluster(call, call["clusterName"])
    addon = _addon(cluster, call["addonName"])
    _require_idle(cluster, addon, call.now, ("ACTIVE", "CREATE_FAILED"))
    if str(call.get("preserve", False)).lower() == "true":
        cluster.preserved.setdefault(call["addonName"], addon.document.get("configurationValues", ""))
    _bind(call, cluster, addon.document, [])
    addon.deletion = Timeline.start(call.now, ("DELETING", runtime.clock.duration("eks:delete_addon")), last="DELETED")
    return {"addon": _answer(cluster, addon, addon.deletion.first)}
