#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Refuse an inventory that cannot work
version_added: 1.0.0
description:
  - Checks the variables of a host that stands for an environment, before anything is written to AWS, and reports
    everything that is wrong with them at once. Each finding names the variable, its value, the reason and the mend.
  - Checks each variable against the argument specs of the roles of this collection, and what YAML made of it
    (a version V(1.30) that became the number 1.3, an account id that lost its leading zeros).
  - Refuses variables that begin with the name of a role, or look much like one of a role's variables, but are none.
  - Checks variables against each other, against the other environments of the same play, and at last against AWS,
    account, zones, instance types, versions and the database of the pair, in a few concurrent reads. AWS is not
    asked if something else is wrong already.
  - Refuses an environment that is to have the primary while the database of its pair is one as well and was not fenced,
    or that is to have the replica while its pair follows it. A region of the pair that does not answer is no problem.
options:
  required:
    description:
      - Variables that the inventory has to set, beside those that the entry point C(inventory) of the role
        P(pipeops.platform.preflight#role) requires.
      - Other required variables of roles are passed by playbooks when they are known.
    type: list
    elements: str
    default: []
  helm:
    description:
      - The program C(helm) that the run will need, by name or path; a name is looked for in E(PATH) and beside the
        interpreter. A controller that has none is refused. Not looked for if empty.
    type: str
    default: ""
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.controller
attributes:
  check_mode:
    description: It only reads.
notes:
  - The region is always the variable C(platform_region), which is checked first, whatever O(region) says.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Refuse an inventory that cannot work
  pipeops.platform.preflight:
    required: [vpc_cidr, vpc_zones, rds_instance_class]
  register: preflight_result
"""

RETURN = r"""
facts:
  description: What AWS said.
  returned: success
  type: dict
  contains:
    principal_arn:
      description: The IAM role or user that runs the play, as access entries name it; empty for the root user.
      type: str
      sample: arn:aws:iam::123456789012:role/platform-engineers
    account_id:
      description: The account of the credentials.
      type: str
      sample: "123456789012"
    zone_ids:
      description: The availability zones of the region, each with the id that all accounts share.
      type: dict
      sample: {"us-west-2a": "usw2-az2", "us-west-2b": "usw2-az1", "us-west-2c": "usw2-az3"}
    cluster_versions:
      description: The Kubernetes versions of EKS, each with its support.
      type: dict
      sample: {"1.36": "STANDARD_SUPPORT", "1.33": "EXTENDED_SUPPORT"}
    pair:
      description:
        - The database of C(platform_pair); null for an environment without one.
        - If the region did not answer, C(answered) is false and the rest is null, as it is if there is no database.
      type: dict
      sample:
        answered: true
        arn: arn:aws:rds:us-east-1:123456789012:db:pipeops-dr
        role: replica
        source_arn: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
    hibernation:
      description:
        - Whether the environment sleeps; null for one that may not (C(platform_hibernation_allowed)).
        - C(phase) is V(hibernated), V(waking) or V(awake), C(database) the status of its DB instance, C(asleep) whether
          it has to be woken first, and C(told) says so.
      type: dict
      sample: {"phase": "awake", "since": "", "database": "available", "asleep": false, "told": ""}
problems:
  description: What is wrong with the inventory. Empty if AWS could not be asked, which fails the task as well.
  returned: always
  type: list
  elements: dict
  contains:
    variable:
      description: The variable, or the part of it.
      type: str
      sample: eks_node_minimum
    value:
      description: Its value, empty if it is not set.
      type: str
      sample: "5"
    reason:
      description: Why that cannot be.
      type: str
      sample: it is more than eks_node_maximum, 4
    mend:
      description: What to write instead.
      type: str
      sample: Raise eks_node_maximum to 5 or more, or lower eks_node_minimum.
"""
