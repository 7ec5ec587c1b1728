# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of an instance that is made of another one, described in the doc fragment pipeops.platform.database."""

from __future__ import annotations

from typing import Any

DATABASE_SPEC: dict[str, Any] = {
    "engine_version": {"type": "str"},
    "instance_class": {"type": "str"},
    "storage_gib": {"type": "int"},
    "storage_max_gib": {"type": "int"},
    "storage_type": {"type": "str", "choices": ["gp3", "io1", "io2"], "default": "gp3"},
    "iops": {"type": "int"},
    "throughput_mibps": {"type": "int"},
    "multi_az": {"type": "bool", "default": False},
    "availability_zone": {"type": "str"},
    "vpc_id": {"type": "str"},
    "subnet_ids": {"type": "list", "elements": "str", "default": []},
    "security_group_ids": {"type": "list", "elements": "str", "default": []},
    "backup_retention_days": {"type": "int", "default": 7},
    "backup_window": {"type": "str"},
    "maintenance_window": {"type": "str"},
    "deletion_protection": {"type": "bool", "default": True},
    "final_snapshot": {"type": "bool", "default": True},
    "monitoring_interval_seconds": {"type": "int", "choices": [0, 1, 5, 10, 15, 30, 60], "default": 60},
    "performance_insights": {"type": "bool", "default": True},
    "performance_insights_retention_days": {"type": "int", "default": 7},
    "log_exports": {
        "type": "list",
        "elements": "str",
        "choices": ["postgresql", "upgrade", "iam-db-auth-error"],
        "default": ["postgresql", "upgrade"],
    },
    "ca_certificate": {"type": "str", "default": "rds-ca-rsa2048-g1"},
    "iam_authentication": {"type": "bool", "default": False},
    "auto_minor_version_upgrade": {"type": "bool", "default": False},
    "parameters": {"type": "dict", "default": {}},
}
