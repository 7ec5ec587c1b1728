# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that all instances of a database have which are made of another one."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of an instance that shall be able to serve as the primary of its environment."""

    DOCUMENTATION = r"""
options:
  engine_version:
    description: Version of PostgreSQL, e.g. V(17.6). It chooses the family of the parameter group; the instance itself
      has the version of what it is made of.
    type: str
  instance_class:
    description: DB instance class, e.g. V(db.r6g.xlarge).
    type: str
  storage_gib:
    description: Storage in GiB, as much as the source has if not set. It can grow, and never shrinks.
    type: int
  storage_max_gib:
    description:
      - GiB up to which RDS lets the storage grow by itself, at least 10 % above O(storage_gib).
      - It does not grow by itself if not set.
    type: int
  storage_type:
    description: Type of the volumes. It cannot be changed.
    type: str
    choices: [gp3, io1, io2]
    default: gp3
  iops:
    description: I/O operations a second. For V(gp3) only from 400 GiB on, where 12000 are included.
    type: int
  throughput_mibps:
    description: Throughput in MiB a second. For V(gp3) only, from 400 GiB on, where 500 are included.
    type: int
  multi_az:
    description: Whether a standby in another zone takes over if the instance fails.
    type: bool
    default: false
  availability_zone:
    description: Zone of an instance without O(multi_az); RDS chooses if not set. It cannot be changed.
    type: str
  vpc_id:
    description: VPC of O(subnet_ids). If set, a change of the VPC is refused before anything is changed.
    type: str
  subnet_ids:
    description: Subnets for the instance, in at least two zones. Only counts while the instance is wanted.
    type: list
    elements: str
    default: []
  security_group_ids:
    description: Security groups of the instance. Only counts while the instance is wanted.
    type: list
    elements: str
    default: []
  backup_retention_days:
    description: Days for which automated backups are kept, 0 to 35. Replicas need at least 1.
    type: int
    default: 7
  backup_window:
    description: When the nightly backup begins, in UTC, as C(hh:mm-hh:mm), at least 30 minutes. RDS chooses if not set.
    type: str
  maintenance_window:
    description:
      - When AWS may do maintenance, in UTC, as C(ddd:hh:mm-ddd:hh:mm), at least 30 minutes apart from O(backup_window).
      - RDS chooses if not set.
    type: str
  deletion_protection:
    description:
      - Whether the instance is protected from deletion.
      - Must be V(false) with O(state=absent).
    type: bool
    default: true
  final_snapshot:
    description:
      - Whether a last snapshot C(IDENTIFIER-final-YYYYMMDD-HHMMSS) (UTC) is taken before the instance is deleted.
      - RDS takes none of a replica.
    type: bool
    default: true
  monitoring_interval_seconds:
    description: Seconds between two samples of enhanced monitoring; V(0) for none.
    type: int
    choices: [0, 1, 5, 10, 15, 30, 60]
    default: 60
  performance_insights:
    description: Whether Performance Insights collects the load. Not every small class has it, e.g. V(db.t3.micro).
    type: bool
    default: true
  performance_insights_retention_days:
    description: Days for which Performance Insights keeps its data; 7 (no charge), 731, or a multiple of 31 up to 713.
    type: int
    default: 7
  log_exports:
    description: Logs that RDS writes to CloudWatch Logs.
    type: list
    elements: str
    choices: [postgresql, upgrade, iam-db-auth-error]
    default: [postgresql, upgrade]
  ca_certificate:
    description:
      - Certificate authority of the server's TLS certificate.
      - With the default, RDS renews server certificates by itself.
    type: str
    default: rds-ca-rsa2048-g1
  iam_authentication:
    description: Whether users can sign in with a token of IAM instead of a password.
    type: bool
    default: false
  auto_minor_version_upgrade:
    description: Whether AWS upgrades to later minor versions by itself. Then give O(engine_version) as a major version.
    type: bool
    default: false
  parameters:
    description:
      - PostgreSQL's parameters in the group C(IDENTIFIER-postgresMAJOR), by name. What is in the group but not named
        here is reset to RDS's default.
      - Always set unless named here are V(rds.force_ssl=1), V(log_min_duration_statement=1000) (ms),
        V(log_lock_waits=1) and V(log_temp_files=10240) (KiB).
      - A static parameter, such as V(max_connections), needs a restart, which the plan announces.
    type: dict
    default: {}
"""
