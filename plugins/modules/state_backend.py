#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: state_backend
short_description: Manage the state bucket and the lock table of an environment
version_added: 1.0.0
description:
  - Brings the S3 bucket of an environment's published outputs and the DynamoDB table of its deployment locks to their
    wanted state in one task.
  - The bucket is encrypted with the given key, versioned, closed to the public, without access control lists, and
    answers only over TLS. Parts of unfinished uploads go after 7 days.
  - The table has the string key C(lock_id), is paid by request and is encrypted with the same key.
  - A bucket that still holds anything is only removed with O(empty=true), and a protected table only with
    O(deletion_protection=false).
options:
  bucket_name:
    description:
      - The name of the bucket.
      - C(PLATFORM-ENVIRONMENT-state-ACCOUNT) if not set. S3 takes at most 63 characters.
    type: str
  kms_key_arn:
    description: The ARN of the KMS key for everything in the bucket and in the table.
    type: str
    required: true
  noncurrent_version_days:
    description: Days for which former versions of an object are kept.
    type: int
    default: 90
  table_name:
    description:
      - The name of the lock table.
      - C(PLATFORM-ENVIRONMENT-locks) if not set.
    type: str
  point_in_time_recovery:
    description: Whether the table can be restored to any second of the last 35 days.
    type: bool
    default: true
  deletion_protection:
    description:
      - Whether AWS refuses to delete the table.
      - With O(state=absent), V(false) lifts the protection right before the table is deleted.
    type: bool
    default: true
  empty:
    description:
      - Whether all versions of all objects are deleted before the bucket is, with O(state=absent).
      - They cannot be had back.
    type: bool
    default: false
  ttl_attribute:
    description:
      - The attribute of an item that holds the epoch second after which DynamoDB may delete it.
      - DynamoDB deletes within a few days after that, so a lock is free by its own value, not by its absence.
      - An empty string switches this off. Another attribute is taken only an hour after that.
    type: str
    default: expires_at
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Manage the state backend of prod
  pipeops.platform.state_backend:
    region: us-west-2
    environment: prod
    kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
  register: state

- name: Keep former versions for a year
  pipeops.platform.state_backend:
    region: us-west-2
    environment: prod
    kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    noncurrent_version_days: 365
"""

RETURN = r"""
outputs:
  description: What other roles need. All of it is known in check mode too, also where nothing stands yet.
  returned: when O(state=present)
  type: dict
  contains:
    bucket_name:
      description: The name of the bucket.
      type: str
      sample: pipeops-prod-state-123456789012
    bucket_arn:
      description: The ARN of the bucket.
      type: str
      sample: arn:aws:s3:::pipeops-prod-state-123456789012
    table_name:
      description: The name of the lock table.
      type: str
      sample: pipeops-prod-locks
    table_arn:
      description: The ARN of the lock table.
      type: str
      sample: arn:aws:dynamodb:us-west-2:123456789012:table/pipeops-prod-locks
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.state_backend import LAYER

ARGUMENT_SPEC = {
    "bucket_name": {"type": "str"},
    "kms_key_arn": {"type": "str", "required": True, "no_log": False},
    "noncurrent_version_days": {"type": "int", "default": 90},
    "table_name": {"type": "str"},
    "point_in_time_recovery": {"type": "bool", "default": True},
    "deletion_protection": {"type": "bool", "default": True},
    "empty": {"type": "bool", "default": False},
    "ttl_attribute": {"type": "str", "default": "expires_at"},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
