#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_cross_region_replica
short_description: Keep a PostgreSQL replica of another region, and promote it
version_added: 1.0.0
description:
  - Keeps the database of an environment as a read replica of another environment's in another region, and makes it a
    database of its own when it is promoted. Everything is made and called in the region of the replica.
  - The replica has the names, tags and settings of what M(pipeops.platform.rds_instance_set) would make in the same
    environment with the same options, which therefore takes a promoted one over without a change.
  - A replica that another one made, or somebody by hand, is adopted if its source is the same. One of another source is
    refused, and so is a database that was promoted already; nothing is ever made a replica again.
  - C(amazon.aws.rds_instance) asks for a promotion only if AWS happens to show a replication status, passes no backup
    retention, which AWS then sets to one day, and does not wait until the instance takes writes. This module decides by
    the source that AWS describes, and is done when the source is gone, nothing of the replication is left and the
    instance is available, twice in a row.
options:
  state:
    description:
      - V(replicating) makes the replica with everything it needs, and gives it the settings that AWS does not take when
        it makes one, its parameter group above all.
      - V(promoted) ends the replication for good. That is the only change of this state. A database that was promoted
        already is left alone. With O(wait=false), it is over once AWS shows no source any more, which cannot be undone;
        what AWS still does then, like the first backup, keeps nobody from writing once the server itself says that it
        is no replica. A second run with O(wait=true) waits for the rest.
      - V(absent) removes the instance with its groups and its monitoring role. A promoted one is a database of its own,
        of which a O(final_snapshot) is taken.
    type: str
    choices: [replicating, promoted, absent]
    default: replicating
  source_arn:
    description:
      - ARN of the DB instance to replicate, in another region. Needed for O(state=replicating).
      - If set with O(state=promoted), a replica of another source is refused.
    type: str
  identifier:
    description:
      - Identifier of the instance, and the start of the names of its groups. RDS keeps it in lower case.
      - C(PLATFORM-ENVIRONMENT) by default, e.g. V(pipeops-dr).
    type: str
  kms_key_arn:
    description: KMS key of this region that encrypts the storage. Needed for O(state=replicating). It cannot be
      changed.
    type: str
  secret_arn:
    description: ARN of the secret of this region that holds the master user's password, for the tag C(pipeops:secret).
    type: str
  mode:
    description:
      - How to promote, needed for O(state=promoted).
      - V(planned) needs O(evidence) that nothing is lost, a replication that works and a lag below
        O(lag_limit_seconds); otherwise it is refused with all reasons.
      - V(disaster) takes what has arrived. It records the lag, never waits for it, also promotes a replica whose
        replication has ended, and calls nothing in the region of the source.
    type: str
    choices: [planned, disaster]
  evidence:
    description: What proves that the replica has everything. Needed for O(mode=planned).
    type: dict
    suboptions:
      primary_lsn:
        description: What C(pg_current_wal_lsn(\)) returned on the primary after the last session that writes had ended.
        type: str
        required: true
      replayed_lsn:
        description: What C(pg_last_wal_replay_lsn(\)) returned on the replica; at or after O(evidence.primary_lsn).
        type: str
        required: true
  lag_limit_seconds:
    description:
      - The highest lag of the last five minutes, from CloudWatch, with which O(mode=planned) goes on.
      - The lag of an idle database goes up and down between 0 and 300 s.
    type: float
    default: 300
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
- name: Keep a replica of prod in the other region
  pipeops.platform.rds_cross_region_replica:
    region: us-east-1
    environment: dr
    source_arn: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
    engine_version: "17.6"
    instance_class: db.r6g.xlarge
    multi_az: true
    kms_key_arn: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    subnet_ids: [subnet-0a1b2c3d4e5f60001, subnet-0a1b2c3d4e5f60002]
    security_group_ids: [sg-0a1b2c3d4e5f60001]
    backup_retention_days: 30
    parameters:
      max_connections: "500"

