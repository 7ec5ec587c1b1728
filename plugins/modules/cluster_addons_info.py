#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_addons_info
short_description: See how the add-ons of a cluster stand
version_added: 1.0.0
description:
  - Returns of each Helm release its chart, its versions, its status, and which of its workloads are not ready.
options:
  releases:
    description: The releases.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the add-on is called.
        type: str
        required: true
      release:
        description: The name of its release.
        type: str
        required: true
      namespace:
        description: The namespace of its release.
        type: str
        required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.cluster
  - action_common_attributes
attributes:
  check_mode:
    support: full
    description: It only reads.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: all
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: See whether Argo CD runs
  pipeops.platform.cluster_addons_info:
    region: us-west-2
    cluster_name: pipeops-prod
    endpoint: "{{ eks_result.outputs.endpoint }}"
    certificate_authority: "{{ eks_result.outputs.certificate_authority }}"
    releases:
      - {name: argo_cd, release: argocd, namespace: argocd}
"""

RETURN = r"""
outputs:
  description: How they stand.
  returned: always
  type: dict
  contains:
    addons:
      description:
        - Each add-on with its C(name), C(release), C(namespace), C(chart), C(version), C(app_version), C(status) and
          C(ready), and in C(unready) what is not.
        - The status is Helm's, V(not installed), or V(planned) in a dry run without a cluster.
      type: list
      elements: dict
      sample: [{"name": "argo_cd", "version": "10.1.1", "app_version": "v3.4.4", "status": "deployed", "ready": true}]
    ready:
      description: Whether all are.
      type: bool
      sample: true
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import CLUSTER_ARGUMENT_SPEC, Api, Cluster
from ansible_collections.pipeops.platform.plugins.module_utils.kube.releases import describe

RELEASE_SPEC = {name: {"type": "str", "required": True} for name in ("name", "release", "namespace")}

ARGUMENT_SPEC: dict[str, Any] = {
    **CLUSTER_ARGUMENT_SPEC,
    "releases": {"type": "list", "elements": "dict", "required": True, "options": RELEASE_SPEC},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return how each release stands."""
    cluster = Cluster.from_params(params)
    if cluster.is_planned and check_mode:
        addons = [{**release, "status": "planned", "ready": False} for release in params["releases"]]
        return {"outputs": {"addons": addons, "ready": False}}
    cluster.insist_that_it_stands()
    api = Api(Aws(params, progress), cluster)
    addons = [{**release, **describe(api, release["namespace"], release["release"])} for release in params["releases"]]
    return {"outputs": {"addons": addons, "ready": all(addon["ready"] for addon in addons)}}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
