"""Managed node groups: create, describe, list, update, delete. No EC2 instance is launched for them."""

from __future__ import annotations

import copy
from typing import Any

from moto.moto_api._internal import mock_random

from ...clock import Timeline
from ...runtime import runtime
from . import nodegroup_rules as rules
from .call import Answer, Call, in_use, invalid_parameter, not_found, operation, page
from .managed_entries import ensure_entry
from .principals import EC2, require_role
from .state import Cluster, Part, find_cluster
from .tags import check_tags
from .updates import require_active, start_update
from .version_catalogue import minor, versions

_AS_GIVEN = ("remoteAccess", "launchTemplate", "nodeRepairConfig", "warmPoolConfig")


def _group(cluster: Cluster, name: str) -> Part:
    group = cluster.nodegroups.get(name)
    if group is None:
        raise not_found(f"No node group found for name: {name}.", clusterName=cluster.name, nodegroupName=name)
    return group


def release_version(kubernetes: str) -> str:
    """Return the AMI release that new nodes of a Kubernetes version get, in the form of the AL2023 images."""
    return f"{versions()[kubernetes]['patch']}-20261105"


@operation("CreateNodegroup")
def create_nodegroup(call: Call) -> Answer:
    """Create a node group: CREATING, then ACTIVE."""
    cluster, name = find_cluster(call, call["clusterName"]), call["nodegroupName"]
    require_active(cluster, call.now)
    if name in cluster.nodegroups:
        raise in_use(
            f"NodeGroup already exists with name {name} and cluster name {cluster.name}",
            clusterName=cluster.name,
            nodegroupName=name,
        )
    document = _document(call, cluster, name)
    issues = rules.join_issues(call, cluster, name)
    last = "CREATE_FAILED" if issues else "ACTIVE"
    timeline = Timeline.start(call.now, ("CREATING", runtime.clock.duration("eks:create_nodegroup")), last=last)
    cluster.nodegroups[name] = Part(document, timeline, issues=issues)
    if cluster.authentication_mode != "CONFIG_MAP":
        ensure_entry(cluster, call["nodeRole"], "EC2_LINUX", call.now, ())
    return {"nodegroup": _answer(cluster.nodegroups[name], timeline.first)}


def _document(call: Call, cluster: Cluster, name: str) -> dict[str, Any]:
    """Check a CreateNodegroup request and return what DescribeNodegroup will say of it."""
    rules.check_launch_template(call, cluster, name)
    rules.check_subnets(call, cluster, name)
    version = call.get("version", cluster.document["version"])
    rules.check_version(call, cluster, name, version)
    check_tags(call.get("tags", {}))
    settings = _settings(call, cluster, name)
    require_role(call, cluster.name, call["nodeRole"], EC2)
    identifier = str(mock_random.uuid4())
    return {
        "nodegroupName": name,
        "nodegroupArn": call.arn(f"nodegroup/{cluster.name}/{name}/{identifier}"),
        "clusterName": cluster.name,
        "version": version,
        "releaseVersion": call.get("releaseVersion", release_version(version)),
        "createdAt": call.now,
        "modifiedAt": call.now,
        "subnets": list(call["subnets"]),
        "nodeRole": call["nodeRole"],
        "resources": {"autoScalingGroups": [{"name": f"eks-{name}-{identifier}"}]},
        "tags": dict(call.get("tags", {})),
        **settings,
    }


def _settings(call: Call, cluster: Cluster, name: str) -> dict[str, Any]:
    """Return sizes, machines, labels and the rest of what describes the nodes, with the API's defaults."""
    return {
        "capacityType": call.get("capacityType", "ON_DEMAND"),
        "scalingConfig": rules.scaling(cluster, name, call.get("scalingConfig", {}), rules.DEFAULT_SIZES),
        "amiType": rules.ami_type(call, cluster, name),
        "labels": dict(call.get("labels", {})),
        "taints": list(call.get("taints", [])),
        "updateConfig": rules.update_config(cluster, name, call.get("updateConfig", {"maxUnavailable": 1})),
        **{member: call[member] for member in _AS_GIVEN if call.get(member)},
        **rules.machine(call),
    }


