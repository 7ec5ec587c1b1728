# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects are applied, foreseen, pruned and awaited, against an API server that is a table."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Refused
from ansible_collections.pipeops.platform.plugins.module_utils.kube.manifests import differences, essence, shown
from ansible_collections.pipeops.platform.plugins.module_utils.kube.objects import Order, Outcome, carry_out, foresee

KINDS = {
    ("v1", "Namespace"): {"name": "namespaces", "namespaced": False},
    ("v1", "ConfigMap"): {"name": "configmaps", "namespaced": True},
    ("v1", "Secret"): {"name": "secrets", "namespaced": True},
}


class Server:
    """What an API server does with what we send, as far as it matters here."""

    where = "the cluster pipeops-test in us-west-2"
    patience = Patience(0.5, 0.1)

    def __init__(self) -> None:
        self.kinds = dict(KINDS)
        self.objects: dict[str, dict[str, Any]] = {}
        self.writes: list[str] = []

    def kind(self, api_version: str, kind: str) -> dict[str, Any] | None:
        return self.kinds.get((api_version, kind))

    def get(self, path: str, **query: str) -> dict[str, Any] | None:
        if "labelSelector" in query:
            label, _equals, value = query["labelSelector"].partition("=")
            plural = path.rpartition("/")[2]
            found = [
                item
                for key, item in self.objects.items()
                if f"/{plural}/" in key and item["metadata"].get("labels", {}).get(label) == value
            ]
            return {"items": copy.deepcopy(found)}
        return copy.deepcopy(self.objects.get(path))

    def apply(self, path: str, body: dict[str, Any], *, dry_run: bool) -> dict[str, Any]:
        namespace = body["metadata"].get("namespace")
        if namespace and f"/api/v1/namespaces/{namespace}" not in self.objects:
            raise Refused(f'namespaces "{namespace}" not found', 404, {})
        after = {**copy.deepcopy(self.objects.get(path, {})), **copy.deepcopy(body)}
        after["metadata"] = {**body["metadata"], "resourceVersion": str(len(self.writes)), "managedFields": []}
        if not dry_run:
            self.objects[path] = after
            self.writes.append(f"PATCH {path}")
        return copy.deepcopy(after)

    def delete(self, path: str) -> None:
        self.objects.pop(path, None)
        self.writes.append(f"DELETE {path}")


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def config(name: str, data: str, where: str = "team") -> dict[str, Any]:
    metadata = {"name": name, "namespace": where}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": data}}


def run(server: Server, order: Order, check_mode: bool = False) -> Outcome:
    return carry_out(server, order, check_mode=check_mode, progress=lambda _text: None)  # type: ignore[arg-type]


def names(outcome: Outcome) -> list[str]:
    return [action["action"] for action in outcome.actions]


def test_what_is_foreseen_is_what_is_done_and_a_second_run_does_nothing() -> None:
    server = Server()
    order = Order("team", [namespace("team"), config("a", "1"), config("b", "1")])
    foreseen = run(server, order, check_mode=True)
    assert server.writes == []
    done = run(server, order)
    assert (
        names(foreseen)
        == names(done)
        == ["create/Namespace/team", "create/ConfigMap/team/a", "create/ConfigMap/team/b"]
    )
    assert names(run(server, order)) == []


def test_a_cluster_that_is_only_planned_gets_everything() -> None:
    order = Order("team", [namespace("team"), config("a", "1")])
    assert names(foresee(order)) == ["create/Namespace/team", "create/ConfigMap/team/a"]
    assert names(foresee(Order("team", order.definitions, absent=True))) == []


def test_a_kind_that_is_yet_to_come_is_foreseen_and_awaited_in_a_real_run() -> None:
    server = Server()
    order = Order("x", [{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}])
    assert names(run(server, order, check_mode=True)) == ["create/Widget/w"]
    with pytest.raises(EngineError, match=r"Widget of example.com/v1 in the cluster.*Install what defines it first"):
        run(server, order)


def test_a_change_is_told_by_its_path_and_put_back() -> None:
    server = Server()
    order = Order("team", [namespace("team"), config("a", "1")])
    run(server, order)
    server.objects["/api/v1/namespaces/team/configmaps/a"]["data"]["value"] = "by hand"
    foreseen, done = run(server, order, check_mode=True), run(server, order)
    assert foreseen.actions == done.actions
    (action,) = done.actions
    assert action["action"] == "update/ConfigMap/team/a"
    assert action["differences"] == [{"attribute": "data.value", "before": "by hand", "after": "1"}]


def test_what_is_no_longer_wanted_goes_and_what_others_made_stays() -> None:
    server = Server()
    prune = [("v1", "ConfigMap")]
    run(server, Order("team", [namespace("team"), config("a", "1"), config("b", "1")], prune))
    run(server, Order("others", [config("c", "1")]))
    order = Order("team", [namespace("team"), config("a", "1")], prune)
    assert names(run(server, order, check_mode=True)) == names(run(server, order)) == ["delete/ConfigMap/team/b"]
    assert "/api/v1/namespaces/team/configmaps/c" in server.objects


def test_absent_removes_the_last_one_first() -> None:
    server = Server()
    order = Order("team", [namespace("team"), config("a", "1")])
    run(server, order)
    done = run(server, Order("team", order.definitions, absent=True))
    assert names(done) == ["delete/ConfigMap/team/a", "delete/Namespace/team"]


def test_a_condition_is_awaited_and_its_message_told() -> None:
    server = Server()
    order = Order("team", [namespace("team"), config("a", "1")], conditions={"ConfigMap": "Ready"})
    with pytest.raises(EngineError, match=r"ConfigMap team/a in the cluster pipeops-test.*tells no condition Ready"):
        run(server, order)
    ready = {"type": "Ready", "status": "False", "reason": "NoAccess", "message": "the role may not read it"}
    server.objects["/api/v1/namespaces/team/configmaps/a"]["status"] = {"conditions": [ready]}
    with pytest.raises(EngineError, match="Ready is False: NoAccess the role may not read it"):
        run(server, order)
    ready["status"] = "True"
    server.objects["/api/v1/namespaces/team/configmaps/a"]["status"] = {"conditions": [ready]}
    assert names(run(server, order)) == []


def test_a_refusal_names_the_object() -> None:
    with pytest.raises(EngineError, match='ConfigMap nowhere/a: namespaces "nowhere" not found'):
        run(Server(), Order("team", [config("a", "1", "nowhere")]))


def test_values_of_secrets_are_hidden() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "c2VjcmV0"}}
    assert shown(secret)["data"] == {"password": "hidden"}
    assert secret["data"] == {"password": "c2VjcmV0"}


def test_bookkeeping_and_status_are_no_difference() -> None:
    before = {"metadata": {"name": "a", "generation": 1, "uid": "1"}, "spec": {"x": 1}, "status": {"y": 1}}
    after = {"metadata": {"name": "a", "generation": 2, "uid": "1"}, "spec": {"x": 1}, "status": {"y": 2}}
    assert essence(before) == essence(after)
    assert differences({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}) == [{"attribute": "a.c", "before": None, "after": 2}]
