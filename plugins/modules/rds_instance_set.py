#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_instance_set
short_description: Manage the PostgreSQL database of an environment
version_added: 1.0.0
description:
  - Brings the primary DB instance of an environment, its read replicas in the region, their DB subnet group, DB
    parameter group, monitoring role and master secret to their wanted state in one task.
  - The password is generated when the secret is made, is only ever read for the call that makes the instance, and is in
    no result, difference or log. Passwords that RDS manages itself are not used, since PostgreSQL replicas cannot be
    made of such an instance.
  - A replica gets in three steps what C(amazon.aws.rds_instance) leaves to a second run. It is made, it gets what AWS
    does not take at its creation, and it is restarted if parameters wait for that.
  - A database is never replaced, promoted or made a replica. Changes that would need that are refused before anything
    is changed.
  - Changes are applied at once, not in the maintenance window. The RV(ignore:actions) of a dry run tell which of them
    interrupt service.
options:
  identifier:
    description:
      - Identifier of the primary, and the start of the names of its replicas and groups. RDS keeps it in lower case.
      - C(PLATFORM-ENVIRONMENT) by default, e.g. V(pipeops-prod).
    type: str
  engine_version:
    description:
      - Version of PostgreSQL, e.g. V(17.6). A major version alone such as V(17) takes any of its minor versions.
      - Another one than stands is refused; C(playbooks/upgrade_database.yml) upgrades.
    type: str
    required: true
  instance_class:
    description: DB instance class, e.g. V(db.r6g.xlarge).
    type: str
    required: true
  storage_gib:
    description:
      - Storage in GiB. It can grow, by at least 10 % and once in six hours, and never shrinks.
      - Storage that has grown by itself up to O(storage_max_gib) is left as it is.
    type: int
    required: true
  database_name:
    description: The first database. It cannot be changed.
    type: str
    default: platform
  master_username:
    description: The master user. It cannot be changed.
    type: str
    default: pipeops_admin
  port:
    description: TCP port, 1150 to 65535. It cannot be changed.
    type: int
    default: 5432
  kms_key_arn:
    description:
      - KMS key that encrypts the storage, the snapshots and Performance Insights. It cannot be changed.
      - AWS's own key for RDS if not set.
    type: str
  secret_name:
    description:
      - Name of the secret in Secrets Manager. It is a JSON object with C(username), C(password), C(engine), C(port) and
        C(dbname), and without the host, which another region has another one of.
      - C(PLATFORM/ENVIRONMENT/database) by default.
    type: str
  secret_kms_key_arn:
    description: KMS key that encrypts the secret; AWS's own key for Secrets Manager if not set.
    type: str
  replicas:
    description:
      - Read replicas in the region, each a DB instance C(IDENTIFIER-NAME).
      - A replica that is no longer in the list is deleted; one that was promoted is not.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What tells it from the others, e.g. V(replica-a).
        type: str
        required: true
      availability_zone:
        description: Its zone; RDS chooses if not set. It cannot be changed.
        type: str
      instance_class:
        description: Its class; that of the primary by default. AWS advises none smaller, since it would lag.
        type: str
      multi_az:
        description: Whether the replica has a standby of its own.
        type: bool
        default: false
      backup_retention_days:
        description: Days for which backups of the replica are kept, 0 to 35.
        type: int
        default: 0
      maintenance_window:
        description: When AWS may do maintenance on it, as O(maintenance_window), which is the default.
        type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.adoption
  - pipeops.platform.layer
  - pipeops.platform.database
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Start the database of prod
  pipeops.platform.rds_instance_set:
    region: us-west-2
    environment: prod
    engine_version: "17.6"
    instance_class: db.r6g.xlarge
    storage_gib: 200
    storage_max_gib: 1000
    multi_az: true
    kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    subnet_ids: [subnet-0a1b2c3d4e5f60001, subnet-0a1b2c3d4e5f60002, subnet-0a1b2c3d4e5f60003]
    security_group_ids: [sg-0a1b2c3d4e5f60001]
    backup_retention_days: 30
    backup_window: "03:00-04:00"
    maintenance_window: "sun:05:00-sun:06:00"
    parameters:
      max_connections: "500"
    replicas:
      - {name: replica-a, availability_zone: us-west-2a}
      - {name: replica-c, availability_zone: us-west-2c}

