# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add-ons on a Kubernetes API server: as announced, once, healed, carried on, and refused with words that help."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.clusters.conftest import Clusters
from tests.platform_runs import Run

Dev = tuple[Clusters, Run, Run]
SECRET = "/api/v1/namespaces/api-services/secrets/database"


@pytest.fixture
def clusters(dev: Dev) -> Clusters:
    stand, _announced, done = dev
    assert done.status == 0, done.output[-3000:]
    return stand


def exactly(announced: Run, done: Run, *hosts: str) -> None:
    """Insist that a run did what was announced, of these environments or else of dev."""
    assert (announced.status, done.status) == (0, 0), announced.output[-2000:] + done.output[-2000:]
    for host in hosts or ("dev",):
        assert announced.actions(host) == done.actions(host)
        assert announced.tasks(host) == done.tasks(host)
    assert announced.mutations == []


def nothing(done: Run, *hosts: str) -> None:
    """Insist that a run found everything as it should be, of these environments or else of dev."""
    assert done.status == 0, done.output[-2000:]
    for host in hosts or ("dev",):
        assert done.actions(host).total() == 0, done.actions(host)
        assert done.tasks(host).total() == 0


def test_from_an_empty_account_what_is_announced_is_done_and_then_nothing_is_left(dev: Dev) -> None:
    stand, announced, done = dev
    exactly(announced, done)
    assert done.actions("dev")["create/HelmRelease/argocd/argocd"] == 1
    nothing(stand.playbook("dev"))


def test_the_run_tells_versions_and_health(clusters: Clusters) -> None:
    addons = {addon["name"]: addon for addon in clusters.addons().hosts["dev"]["addons"]}
    assert addons["argo_cd"]["version"] == "10.1.1-standin"
    assert all(addon["ready"] for addon in addons.values()), addons


def test_nodes_stand_within_their_bounds(clusters: Clusters) -> None:
    api = clusters.api()
    nodes = (api.get("/api/v1/nodes") or {})["items"]
    assert 2 <= len(nodes) <= 4
    assert len({node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes}) >= 2


def test_credentials_of_the_database_arrive_in_the_namespaces_that_need_them(clusters: Clusters) -> None:
    api = clusters.api()
    data = {name: base64.b64decode(value).decode() for name, value in (api.get(SECRET) or {})["data"].items()}
    assert data["host"] == "database.dev.pipeops.internal"
    assert data["username"]
    assert data["password"]
    assert api.get("/api/v1/namespaces/web-frontend/secrets/database") is None


def test_drift_is_announced_and_healed(clusters: Clusters) -> None:
    api = clusters.api()
    policy = "/apis/networking.k8s.io/v1/namespaces/api-services/networkpolicies/default-deny"
    limits = "/api/v1/namespaces/batch-jobs/resourcequotas/quota"
    api.delete(policy)
    found = api.get(limits) or {}
    hard = {**found["spec"]["hard"], "pods": "999"}
    meta = {"name": "quota", "namespace": "batch-jobs"}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}}
    api.apply(limits, body, dry_run=False)
    announced, done = clusters.addons(check=True), clusters.addons()
    exactly(announced, done)
    assert set(done.actions("dev")) == {
        "create/NetworkPolicy/api-services/default-deny",
        "update/ResourceQuota/batch-jobs/quota",
    }


def test_an_add_on_is_switched_off_and_on_again(clusters: Clusters) -> None:
    off = {"cluster_addons_settings": {"argo_rollouts": {"enabled": False}}}
    announced, done = clusters.addons(check=True, **off), clusters.addons(**off)
    exactly(announced, done)
    assert set(done.actions("dev")) == {"delete/HelmRelease/argo-rollouts/argo-rollouts"}
    assert clusters.api().get("/apis/apps/v1/namespaces/argo-rollouts/deployments/argo-rollouts") is None
    announced, done = clusters.addons(check=True), clusters.addons()
    exactly(announced, done)
    assert set(done.actions("dev")) == {"create/HelmRelease/argo-rollouts/argo-rollouts"}


def test_values_of_ones_own_change_a_release(clusters: Clusters) -> None:
    own = {"cluster_addons_settings": {"argo_cd": {"values": {"global": {"domain": "argocd.example.com"}}}}}
    announced, done = clusters.addons(check=True, **own), clusters.addons(**own)
    exactly(announced, done)
    assert set(done.actions("dev")) == {"update/HelmRelease/argocd/argocd"}
    assert clusters.addons().status == 0


@pytest.mark.parametrize("status", ["pending-upgrade", "failed"])
def test_a_release_that_a_killed_run_left_is_carried_on(clusters: Clusters, status: str) -> None:
    leave_behind(clusters, "argocd", "argocd", status)
    announced, done = clusters.addons(check=True), clusters.addons()
    exactly(announced, done)
    assert set(done.actions("dev")) == {"update/HelmRelease/argocd/argocd"}
    nothing(clusters.addons())


def leave_behind(clusters: Clusters, namespace: str, release: str, status: str) -> None:
    """Put a revision after the last one, as a run leaves it that was killed."""
    api = clusters.api()
    folder = f"/api/v1/namespaces/{namespace}/secrets"
    listed = (api.get(folder, labelSelector=f"owner=helm,name={release}") or {})["items"]
    last = max(listed, key=lambda item: int(item["metadata"]["labels"]["version"]))
    number = str(int(last["metadata"]["labels"]["version"]) + 1)
    name = f"sh.helm.release.v1.{release}.v{number}"
    labels = {**last["metadata"]["labels"], "version": number, "status": status}
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "type": "helm.sh/release.v1",
        "data": last["data"],
    }
    api.apply(f"{folder}/{name}", body, dry_run=False)


def test_who_has_no_access_is_told_so(clusters: Clusters) -> None:
    eks = clusters.client("eks")
    who = "arn:aws:iam::123456789012:user/moto"
    eks.delete_access_entry(clusterName="pipeops-dev", principalArn=who)
    try:
        done = clusters.addons(cluster_addons_wait_timeout_seconds=1)
        assert done.status != 0
        assert "The cluster pipeops-dev in us-west-2 does not know who runs the play" in done.output
        assert "eks_access_entries" in done.output
    finally:
        healed = clusters.playbook("dev", playbook="playbooks/cluster.yml")
    assert healed.status == 0, healed.output[-2000:]
    assert healed.actions("dev")["create/eks_access_entry/user/moto"] == 1
    nothing(clusters.addons())
