#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_replica
short_description: Keep a copy of another region's database secret, and cut it loose
version_added: 1.0.0
description:
  - Keeps the secret of another environment's database as a replica in this region, where a replica of the database will
    need the same password, and makes it a secret of its own when that database is promoted.
  - What is in the secret is never read, and is in no result, difference or log.
  - A copy whose replication has failed is removed and made again. A secret of its own that has the name is only
    replaced with O(overwrite=true).
options:
  state:
    description:
      - V(replicated) copies the secret here and waits until both are in sync. If the region of the primary does not
        answer, a copy that stands is left as it is.
      - V(standalone) ends the replication, from this region alone, so that the secret can be changed here; and tags and
        describes it as M(pipeops.platform.rds_instance_set) does. One that stands alone is left alone.
      - V(absent) removes the copy. A secret of its own can be restored for 30 days.
    type: str
    choices: [replicated, standalone, absent]
    default: replicated
  secret_name:
    description: Name of the secret, the same in both regions; C(PLATFORM/ENVIRONMENT/database) by default.
    type: str
  source_region:
    description: Region of the primary secret. Needed for O(state=replicated).
    type: str
  kms_key_arn:
    description: KMS key of this region that encrypts the copy; AWS's own key for Secrets Manager if not set.
    type: str
  overwrite:
    description: Whether a secret of its own that has the name in this region is replaced by the replica, and lost.
    type: bool
    default: false
  identifier:
    description: Identifier of the database in this region, for the description of a secret of its own;
      C(PLATFORM-ENVIRONMENT) by default.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Copy the password of prod to the other region
  pipeops.platform.secret_replica:
    region: us-east-1
    environment: dr
    secret_name: pipeops/prod/database
    source_region: us-west-2
    kms_key_arn: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000

- name: Let the copy be a secret of its own after a failover
  pipeops.platform.secret_replica:
    region: us-east-1
    environment: dr
    secret_name: pipeops/prod/database
    state: standalone
"""

RETURN = r"""
outputs:
  description: The secret in this region.
  returned: unless O(state=absent)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: pipeops/prod/database
    arn:
      description: Its ARN, which differs from that of the primary in the region only.
      type: str
      sample: arn:aws:secretsmanager:us-east-1:123456789012:secret:pipeops/prod/database-a1b2c3
    role:
      description: V(replica) or V(standalone).
      type: str
      sample: replica
    status:
      description: What the primary says of the copy; V(standalone) or V(unreachable) where it says nothing.
      type: str
      sample: InSync
    primary_region:
      description: What it follows; null for a secret of its own.
      type: str
      sample: us-west-2
    kms_key_arn:
      description: The key of the copy.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.secret_replica import LAYER

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["replicated", "standalone", "absent"], "default": "replicated"},
    # The name of a secret and the ARN of a key are no secrets.
    "secret_name": {"type": "str", "no_log": False},
    "source_region": {"type": "str"},
    "kms_key_arn": {"type": "str", "no_log": False},
    "overwrite": {"type": "bool", "default": False},
    "identifier": {"type": "str"},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
