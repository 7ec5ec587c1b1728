# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS managed node groups, each known by its name in a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.model import Key, Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from . import eks_parts
from .ec2_launch_template import content
from .eks_parts import CONDITIONS, SOUND, Part, cluster_of

#: 1m50s were measured for a small one (DevopsArtFactory/terraform-provisioning 46); users report 3-10 min for removal,
#: and some 3 min a node for a new version.
CREATION, REMOVAL, SETTINGS, ROLLOUT = 110.0, 300.0, 20.0, 600.0
#: What becomes of a group whose nodes run another Kubernetes version than the cluster.
REFUSE, KEEP, MOVE = "refuse", "keep", "update"
MENDS: Mapping[str, str] = {
    "NodeCreationFailure": "See that the nodes reach the API server and ECR, have their role's policies and vpc-cni.",
    "AsgInstanceLaunchFailures": "Name further instance types, or wait until the zone has some.",
    "InstanceLimitExceeded": "Raise the quota of running instances.",
    "InsufficientFreeAddresses": "Widen the subnet: it has no addresses left.",
    "Ec2LaunchTemplateNotFound": "Raise the node revision: a group cannot do without its launch template.",
    "IamNodeRoleNotFound": "Run the play again: it makes the role anew.",
    "AccessDenied": "Give the nodes' role an access entry of type EC2_LINUX, which EKS makes with the group.",
    "PodEvictionFailure": "A disruption budget lets no pod go: raise replicas or the budget, then run again.",
    "ClusterUnreachable": "Look at the health of the cluster.",
}
_MOVED = "pods on nodes that are replaced, as disruption budgets allow"
_NEW_ONES = "Raise the node revision (eks_node_revision): new groups come up, then the old ones are drained and go."