- name: Remove the database of dev, keeping a last snapshot
  pipeops.platform.rds_instance_set:
    region: us-west-2
    environment: dev
    state: absent
    engine_version: "17.6"
    instance_class: db.t3.medium
    storage_gib: 20
    deletion_protection: false
"""

RETURN = r"""
outputs:
  description: What other roles need. Values that AWS has not given out yet are placeholders.
  returned: unless O(state=absent)
  type: dict
  contains:
    primary:
      description: The primary.
      type: dict
      sample:
        identifier: pipeops-prod
        arn: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod
        endpoint: pipeops-prod.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com
        port: 5432
        resource_id: db-ABCDEFGHIJKLMNOPQRSTUVWXYZ
        engine_version: "17.6"
        instance_class: db.r6g.xlarge
        multi_az: true
        availability_zone: us-west-2a
        master_username: pipeops_admin
        kms_key_arn: arn:aws:kms:us-west-2:123456789012:key/1c2d3e4f-0000-4000-8000-000000000000
    replicas:
      description: The read replicas, in the order of O(replicas).
      type: list
      elements: dict
      sample:
        - name: replica-a
          identifier: pipeops-prod-replica-a
          arn: arn:aws:rds:us-west-2:123456789012:db:pipeops-prod-replica-a
          endpoint: pipeops-prod-replica-a.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com
          instance_class: db.r6g.xlarge
          multi_az: false
          availability_zone: us-west-2a
    instances:
      description: All of them, as O(pipeops.platform.environment_alarms#module:instances) takes them.
      type: list
      elements: dict
      sample:
        - {identifier: pipeops-prod, role: primary, storage_gib: 100}
        - {identifier: pipeops-prod-replica-a, role: replica, storage_gib: 100}
    secret_arn:
      description: ARN of the secret with the master user's credentials.
      type: str
      sample: arn:aws:secretsmanager:us-west-2:123456789012:secret:pipeops/prod/database-a1b2c3
    secret_name:
      description: Name of that secret.
      type: str
      sample: pipeops/prod/database
    parameter_group_name:
      description: Name of the DB parameter group.
      type: str
      sample: pipeops-prod-postgres17
    subnet_group_name:
      description: Name of the DB subnet group.
      type: str
      sample: pipeops-prod
    monitoring_role_arn:
      description: ARN of the role by which RDS writes enhanced monitoring.
      type: str
      sample: arn:aws:iam::123456789012:role/pipeops-prod-rds-monitoring
    database_name:
      description: Name of the first database.
      type: str
      sample: platform
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.adoption import STATE_SPEC
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers._rds_options import DATABASE_SPEC
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_instance_set import LAYER

REPLICA_SPEC = {
    "name": {"type": "str", "required": True},
    "availability_zone": {"type": "str"},
    "instance_class": {"type": "str"},
    "multi_az": {"type": "bool", "default": False},
    "backup_retention_days": {"type": "int", "default": 0},
    "maintenance_window": {"type": "str"},
}

ARGUMENT_SPEC = {
    **DATABASE_SPEC,
    **{name: {**DATABASE_SPEC[name], "required": True} for name in ("engine_version", "instance_class", "storage_gib")},
    "state": STATE_SPEC,
    "identifier": {"type": "str"},
    "database_name": {"type": "str", "default": "platform"},
    "master_username": {"type": "str", "default": "pipeops_admin"},
    "port": {"type": "int", "default": 5432},
    # The name of a secret and the ARNs of keys are no secrets.
    "kms_key_arn": {"type": "str", "no_log": False},
    "secret_name": {"type": "str", "no_log": False},
    "secret_kms_key_arn": {"type": "str", "no_log": False},
    "replicas": {"type": "list", "elements": "dict", "default": [], "options": REPLICA_SPEC},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
