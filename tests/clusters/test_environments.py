# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All four environments on API servers at once: done as announced, and with nodes within their bounds."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api

from tests.clusters.conftest import Clusters
from tests.clusters.test_addons import Dev, exactly, nothing
from tests.platform_runs import ROOT

OTHERS = ("staging", "prod", "dr")
LOAD = "/apis/apps/v1/namespaces/default/deployments/load"
PODS = 200
#: Seconds for which the most nodes are watched, lest one too many comes late.
WATCHED = 5.0


@pytest.fixture(scope="module")
def all_stand(dev: Dev) -> Clusters:
    """Stand up the other environments beside dev, in one run, and hold it against what was announced."""
    stand, _announced, done = dev
    assert done.status == 0, done.output[-3000:]
    announced = stand.playbook(*OTHERS, check=True)
    exactly(announced, stand.playbook(*OTHERS), *OTHERS)
    return stand


def test_a_second_run_for_all_of_them_finds_nothing_to_do(all_stand: Clusters) -> None:
    nothing(all_stand.playbook("dev", *OTHERS), "dev", *OTHERS)


@pytest.mark.parametrize("environment", ["dev", *OTHERS])
def test_bounds_hold_when_200_pods_come_and_go(all_stand: Clusters, environment: str) -> None:
    least, most = bounds(environment)
    api = all_stand.api(f"pipeops-{environment}", "us-east-1" if environment == "dr" else "us-west-2")
    seen = [nodes(api)]
    load(api, PODS)
    watch(all_stand, api, seen, most)
    ended = time.monotonic() + WATCHED
    while time.monotonic() < ended:
        seen.append(nodes(api))
    load(api, 0)
    watch(all_stand, api, seen, seen[0])
    api.delete(LOAD)
    assert min(seen) >= least
    assert max(seen) == most


def bounds(environment: str) -> tuple[int, int]:
    """Return the fewest and the most nodes that the inventory says."""
    page = yaml.safe_load((ROOT / f"inventories/{environment}/host_vars/{environment}/eks.yml").read_text("utf-8"))
    return page["eks_node_minimum"], page["eks_node_maximum"]


def nodes(api: Api) -> int:
    return len((api.get("/api/v1/nodes") or {})["items"])


def load(api: Api, replicas: int) -> None:
    """Want so many pods, each of a quarter of a processor."""
    container = {"name": "app", "image": "nginx:1.29", "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}}
    labels = {"app": "load"}
    body: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "load", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    api.apply(LOAD, body, dry_run=False)


def watch(stand: Clusters, api: Api, seen: list[int], until: int) -> None:
    """Note how many nodes there are until there are so many. The minutes for which one is idle pass in seconds."""
    deadline = time.monotonic() + 120
    while seen[-1] != until or len(seen) == 1:
        assert time.monotonic() < deadline, f"{seen[-1]} nodes, not {until}"
        stand.control("POST", "clock", advance=5)
        seen.append(nodes(api))