class EksNodeGroup(ResourceType):
    """A managed node group.

    Attributes:
        cluster_name: the cluster.
        name: of the group, unique in the cluster.
        version: the Kubernetes version of its nodes.
        version_rule: what becomes of a group of another version: ``refuse``, ``keep`` or ``update``.
        release_version: the release of the machine image; None for untouched.
        subnet_ids, instance_types, ami_type, capacity_type, node_role_arn: fixed when the group is made.
        minimum, maximum: bounds of its number of nodes.
        labels: labels of its nodes.
        max_unavailable: how many nodes are replaced at a time.
        launch_template_id: fixed when the group is made.
        launch_template_version: the version that it is made or updated with.
        template: the content of the launch template's version that its nodes have.
        condition: ``sound``, unless EKS gave up making it.

    The number of nodes is a matter of the cluster's autoscaler: it is set once, to the minimum.

    Read only: ``arn``, ``failure``, ``update_id``, ``desired``.
    """

    kind = "eks_node_group"
    label = "node group"
    service = "eks"
    slow = True
    creation = Traits(seconds=CREATION)
    deletion = Traits(seconds=REMOVAL, interrupts="pods on its nodes, which move to others as disruption budgets allow")
    updates = (
        # None of its nodes has joined, so it holds nothing.
        Update("condition", ("condition",), Traits(CREATION)),
        Update("settings", ("minimum", "maximum", "labels", "max_unavailable"), Traits(SETTINGS)),
        Update("nodes", ("version", "release_version", "template"), Traits(ROLLOUT, _MOVED, reversible=False)),
    )
    fixed: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("subnet_ids", "instance_types", "ami_type", "capacity_type", "node_role_arn", "launch_template_id"), _NEW_ONES
    )
    create_only = frozenset({"version_rule", "launch_template_version"})
    unordered = frozenset({"subnet_ids"})
    remembered = frozenset({"update_id"})
    prune = True
    ready_within = 2400
    stuck: ClassVar[str] = "Look at its health and at its nodes, then run the play again: it goes on where it stopped."

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        cluster, client = cluster_of(scope), aws.client("eks")
        try:
            names = aws.pages("eks", "list_nodegroups", "nodegroups", clusterName=cluster)
        except client.exceptions.ResourceNotFoundException:
            return []
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda name: self._look(aws, scope, cluster, name), names)
            return [item for item in found if item]

    def _look(self, aws: Aws, scope: Scope, cluster: str, name: str) -> Observed | None:
        group = _describe(aws, cluster, name)
        by_name = {item.attributes["name"]: logical for logical, item in scope.wanted.items()}
        logical = by_name.get(name) or (scope.owns(group.get("tags", {})) if group else None)
        if group is None or logical is None:
            return None
        if group["status"] == "DELETING":
            # Its name is free only when it is gone.
            _await_gone(aws, cluster, name)
            return None
        # One of an earlier revision has the tag of its zone too: it is no longer wanted.
        return _observed(aws, logical if name in by_name else name, group)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        group = aws.client("eks", once=True).create_nodegroup(
            clusterName=attributes["cluster_name"],
            nodegroupName=attributes["name"],
            subnets=list(attributes["subnet_ids"]),
            instanceTypes=list(attributes["instance_types"]),
            amiType=attributes["ami_type"],
            capacityType=attributes["capacity_type"],
            nodeRole=attributes["node_role_arn"],
            scalingConfig={**_bounds(attributes), "desiredSize": attributes["minimum"]},
            updateConfig={"maxUnavailable": attributes["max_unavailable"]},
            labels=dict(attributes["labels"]),
            tags=dict(wanted.tags or {}),
            launchTemplate=_template(attributes),
            # Without a version EKS takes the cluster's.
            **({"version": attributes["version"]} if attributes["version"] else {}),
            **_release(attributes),
        )["nodegroup"]
        return _observed(aws, wanted.name, group)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed:
        """Send one change as soon as EKS takes it, unless it holds already; a group that never came up is made anew."""
        cluster, name = wanted.attributes["cluster_name"], wanted.attributes["name"]
        standing = eks_parts.await_idle(aws, _what(cluster, name), ROLLOUT, lambda: _describe(aws, cluster, name))
        if standing is None:
            return self.create(aws, wanted)
        if update.name == "condition" and standing["status"] == "CREATE_FAILED":
            self._remove(aws, cluster, name)
            return self.create(aws, wanted)
        now = _observed(aws, wanted.name, standing)
        if all(self._holds(attribute, wanted, now) for attribute in update.attributes):
            return now
        start = _configure if update.name == "settings" else _roll_out
        update_id = start(aws, wanted.attributes, now)
        return replace(now, status="UPDATING", attributes={**now.attributes, "update_id": update_id})

    def _holds(self, attribute: str, wanted: Wanted, now: Observed) -> bool:
        value = wanted.attributes.get(attribute)
        return value is None or self.same(attribute, value, now.get(attribute))

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("eks").tag_resource(resourceArn=observed.get("arn"), tags=dict(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        """Remove it, once those that come in its place can take its pods."""
        cluster = observed.get("cluster_name")
        await_others(aws, cluster, observed.id)
        self._remove(aws, cluster, observed.id)

    @staticmethod
    def _remove(aws: Aws, cluster: str, name: str) -> None:
        client = aws.client("eks")
        try:
            client.delete_nodegroup(clusterName=cluster, nodegroupName=name)
        except client.exceptions.ResourceNotFoundException:
            return
        _await_gone(aws, cluster, name)

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        cluster = cluster_of(scope)
        group = _describe(aws, cluster, observed.id)
        if group is None:
            return None
        now = _observed(aws, observed.name, group)
        return eks_parts.with_update(aws, observed, now, cluster, nodegroupName=observed.id)

    def readiness(self, observed: Observed) -> Readiness:
        if observed.status == "ACTIVE":
            return Readiness.READY
        return Readiness.WAIT if observed.status in eks_parts.BUSY else Readiness.FAILED

    def transient(self, error: Exception) -> str:
        return eks_parts.passes(error)

    def objections(self, wanted: Wanted, observed: Mapping[Key, Observed]) -> Sequence[str]:
        standing, attributes = observed.get(wanted.key), wanted.attributes
        if standing is None or attributes["version_rule"] != REFUSE or attributes["version"] == standing.get("version"):
            return ()
        return [
            f"The nodes of the group {standing.id} run Kubernetes {standing.get('version')}, the cluster "
            f"{attributes['version']}. An upgrade was not finished: run playbooks/upgrade_cluster.yml."
        ]


def await_others(aws: Aws, cluster: str, leaving: str) -> None:
    """Wait until no other group of the cluster is being made.

    Raises:
        EngineError: if one could not be made: then the one that would leave is still needed.
    """
    for name in aws.pages("eks", "list_nodegroups", "nodegroups", clusterName=cluster):
        if name == leaving:
            continue
        what = _what(cluster, name)
        other = eks_parts.await_idle(aws, what, CREATION, partial(_describe, aws, cluster, name))
        if other is not None and other["status"] == "CREATE_FAILED":
            raise EngineError(
                f"{what} in {aws.region} could not be made: {eks_parts.failure(other, MENDS) or 'no reason given'}. "
                f"The node group {leaving} stays until then. Mend that, then run again."
            )


def _bounds(attributes: Mapping[str, Any]) -> dict[str, int]:
    return {"minSize": attributes["minimum"], "maxSize": attributes["maximum"]}


def _template(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {"id": attributes["launch_template_id"], "version": attributes["launch_template_version"]}


def _release(attributes: Mapping[str, Any]) -> dict[str, str]:
    release = attributes.get("release_version")
    return {"releaseVersion": release} if release else {}


def _configure(aws: Aws, attributes: Mapping[str, Any], now: Observed) -> str:
    """Send bounds, labels and the pace of updates. The number of nodes is only sent where the bounds exclude it."""
    desired = min(max(now.get("desired"), attributes["minimum"]), attributes["maximum"])
    moved = {"desiredSize": desired} if desired != now.get("desired") else {}
    wanted, standing = dict(attributes["labels"]), dict(now.get("labels"))
    labels = {
        "addOrUpdateLabels": {key: value for key, value in wanted.items() if standing.get(key) != value},
        "removeLabels": sorted(standing.keys() - wanted.keys()),
    }
    changed = {key: value for key, value in labels.items() if value}
    answer = aws.client("eks").update_nodegroup_config(
        clusterName=attributes["cluster_name"],
        nodegroupName=attributes["name"],
        scalingConfig={**_bounds(attributes), **moved},
        updateConfig={"maxUnavailable": attributes["max_unavailable"]},
        **({"labels": changed} if changed else {}),
    )
    return str(answer["update"]["id"])


def _roll_out(aws: Aws, attributes: Mapping[str, Any], now: Observed) -> str:
    """Have nodes replaced by such of the wanted version, image and launch template, one after the other."""
    answer = aws.client("eks").update_nodegroup_version(
        clusterName=attributes["cluster_name"],
        nodegroupName=attributes["name"],
        version=attributes.get("version") or now.get("version"),
        launchTemplate=_template(attributes),
        **_release(attributes),
    )
    return str(answer["update"]["id"])


def _what(cluster: str, name: str) -> str:
    return f"node group {name} of {cluster}"


def _await_gone(aws: Aws, cluster: str, name: str) -> None:
    eks_parts.await_gone(aws, _what(cluster, name), REMOVAL, lambda: _describe(aws, cluster, name))


def _describe(aws: Aws, cluster: str, name: str) -> Part | None:
    client = aws.client("eks")
    try:
        group: Part = client.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
    except client.exceptions.ResourceNotFoundException:
        return None
    return group


def _observed(aws: Aws, logical: str, group: Part) -> Observed:
    sizes, template = group.get("scalingConfig", {}), group.get("launchTemplate") or {}
    attributes = {
        "cluster_name": group["clusterName"],
        "name": group["nodegroupName"],
        "version": group.get("version"),
        "release_version": group.get("releaseVersion"),
        "subnet_ids": list(group.get("subnets") or ()),
        "instance_types": list(group.get("instanceTypes") or ()),
        "ami_type": group.get("amiType"),
        "capacity_type": group.get("capacityType"),
        "node_role_arn": group.get("nodeRole"),
        "minimum": sizes.get("minSize"),
        "maximum": sizes.get("maxSize"),
        "desired": sizes.get("desiredSize"),
        "labels": dict(group.get("labels") or {}),
        "max_unavailable": group.get("updateConfig", {}).get("maxUnavailable"),
        "launch_template_id": template.get("id"),
        "template": content(aws, template["id"], template["version"]) if template.get("id") else {},
        "condition": CONDITIONS["CREATE_FAILED"] if group["status"] == "CREATE_FAILED" else SOUND,
        "arn": group["nodegroupArn"],
        "failure": eks_parts.failure(group, MENDS),
    }
    return Observed(
        "eks_node_group", logical, group["nodegroupName"], attributes, group.get("tags", {}), group["status"]
    )