@operation("DescribeNodegroup")
def describe_nodegroup(call: Call) -> Answer:
    """Return a node group as it stands now."""
    cluster = find_cluster(call, call["clusterName"])
    group = _group(cluster, call["nodegroupName"])
    busy = group.deletion is None and cluster.running_update(call.now, nodegroup=call["nodegroupName"])
    return {"nodegroup": _answer(group, "UPDATING" if busy else group.status(call.now))}


def _answer(group: Part, status: str) -> dict[str, Any]:
    issues = group.issues if status == "CREATE_FAILED" else []
    return {**copy.deepcopy(group.document), "status": status, "health": {"issues": issues}}


@operation("ListNodegroups")
def list_nodegroups(call: Call) -> Answer:
    """Return the names of a cluster's node groups."""
    return page(call, sorted(find_cluster(call, call["clusterName"]).nodegroups), "nodegroups")


def _idle(call: Call, cluster: Cluster, allowed: tuple[str, ...] = ("ACTIVE",)) -> Part:
    """Return the node group of a request if nothing runs on it.

    Raises:
        AwsError: ResourceNotFoundException, or ResourceInUseException while it is busy.
    """
    name = call["nodegroupName"]
    group = _group(cluster, name)
    running = cluster.running_update(call.now, nodegroup=name)
    status = group.status(call.now)
    if running is not None or status not in allowed:
        reason = f"update {running.id} is in progress" if running else f"it is in status {status}"
        raise in_use(
            f"Nodegroup {name} cannot be changed because {reason}", clusterName=cluster.name, nodegroupName=name
        )
    return group


@operation("UpdateNodegroupConfig")
def update_nodegroup_config(call: Call) -> Answer:
    """Change labels, taints, sizes, update and repair settings, in one update."""
    cluster, name = find_cluster(call, call["clusterName"]), call["nodegroupName"]
    require_active(cluster, call.now)
    document = _idle(call, cluster).document
    changes: dict[str, Any] = {}
    if call.get("scalingConfig"):
        changes["scalingConfig"] = rules.scaling(cluster, name, call["scalingConfig"], document["scalingConfig"])
    if call.get("labels"):
        changes["labels"] = rules.changed_labels(document["labels"], call["labels"])
    if call.get("taints"):
        changes["taints"] = rules.changed_taints(document["taints"], call["taints"])
    if call.get("updateConfig"):
        changes["updateConfig"] = rules.update_config(cluster, name, call["updateConfig"])
    changes |= {each: call[each] for each in ("nodeRepairConfig", "warmPoolConfig") if call.get(each)}
    if not changes:
        raise invalid_parameter("No changes given for the node group", clusterName=cluster.name, nodegroupName=name)
    params = rules.shown(call.params)
    return start_update(
        cluster, "ConfigUpdate", "eks:update_nodegroup_config", call.now, changes, params, nodegroup=name
    )


@operation("UpdateNodegroupVersion")
def update_nodegroup_version(call: Call) -> Answer:
    """Move nodes to the cluster's version, another AMI release or another launch template version."""
    cluster, name = find_cluster(call, call["clusterName"]), call["nodegroupName"]
    require_active(cluster, call.now)
    document = _idle(call, cluster).document
    version = call.get("version", document["version"])
    rules.check_version(call, cluster, name, version)
    if minor(version) < minor(document["version"]):
        raise invalid_parameter(
            f"Nodegroup {name} cannot go back from {document['version']} to {version}",
            clusterName=cluster.name,
            nodegroupName=name,
        )
    changes = {"version": version, "releaseVersion": call.get("releaseVersion", release_version(version))}
    params = {"Version": version, "ReleaseVersion": changes["releaseVersion"]}
    if call.get("launchTemplate"):
        changes["launchTemplate"] = rules.next_launch_template(cluster, document, call["launchTemplate"])
        params["LaunchTemplateVersion"] = changes["launchTemplate"]["version"]
    return start_update(
        cluster, "VersionUpdate", "eks:update_nodegroup_version", call.now, changes, params, nodegroup=name
    )


@operation("DeleteNodegroup")
def delete_nodegroup(call: Call) -> Answer:
    """Delete a node group: DELETING, then gone."""
    cluster = find_cluster(call, call["clusterName"])
    group = _idle(call, cluster, ("ACTIVE", "CREATE_FAILED"))
    group.deletion = Timeline.start(
        call.now, ("DELETING", runtime.clock.duration("eks:delete_nodegroup")), last="DELETED"
    )
    return {"nodegroup": _answer(group, group.deletion.first)}
