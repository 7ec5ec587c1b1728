#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hibernation_schedules
short_description: Manage what EventBridge Scheduler does for an environment that sleeps
version_added: 1.0.0
description:
  - Brings a schedule group, an IAM role that may make the calls of the schedules and no others, and the schedules
    themselves to the wanted state. Whatever else is in the group is removed.
  - The schedule C(hibernation) stands for as long as an environment is hibernated. AWS starts a stopped DB instance
    after seven days; every full hour this schedule stops it again.
  - Two more, C(evening) and C(morning), stop and start the database at set times, and those beside them the nodes of
    managed node groups. EventBridge Scheduler makes AWS calls only, so it reaches no nodes of EKS Auto Mode.
  - It stops and starts nothing itself, see M(pipeops.platform.environment_power).
options:
  phase:
    description:
      - V(hibernated) has the schedule C(hibernation), and the others disabled.
      - V(waking) has all of them disabled, so that none stops what a run starts.
      - V(awake) has no schedule C(hibernation), and the others enabled.
    type: str
    choices: [awake, waking, hibernated]
    default: awake
  database_identifier:
    description: The DB instance. The role may stop it, and start it if there is a schedule for that; no other one.
    type: str
    required: true
  evening:
    description: When to stop, a cron expression of EventBridge Scheduler, e.g. V(cron(0 20 ? * MON-FRI *)).
    type: str
  morning:
    description: When to start.
    type: str
  timezone:
    description: The zone that both are read in, e.g. V(America/Los_Angeles).
    type: str
    default: UTC
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
  - pipeops.platform.node_sizes
seealso:
  - module: pipeops.platform.environment_power
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let dev's database rest at night
  pipeops.platform.hibernation_schedules:
    region: us-west-2
    environment: dev
    database_identifier: pipeops-dev
    evening: cron(0 20 ? * MON-FRI *)
    morning: cron(0 7 ? * MON-FRI *)
    timezone: America/Los_Angeles

- name: Keep the database of a hibernated environment stopped
  pipeops.platform.hibernation_schedules:
    region: us-west-2
    environment: dev
    database_identifier: pipeops-dev
    phase: hibernated
"""

RETURN = r"""
outputs:
  description: What there is.
  returned: when O(state=present)
  type: dict
  contains:
    group:
      description: The name of the schedule group.
      type: str
      sample: pipeops-dev
    role_arn:
      description: The role of the schedules.
      type: str
      sample: arn:aws:iam::123456789012:role/pipeops-dev-scheduler
    schedules:
      description: Each schedule by its name, with C(expression), C(timezone) and C(enabled).
      type: dict
      sample: {"hibernation": {"expression": "cron(0 * * * ? *)", "timezone": "UTC", "enabled": true}}
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.hibernation_schedules import LAYER

ARGUMENT_SPEC = {
    "cluster_name": {"type": "str"},
    "managed_node_groups": {"type": "bool", "default": False},
    "zones": {"type": "list", "elements": "str", "default": []},
    "node_minimum": {"type": "int", "default": 2},
    "node_maximum": {"type": "int", "default": 4},
    "node_revision": {"type": "str", "default": "1"},
    "phase": {"type": "str", "choices": ["awake", "waking", "hibernated"], "default": "awake"},
    "database_identifier": {"type": "str", "required": True},
    "evening": {"type": "str"},
    "morning": {"type": "str"},
    "timezone": {"type": "str", "default": "UTC"},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
