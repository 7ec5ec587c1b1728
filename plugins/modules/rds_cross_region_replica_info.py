#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_cross_region_replica_info
short_description: Read how ready a replica of another region is to take over
version_added: 1.0.0
description:
  - Reads in one go what has to be known before a replica is promoted, of the replica, its source, the backups, the
    secret and the key in this region, the quotas, and the cluster.
  - All is read at the same time and each part for itself. A part whose region does not answer says so, with the reason,
    and the module goes on. It never fails because a region is down.
options:
  identifier:
    description: Identifier of the replica in this region, e.g. V(pipeops-dr).
    type: str
    required: true
  source_arn:
    description: ARN of the instance that it replicates, or that it did before it was promoted.
    type: str
    required: true
  secret_name:
    description: Name of the secret with the master user's password, the same in both regions.
    type: str
  kms_key_arn:
    description: KMS key of this region whose state is wanted.
    type: str
  cluster_name:
    description: Name of the EKS cluster of this region on which the clients are to run after a failover.
    type: str
  source_cluster_name:
    description: Name of the EKS cluster of the source's region, on which they run now.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: It only reads.
  diff_mode:
    support: N/A
    description: It changes nothing.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: See whether dr can take over
  pipeops.platform.rds_cross_region_replica_info:
    region: us-east-1
    identifier: pipeops-dr
    source_arn: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
    secret_name: pipeops/prod/database
    kms_key_arn: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
  register: readiness
"""

RETURN = r"""
replica:
  description: The instance of O(identifier).
  returned: always
  type: dict
  contains:
    region: &region
      description: Where it was asked.
      type: str
      sample: us-east-1
    reachable: &reachable
      description: Whether there was an answer.
      type: bool
      sample: true
    reason: &reason
      description: Why there was none.
      type: str
    exists:
      description: Whether there is such an instance; all else is null or empty if not.
      type: bool
      sample: true
    identifier:
      description: Its identifier.
      type: str
      sample: pipeops-dr
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:rds:us-east-1:123456789012:db:pipeops-dr
    endpoint:
      description: Its host name; null while it is being made.
      type: str
      sample: pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com
    port:
      description: Its port.
      type: int
      sample: 5432
    tags:
      description: Its tags.
      type: dict
      sample: {"pipeops:environment": "dr"}
    status:
      description: Its status in AWS's word.
      type: str
      sample: available
    role:
      description: V(replica) or V(primary).
      type: str
      sample: replica
    source_arn:
      description: What it replicates, null for a primary.
      type: str
      sample: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
    replication:
      description: What AWS says of its replication (StatusInfos).
      type: list
      elements: dict
      sample: [{"StatusType": "read replication", "Normal": true, "Status": "replicating"}]
    replicas:
      description: Its replicas, by ARN in other regions and by identifier in its own.
      type: list
      elements: str
      sample: []
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
    storage_gib:
      description: Allocated storage.
      type: int
      sample: 200
    storage_operation:
      description: V(Initializing) while its storage is loaded and slower than it will be; null otherwise.
      type: str
      sample: Initializing
    storage_operation_percent:
      description: How far that is.
      type: int
      sample: 87
    pending_modifications:
      description: Names of settings that AWS has not put in force yet.
      type: list
      elements: str
      sample: []
    parameter_group:
      description: Its parameter group.
      type: str
      sample: pipeops-dr-postgres17
    parameter_status:
      description: V(in-sync), or V(pending-reboot) if parameters wait for a restart.
      type: str
      sample: in-sync
    backup_retention_days:
      description: Days for which its backups are kept; 0 if there are none.
      type: int
      sample: 30
    backup_window:
      description: When the nightly backup begins, in UTC.
      type: str
      sample: 03:00-04:00
    in_backup_window:
      description: Whether that is now. AWS does not promote an instance that is backing up.
      type: bool
      sample: false
    maintenance_window:
      description: When AWS may do maintenance, in UTC.
      type: str
      sample: sun:05:00-sun:06:00
    deletion_protection:
      description: Whether it is protected from deletion.
      type: bool
      sample: true
    managed_password:
      description: Whether RDS manages its password, of which PostgreSQL makes no replicas.
      type: bool
      sample: false
    ca_certificate:
      description: Certificate authority of its TLS certificate.
      type: str
      sample: rds-ca-rsa2048-g1
    kms_key_arn:
      description: Key of its storage.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
lag:
  description: How far it is behind, from CloudWatch.
  returned: always
  type: dict
  contains:
    region: *region
    reachable: *reachable
    reason: *reason
    seconds:
      description: The highest of the latest five datapoints; null if unknown, which is not zero.
      type: float
      sample: 0.4
source:
  description: The instance of O(source_arn), with the same facts as C(replica).
  returned: always
  type: dict
  contains:
    replica_endpoints:
      description: Where its replicas in its own region answer, by identifier.
      type: dict
      sample: {"pipeops-prod-replica-1": "pipeops-prod-replica-1.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com"}
    region: *region
    reachable: *reachable
    reason: *reason
    exists:
      description: Whether there is such an instance; all else is null or empty if not.
      type: bool
      sample: true
