#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_control_plane
short_description: Upgrade the control plane of an EKS cluster
version_added: 1.0.0
description:
  - Brings the control plane of a cluster that stands to a Kubernetes version, and waits until EKS has done so.
  - An upgrade that is under way, begun by a run that was killed, is waited for and not begun again.
  - M(pipeops.platform.eks_upgrade_info) tells before what stands in the way; C(playbooks/upgrade_cluster.yml) has both.
options:
  cluster_name:
    description: The name of the cluster. Taken as C(PLATFORM-ENVIRONMENT) if not set.
    type: str
  version:
    description: The Kubernetes version by major and minor number. EKS goes up by one minor version at a time.
    type: str
    required: true
  force:
    description: Whether EKS goes on although its insights speak against it.
    type: bool
    default: false
  state:
    description: An upgrade cannot be removed.
    type: str
    choices: [present]
    default: present
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Go up one minor version
  pipeops.platform.eks_control_plane:
    region: us-west-2
    environment: dev
    version: "1.37"
"""

RETURN = r"""
outputs:
  description: The control plane.
  returned: always
  type: dict
  contains:
    name:
      description: The name of the cluster.
      type: str
      sample: pipeops-dev
    version:
      description: Its Kubernetes version.
      type: str
      sample: "1.37"
    platform_version:
      description: EKS's own version of it.
      type: str
      sample: eks.2
    endpoint:
      description: The URL of its API server.
      type: str
      sample: https://0123456789ABCDEF0123456789ABCDEF.gr7.us-west-2.eks.amazonaws.com
    certificate_authority:
      description: The certificates that the API server is trusted by, base64 of PEM.
      type: str
      sample: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.eks_control_plane import LAYER

ARGUMENT_SPEC = {
    "cluster_name": {"type": "str"},
    "version": {"type": "str", "required": True},
    "force": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present"], "default": "present"},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
