# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS add-ons, each known by its name in a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from ..engine.aws import Aws
from ..engine.model import Key, Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from . import eks_parts
from .eks_parts import CONDITIONS, OFFERS, SOUND, Part, cluster_of

with suppress(ImportError):
    import yaml

#: The tag that tells whether an add-on's software stays in the cluster when the add-on is removed.
TAG_PRESERVE = "pipeops:preserve"
#: Add-ons take "10 s-3 min where nodes exist", as users report.
TYPICAL, REMOVAL = 45.0, 30.0
#: Issues that clear by themselves once there are nodes with room, or the API server is back.
PASSING = frozenset({"InsufficientNumberOfReplicas", "ClusterUnreachable", "InternalFailure"})
MENDS: Mapping[str, str] = {
    "InsufficientNumberOfReplicas": "Look at its pods (kubectl describe): no node has room for them.",
    "ConfigurationConflict": "Somebody changed its objects: set resolve_conflicts to overwrite, or change them back.",
    "AccessDenied": "Give EKS back what its cluster role binding eks:addon-manager allows.",
    "AdmissionRequestDenied": "A webhook or policy of the cluster refuses its objects: let kube-system pass.",
    "UnsupportedAddonModification": "Change its objects back: EKS allows this change by configuration values only.",
    "AddonPermissionFailure": "Give it the role that it needs.",
    "AddonSubscriptionNeeded": "Subscribe to it in AWS Marketplace.",
    "K8sResourceNotFound": "Somebody removed an object of it: change a value, or remove the add-on and run again.",
}


