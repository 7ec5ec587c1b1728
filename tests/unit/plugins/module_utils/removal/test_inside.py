# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import LeaseLost
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience
from ansible_collections.pipeops.platform.plugins.module_utils.removal.inside import drain

KINDS = {"Ingress": ("ingresses", True), "Service": ("services", True), "NodePool": ("nodepools", False)}


class FakeApi:
    """A cluster without Argo CD, that forgets what is deleted; ``failure`` is raised by the first deletion."""

    where = "the cluster pipeops-dev in us-west-2"
    patience = Patience(timeout=5, delay=0.01)

    def __init__(self, *items: dict[str, Any], failure: Exception | None = None) -> None:
        self.items, self.failure, self.deleted = list(items), failure, list[str]()

    def kind(self, _api_version: str, kind: str) -> dict[str, Any] | None:
        if kind not in KINDS:
            return None
        name, namespaced = KINDS[kind]
        return {"name": name, "namespaced": namespaced}

    def get(self, path: str) -> dict[str, Any]:
        kind = next(kind for kind, (name, _namespaced) in KINDS.items() if path.endswith(f"/{name}"))
        return {"items": [item for item in self.items if item["kind"] == kind]}

    def delete(self, path: str) -> None:
        if self.failure:
            raise self.failure
        self.deleted.append(path)
        self.items = [item for item in self.items if not path.endswith(f"/{item['metadata']['name']}")]


def item(kind: str, name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    place = {"namespace": namespace} if KINDS[kind][1] else {}
    return {"kind": kind, "metadata": {"name": name, **place}, "spec": spec}


def cluster(**more: Any) -> FakeApi:
    return FakeApi(
        item("NodePool", "static-a"),
        item("Service", "web", type="LoadBalancer"),
        item("Service", "inside", type="ClusterIP"),
        item("Ingress", "shop"),
        **more,
    )


def run(api: FakeApi, *, check: bool = False) -> dict[str, Any]:
    return drain(api, check_mode=check, progress=lambda _text: None)  # type: ignore[arg-type]


def test_load_balancers_go_before_nodes_and_once() -> None:
    api = cluster()
    announced = run(api, check=True)
    assert api.deleted == []
    done = run(api)
    assert announced["actions"] == done["actions"]
    assert [action["action"] for action in done["actions"]] == [
        "delete/Ingress/default/shop",
        "delete/Service/default/web",
        "delete/NodePool/static-a",
    ]
    assert done["reached"]
    assert run(api)["actions"] == []
    assert [left["metadata"]["name"] for left in api.items] == ["inside"]


def test_a_cluster_that_does_not_answer_fails_nothing() -> None:
    told = run(cluster(failure=EngineError("The API server does not answer.")))
    assert (told["changed"], told["reached"], told["note"]) == (False, False, "The API server does not answer.")


def test_a_lost_lock_is_no_cluster_that_does_not_answer() -> None:
    with pytest.raises(LeaseLost):
        run(cluster(failure=LeaseLost("Stopped.")))
