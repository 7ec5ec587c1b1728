#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_copies
short_description: Remove copies of databases that are gone
version_added: 1.0.0
description:
  - Removes the manual snapshots of an environment, final ones among them, and automated backups that were retained when
    an instance was deleted or its replication to this region was stopped.
  - Both are found by the owner tags; retained backups of another region's instance also by its ARN.
  - It removes nothing unless it is told what. The data cannot be had back.
options:
  state:
    description: There is nothing to bring about, only to remove.
    type: str
    choices: [present, absent]
    default: present
  snapshots:
    description: Whether manual snapshots are removed.
    type: bool
    default: false
  retained_backups:
    description: Whether retained automated backups are removed.
    type: bool
    default: false
  source_arns:
    description: ARNs of instances in other regions whose backups this region has replicated.
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
- name: Remove what is left of the database of dev
  pipeops.platform.rds_copies:
    region: us-west-2
    environment: dev
    snapshots: true
    retained_backups: true
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
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_copies import LAYER

ARGUMENT_SPEC = {
    "snapshots": {"type": "bool", "default": False},
    "retained_backups": {"type": "bool", "default": False},
    "source_arns": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
