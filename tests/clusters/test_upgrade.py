# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster in Auto Mode goes up one version: nodes follow, and what is inside of it can stand in the way.

Last of its folder: the cluster has another version after it.
"""

from __future__ import annotations

from typing import Any

from tests.clusters.conftest import Clusters
from tests.clusters.test_addons import Dev, clusters, exactly, nothing
from tests.platform_runs import Run

__all__ = ["clusters"]
BUDGET = "/apis/policy/v1/namespaces/argocd/poddisruptionbudgets/never"


def upgrade(stand: Clusters, *, check: bool = False, **extra: Any) -> Run:
    given = {"eks_version": "1.37", "confirm": "dev", **extra}
    return stand.playbook("dev", check=check, playbook="playbooks/upgrade_cluster.yml", extra=given)


def kubelets(stand: Clusters) -> set[str]:
    items = (stand.api().get("/api/v1/nodes") or {})["items"]
    return {item["status"]["nodeInfo"]["kubeletVersion"].split("-")[0] for item in items}


def test_nodes_follow_the_control_plane(dev: Dev, clusters: Clusters) -> None:
    body = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "never", "namespace": "argocd"},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": {}}},
    }
    clusters.api().apply(BUDGET, body, dry_run=False)
    refused = upgrade(clusters)
    assert refused.status != 0
    assert "budget/argocd/never" in refused.output
    assert refused.mutations == []
    clusters.api().delete(BUDGET)
    announced = upgrade(clusters, check=True)
    done = upgrade(clusters)
    exactly(announced, done)
    assert done.actions("dev")["update/eks_control_plane/main/version"] == 1
    assert done.actions("dev")["update/Node/auto-mode/version"] == 1
    assert kubelets(clusters) == {"v1.37.1"}
    nothing(upgrade(clusters))
    nothing(clusters.playbook("dev", extra={"eks_version": "1.37"}))
