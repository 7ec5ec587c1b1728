# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Node pools go with their nodes and what holds these, and those of others stay, on an API server that is a table."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience
from ansible_collections.pipeops.platform.plugins.module_utils.kube.sleeping import await_nodes, end_nodes, ready_nodes

POOLS = "/apis/karpenter.sh/v1/nodepools"
LABELS = {"pipeops.platform/set": "ground"}
GONE = {"deletionTimestamp": "2026-11-30T20:00:00Z"}
STARTING, BASE, MINE, GROUPED = "starting", "base", "mine", "grouped"


def node(name: str, labels: dict[str, str], *, ready: bool = True) -> dict[str, Any]:
    condition = {"type": "Ready", "status": str(ready)}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": {"conditions": [condition]}}


def pod(name: str, where: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "web", **metadata}, "spec": {"nodeName": where}, "status": {}}


class Server:
    """Two pools of ours and one of somebody else; a node of each, one of a node group, and pods on them."""

    where = "the cluster pipeops-dev in us-west-2"
    patience = Patience(0.5, 0.01)

    def __init__(self) -> None:
        self.pools = {name: {"metadata": {"name": name, "labels": dict(LABELS)}} for name in ("base-a", "burst")}
        self.pools["theirs"] = {"metadata": {"name": "theirs", "labels": {}}}
        owned = [(BASE, "karpenter.sh/nodepool", "base-a"), (MINE, "karpenter.sh/nodepool", "theirs")]
        owned.append((GROUPED, "eks.amazonaws.com/nodegroup", "pipeops-dev-us-west-2a-1"))
        self.nodes = {name: node(name, {label: value}) for name, label, value in owned}
        daemon = [{"kind": "DaemonSet", "name": "agent"}]
        self.pods = {"front": pod("front", BASE), "agent": pod("agent", BASE, ownerReferences=daemon)}
        self.pods["other"] = pod("other", MINE)
        self.held, self.deleted = False, list[str]()

    def kind(self, _api_version: str, kind: str) -> dict[str, Any] | None:
        return {"name": "nodepools", "namespaced": False} if kind == "NodePool" else None

    def get(self, path: str, **query: str) -> dict[str, Any]:
        if path == POOLS:
            ours = [one for one in self.pools.values() if not query or one["metadata"]["labels"] == LABELS]
            return {"items": copy.deepcopy(ours)}
        self._drain()
        return {"items": copy.deepcopy(list((self.nodes if path.endswith("nodes") else self.pods).values()))}

    def delete(self, path: str) -> None:
        name = path.rpartition("/")[2]
        self.deleted.append(name)
        (self.pools if path.startswith(POOLS) else self.pods).pop(name)

    def _drain(self) -> None:
        """Nodes without a pool leave, once nothing holds them."""
        for name, one in list(self.nodes.items()):
            label = one["metadata"]["labels"].get("karpenter.sh/nodepool")
            if label is None or label in self.pools:
                continue
            one["metadata"].update(GONE)
            holding = [pod for pod in self.pods.values() if pod["spec"]["nodeName"] == name]
            if not self.held and all(pod["metadata"].get("ownerReferences") for pod in holding):
                del self.nodes[name]


def end(server: Any, *groups: str, check_mode: bool = False) -> tuple[list[str], list[str]]:
    outcome, left = end_nodes(server, "ground", groups, check_mode=check_mode, progress=lambda _text: None)
    return [action["action"] for action in outcome.actions], left


ALL = ["delete/NodePool/base-a", "delete/NodePool/burst"]


def test_pools_go_and_pods_hold_no_node() -> None:
    server = Server()
    del server.nodes[GROUPED]
    assert end(server) == (ALL, [MINE])
    assert server.deleted == ["base-a", "burst", "front"]
    assert sorted(server.nodes) == [MINE] and sorted(server.pods) == ["agent", "other"]
    assert end(server) == ([], [MINE])


def test_a_dry_run_says_so_and_changes_nothing() -> None:
    server = Server()
    assert end(server, check_mode=True) == (ALL, [GROUPED, MINE])
    assert server.deleted == []


def test_nodes_of_node_groups_are_awaited() -> None:
    server = Server()
    with pytest.raises(EngineError, match="still 1 left, 0 pods on them"):
        end(server, "pipeops-dev-us-west-2a-1")
    assert GROUPED in server.nodes


def test_a_node_that_does_not_go_is_told() -> None:
    server = Server()
    server.held = True
    with pytest.raises(
        EngineError, match=r"Gave up on the end of the nodes of the cluster pipeops-dev .* run the play"
    ):
        end(server)


def test_nodes_are_awaited_that_are_ready_and_stay() -> None:
    server: Any = Server()
    assert await_nodes(server, 3, lambda _text: None) == 3
    server.nodes[STARTING] = node(STARTING, {}, ready=False)
    server.nodes[MINE]["metadata"].update(GONE)
    assert ready_nodes(server) == 2
    with pytest.raises(EngineError, match="2 of 3 ready"):
        await_nodes(server, 3, lambda _text: None)
