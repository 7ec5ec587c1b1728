#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_activation
short_description: Let applications run in an EKS cluster, or put it on standby
version_added: 1.0.0
description:
  - Changes the label C(role) of the cluster as its Argo CD knows it, and nothing else. The ApplicationSet of the role
    P(pipeops.platform.cluster_addons#role) then deploys all applications, or takes them down.
  - Endpoint and certificates are those that EKS tells; there is no need to know anything of the cluster but its name.
  - Before a cluster goes to V(standby), the volume claims of its applications are marked to stay (C(Delete=false)).
  - Waits until all applications are ready, or gone, and tells when the first one was ready.
options:
  cluster_name:
    description: The name of the EKS cluster.
    type: str
    required: true
  role:
    description: V(active) deploys applications. V(standby) has everything ready for them, and none of them.
    type: str
    choices: [active, standby]
    required: true
  wait:
    description: Whether to wait for the applications. Without it, the task ends once the role is changed.
    type: bool
    default: true
  required:
    description:
      - Whether it is an error if the cluster cannot be reached or has no add-ons, or applications do not become ready.
      - Without it, the task tells so in RV(reason).
    type: bool
    default: true
  reach_timeout:
    description: The longest wait for the API server to answer, in seconds.
    type: int
    default: 20
  wait_timeout:
    description: The longest wait for the applications, in seconds.
    type: int
    default: 600
  wait_delay:
    description: The longest pause between two looks at what is waited for, in seconds.
    type: float
    default: 5
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - action_common_attributes
attributes:
  check_mode:
    support: full
    description: Returns what would change, as the API server foresees it, and how applications stand now.
  diff_mode:
    support: full
    description: Returns the changed objects before and after. Values of secrets are hidden.
  platform:
    support: full
    platforms: all
notes:
  - The API server knows the caller by a token that is made from the AWS credentials. The identity needs an access entry
    in the cluster, see M(pipeops.platform.eks_cluster).
seealso:
  - module: pipeops.platform.kube_objects
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let applications begin in dr, whatever becomes of them
  pipeops.platform.cluster_activation:
    region: us-east-1
    cluster_name: pipeops-dr
    role: active
    wait: false
    required: false
"""

RETURN = r"""
reachable:
  description: Whether the API server answered.
  returned: always
  type: bool
  sample: true
reason:
  description: Why the cluster is not as it should be, empty if it is, or if it was not waited for.
  returned: always
  type: str
  sample: ""
role:
  description: The role of the cluster now, in check mode as found; empty if it is not known.
  returned: always
  type: str
  sample: active
ready:
  description: Whether all applications are ready, or for V(standby), gone.
  returned: always
  type: bool
  sample: true
told:
  description: How applications stand, for people.
  returned: always
  type: str
  sample: 4 of 4 ready, 5 nodes
applications:
  description: Each with its C(name), C(namespace), C(health), C(sync), C(message), C(since) and C(ready).
  returned: always
  type: list
  elements: dict
  sample: [{"name": "api-services", "health": "Healthy", "sync": "Synced", "ready": true}]
since:
  description: When the role was changed by this module, empty if it never was.
  returned: always
  type: str
  sample: "2026-11-25T20:24:36Z"
first_ready_at:
  description: When the first application became ready, none if no one is.
  returned: always
  type: str
  sample: "2026-11-25T20:24:48Z"
seconds_to_first_ready:
  description: From the change of the role to the first ready application, none if that is not so.
  returned: always
  type: float
  sample: 12
seconds_to_all_ready:
  description: From the change of the role until all were ready, none if they are not.
  returned: always
  type: float
  sample: 31
nodes:
  description: How many nodes are ready.
  returned: always
  type: int
  sample: 5
actions:
  description: Each object that changed, or would, in the words of M(pipeops.platform.eks_cluster).
  returned: always
  type: list
  elements: dict
  sample: [{"action": "update/Secret/argocd/in-cluster", "verb": "update", "kind": "Secret"}]
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, describe_error, is_aws_error
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import LeaseLost
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, Progress
from ansible_collections.pipeops.platform.plugins.module_utils.kube.activating import (
    await_applications,
    change_over,
    find_cluster,
    look,
)
from ansible_collections.pipeops.platform.plugins.module_utils.kube.activation import Stand, moments
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api
from ansible_collections.pipeops.platform.plugins.module_utils.kube.objects import Outcome

ARGUMENT_SPEC: dict[str, Any] = {
    "cluster_name": {"type": "str", "required": True},
    "role": {"type": "str", "choices": ["active", "standby"], "required": True},
    "wait": {"type": "bool", "default": True},
    "required": {"type": "bool", "default": True},
    "reach_timeout": {"type": "int", "default": 20},
    "wait_timeout": {"type": "int", "default": 600},
    "wait_delay": {"type": "float", "default": 5.0},
}
NOTHING = Stand("", "", (), "", (), 0, 0)


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Change the role, and wait for the applications.

    Raises:
        EngineError: if it cannot be done and is required, or the deployment lock is lost.
    """
    outcome = Outcome()
    try:
        stand, reason = _bring(params, outcome, check_mode, progress)
    except LeaseLost:
        raise
    except Exception as error:
        if not (isinstance(error, EngineError) or is_aws_error(error)):
            raise
        if params["required"]:
            raise EngineError(describe_error(error)) from error
        return {**_result(NOTHING, params["role"], outcome), "reachable": False, "reason": describe_error(error)}
    if reason and params["required"]:
        raise EngineError(reason)
    return {**_result(stand, params["role"], outcome), "reachable": True, "reason": reason}


def _bring(params: Mapping[str, Any], outcome: Outcome, check_mode: bool, progress: Progress) -> tuple[Stand, str]:
    """Return how the cluster stands at the end, and why it is not as it should be."""
    name, role = params["cluster_name"], params["role"]
    # What cannot be reached within moments is not waited for: others depend on this task's end.
    aws = Aws({**params, "wait_timeout": params["reach_timeout"]}, progress)
    cluster = find_cluster(aws, name)
    if cluster is None:
        raise EngineError(f"There is no cluster {name} in {aws.region}. Run site.yml for its environment.")
    api = Api(aws, cluster)
    stand = look(api)
    if stand is None:
        return NOTHING, f"The cluster {name} in {aws.region} has no add-ons. Run playbooks/addons.yml for it."
    changes = stand.role != role
    change_over(api, stand, role, outcome, check_mode=check_mode)
    if check_mode:
        return stand, ""
    if params["wait"]:
        patience = Patience(params["wait_timeout"], params["wait_delay"])
        return await_applications(api, role, patience, progress)
    return (look(api) or stand) if changes else stand, ""


def _result(stand: Stand, role: str, outcome: Outcome) -> dict[str, Any]:
    known = stand is not NOTHING
    return {
        **outcome.as_dict(),
        "role": stand.role,
        "since": stand.since,
        "ready": known and stand.role == role and stand.settled(role),
        "told": stand.told() if known else "the cluster could not be looked into",
        "applications": [one.as_dict() for one in stand.applications],
        "nodes": stand.nodes,
        **moments(stand),
    }


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
