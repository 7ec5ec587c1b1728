# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API server of a cluster tells that matters to an upgrade: nodes, disruption budgets, old APIs in use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.errors import EngineError
from ..kube.api import Api

#: The labels by which nodes are renewed by EKS: those of node pools of Auto Mode, and of managed node groups.
POOL, GROUP = "karpenter.sh/nodepool", "eks.amazonaws.com/nodegroup"
#: What the API server counts: whether an API that goes away was asked for since it was started.
REQUESTED = "apiserver_requested_deprecated_apis"
SAMPLE = re.compile(rf"^{REQUESTED}\{{(?P<labels>[^}}]*)\}}\s+(?P<value>\S+)", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes:
        version: of its kubelet, major and minor.
        owner: what renews it: ``pool/NAME``, ``group/NAME``, or empty for nobody.
    """

    name: str
    version: str
    owner: str = ""


@dataclass(frozen=True)
class Inside:
    """What was found.

    Attributes:
        blocked: disruption budgets that let no pod go now, as ``NAMESPACE/NAME``.
        old_apis: APIs in use that a release removes: ``GROUP/VERSION RESOURCE`` to the release.
        untold: what could not be asked, each with the reason.
    """

    nodes: Sequence[Node] = ()
    blocked: Sequence[str] = ()
    old_apis: Mapping[str, str] = field(default_factory=dict)
    untold: Mapping[str, str] = field(default_factory=dict)


def look(api: Api) -> Inside:
    """Ask the API server.

    Raises:
        EngineError: if it does not answer, or lets nobody see its nodes.
    """
    found, untold = nodes(api), {}
    budgets = (api.get("/apis/policy/v1/poddisruptionbudgets") or {}).get("items", [])
    try:
        old = old_apis(api.text("/metrics"))
    except EngineError as error:
        old, untold = {}, {"removed APIs in use": str(error)}
    return Inside(found, sorted(_blocked(budgets)), old, untold)


def nodes(api: Api) -> list[Node]:
    """Return the nodes of a cluster, by name."""
    items = (api.get("/api/v1/nodes") or {}).get("items", [])
    return sorted((_node(item) for item in items), key=lambda node: node.name)


def _node(item: Mapping[str, Any]) -> Node:
    labels = item["metadata"].get("labels", {})
    owners = {f"pool/{labels.get(POOL)}": POOL in labels, f"group/{labels.get(GROUP)}": GROUP in labels}
    owner = next((name for name, there in owners.items() if there), "")
    return Node(item["metadata"]["name"], minor_version(item["status"]["nodeInfo"]["kubeletVersion"]), owner)


def minor_version(text: str) -> str:
    """Return major and minor of a version such as ``v1.36.3-eks-1a2b3c4``."""
    return ".".join(text.removeprefix("v").split(".")[:2])


def _blocked(budgets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for budget in budgets:
        status = budget.get("status", {})
        if status.get("expectedPods") and not status.get("disruptionsAllowed"):
            yield f"{budget['metadata']['namespace']}/{budget['metadata']['name']}"


def old_apis(metrics: str) -> dict[str, str]:
    """Return the APIs in use that go away, with the release that removes them, from the server's metrics."""
    found = {}
    for sample in SAMPLE.finditer(metrics):
        labels = dict(LABEL.findall(sample["labels"]))
        if float(sample["value"]) and labels.get("removed_release"):
            version = "/".join(filter(None, (labels.get("group"), labels.get("version"))))
            found[f"{version} {labels.get('resource')}"] = labels["removed_release"]
    return found
