# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_ground
version_added: 1.0.0
short_description: What a cluster needs before anything runs in it
description:
  - Returns the manifests of a NodeClass, NodePools that keep a number of nodes, the default StorageClass, an
    IngressClass with its parameters, and the switch that makes network policies act.
  - The least nodes stand in static pools, one a zone. What comes on top is one dynamic pool of the largest of the
    instance types, limited by nodes and by vCPUs, which comes to the same number.
positional: _input
options:
  _input:
    description: The outputs of M(pipeops.platform.eks_cluster). Placeholders are fine.
    type: dict
    required: true
  compute:
    description: With V(managed_node_groups) there are no node pools, and the StorageClass is that of the EBS add-on.
    type: str
    choices: [auto, managed_node_groups]
    default: auto
  minimum:
    description: The fewest nodes.
    type: int
    required: true
  maximum:
    description: The most nodes. While a node of a static pool is replaced, there is one more for minutes.
    type: int
    required: true
  zones:
    description: The availability zones of the subnets.
    type: list
    elements: str
    required: true
  instance_types:
    description: The instance types.
    type: list
    elements: str
    required: true
  subnet_ids:
    description: The private subnets.
    type: list
    elements: str
    required: true
  kms_key_arn:
    description: The key of volumes and node disks.
    type: str
    required: true
  disk_gib:
    description: The size of a node's disk, in GiB.
    type: int
    default: 80
  ingress_scheme:
    description: Whether load balancers are reached from the internet.
    type: str
    choices: [internet-facing, internal]
    default: internet-facing
  certificate_arns:
    description: The certificates of load balancers.
    type: list
    elements: str
    default: []
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Show the node pools of prod
  ansible.builtin.debug:
    msg: "{{ eks_result.outputs | pipeops.platform.cluster_ground(minimum=3, maximum=10, zones=zones,
      instance_types=['m5.large', 'm5.xlarge'], subnet_ids=vpc_result.outputs.subnet_ids.private,
      kms_key_arn=kms_keys_result.outputs.key_arns.ebs) | selectattr('kind', '==', 'NodePool') }}"
  vars:
    zones: [us-west-2a, us-west-2b, us-west-2c]
"""

RETURN = r"""
_value:
  description: The manifests, in the order in which they are applied.
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.kube.ground import ground

DEFAULTS = {"compute": "auto", "disk_gib": 80, "ingress_scheme": "internet-facing", "certificate_arns": ()}
REQUIRED = ("minimum", "maximum", "zones", "instance_types", "subnet_ids", "kms_key_arn")


def cluster_ground(outputs: Mapping[str, Any], **settings: Any) -> list[dict[str, Any]]:
    """Return the manifests.

    Raises:
        AnsibleFilterError: if a setting is missing or unknown, or an instance type does not tell its vCPUs.
    """
    missing = [name for name in REQUIRED if name not in settings]
    unknown = [name for name in settings if name not in (*REQUIRED, *DEFAULTS)]
    if missing or unknown:
        raise AnsibleFilterError(f"cluster_ground: {missing} missing, {unknown} unknown")
    try:
        return ground(outputs, {**DEFAULTS, **settings})
    except ValueError as error:
        raise AnsibleFilterError(f"eks_node_instance_types: {error}.") from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"cluster_ground": cluster_ground}