- name: Switch over without losing anything
  pipeops.platform.rds_cross_region_replica:
    region: us-east-1
    environment: dr
    state: promoted
    mode: planned
    evidence:
      primary_lsn: 0/3000148
      replayed_lsn: 0/3000148
    backup_retention_days: 30

- name: Take over while the other region is down
  pipeops.platform.rds_cross_region_replica:
    region: us-east-1
    environment: dr
    state: promoted
    mode: disaster
    backup_retention_days: 30

- name: Remove the replica
  pipeops.platform.rds_cross_region_replica:
    region: us-east-1
    environment: dr
    state: absent
    engine_version: "17.6"
    deletion_protection: false
"""

RETURN = r"""
outputs:
  description: The instance. Values that AWS has not given out yet are placeholders; what it does not tell is null.
  returned: unless O(state=absent)
  type: dict
  contains:
    identifier:
      description: Its identifier.
      type: str
      sample: pipeops-dr
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:rds:us-east-1:123456789012:db:pipeops-dr
    endpoint:
      description: Its host name, which a promotion does not change.
      type: str
      sample: pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com
    port:
      description: Its port.
      type: int
      sample: 5432
    source_arn:
      description: What it replicates, null once it is promoted.
      type: str
      sample: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
    role:
      description: V(replica) or V(primary).
      type: str
      sample: replica
    status:
      description: Its status in AWS's word.
      type: str
      sample: available
    lag_seconds:
      description: The highest replica lag of the last five minutes; null if unknown.
      type: float
      sample: 0.4
    replication:
      description: What AWS says of the replication.
      type: list
      elements: dict
      sample: [{"StatusType": "read replication", "Normal": true, "Status": "replicating"}]
    resource_id:
      description: The identity that survives a change of the identifier.
      type: str
      sample: db-ABCDEFGHIJKLMNOPQRSTUVWXYZ
    engine_version:
      description: Version of PostgreSQL.
      type: str
      sample: "17.6"
    instance_class:
      description: DB instance class.
      type: str
      sample: db.r6g.xlarge
    multi_az:
      description: Whether it has a standby.
      type: bool
      sample: true
    parameter_group:
      description: Its parameter group.
      type: str
      sample: pipeops-dr-postgres17
    subnet_group:
      description: Its subnet group.
      type: str
      sample: pipeops-dr
    kms_key_arn:
      description: The key of its storage.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    secret_arn:
      description: The secret that its tag names.
      type: str
      sample: arn:aws:secretsmanager:us-east-1:123456789012:secret:pipeops/prod/database-a1b2c3
    backup_retention_days:
      description: Days for which its backups are kept.
      type: int
      sample: 30
promotion:
  description:
    - How the promotion went; in check mode how it would begin, without C(started_at) and C(seconds).
    - Null if the instance was promoted before.
  returned: when O(state=promoted)
  type: dict
  sample:
    mode: disaster
    lag_seconds: 2.5
    evidence: null
    started_at: "2026-11-25T13:20:37+00:00"
    seconds: 312.4
    warnings: []
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers._rds_options import DATABASE_SPEC
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_cross_region_replica import LAYER

EVIDENCE_SPEC = {
    "primary_lsn": {"type": "str", "required": True},
    "replayed_lsn": {"type": "str", "required": True},
}

ARGUMENT_SPEC = {
    **DATABASE_SPEC,
    "state": {"type": "str", "choices": ["replicating", "promoted", "absent"], "default": "replicating"},
    "source_arn": {"type": "str"},
    "identifier": {"type": "str"},
    # The ARNs of keys and secrets are no secrets.
    "kms_key_arn": {"type": "str", "no_log": False},
    "secret_arn": {"type": "str", "no_log": False},
    "mode": {"type": "str", "choices": ["planned", "disaster"]},
    "evidence": {"type": "dict", "options": EVIDENCE_SPEC},
    "lag_limit_seconds": {"type": "float", "default": 300},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