source_metrics:
  description: What the source keeps for its replicas, the highest of the latest five datapoints, from CloudWatch.
  returned: always
  type: dict
  contains:
    region: *region
    reachable: *reachable
    reason: *reason
    oldest_slot_lag_bytes:
      description: Write-ahead log that the slot furthest behind holds back.
      type: float
      sample: 1048576
    wal_bytes:
      description: All write-ahead log on its storage.
      type: float
      sample: 1073741824
    free_storage_bytes:
      description: Free storage; RDS stops an instance that has none.
      type: float
      sample: 107374182400
backups:
  description: The automated backups of the source that are replicated to this region.
  returned: always
  type: dict
  contains:
    region: *region
    reachable: *reachable
    reason: *reason
    exists:
      description: Whether there are any.
      type: bool
      sample: true
    arn:
      description: ARN of the replicated backup, for M(pipeops.platform.rds_restore).
      type: str
      sample: arn:aws:rds:us-east-1:123456789012:auto-backup:ab-abcdefghijklmnopqrstuvwxyz
    status:
      description: In AWS's word.
      type: str
      sample: replicating
    retention_days:
      description: Days for which they are kept.
      type: int
      sample: 7
    kms_key_arn:
      description: Their key.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    latest_time:
      description: The latest moment that can be restored.
      type: str
      sample: "2026-11-25T13:15:00+00:00"
    age_seconds:
      description: How long ago that is.
      type: float
      sample: 312.0
quotas:
  description: What the account may still have in this region.
  returned: always
  type: dict
  contains:
    region: *region
    reachable: *reachable
    reason: *reason
    instances_left:
      description: DB instances.
      type: int
      sample: 36
    storage_left_gib:
      description: Storage of all instances.
      type: int
      sample: 98000
    snapshots_left:
      description: Manual snapshots.
      type: int
      sample: 97
secret:
  description: The secret in this region; null if not asked for.
  returned: always
  type: dict
  contains:
    region: *region
    reachable: *reachable
    reason: *reason
    exists:
      description: Whether it can be read, so not one that waits for its deletion.
      type: bool
      sample: true
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:secretsmanager:us-east-1:123456789012:secret:pipeops/prod/database-a1b2c3
    role:
      description: V(replica) or V(standalone).
      type: str
      sample: replica
    primary_region:
      description: Where the secret is that it follows.
      type: str
      sample: us-west-2
    kms_key_arn:
      description: Its key, null for AWS's own.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    changed_at:
      description: When it was changed last.
      type: str
      sample: "2026-11-20T08:00:00+00:00"
secret_replication:
  description: What the region of the source says of the copy here; null if not asked for.
  returned: always
  type: dict
  contains:
    region: *region
    reachable: *reachable
    reason: *reason
    exists:
      description: Whether the secret is there.
      type: bool
      sample: true
    status:
      description: V(InSync), V(InProgress) or V(Failed); null if it is not copied here.
      type: str
      sample: InSync
    message:
      description: Why it failed.
      type: str
key:
  description: The KMS key; null if not asked for.
  returned: always
  type: dict
  contains:
    region: *region
    reachable: *reachable
    reason: *reason
    exists:
      description: Whether there is such a key.
      type: bool
      sample: true
    enabled:
      description: Whether it can be used.
      type: bool
      sample: true
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    state:
      description: Its state.
      type: str
      sample: Enabled
cluster:
  description: The EKS cluster of O(cluster_name); null if not asked for.
  returned: always
  type: dict
  contains: &cluster
    region: *region
    reachable: *reachable
    reason: *reason
    exists:
      description: Whether there is such a cluster.
      type: bool
      sample: true
    name:
      description: Its name.
      type: str
      sample: pipeops-dr
    status:
      description: Its status in AWS's word.
      type: str
      sample: ACTIVE
    version:
      description: Its version of Kubernetes.
      type: str
      sample: "1.34"
    endpoint:
      description: The URL of its API server, none while it is made.
      type: str
      sample: https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com
    certificate_authority:
      description: The certificates that its API server is trusted by, base64 of PEM, none while it is made.
      type: str
      sample: LS0tLS1CRUdJTi...
source_cluster:
  description: The EKS cluster of O(source_cluster_name), in the region of the source; null if not asked for.
  returned: always
  type: dict
  contains: *cluster
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.readiness import replica_facts
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_source import InstanceArn

ARGUMENT_SPEC = {
    "identifier": {"type": "str", "required": True},
    "source_arn": {"type": "str", "required": True},
    # The name of a secret and the ARN of a key are no secrets.
    "secret_name": {"type": "str", "no_log": False},
    "kms_key_arn": {"type": "str", "no_log": False},
    "cluster_name": {"type": "str"},
    "source_cluster_name": {"type": "str"},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return all parts of the answer.

    Raises:
        EngineError: for options that cannot be.
    """
    del check_mode
    source = InstanceArn.parse(params["source_arn"])
    if source is None:
        raise EngineError(
            f"source_arn is {params['source_arn']!r}. Give the ARN of a DB instance, "
            "arn:aws:rds:REGION:ACCOUNT:db:IDENTIFIER."
        )
    more = (params[name] for name in ("secret_name", "kms_key_arn", "cluster_name", "source_cluster_name"))
    asked = replica_facts.Asked(params["identifier"].lower(), source, params["source_arn"], *more)
    return dict(replica_facts.read(Aws(params, progress), asked))


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
