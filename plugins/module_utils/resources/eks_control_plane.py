# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Kubernetes version of an EKS control plane, for an upgrade alone."""

from __future__ import annotations

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.model import Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from .eks_updates import BUSY, await_idle, carry_out, describe_cluster

#: "Several minutes" (EKS user guide, "update-cluster"); users report 10 to 25.
VERSION_STEP = 900.0


class EksControlPlane(ResourceType):
    """The control plane of a cluster that stands.

    Attributes:
        name: of the cluster.
        version: major and minor. EKS goes up by one minor at a time.
        force: whether EKS goes on although its insights speak against it.

    Read only: ``arn``, ``endpoint``, ``certificate_authority``, ``platform_version``.
    """

    kind = "eks_control_plane"
    label = "EKS control plane"
    service = "eks"
    slow = True
    removable = False
    updates = (
        Update(
            "version",
            ("version",),
            Traits(VERSION_STEP, "watches of the API server, for moments; pods run on", reversible=False),
        ),
    )
    create_only = frozenset({"name", "force"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [self._look(aws, wanted) for wanted in scope.wanted.values()]

    def _look(self, aws: Aws, wanted: Wanted) -> Observed:
        name = wanted.attributes["name"]
        cluster = describe_cluster(aws, name)
        if cluster is None:
            raise EngineError(
                f"There is no EKS cluster {name} in {aws.region}. Stand it up first, e.g. by playbooks/cluster.yml."
            )
        attributes = {
            "name": name,
            "version": cluster["version"],
            "platform_version": cluster.get("platformVersion"),
            "arn": cluster["arn"],
            "endpoint": cluster.get("endpoint"),
            "certificate_authority": cluster.get("certificateAuthority", {}).get("data"),
        }
        return Observed(self.kind, wanted.name, name, attributes, {}, cluster["status"])

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        """Move the control plane, unless an upgrade that was under way has done so meanwhile."""
        version, client = wanted.attributes["version"], aws.client("eks")
        cluster = await_idle(aws, observed.id)
        if cluster is not None and cluster["version"] == version:
            return
        force = {"force": True} if wanted.attributes["force"] else {}
        carry_out(
            aws,
            observed.id,
            update.traits.seconds,
            lambda: client.update_cluster_version(name=observed.id, version=version, **force),
        )

    def readiness(self, observed: Observed) -> Readiness:
        return Readiness.WAIT if observed.status in BUSY else Readiness.READY
