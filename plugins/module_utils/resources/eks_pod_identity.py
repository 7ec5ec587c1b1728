# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS Pod Identity associations: which role the pods of a service account get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..engine.aws import Aws
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from .eks_updates import iam_lag, standing_names


class EksPodIdentity(ResourceType):
    """A Pod Identity association, by its name ``NAMESPACE/SERVICE_ACCOUNT``.

    Only those that carry our tags are seen: add-ons have theirs, and people may. One that is wanted but stands without
    our tags is taken over. Pods get another role when they are started again.

    Attributes:
        cluster_name: the cluster.
        namespace: of the service account; neither has to exist yet.
        service_account: unique in its namespace.
        role_arn: the role, which has to trust ``pods.eks.amazonaws.com``.

    Read only: ``arn``.
    """

    kind = "eks_pod_identity"
    label = "Pod Identity association"
    service = "eks"
    deletion = Traits(interrupts="what the pods of the service account do in AWS")
    updates = (Update("role_arn", ("role_arn",)),)
    prune = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [item for name in standing_names(aws, scope) for item in self._of_cluster(aws, scope, name)]

    def _of_cluster(self, aws: Aws, scope: Scope, cluster: str) -> Iterable[Observed]:
        client = aws.client("eks")
        try:
            summaries = aws.pages("eks", "list_pod_identity_associations", "associations", clusterName=cluster)
        except client.exceptions.ResourceNotFoundException:
            return []
        ids = [item["associationId"] for item in summaries if "ownerArn" not in item]
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda association: self._describe(aws, scope, cluster, association), ids)
            return [item for item in found if item]

    @staticmethod
    def _describe(aws: Aws, scope: Scope, cluster: str, association_id: str) -> Observed | None:
        client = aws.client("eks")
        try:
            found = client.describe_pod_identity_association(clusterName=cluster, associationId=association_id)
        except client.exceptions.ResourceNotFoundException:
            return None
        tags = found["association"].get("tags", {})
        return _observed(found["association"], tags) if scope.owns(tags) else None

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("eks", once=True), wanted.attributes
        tags = dict(wanted.tags or {})
        where = {"clusterName": attributes["cluster_name"], "namespace": attributes["namespace"]}
        where["serviceAccount"] = attributes["service_account"]
        try:
            made = client.create_pod_identity_association(**where, roleArn=attributes["role_arn"], tags=tags)
        except client.exceptions.ResourceInUseException:
            return self._take_over(aws, where, attributes["role_arn"], tags)
        return _observed(made["association"], tags)

    @staticmethod
    def _take_over(aws: Aws, where: Mapping[str, str], role: str, tags: dict[str, str]) -> Observed:
        client = aws.client("eks")
        (summary,) = client.list_pod_identity_associations(**where)["associations"]
        changed = client.update_pod_identity_association(
            clusterName=where["clusterName"], associationId=summary["associationId"], roleArn=role
        )["association"]
        client.tag_resource(resourceArn=changed["associationArn"], tags=tags)
        return _observed(changed, tags)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        aws.client("eks").update_pod_identity_association(
            clusterName=wanted.attributes["cluster_name"],
            associationId=observed.id,
            roleArn=wanted.attributes["role_arn"],
        )

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("eks").tag_resource(resourceArn=observed.get("arn"), tags=dict(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("eks")
        try:
            client.delete_pod_identity_association(clusterName=observed.get("cluster_name"), associationId=observed.id)
        except client.exceptions.ResourceNotFoundException:
            return

    def transient(self, error: Exception) -> str:
        return iam_lag(error)


def _observed(association: Mapping[str, Any], tags: Mapping[str, str]) -> Observed:
    attributes = {
        "cluster_name": association["clusterName"],
        "namespace": association["namespace"],
        "service_account": association["serviceAccount"],
        "role_arn": association["roleArn"],
        "arn": association["associationArn"],
    }
    name = f"{association['namespace']}/{association['serviceAccount']}"
    return Observed("eks_pod_identity", name, association["associationId"], attributes, tags)
