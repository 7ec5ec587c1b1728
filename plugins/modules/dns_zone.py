#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_zone
short_description: Manage the private hosted zone of an environment and its records
version_added: 1.0.0
description:
  - Brings a private hosted zone, the VPCs that resolve it and the given records to their wanted state in one task.
  - The zone is found by the start of its caller reference, C(PLATFORM-ENVIRONMENT/dns/private/), or by its name and the
    owner tags.
  - Records carry no tags, so those that are not in O(records) are left alone, and a zone that still holds such records
    is not removed.
  - With O(wait=true) a change of a record is done when all name servers of Route 53 know it, usually within 60 seconds.
options:
  zone_name:
    description: The domain, e.g. V(prod.pipeops.internal). Route 53 cannot rename a zone.
    type: str
    required: true
  vpcs:
    description:
      - VPCs that resolve the zone.
      - Others that do too are left alone, since Route 53 cannot tell whose association it is
        (M(pipeops.platform.dns_zone_association)).
    type: list
    elements: dict
    required: true
    suboptions:
      vpc_id:
        description: The VPC.
        type: str
        required: true
      region:
        description: The region of the VPC.
        type: str
        required: true
  records:
    description: The records that are managed.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name below the zone, or in full. V(@) is the zone itself.
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
  comment:
    description:
      - What the zone is for, for people.
      - C(Private names of PLATFORM-ENVIRONMENT) if not set.
    type: str
  empty:
    description: Whether all records in the zone go with it, with O(state=absent).
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Give the database of prod a name that can move
  pipeops.platform.dns_zone:
    region: us-west-2
    environment: prod
    zone_name: prod.pipeops.internal
    vpcs:
      - vpc_id: vpc-0123456789abcdef0
        region: us-west-2
    records:
      - name: database
        type: CNAME
        ttl: 30
        values: [pipeops-prod-primary.abcdefghijkl.us-west-2.rds.amazonaws.com]
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
    name_servers:
      description: The name servers of the zone; a placeholder in check mode if it does not exist yet.
      type: list
      elements: str
      sample: [ns-0.awsdns-00.com]
    records:
      description: The full domain name of each record by the name that was given.
      type: dict
      sample: {"database": "database.prod.pipeops.internal"}
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.dns_zone import LAYER

ARGUMENT_SPEC = {
    "zone_name": {"type": "str", "required": True},
    "vpcs": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"vpc_id": {"type": "str", "required": True}, "region": {"type": "str", "required": True}},
    },
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
    "comment": {"type": "str"},
    "empty": {"type": "bool", "default": False},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
