#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_drain
short_description: Take out of an EKS cluster what would stay behind in AWS
version_added: 1.0.0
description:
  - Deletes the applications that Argo CD would bring again, then Ingresses and Services of type LoadBalancer, whose
    load balancers it waits for, and at last the node pools. Run it before the cluster is deleted.
  - A cluster that does not answer, or that does not know the caller any more, fails nothing. What it made is found by
    its tags, once it is gone, see M(pipeops.platform.service_leftovers).
  - Claims of volumes are left to the end of the cluster, because pods hold them; their disks are found by tags as well.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.cluster
attributes:
  check_mode:
    support: full
    description: Says what would be deleted.
  diff_mode:
    support: full
    description: Returns each object that goes.
  idempotent:
    support: full
    description: What is gone, or on its way, is no change.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let the cluster give its load balancers back
  pipeops.platform.cluster_drain:
    region: us-west-2
    cluster_name: pipeops-dev
    endpoint: https://0A1B2C3D4E5F.gr7.us-west-2.eks.amazonaws.com
    certificate_authority: "{{ cluster.certificate_authority }}"
"""

RETURN = r"""
reached:
  description: Whether all of it was deleted from inside.
  returned: always
  type: bool
  sample: true
note:
  description: Why not; empty if it was.
  returned: always
  type: str
  sample: ""
actions:
  description: What was deleted, or in check mode would be, as layers report it.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import CLUSTER_ARGUMENT_SPEC, Api, Cluster
from ansible_collections.pipeops.platform.plugins.module_utils.removal import inside

ARGUMENT_SPEC: dict[str, Any] = dict(CLUSTER_ARGUMENT_SPEC)


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Drain the cluster.

    Raises:
        EngineError: if its certificates are none.
    """
    api = Api(Aws(params, progress), Cluster.from_params(params))
    return inside.drain(api, check_mode=check_mode, progress=progress)


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
