#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_parameter_group
short_description: Manage the parameter group of a database for one major version
version_added: 1.0.0
description:
  - Makes the DB parameter group of an environment's database for the major version of O(engine_version), as
    M(pipeops.platform.rds_instance_set) makes it, before an instance of that version stands. A major upgrade needs it.
  - With O(state=absent), removes the group of that version, and leaves those of others alone.
options:
  identifier:
    description: Identifier of the primary, which the name begins with. C(PLATFORM-ENVIRONMENT) by default.
    type: str
  engine_version:
    description: Version of PostgreSQL, e.g. V(18.3).
    type: str
    required: true
  parameters:
    description: PostgreSQL parameters beside those that the platform sets itself.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Make the group that prod will need
  pipeops.platform.rds_parameter_group:
    region: us-west-2
    environment: prod
    engine_version: "18.3"
    parameters:
      work_mem: "65536"
"""

RETURN = r"""
outputs:
  description: What an upgrade needs to know.
  returned: when O(state=present)
  type: dict
  contains:
    name:
      description: The name of the group.
      type: str
      sample: pipeops-prod-postgres18
    family:
      description: Its family.
      type: str
      sample: postgres18
    parameters:
      description: The names of the parameters that it sets.
      type: list
      elements: str
      sample: [log_lock_waits, rds.force_ssl]
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_parameter_group import LAYER

ARGUMENT_SPEC = {
    "identifier": {"type": "str"},
    "engine_version": {"type": "str", "required": True},
    "parameters": {"type": "dict", "default": {}},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
