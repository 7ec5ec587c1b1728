#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_upgrade_info
short_description: See what stands in the way of an upgrade of an EKS cluster
version_added: 1.0.0
description:
  - Looks at a cluster before its Kubernetes version is raised, at EKS's insights, add-ons, node groups and subnets, and
    inside of it at nodes, disruption budgets and APIs that the version removes.
  - Each finding is a C(blocker), a C(warning) or a C(note), with what to do about it.
options:
  cluster_name:
    description: The name of the cluster.
    type: str
    required: true
  version:
    description: The version that it is to get, by major and minor number.
    type: str
    required: true
  auto_mode:
    description: Whether EKS Auto Mode runs its nodes.
    type: bool
    default: true
  addons:
    description: The EKS add-ons as M(pipeops.platform.eks_data_plane) takes them; C(name) and C(version) matter.
    type: list
    elements: dict
    default: []
  kubernetes:
    description: Whether its API server is asked, too.
    type: bool
    default: true
  accept:
    description: Names of findings that are no blockers, because somebody has looked at them.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.patience
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
- name: See whether dev can be upgraded
  pipeops.platform.eks_upgrade_info:
    region: us-west-2
    cluster_name: pipeops-dev
    version: "1.37"
    addons:
      - name: metrics-server
"""

RETURN = r"""
outputs:
  description: What was found.
  returned: always
  type: dict
  contains:
    current:
      description: The version of the control plane.
      type: str
      sample: "1.36"
    target:
      description: The version asked for.
      type: str
      sample: "1.37"
    begins:
      description: Whether the control plane is still to be upgraded.
      type: bool
      sample: true
    findings:
      description: All findings, each with C(name), C(level), C(text) and C(mend).
      type: list
      elements: dict
      sample: [{"name": "support", "level": "note", "text": "Standard support ends on 2027-12-01.", "mend": ""}]
    blockers:
      description: The sentences of the findings that stop an upgrade, each with what to do.
      type: list
      elements: str
      sample: []
    force:
      description: Whether insights that speak against it were accepted, so that EKS has to be told.
      type: bool
      sample: false
    nodes:
      description: The version of each node's kubelet; none if the API server was not asked.
      type: dict
      sample: {"i-0a1b2c3d4e5f60718": "1.36"}
    endpoint:
      description: The URL of the API server.
      type: str
      sample: https://0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com
    certificate_authority:
      description: The certificates that the API server is trusted by, base64 of PEM.
      type: str
      sample: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import PATIENCE_ARGUMENT_SPEC, Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api, Cluster
from ansible_collections.pipeops.platform.plugins.module_utils.layers._eks_addons import complete
from ansible_collections.pipeops.platform.plugins.module_utils.resources.eks_offers import choose, versions
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade import inside
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.facts import Facts, read
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.findings import (
    BLOCKER,
    WARNING,
    Finding,
    assess,
)

ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    "cluster_name": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "auto_mode": {"type": "bool", "default": True},
    "addons": {"type": "list", "elements": "dict", "default": []},
    "kubernetes": {"type": "bool", "default": True},
    "accept": {"type": "list", "elements": "str", "default": []},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return what was found."""
    aws, target = Aws(params, progress), params["version"]

    def look_inside(cluster: Mapping[str, Any]) -> inside.Inside | None:
        if not params["kubernetes"] or "endpoint" not in cluster:
            return None
        reached = Cluster(cluster["name"], cluster["endpoint"], cluster["certificateAuthority"]["data"])
        return inside.look(Api(aws, reached))

    facts = read(aws, params["cluster_name"], target, look_inside)
    addons = complete(params["addons"], params["auto_mode"])
    wanted = {addon["name"]: choose(versions(aws, addon["name"], target), addon["version"]) for addon in addons}
    return {"outputs": _outputs(facts, assess(facts, wanted, params["accept"]))}


def _outputs(facts: Facts, findings: list[Finding]) -> dict[str, Any]:
    against = [finding for finding in findings if finding.id.startswith("insight/") and finding.level == WARNING]
    errors = {
        f"insight/{one['name']}" for one in facts.insights if one["insightStatus"]["status"] == "ERROR"
    }  # fmt: skip
    return {
        "current": facts.version,
        "target": facts.target,
        "begins": facts.version != facts.target,
        "findings": [finding.as_dict() for finding in findings],
        "blockers": [f"{one.id}: {one.text} {one.mend}".rstrip() for one in findings if one.level == BLOCKER],
        "force": any(finding.id in errors for finding in against),
        "nodes": {node.name: node.version for node in facts.inside.nodes} if facts.inside else {},
        "endpoint": facts.cluster.get("endpoint"),
        "certificate_authority": facts.cluster.get("certificateAuthority", {}).get("data"),
    }


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
