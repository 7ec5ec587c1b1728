# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server that goes away and a token that runs out while add-ons are installed: nothing is left half done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api

from tests.clusters.conftest import Clusters
from tests.clusters.test_addons import Dev, nothing
from tests.platform_runs import LOCK_WRITE, Run

CLUSTER = "kubernetes/us-west-2/pipeops-dev"
#: An add-on that is away before the run that is interrupted, so that Helm has something to wait for.
AWAY = {"cluster_addons_settings": {"argo_rollouts": {"enabled": False}}}
NAME = "argo-rollouts"
INSTALLED = {f"create/HelmRelease/{NAME}/{NAME}"}
#: Seconds for which a token is good that is to run out.
GOOD = 5.0


@pytest.fixture
def clusters(dev: Dev) -> Iterator[Clusters]:
    stand, _announced, done = dev
    assert done.status == 0, done.output[-3000:]
    assert stand.addons(**AWAY).status == 0
    yield stand
    stand.control("POST", CLUSTER, token_seconds=900)
    nothing(stand.addons())


@pytest.fixture
def held(clusters: Clusters) -> Iterator[Callable[[], None]]:
    """Keep the add-on's namespace free of pods, so that Helm waits, until what this gives is called."""
    api = clusters.api()
    path = f"/api/v1/namespaces/{NAME}/resourcequotas/no-pods"
    meta = {"name": "no-pods", "namespace": NAME}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": "0"}}}
    api.apply(path, body, dry_run=False)
    until(lambda: (api.get(path) or {}).get("status", {}).get("hard"))
    yield lambda: clusters.api().delete(path)
    clusters.api().delete(path)


def until(condition: Callable[[], Any], seconds: float = 120.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def pending(api: Api) -> bool:
    """Tell whether Helm has begun to install the add-on, and has not come to an end."""
    listed = api.get(f"/api/v1/namespaces/{NAME}/secrets", labelSelector=f"owner=helm,name={NAME}") or {}
    return [item["metadata"]["labels"]["status"] for item in listed.get("items", [])] == ["pending-install"]


def begin(clusters: Clusters, pool: ThreadPoolExecutor) -> Future[Run]:
    """Begin a run of the add-ons, and return once it has its lock."""
    before = clusters.last_call()
    running = pool.submit(clusters.addons)
    until(lambda: running.done() or LOCK_WRITE in writes(clusters, before))
    assert not running.done(), running.result().output[-3000:]
    return running


def writes(clusters: Clusters, since: int) -> set[str]:
    """Return the operations of mutating calls after the one with this number."""
    return {f"{call['service']}:{call['operation']}" for call in clusters.calls(since) if call["mutating"]}


def test_an_api_server_that_restarts_while_objects_are_applied_is_outwaited(clusters: Clusters) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = begin(clusters, pool)
        clusters.control("POST", CLUSTER, restart=True)
        done = running.result()
    assert done.status == 0, done.output[-3000:]
    assert set(done.actions("dev")) == INSTALLED


def test_an_api_server_that_restarts_while_helm_waits_is_outwaited(
    clusters: Clusters, held: Callable[[], None]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = begin(clusters, pool)
        until(lambda: pending(clusters.api()))
        clusters.control("POST", CLUSTER, restart=True)
        held()
        done = running.result()
    assert done.status == 0, done.output[-3000:]
    assert set(done.actions("dev")) == INSTALLED


def test_a_token_that_runs_out_while_helm_waits_is_renewed(clusters: Clusters, held: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = begin(clusters, pool)
        until(lambda: pending(clusters.api()))
        taken = time.monotonic()
        until(lambda: time.monotonic() > taken + GOOD)
        clusters.control("POST", CLUSTER, token_seconds=GOOD)
        # Helm asks every two seconds; what it left is forgotten before the release is taken up again.
        until(lambda: not pending(clusters.api()) or running.done())
        clusters.control("POST", CLUSTER, token_seconds=900)
        held()
        done = running.result()
    assert done.status == 0, done.output[-3000:]
    assert "was interrupted" in done.output
    assert set(done.actions("dev")) == INSTALLED


def test_a_token_that_ran_out_is_renewed_by_the_next_request(clusters: Clusters) -> None:
    api = clusters.api()
    assert api.get("/api/v1/namespaces/default")
    first = api.token
    clusters.control("POST", CLUSTER, token_seconds=1.5)
    until(lambda: api.get("/api/v1/namespaces/default") and api.token != first, seconds=20)
