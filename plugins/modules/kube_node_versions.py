#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_node_versions
short_description: Wait until the nodes of a cluster run its Kubernetes version
version_added: 1.0.0
description:
  - After an upgrade of the control plane, EKS Auto Mode replaces the nodes of all node pools by itself, as disruption
    budgets of pools and pods allow. This waits until it has, and tells how far it is.
  - It changes nothing itself. C(changed) tells whether nodes are replaced.
options:
  version:
    description: The version by major and minor number.
    type: str
    required: true
  before:
    description:
      - The version of each node as it was before the upgrade, from M(pipeops.platform.eks_upgrade_info).
      - So what a dry run announces and what the run that follows tells are the same.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.cluster
  - action_common_attributes
attributes:
  check_mode:
    support: full
    description: It only reads, and waits for nothing.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: all
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Await the nodes
  pipeops.platform.kube_node_versions:
    region: us-west-2
    cluster_name: pipeops-dev
    endpoint: "{{ found.outputs.endpoint }}"
    certificate_authority: "{{ found.outputs.certificate_authority }}"
    version: "1.37"
    before: "{{ found.outputs.nodes }}"
    wait_timeout: 3600
"""

RETURN = r"""
outputs:
  description: The nodes.
  returned: always
  type: dict
  contains:
    nodes:
      description: The version of each node's kubelet.
      type: dict
      sample: {"i-0a1b2c3d4e5f60718": "1.37"}
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress, wait_until
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import CLUSTER_ARGUMENT_SPEC, Api, Cluster
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.inside import nodes

#: Seconds for one node: some minutes until its pods are elsewhere and the new one is ready.
SECONDS_A_NODE = 240

ARGUMENT_SPEC: dict[str, Any] = {
    **CLUSTER_ARGUMENT_SPEC,
    "version": {"type": "str", "required": True},
    "before": {"type": "dict", "default": {}},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Wait, and return what was replaced."""
    target, api = params["version"], Api(Aws(params, progress), Cluster.from_params(params))
    now = {node.name: node.version for node in nodes(api)}
    old = {name: version for name, version in {**now, **params["before"]}.items() if version != target}
    if old and not check_mode:
        now = _await(api, target, len(old), progress)
    actions = [_action(old, target)] if old else []
    return {"changed": bool(old), "actions": actions, "outputs": {"nodes": now}}


def _await(api: Api, target: str, count: int, progress: Progress) -> dict[str, str]:
    def check() -> tuple[dict[str, str] | None, str]:
        now = {node.name: node.version for node in nodes(api)}
        behind = sorted(name for name, version in now.items() if version != target)
        return (None if behind or not now else now), f"{len(now) - len(behind)} of {len(now)}, not {', '.join(behind)}"

    return wait_until(
        check,
        f"the nodes of {api.where} to run {target}",
        SECONDS_A_NODE * count,
        api.patience,
        progress,
        "Look at the node claims and at disruption budgets (kubectl get pdb -A), then run the play again: it goes on.",
    )


def _action(old: Mapping[str, str], target: str) -> dict[str, Any]:
    """Return what the plan shows of all nodes together: which ones there will be is EKS's choice."""
    return {
        "action": "update/Node/auto-mode/version",
        "verb": "update",
        "kind": "Node",
        "name": "auto-mode",
        "label": "nodes of Auto Mode",
        "id": None,
        "change": "version",
        "differences": [{"attribute": "version", "before": ", ".join(sorted(set(old.values()))), "after": target}],
        "interrupts": f"pods on {len(old)} nodes, which are replaced as disruption budgets allow",
        "reversible": False,
        "typical_seconds": SECONDS_A_NODE * len(old),
    }


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
