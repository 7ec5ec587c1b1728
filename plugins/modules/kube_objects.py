#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kube_objects
short_description: Manage objects in an EKS cluster
version_added: 1.0.0
description:
  - Applies a list of Kubernetes manifests on the server's side, in their order, removes those of earlier runs that are
    no longer among them, and waits for conditions. One task does all, and makes its own token.
  - In check mode the server is asked to foresee each change (dry run). What it cannot foresee, because the cluster, the
    kind or the namespace is yet to come, is announced as created.
  - A field that a kind does not have is refused, instead of being dropped silently. A field of ours that something else
    has set is taken over.
options:
  set:
    description: The name of the list. All of its objects get it in the label C(pipeops.platform/set).
    type: str
    required: true
  definitions:
    description: The manifests.
    type: list
    elements: dict
    required: true
  prune:
    description: The kinds of which objects with the label of O(set) that are not in O(definitions) are deleted.
    type: list
    elements: dict
    default: []
    suboptions:
      api_version:
        description: The API version, e.g. V(karpenter.sh/v1).
        type: str
        required: true
      kind:
        description: The kind, e.g. V(NodePool).
        type: str
        required: true
  wait_for:
    description:
      - For kinds, the condition that is awaited of each of their objects, e.g. V({"ClusterSecretStore":"Ready"}).
      - Not in check mode.
    type: dict
    default: {}
  state:
    description: V(absent) deletes the objects of O(definitions), the last one first.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.cluster
  - action_common_attributes
attributes:
  check_mode:
    support: full
    description: Returns without changing anything what the next run would change, also where nothing stands yet.
  diff_mode:
    support: full
    description: Returns each changed object before and after. Values of secrets are hidden.
  platform:
    support: full
    platforms: all
seealso:
  - module: pipeops.platform.helm_release
  - plugin: pipeops.platform.eks_token
    plugin_type: lookup
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let two teams have a namespace each, and no others
  pipeops.platform.kube_objects:
    region: us-west-2
    cluster_name: pipeops-prod
    endpoint: "{{ eks_result.outputs.endpoint }}"
    certificate_authority: "{{ eks_result.outputs.certificate_authority }}"
    set: teams
    definitions:
      - apiVersion: v1
        kind: Namespace
        metadata: {name: web-frontend}
      - apiVersion: v1
        kind: Namespace
        metadata: {name: api-services}
    prune:
      - {api_version: v1, kind: Namespace}
"""

RETURN = r"""
actions:
  description: Each object that changed, or would, in the words of M(pipeops.platform.eks_cluster).
  returned: always
  type: list
  elements: dict
  sample: [{"action": "create/Namespace/web-frontend", "verb": "create", "kind": "Namespace", "name": "web-frontend"}]
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import CLUSTER_ARGUMENT_SPEC, Api, Cluster
from ansible_collections.pipeops.platform.plugins.module_utils.kube.objects import Order, carry_out, foresee

KIND_SPEC = {"api_version": {"type": "str", "required": True}, "kind": {"type": "str", "required": True}}

ARGUMENT_SPEC: dict[str, Any] = {
    **CLUSTER_ARGUMENT_SPEC,
    "set": {"type": "str", "required": True},
    "definitions": {"type": "list", "elements": "dict", "required": True},
    "prune": {"type": "list", "elements": "dict", "default": [], "options": KIND_SPEC},
    "wait_for": {"type": "dict", "default": {}},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Bring the objects to the wanted state, or foresee what that would change."""
    for number, definition in enumerate(params["definitions"]):
        if not (definition.get("apiVersion") and definition.get("kind") and _name(definition)):
            raise EngineError(f"definitions[{number}] is no manifest: it lacks apiVersion, kind or metadata.name.")
    cluster = Cluster.from_params(params)
    order = Order(
        params["set"],
        params["definitions"],
        [(kind["api_version"], kind["kind"]) for kind in params["prune"]],
        params["wait_for"],
        params["state"] == "absent",
    )
    if cluster.is_planned and check_mode:
        return foresee(order).as_dict()
    cluster.insist_that_it_stands()
    return carry_out(Api(Aws(params, progress), cluster), order, check_mode=check_mode, progress=progress).as_dict()


def _name(definition: Mapping[str, Any]) -> str:
    return str((definition.get("metadata") or {}).get("name") or "")


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
