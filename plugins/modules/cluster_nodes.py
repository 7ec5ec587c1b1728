#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_nodes
short_description: End the nodes of a cluster that goes to sleep, or await those of one that wakes
version_added: 1.0.0
description:
  - With O(state=absent), deletes the node pools of EKS Auto Mode that M(pipeops.platform.kube_objects) made, and waits
    until their nodes are gone. Pods stay as they are wanted, and pending, until there are nodes again.
  - Nodes that leave are drained. Disruption budgets are not asked, since no other node can take the pods; each pod gets
    its own grace.
  - Nodes of other pools are left alone, and named in RV(left).
  - With O(state=present), changes nothing and waits until there are O(minimum) nodes.
options:
  state:
    description: V(absent) ends all nodes, V(present) awaits some.
    type: str
    choices: [present, absent]
    default: present
  minimum:
    description: How many nodes have to be ready.
    type: int
    default: 1
  set:
    description: The list of objects that the node pools belong to, see M(pipeops.platform.kube_objects).
    type: str
    default: ground
  node_groups:
    description: Managed node groups, by their names, whose nodes are awaited to be gone as well.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.cluster
  - action_common_attributes
attributes:
  check_mode:
    support: full
    description: Says which node pools would be deleted, and waits for nothing.
  diff_mode:
    support: full
    description: Returns each node pool that goes.
  idempotent:
    support: full
    description: Node pools that are gone are no change; their nodes are waited for all the same.
  platform:
    support: full
    platforms: all
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: End the nodes of dev
  pipeops.platform.cluster_nodes:
    region: us-west-2
    cluster_name: pipeops-dev
    endpoint: "{{ cluster.endpoint }}"
    certificate_authority: "{{ cluster.certificate_authority }}"
    state: absent
    wait_timeout: 3600
"""

RETURN = r"""
ready:
  description: How many nodes are ready now.
  returned: always
  type: int
  sample: 0
left:
  description: Nodes that are left because other pools made them, with O(state=absent).
  returned: always
  type: list
  elements: str
  sample: []
actions:
  description: Each node pool that was deleted, or would be, in the words of M(pipeops.platform.eks_cluster).
  returned: always
  type: list
  elements: dict
  sample: [{"action": "delete/NodePool/burst", "verb": "delete", "kind": "NodePool", "name": "burst"}]
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import CLUSTER_ARGUMENT_SPEC, Api, Cluster
from ansible_collections.pipeops.platform.plugins.module_utils.kube.objects import Outcome
from ansible_collections.pipeops.platform.plugins.module_utils.kube.sleeping import await_nodes, end_nodes, ready_nodes

ARGUMENT_SPEC: dict[str, Any] = {
    **CLUSTER_ARGUMENT_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "minimum": {"type": "int", "default": 1},
    "set": {"type": "str", "default": "ground"},
    "node_groups": {"type": "list", "elements": "str", "default": []},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """End the nodes, or await some.

    Raises:
        EngineError: if the cluster does not answer, or the time is over.
    """
    api = Api(Aws(params, progress), Cluster.from_params(params))
    outcome, left = Outcome(), list[str]()
    if params["state"] == "absent":
        groups = params["node_groups"]
        outcome, left = end_nodes(api, params["set"], groups, check_mode=check_mode, progress=progress)
    elif not check_mode:
        await_nodes(api, params["minimum"], progress)
    return {**outcome.as_dict(), "ready": ready_nodes(api), "left": left}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
