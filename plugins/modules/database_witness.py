#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: database_witness
short_description: Manage the table in which a third region keeps who leads a pair of databases
version_added: 1.0.0
description:
  - Brings the DynamoDB table of the witness to its wanted state. It is paid by request, holds a few small items, and
    is encrypted with DynamoDB's own key.
  - Set the option C(region) to a region that holds neither side of the pair. A loss of either one leaves it.
  - What stands in the table is left to M(pipeops.platform.write_witness) and to the guards of both sides.
options:
  table_name:
    description:
      - The name of the table.
      - C(PLATFORM-ENVIRONMENT-witness) if not set.
    type: str
  deletion_protection:
    description:
      - Whether AWS refuses to delete the table.
      - With O(state=absent), V(false) lifts the protection right before the table is deleted.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Manage the witness of prod's database
  pipeops.platform.database_witness:
    region: us-east-2
    environment: prod
  register: witness
"""

RETURN = r"""
outputs:
  description: What other roles need. All of it is known in check mode too, also where nothing stands yet.
  returned: when O(state=present)
  type: dict
  contains:
    table_name:
      description: The name of the table.
      type: str
      sample: pipeops-prod-witness
    table_arn:
      description: The ARN of the table.
      type: str
      sample: arn:aws:dynamodb:us-east-2:123456789012:table/pipeops-prod-witness
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.database_witness import LAYER

ARGUMENT_SPEC = {
    "table_name": {"type": "str"},
    "deletion_protection": {"type": "bool", "default": True},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
