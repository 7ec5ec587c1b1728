# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the layers of an environment's database share: its names, and what surrounds an instance.

A replica from another region becomes the primary of its environment when it is promoted, so the layer that makes it
must name, tag and set everything as the layer that then manages it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.layer import Context
from ..engine.model import Wanted
from ..engine.values import Ref
from ..resources.rds_instance import TAG_SECRET

LAYER_NAME = "database"
PRIMARY, SECRET, SUBNETS, MONITORING = "primary", "master", "database", "rds-monitoring"
#: What every database gets unless the option parameters says otherwise.
PARAMETERS = {
    # RDS's own default since PostgreSQL 15; here for 14, and so that nobody switches it off unseen.
    "rds.force_ssl": "1",
    # Statements of a second and more, lock waits beyond deadlock_timeout, and sorts that spill 10 MiB to disk.
    "log_min_duration_statement": "1000",
    "log_lock_waits": "1",
    "log_temp_files": "10240",
}


def identifier_of(params: Mapping[str, Any], context: Context) -> str:
    """Return the identifier of the primary, in lower case as RDS keeps it."""
    return str(params["identifier"] or context.identity.prefix).lower()


def family_of(params: Mapping[str, Any]) -> str:
    """Return the parameter group family of the engine version, e.g. ``postgres17``."""
    return "postgres" + str(params["engine_version"]).split(".", maxsplit=1)[0]


def parameter_group_name(params: Mapping[str, Any], context: Context) -> str:
    """Return the name of the parameter group, e.g. ``pipeops-prod-postgres17``."""
    return f"{identifier_of(params, context)}-{family_of(params)}"


def parameters_of(params: Mapping[str, Any]) -> dict[str, str]:
    """Return all parameters as RDS takes them: text, and 1 or 0 for what YAML reads as true or false."""
    given = {
        name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in params["parameters"].items()
    }
    return {**PARAMETERS, **given}


def monitoring_role(context: Context) -> Wanted:
    """Return the role by which RDS writes enhanced monitoring."""
    # The condition keeps other accounts from having RDS assume the role for them.
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "monitoring.rds.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": context.aws.account_id}},
            }
        ],
    }
    policy = f"arn:{context.aws.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
    name = context.identity.name(MONITORING)
    attributes = {
        "name": name,
        "description": f"Lets RDS write the operating system's metrics of {context.identity.prefix} to CloudWatch Logs",
        "trust": trust,
        "managed_policies": [policy],
    }
    return Wanted("iam_role", MONITORING, attributes, context.tags(MONITORING))


def subnet_group(params: Mapping[str, Any], context: Context) -> Wanted:
    """Return the DB subnet group, which has the name of the primary."""
    attributes = {
        "name": identifier_of(params, context),
        "description": f"Database subnets of {context.identity.prefix}",
        "subnet_ids": params["subnet_ids"],
        "vpc_id": params["vpc_id"],
    }
    return Wanted("rds_subnet_group", SUBNETS, attributes, context.tags(SUBNETS))


def parameter_group(params: Mapping[str, Any], context: Context) -> Wanted:
    """Return the DB parameter group, one for each major version."""
    family = family_of(params)
    attributes = {
        "name": parameter_group_name(params, context),
        "family": family,
        "description": f"PostgreSQL parameters of {context.identity.prefix}",
        "parameters": parameters_of(params),
    }
    return Wanted("rds_parameter_group", family, attributes, context.tags(family))


def common_attributes(params: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that the primary and a replica have in common, from the options of each."""
    monitored, insights = bool(params["monitoring_interval_seconds"]), params["performance_insights"]
    return {
        "instance_class": options.get("instance_class") or params["instance_class"],
        "storage_gib": params["storage_gib"],
        "storage_max_gib": params["storage_max_gib"],
        "iops": params["iops"],
        "throughput_mibps": params["throughput_mibps"],
        "multi_az": options["multi_az"],
        "availability_zone": options.get("availability_zone"),
        "security_group_ids": params["security_group_ids"],
        "monitoring_interval_seconds": params["monitoring_interval_seconds"],
        "monitoring_role_arn": Ref("iam_role", MONITORING, "arn") if monitored else None,
        "performance_insights": insights,
        "performance_insights_retention_days": params["performance_insights_retention_days"] if insights else None,
        "performance_insights_key_arn": params["kms_key_arn"] if insights else None,
        "iam_authentication": params["iam_authentication"],
        "auto_minor_version_upgrade": params["auto_minor_version_upgrade"],
        "copy_tags_to_snapshots": True,
        "ca_certificate": params["ca_certificate"],
        "log_exports": params["log_exports"],
        "final_snapshot": params["final_snapshot"],
        "removal": params["state"] == "absent",
    }


def group_attributes(params: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return the attributes that bind an instance to the parameter group."""
    return {
        "parameter_group": parameter_group_name(params, context),
        "parameters_in_sync": True,
        "parameters_in_force": parameters_of(params),
    }


def instance_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is set of the primary, and of what will become it, once it stands."""
    return {
        "backup_retention_days": params["backup_retention_days"],
        "backup_window": params["backup_window"],
        "maintenance_window": params["maintenance_window"],
        "deletion_protection": params["deletion_protection"],
    }


def primary_tags(params: Mapping[str, Any], context: Context, secret_arn: Any) -> dict[str, Any]:
    """Return the tags of the primary, or of what will become it; ``secret_arn`` may be a reference."""
    tags: dict[str, Any] = context.tags(PRIMARY, Name=identifier_of(params, context))
    return {**tags, TAG_SECRET: secret_arn} if secret_arn else tags


def secret_description(params: Mapping[str, Any], context: Context) -> str:
    """Return what the master secret says of itself."""
    return f"Master user of the database {identifier_of(params, context)}"


def secret_name(params: Mapping[str, Any], context: Context) -> str:
    """Return the name of the master secret, e.g. ``pipeops/prod/database``."""
    identity = context.identity
    return str(params["secret_name"] or f"{identity.platform}/{identity.environment}/database")
