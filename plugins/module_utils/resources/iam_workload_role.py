# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM roles of workloads in a cluster, each trusted by one service account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..engine.aws import Aws
from ..engine.model import Identity, Observed, Scope, Wanted
from ..engine.values import is_pending
from .iam_role import IamRole
from .policies import document, service_trust

#: The audience of the tokens that EKS puts into pods.
AUDIENCE = "sts.amazonaws.com"


class IamWorkloadRole(IamRole):
    """A role for the pods of a service account.

    It lies under ``workload_path``, which also finds those that no workload needs any more: IAM has no other way to
    list roles of ours, and a role that is left behind is a way in that nobody watches.

    Attributes: as in :class:`IamRole`.
    """

    kind = "iam_workload_role"
    label = "workload role"
    prune = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        wanted = super().observe(aws, scope)
        known = {role.id for role in wanted}
        roles = aws.pages("iam", "list_roles", "Roles", PathPrefix=workload_path(scope.identity))
        names = [role["RoleName"] for role in roles if role["RoleName"] not in known]
        rest = {name: Wanted(self.kind, name, {"name": name}) for name in names}
        left = [role for role in super().observe(aws, replace(scope, wanted=rest)) if scope.owns(role.tags)]
        return [replace(role, kind=self.kind) for role in (*wanted, *left)]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        return replace(super().create(aws, wanted), kind=self.kind)

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        # A trust in a cluster's issuer is a placeholder until there is one.
        return not is_pending(wanted) and super().same(attribute, wanted, observed)


def workload_path(identity: Identity) -> str:
    """Return the IAM path of an environment's workload roles."""
    return f"/{identity.platform}/{identity.environment}/workloads/"


def pod_identity_trust(cluster_arn: str, namespace: str, service_account: str) -> dict[str, Any]:
    """Return the trust of a role that EKS Pod Identity gives to one service account of one cluster.

    The request tags are those that EKS sets for a pod (EKS user guide, "pod-id-abac").
    """
    tags = {
        "aws:RequestTag/eks-cluster-arn": cluster_arn,
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": service_account,
    }
    return service_trust("pods.eks.amazonaws.com", actions=("sts:AssumeRole", "sts:TagSession"), StringEquals=tags)


def irsa_trust(partition: str, account_id: str, issuer: str, namespace: str, service_account: str) -> dict[str, Any]:
    """Return the trust of a role that one service account assumes with the tokens of its cluster.

    Args:
        issuer: the cluster's, without ``https://``; it is part of the names of the conditions.
    """
    subject = f"system:serviceaccount:{namespace}:{service_account}"
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:{partition}:iam::{account_id}:oidc-provider/{issuer}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{issuer}:sub": subject, f"{issuer}:aud": AUDIENCE}},
        }
    )
