#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_power
short_description: Stop or start what costs by the hour in an environment
version_added: 1.0.0
description:
  - Stops or starts a DB instance, and takes the nodes of managed node groups to none or back to their bounds.
  - Nothing is lost. Storage, backups, endpoints and the number that a node group may have at most stay as they are.
  - A replica, and an instance that has replicas, is refused before anything is changed, because RDS stops neither.
  - An instance that is on its way is waited for. With O(wait=false) it is only sent on its way.
options:
  power:
    description: V(up) runs, V(down) does not.
    type: str
    choices: [up, down]
    required: true
  database_identifier:
    description: The DB instance. If not set, no database is touched.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
  - pipeops.platform.node_sizes
notes:
  - It makes nothing, so there is nothing that O(state=absent) removes.
seealso:
  - module: pipeops.platform.hibernation_schedules
  - module: pipeops.platform.cluster_nodes
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Stop the database of dev
  pipeops.platform.environment_power:
    region: us-west-2
    environment: dev
    power: down
    database_identifier: pipeops-dev

- name: Bring the nodes of dev back
  pipeops.platform.environment_power:
    region: us-west-2
    environment: dev
    power: up
    managed_node_groups: true
    zones: [us-west-2a, us-west-2b, us-west-2c]
    node_minimum: 2
    node_maximum: 4
"""

RETURN = r"""
outputs:
  description: How things are, in check mode how they would be.
  returned: when O(state=present)
  type: dict
  contains:
    database:
      description: V(up) or V(down), none if no database was asked for.
      type: str
      sample: down
    node_groups:
      description: The node group of each zone, with C(name), C(minimum) and C(maximum).
      type: dict
      sample: {"us-west-2a": {"name": "pipeops-dev-us-west-2a-1", "minimum": 0, "maximum": 2}}
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.environment_power import LAYER

ARGUMENT_SPEC = {
    "cluster_name": {"type": "str"},
    "managed_node_groups": {"type": "bool", "default": False},
    "zones": {"type": "list", "elements": "str", "default": []},
    "node_minimum": {"type": "int", "default": 2},
    "node_maximum": {"type": "int", "default": 4},
    "node_revision": {"type": "str", "default": "1"},
    "power": {"type": "str", "choices": ["up", "down"], "required": True},
    "database_identifier": {"type": "str"},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
