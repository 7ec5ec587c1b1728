#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_leftovers
short_description: Remove what a cluster and AWS's services left behind
version_added: 1.0.0
description:
  - Removes what nobody asked AWS for by name, because a cluster or a service made it - load balancers, target groups,
    nodes, network interfaces that nothing uses, security groups, volumes, log groups.
  - It is found by the tags that EKS, its Auto Mode, the AWS Load Balancer Controller and the EBS driver put on what
    they make, so also when the cluster and its API server are gone. Interfaces are known by their descriptions too, and
    log groups by their names.
  - Run it when the cluster is gone. While it stands, its controllers make what is missing again.
  - A rule of another security group that refers to one of the cluster's is revoked with it.
options:
  state:
    description: There is nothing to bring about, only to remove.
    type: str
    choices: [present, absent]
    default: present
  cluster_name:
    description: The name of the cluster, C(PLATFORM-ENVIRONMENT) if not set.
    type: str
  vpc_id:
    description: The VPC in which interfaces without tags are looked for. Empty once it is gone.
    type: str
    default: ""
  db_instances:
    description: Identifiers of the DB instances whose log groups go.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Remove what the cluster of dev left
  pipeops.platform.service_leftovers:
    region: us-west-2
    environment: dev
    db_instances: [pipeops-dev]
    state: absent
"""

RETURN = r"""
unmanaged:
  description: Always empty. What is removed stands in the actions.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.service_leftovers import LAYER

ARGUMENT_SPEC = {
    "cluster_name": {"type": "str"},
    "vpc_id": {"type": "str", "default": ""},
    "db_instances": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
