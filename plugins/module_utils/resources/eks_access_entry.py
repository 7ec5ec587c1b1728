# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS access entries: which IAM principals may do what in a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ..engine.aws import Aws
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from .eks_updates import iam_lag, standing_names

#: EKS keeps an entry for its own service, which nobody can change.
SERVICE_LINKED = ":role/aws-service-role/"


class EksAccessEntry(ResourceType):
    """An access entry and its access policies.

    EKS makes some entries itself and people make others, so only those that carry our tags are seen. One that is
    wanted but stands without them is taken over.

    Attributes:
        cluster_name: the cluster.
        principal_arn: the ARN of an IAM role or user; unique in a cluster.
        type: ``STANDARD`` for people and pipelines; the others are for nodes.
        groups: Kubernetes groups; none for types for nodes.
        policies: all access policies, as ``{"policy_arn": ..., "namespaces": [...]}``; without namespaces they hold
            in the whole cluster.

    Read only: ``arn``.
    """

    kind = "eks_access_entry"
    label = "EKS access entry"
    service = "eks"
    deletion = Traits(interrupts="what the principal does in the cluster")
    updates = (
        Update("groups", ("groups",), Traits(interrupts="what was allowed by groups that are taken away")),
        Update("policies", ("policies",), Traits(interrupts="what was allowed by policies that are taken away")),
    )
    unordered = frozenset({"groups", "policies"})
    # Principal and type cannot be changed, and an entry holds nothing that would be lost.
    replaceable = True
    prune = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        ours = [item for name in standing_names(aws, scope) for item in self._of_cluster(aws, scope, name)]
        # The principal decides, since EKS lets it have one entry only; the tag is for those of another principal now.
        by_principal = {item.attributes["principal_arn"]: name for name, item in scope.wanted.items()}
        kept = [replace(item, name=by_principal[item.id]) for item in ours if item.id in by_principal]
        names = {item.name for item in kept}
        others = (item for item in ours if item.id not in by_principal)
        return kept + [replace(item, name=item.id) if item.name in names else item for item in others]

    def _of_cluster(self, aws: Aws, scope: Scope, cluster: str) -> Iterable[Observed]:
        client = aws.client("eks")
        try:
            principals = aws.pages("eks", "list_access_entries", "accessEntries", clusterName=cluster)
        except (client.exceptions.ResourceNotFoundException, client.exceptions.InvalidRequestException):
            # Gone meanwhile, or one that knows no access entries, because its mode is CONFIG_MAP.
            return []
        looked_at = [arn for arn in principals if SERVICE_LINKED not in arn]
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda arn: _describe(aws, scope, cluster, arn), looked_at)
            return [item for item in found if item]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("eks"), wanted.attributes
        standing: dict[str, list[str]] = {}
        try:
            arn = _make(aws, wanted)
        except client.exceptions.ResourceInUseException:
            arn = self._take_over(aws, wanted)
            standing = _policies(aws, attributes["cluster_name"], attributes["principal_arn"])
        _set_policies(aws, wanted, standing)
        return Observed(
            self.kind, wanted.name, attributes["principal_arn"], {**attributes, "arn": arn}, wanted.tags or {}
        )

    def _take_over(self, aws: Aws, wanted: Wanted) -> str:
        client, attributes = aws.client("eks"), wanted.attributes
        where = {"clusterName": attributes["cluster_name"], "principalArn": attributes["principal_arn"]}
        entry = client.describe_access_entry(**where)["accessEntry"]
        if entry["type"] != attributes["type"]:
            client.delete_access_entry(**where)
            return _make(aws, wanted)
        if attributes.get("groups") is not None:
            client.update_access_entry(**where, kubernetesGroups=list(attributes["groups"]))
        client.tag_resource(resourceArn=entry["accessEntryArn"], tags=dict(wanted.tags or {}))
        return str(entry["accessEntryArn"])

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        attributes = wanted.attributes
        if update.name == "policies":
            standing = {item["policy_arn"]: item["namespaces"] for item in observed.get("policies")}
            _set_policies(aws, wanted, standing)
            return
        aws.client("eks").update_access_entry(
            clusterName=attributes["cluster_name"],
            principalArn=attributes["principal_arn"],
            kubernetesGroups=list(attributes["groups"]),
        )

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("eks").tag_resource(resourceArn=observed.get("arn"), tags=dict(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("eks")
        try:
            client.delete_access_entry(clusterName=observed.get("cluster_name"), principalArn=observed.id)
        except client.exceptions.ResourceNotFoundException:
            return

    def transient(self, error: Exception) -> str:
        return iam_lag(error)


def _describe(aws: Aws, scope: Scope, cluster: str, principal: str) -> Observed | None:
    client = aws.client("eks")
    try:
        entry = client.describe_access_entry(clusterName=cluster, principalArn=principal)["accessEntry"]
        name = scope.owns(entry.get("tags", {}))
        policies = _policies(aws, cluster, principal) if name else {}
    except client.exceptions.ResourceNotFoundException:
        return None
    attributes = {
        "cluster_name": cluster,
        "principal_arn": principal,
        "type": entry["type"],
        "groups": entry.get("kubernetesGroups", []),
        "policies": [{"policy_arn": arn, "namespaces": namespaces} for arn, namespaces in policies.items()],
        "arn": entry["accessEntryArn"],
    }
    return Observed("eks_access_entry", name, principal, attributes, entry["tags"]) if name else None


def _make(aws: Aws, wanted: Wanted) -> str:
    attributes = wanted.attributes
    groups = {"kubernetesGroups": list(attributes["groups"])} if attributes.get("groups") else {}
    entry = aws.client("eks").create_access_entry(
        clusterName=attributes["cluster_name"],
        principalArn=attributes["principal_arn"],
        type=attributes["type"],
        tags=dict(wanted.tags or {}),
        **groups,
    )["accessEntry"]
    return str(entry["accessEntryArn"])


def _policies(aws: Aws, cluster: str, principal: str) -> dict[str, list[str]]:
    """Return the namespaces of each policy of an entry; none mean the whole cluster."""
    found = aws.pages(
        "eks",
        "list_associated_access_policies",
        "associatedAccessPolicies",
        clusterName=cluster,
        principalArn=principal,
    )
    return {item["policyArn"]: list(item["accessScope"].get("namespaces") or []) for item in found}


def _set_policies(aws: Aws, wanted: Wanted, standing: Mapping[str, list[str]]) -> None:
    """Give what is missing, then take the rest, so that nobody may less than before and after."""
    client, attributes = aws.client("eks"), wanted.attributes
    where = {"clusterName": attributes["cluster_name"], "principalArn": attributes["principal_arn"]}
    policies = {item["policy_arn"]: sorted(item["namespaces"]) for item in attributes["policies"]}
    for arn, namespaces in policies.items():
        if arn not in standing or sorted(standing[arn]) != namespaces:
            scope: dict[str, Any] = (
                {"type": "namespace", "namespaces": namespaces} if namespaces else {"type": "cluster"}
            )
            client.associate_access_policy(**where, policyArn=arn, accessScope=scope)
    for arn in sorted(standing.keys() - policies.keys()):
        client.disassociate_access_policy(**where, policyArn=arn)
