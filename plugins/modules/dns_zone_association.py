#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_zone_association
short_description: Resolve the private zone of another environment in this one's VPC
version_added: 1.0.0
description:
  - Associates a VPC of this region with a private hosted zone that another environment of the account keeps
    (M(pipeops.platform.dns_zone)), so that clients find the database by the same name in both regions.
  - The zone itself, its comment, its tags and other associations are left alone. So are its records, but for those in
    O(records), which an environment sets in it while it has the database that is written to.
  - The zone is found by its name. Without one the task fails, unless O(zone_id) is a placeholder.
options:
  state:
    description: With V(absent) the VPC is taken off the zone, and O(records) are removed from it.
  zone_name:
    description: The domain, e.g. V(prod.pipeops.internal).
    type: str
    required: true
  zone_id:
    description: Its id, for the case that several private zones have the name. In check mode it may be the placeholder
      of a zone that the same run would make.
    type: str
  vpc_id:
    description: The VPC, in the region of the module.
    type: str
    required: true
  records:
    description: Records of the zone that are managed from here.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name below the zone, or in full.
        type: str
        required: true
      type:
        description: The record type.
        type: str
        choices: [A, CNAME, TXT]
        default: CNAME
      ttl:
        description: Seconds that resolvers may keep the answer.
        type: int
        default: 30
      values:
        description: What the record says. Texts are given without the quotes of zone files.
        type: list
        elements: str
        required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let clients in dr find the database by the name that it has in prod
  pipeops.platform.dns_zone_association:
    region: us-east-1
    environment: dr
    zone_name: prod.pipeops.internal
    vpc_id: vpc-0123456789abcdef0

- name: Point the name at the database of dr, which leads now
  pipeops.platform.dns_zone_association:
    region: us-east-1
    environment: dr
    zone_name: prod.pipeops.internal
    vpc_id: vpc-0123456789abcdef0
    records:
      - name: database
        values: [pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com]
"""

RETURN = r"""
outputs:
  description: What other roles need.
  returned: when O(state=present)
  type: dict
  contains:
    zone_id:
      description: The id of the zone; a placeholder in check mode if it does not exist yet.
      type: str
      sample: Z0123456789ABCDEFGHIJ
    zone_name:
      description: The domain of the zone.
      type: str
      sample: prod.pipeops.internal
    records:
      description: The full domain name of each record by the name that was given.
      type: dict
      sample: {"database": "database.prod.pipeops.internal"}
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.dns_zone_association import LAYER

ARGUMENT_SPEC = {
    "zone_name": {"type": "str", "required": True},
    "zone_id": {"type": "str"},
    "vpc_id": {"type": "str", "required": True},
    "records": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "type": {"type": "str", "choices": ["A", "CNAME", "TXT"], "default": "CNAME"},
            "ttl": {"type": "int", "default": 30},
            "values": {"type": "list", "elements": "str", "required": True},
        },
    },
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
