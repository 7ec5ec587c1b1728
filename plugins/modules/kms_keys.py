#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_keys
short_description: Manage the KMS keys of an environment
version_added: 1.0.0
description:
  - Brings all customer managed keys of an environment to their wanted state in one task.
  - A key is found by its alias C(alias/PLATFORM-ENVIRONMENT-NAME), or by its owner tags if a run ended before the
    alias was made.
  - C(amazon.aws.kms_key) manages one key a task and returns no ARN in check mode, so nothing after it could be planned.
options:
  keys:
    description: The keys by name.
    type: dict
    required: true
    suboptions:
      description:
        description: What the key is for.
        type: str
      services:
        description: AWS services that may use the key for identities of this account, e.g. V(rds) or V(ec2).
        type: list
        elements: str
      principals:
        description:
          - AWS services that use the key by themselves, by their principals.
          - An encrypted SNS topic gets alarms, database events and news of budgets only if its key has
            V(cloudwatch.amazonaws.com), V(events.rds.amazonaws.com) and V(budgets.amazonaws.com) here.
        type: list
        elements: str
      rotation:
        description: Whether AWS renews the key material every year.
        type: bool
        default: true
  deletion_days:
    description:
      - With O(state=absent), the days that a key waits for its deletion, V(7) to V(30).
      - Until then it can be taken back.
    type: int
    default: 30
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Manage the keys of prod
  pipeops.platform.kms_keys:
    region: us-west-2
    environment: prod
    keys:
      rds:
        description: Databases and their snapshots
        services: [rds]
      secrets:
        description: Secrets Manager
        services: [secretsmanager]
"""

RETURN = r"""
outputs:
  description: What other roles need.
  returned: when O(state=present)
  type: dict
  contains:
    key_arns:
      description: The ARN of each key by its name; a placeholder in check mode if the key does not exist yet.
      type: dict
      sample: {"rds": "arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000"}
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.kms_keys import LAYER

ARGUMENT_SPEC = {
    # A name for the keys' definitions, none of which is secret.
    "keys": {"type": "dict", "required": True, "no_log": False},
    "deletion_days": {"type": "int", "default": 30},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
