#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_backup_replication
short_description: Keep the automated backups of another region's database here
version_added: 1.0.0
description:
  - Replicates the automated backups of a DB instance to this region, so that it can be restored here to a point in time
    (M(pipeops.platform.rds_restore)). A replica of the database follows every mistake within seconds; backups do not.
  - A replication that stands is adopted, and backups that an earlier one has left are taken up again.
options:
  state:
    description:
      - V(replicating) starts the replication and waits until AWS shows the first backup.
      - V(stopped) ends it. What was copied is kept until its days are over.
    type: str
    choices: [replicating, stopped]
    default: replicating
  source_arn:
    description: ARN of the DB instance, in another region; not of a replica.
    type: str
    required: true
  retention_days:
    description:
      - Days for which the backups are kept here, 1 to 35.
      - RDS cannot change this, so the replication is stopped and started again, which the plan says.
    type: int
    default: 7
  kms_key_arn:
    description:
      - KMS key of this region that encrypts the backups. Needed for a source that is encrypted.
      - All backups of one source in a region are under one key, also those that an earlier replication has left.
        Another key is refused.
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
- name: Keep the backups of prod in the other region
  pipeops.platform.rds_backup_replication:
    region: us-east-1
    environment: dr
    source_arn: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
    retention_days: 14
    kms_key_arn: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000

- name: Keep what was copied, and copy no more
  pipeops.platform.rds_backup_replication:
    region: us-east-1
    environment: dr
    source_arn: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
    state: stopped
"""

RETURN = r"""
outputs:
  description: The replicated backups.
  returned: when O(state=replicating)
  type: dict
  contains:
    arn:
      description: Their ARN, for M(pipeops.platform.rds_restore).
      type: str
      sample: arn:aws:rds:us-east-1:123456789012:auto-backup:ab-abcdefghijklmnopqrstuvwxyz
    source_arn:
      description: Whose backups they are.
      type: str
      sample: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
    status:
      description: In AWS's word.
      type: str
      sample: replicating
    retention_days:
      description: Days for which they are kept.
      type: int
      sample: 14
    kms_key_arn:
      description: Their key.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    latest_time:
      description: The latest moment that can be restored, null before the first backup has come.
      type: str
      sample: "2026-11-25T13:15:00+00:00"
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_backup_replication import LAYER

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["replicating", "stopped"], "default": "replicating"},
    "source_arn": {"type": "str", "required": True},
    "retention_days": {"type": "int", "default": 7},
    # The ARN of a key is no secret.
    "kms_key_arn": {"type": "str", "no_log": False},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
