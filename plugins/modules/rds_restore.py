#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_restore
short_description: Restore a PostgreSQL database into a new instance
version_added: 1.0.0
description:
  - Restores a database into an instance of its own, from a point in time of an instance, from automated backups that
    were replicated from another region or are retained, or from a snapshot.
  - RDS gives a restored instance the default security group, the default parameter group and one zone unless told
    otherwise. This module passes what it can, describes the instance when it stands and corrects the rest, monitoring
    and the maintenance window among it.
  - The instance is tagged C(restore/IDENTIFIER), so that nothing takes it for the primary of the environment, and with
    what it was restored from. The same restore a second time changes nothing; another instance of that identifier is
    refused.
  - The storage is encrypted with the key of what is restored.
options:
  identifier:
    description: Identifier of the new instance, and the start of the names of its groups.
    type: str
    required: true
  source:
    description: Identifier of an instance of this region, whose automated backups are restored.
    type: str
  automated_backup_arn:
    description: ARN of automated backups in this region, as M(pipeops.platform.rds_backup_replication) returns it.
    type: str
  snapshot:
    description: Identifier, or ARN, of a snapshot in this region.
    type: str
  restore_time:
    description:
      - The moment to restore, in ISO 8601 with its zone, e.g. V(2026-11-25T13:15:00Z). The latest one if not set.
      - Not for O(snapshot).
    type: str
  performance_insights_key_arn:
    description: KMS key of Performance Insights; AWS's own if not set.
    type: str
  monitoring_role_arn:
    description: Role by which RDS writes enhanced monitoring; that of the environment's database by default, which is
      made if it does not stand.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
  - pipeops.platform.database
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: See what stood in the database an hour ago
  pipeops.platform.rds_restore:
    region: us-west-2
    environment: prod
    identifier: pipeops-prod-look
    source: pipeops-prod
    restore_time: "2026-11-25T13:15:00Z"
    engine_version: "17.6"
    instance_class: db.r6g.xlarge
    subnet_ids: [subnet-0a1b2c3d4e5f60001, subnet-0a1b2c3d4e5f60002]
    security_group_ids: [sg-0a1b2c3d4e5f60001]

- name: Restore the backups of prod in the other region
  pipeops.platform.rds_restore:
    region: us-east-1
    environment: dr
    identifier: pipeops-dr-restored
    automated_backup_arn: arn:aws:rds:us-east-1:123456789012:auto-backup:ab-abcdefghijklmnopqrstuvwxyz
    engine_version: "17.6"
    instance_class: db.r6g.xlarge
    multi_az: true
    subnet_ids: [subnet-0a1b2c3d4e5f60001, subnet-0a1b2c3d4e5f60002]
    security_group_ids: [sg-0a1b2c3d4e5f60001]

- name: Remove it
  pipeops.platform.rds_restore:
    region: us-east-1
    environment: dr
    identifier: pipeops-dr-restored
    state: absent
    engine_version: "17.6"
    deletion_protection: false
    final_snapshot: false
"""

RETURN = r"""
outputs:
  description: The restored instance. Values that AWS has not given out yet are placeholders, or null.
  returned: when O(state=present)
  type: dict
  contains:
    identifier:
      description: Its identifier.
      type: str
      sample: pipeops-dr-restored
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:rds:us-east-1:123456789012:db:pipeops-dr-restored
    endpoint:
      description: Its host name.
      type: str
      sample: pipeops-dr-restored.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com
    port:
      description: Its port, that of what was restored.
      type: int
      sample: 5432
    resource_id:
      description: The identity that survives a change of the identifier.
      type: str
      sample: db-ABCDEFGHIJKLMNOPQRSTUVWXYZ
    status:
      description: Its status in AWS's word.
      type: str
      sample: available
    engine_version:
      description: Version of PostgreSQL.
      type: str
      sample: "17.6"
    database_name:
      description: The first database.
      type: str
      sample: platform
    master_username:
      description: The master user, whose password is the one at the restored moment.
      type: str
      sample: pipeops_admin
    kms_key_arn:
      description: The key of its storage.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    multi_az:
      description: Whether it has a standby.
      type: bool
      sample: true
    restored_from:
      description: What it was restored from, and when.
      type: str
      sample: pipeops-prod@2026-11-25T13:15:00Z
    parameter_group:
      description: Its parameter group.
      type: str
      sample: pipeops-dr-restored-postgres17
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers._rds_options import DATABASE_SPEC
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_restore import LAYER

ARGUMENT_SPEC = {
    **DATABASE_SPEC,
    "identifier": {"type": "str", "required": True},
    "source": {"type": "str"},
    "automated_backup_arn": {"type": "str"},
    "snapshot": {"type": "str"},
    "restore_time": {"type": "str"},
    # The ARN of a key is no secret.
    "performance_insights_key_arn": {"type": "str", "no_log": False},
    "monitoring_role_arn": {"type": "str"},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