class EksAddon(ResourceType):
    """An add-on of a cluster.

    One that is wanted but was made by others is taken over. What others made and nobody wants is left alone.

    Attributes:
        cluster_name: the cluster.
        version: of the add-on.
        namespace: where its pods are; None for its own default.
        configuration: its configuration values; others that it has are dropped.
        service_account_role_arn: the role of its service account by IRSA; None for untouched.
        pod_identities: the roles of its service accounts by Pod Identity, as
            ``{"service_account": ..., "role_arn": ...}``; None for untouched.
        resolve_conflicts: ``none``, ``overwrite`` or ``preserve``: what becomes of changes that others made inside of
            the cluster.
        auto_mode: whether EKS runs the nodes.
        condition: ``sound``, unless EKS gave up making or changing it.

    Read only: ``arn``, ``failure``, ``update_id``, ``preserve``.
    """

    kind = "eks_addon"
    label = "EKS add-on"
    service = "eks"
    slow = True
    creation = Traits(seconds=TYPICAL)
    deletion = Traits(seconds=REMOVAL, interrupts="what the add-on does in the cluster")
    updates = (
        Update(
            "settings",
            ("condition", "version", "configuration", "service_account_role_arn", "pod_identities"),
            Traits(TYPICAL, "the add-on's pods, one after the other"),
        ),
    )
    create_only = frozenset({"namespace", "resolve_conflicts", "auto_mode"})
    unordered = frozenset({"pod_identities"})
    remembered = frozenset({"update_id"})
    prune = True
    ready_within = 600
    stuck: ClassVar[str] = (
        "It goes on by itself if that clears. Until then the add-on does not do all of its work: mend it, or take the "
        "add-on off the list, then run the play again."
    )

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        cluster, client = cluster_of(scope), aws.client("eks")
        try:
            names = aws.pages("eks", "list_addons", "addons", clusterName=cluster)
        except client.exceptions.ResourceNotFoundException:
            return []
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda name: self._look(aws, scope, cluster, name), names)
            return [item for item in found if item]

    def _look(self, aws: Aws, scope: Scope, cluster: str, name: str) -> Observed | None:
        addon = _describe(aws, cluster, name)
        if addon is None or (name not in scope.wanted and not scope.owns(addon.get("tags", {}))):
            return None
        if addon["status"] == "DELETING":
            # Its name is free only when it is gone.
            _await_gone(aws, cluster, name)
            return None
        wanted = scope.wanted.get(name)
        tags = (wanted.tags if wanted else None) or addon.get("tags", {})
        return _observed(aws, addon, _preserves(tags))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        namespace = {"namespaceConfig": {"namespace": attributes["namespace"]}} if attributes.get("namespace") else {}
        addon = aws.client("eks", once=True).create_addon(
            clusterName=attributes["cluster_name"],
            addonName=wanted.name,
            tags=dict(wanted.tags or {}),
            **namespace,
            **_settings(attributes, attributes),
        )["addon"]
        return _observed(aws, addon, _preserves(wanted.tags or {}))

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed:
        """Make it as wanted: by one update, or anew if EKS gave up making it."""
        cluster, preserve = wanted.attributes["cluster_name"], bool(observed.get("preserve"))
        standing = self._await_idle(aws, cluster, wanted.name)
        if standing is None:
            return self.create(aws, wanted)
        if standing["status"] == "CREATE_FAILED":
            self._remove(aws, cluster, wanted.name, preserve=True)
            return self.create(aws, wanted)
        now = _observed(aws, standing, preserve)
        different = {
            name: wanted.attributes[name]
            for name in update.attributes
            if wanted.attributes.get(name) is not None and not self.same(name, wanted.attributes[name], now.get(name))
        }
        if not different:
            return now
        answer = aws.client("eks").update_addon(
            clusterName=cluster, addonName=wanted.name, **_settings(different, wanted.attributes)
        )
        attributes = {**now.attributes, "update_id": answer["update"]["id"]}
        return replace(now, status="UPDATING", attributes=attributes)

    @staticmethod
    def _await_idle(aws: Aws, cluster: str, name: str) -> Part | None:
        return eks_parts.await_idle(aws, _what(cluster, name), TYPICAL, lambda: _describe(aws, cluster, name))

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("eks").tag_resource(resourceArn=observed.get("arn"), tags=dict(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        self._remove(aws, observed.get("cluster_name"), observed.name, preserve=bool(observed.get("preserve")))

    @staticmethod
    def _remove(aws: Aws, cluster: str, name: str, *, preserve: bool) -> None:
        client = aws.client("eks")
        try:
            client.delete_addon(clusterName=cluster, addonName=name, preserve=preserve)
        except client.exceptions.ResourceNotFoundException:
            return
        _await_gone(aws, cluster, name)

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        cluster = cluster_of(scope)
        addon = _describe(aws, cluster, observed.name)
        if addon is None:
            return None
        now = _observed(aws, addon, bool(observed.get("preserve")))
        return eks_parts.with_update(aws, observed, now, cluster, addonName=observed.name)

    def readiness(self, observed: Observed) -> Readiness:
        if observed.status == "ACTIVE":
            return Readiness.READY
        passing = observed.status == "DEGRADED" and set(observed.get("issues") or ()) <= PASSING
        return Readiness.WAIT if passing or observed.status in eks_parts.BUSY else Readiness.FAILED

    def transient(self, error: Exception) -> str:
        return eks_parts.passes(error)

    def objections(self, wanted: Wanted, observed: Mapping[Key, Observed]) -> Sequence[str]:
        return list(_objections(wanted, observed))


def _objections(wanted: Wanted, observed: Mapping[Key, Observed]) -> Iterator[str]:
    name, version = wanted.name, wanted.attributes["version"]
    offer = observed[OFFERS]
    kubernetes, offers = offer.get("kubernetes_version"), offer.get("offers")[name]
    standing = observed.get(wanted.key)
    names = [row["version"] for row in offers]
    if not offers:
        yield (
            f"EKS offers no add-on {name!r} for Kubernetes {kubernetes}. Correct its name, or take it off the list; "
            "aws eks describe-addon-versions lists them all."
        )
    elif version not in names and (standing is None or standing.get("version") != version):
        yield (
            f"EKS offers no version {version} of the add-on {name} for Kubernetes {kubernetes}. Set its version to "
            f"default, latest or one of {', '.join(names)}."
        )
    elif wanted.attributes["auto_mode"] and not _runs_in_auto_mode(offers):
        yield (
            f"The add-on {name} is for nodes that Auto Mode does not have: it brings that part itself. Take {name} off "
            "the list, or let managed node groups run the nodes."
        )
    namespace = wanted.attributes.get("namespace")
    if standing is not None and namespace and standing.get("namespace") not in (None, namespace):
        yield (
            f"The add-on {name} is in the namespace {standing.get('namespace')}, and EKS moves none to another one "
            f"({namespace}). Set it back, or remove the add-on first."
        )


def _runs_in_auto_mode(offers: Sequence[Mapping[str, Any]]) -> bool:
    kinds = {kind for row in offers for kind in row["compute_types"]}
    return not kinds or "auto" in kinds


def _settings(changed: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of CreateAddon and UpdateAddon: what changes, and what becomes of conflicts."""
    result: dict[str, Any] = {"resolveConflicts": wanted["resolve_conflicts"].upper()}
    # An update that only ends a failed one names the version, since EKS takes none that names nothing.
    result["addonVersion"] = wanted["version"]
    if changed.get("configuration") is not None:
        result["configurationValues"] = json.dumps(changed["configuration"])
    if changed.get("service_account_role_arn") is not None:
        result["serviceAccountRoleArn"] = changed["service_account_role_arn"]
    if changed.get("pod_identities") is not None:
        result["podIdentityAssociations"] = [
            {"serviceAccount": one["service_account"], "roleArn": one["role_arn"]} for one in changed["pod_identities"]
        ]
    return result


def _preserves(tags: Mapping[str, str]) -> bool:
    return tags.get(TAG_PRESERVE) == "true"


def _what(cluster: str, name: str) -> str:
    return f"EKS add-on {name} of {cluster}"


def _await_gone(aws: Aws, cluster: str, name: str) -> None:
    eks_parts.await_gone(aws, _what(cluster, name), REMOVAL, lambda: _describe(aws, cluster, name))


def _describe(aws: Aws, cluster: str, name: str) -> Part | None:
    client = aws.client("eks")
    try:
        addon: Part = client.describe_addon(clusterName=cluster, addonName=name)["addon"]
    except client.exceptions.ResourceNotFoundException:
        return None
    return addon


def _observed(aws: Aws, addon: Part, preserve: bool) -> Observed:
    attributes = {
        "cluster_name": addon["clusterName"],
        "version": addon.get("addonVersion"),
        "namespace": addon.get("namespaceConfig", {}).get("namespace"),
        "configuration": configuration(addon.get("configurationValues") or ""),
        "service_account_role_arn": addon.get("serviceAccountRoleArn"),
        "pod_identities": _identities(aws, addon),
        "condition": CONDITIONS.get(addon["status"], SOUND),
        "arn": addon["addonArn"],
        "issues": sorted(eks_parts.codes(addon)),
        "failure": eks_parts.failure(addon, MENDS),
        "preserve": preserve,
    }
    return Observed(
        "eks_addon", addon["addonName"], addon["addonName"], attributes, addon.get("tags", {}), addon["status"]
    )


def _identities(aws: Aws, addon: Part) -> list[dict[str, str]]:
    client, found = aws.client("eks"), []
    for arn in addon.get("podIdentityAssociations") or ():
        try:
            one = client.describe_pod_identity_association(
                clusterName=addon["clusterName"], associationId=arn.rpartition("/")[2]
            )["association"]
        except client.exceptions.ResourceNotFoundException:
            continue
        found.append({"service_account": one["serviceAccount"], "role_arn": one["roleArn"]})
    return found


def configuration(text: str) -> Any:
    """Return configuration values as data; EKS keeps them as they were sent, in JSON or YAML."""
    return (yaml.safe_load(text) if text else None) or {}
