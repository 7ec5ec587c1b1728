# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database of an environment: the primary, its replicas in the region, and what both need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import TAG_COMPONENT, Wanted
from ..engine.values import Ref, is_pending
from ..resources.iam_role import IamRole
from ..resources.rds_instance import REPLICAS, TAG_SECRET, RdsInstance
from ..resources.rds_parameter_group import RdsParameterGroup
from ..resources.rds_replica import RdsReplica, RdsReplicaSettings
from ..resources.rds_subnet_group import RdsSubnetGroup
from ..resources.secret import SecretsManagerSecret
from .rds_rules import problems

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


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the wanted resources.

    Raises:
        PlanRefused: for options that cannot be, all of them at once.
    """
    refused = problems(params, identifier_of(params, context))
    if refused:
        raise PlanRefused(refused)
    wanted = [
        _secret(params, context),
        _monitoring_role(context),
        _subnet_group(params, context),
        _parameter_group(params, context),
        _primary(params, context),
        *(_replica(params, options, context) for options in params["replicas"]),
    ]
    if params["state"] == "present":
        wanted += [_replica_settings(params, options, context) for options in params["replicas"]]
    return wanted


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


def _secret(params: Mapping[str, Any], context: Context) -> Wanted:
    content = {
        "username": params["master_username"],
        "engine": "postgres",
        "port": params["port"],
        # No host: the secret is replicated to the other region, where the database has another one.
        "dbname": params["database_name"],
    }
    identity = context.identity
    attributes = {
        "name": params["secret_name"] or f"{identity.platform}/{identity.environment}/database",
        "description": f"Master user of the database {identifier_of(params, context)}",
        "kms_key_arn": params["secret_kms_key_arn"],
        "content": content,
        "active": params["state"] == "present",
    }
    return Wanted("secretsmanager_secret", SECRET, attributes, context.tags(SECRET))


def _monitoring_role(context: Context) -> Wanted:
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


def _subnet_group(params: Mapping[str, Any], context: Context) -> Wanted:
    attributes = {
        "name": identifier_of(params, context),
        "description": f"Database subnets of {context.identity.prefix}",
        "subnet_ids": params["subnet_ids"],
        "vpc_id": params["vpc_id"],
    }
    return Wanted("rds_subnet_group", SUBNETS, attributes, context.tags(SUBNETS))


def _parameter_group(params: Mapping[str, Any], context: Context) -> Wanted:
    family = family_of(params)
    attributes = {
        "name": parameter_group_name(params, context),
        "family": family,
        "description": f"PostgreSQL parameters of {context.identity.prefix}",
        "parameters": parameters_of(params),
    }
    return Wanted("rds_parameter_group", family, attributes, context.tags(family))


def _common(params: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
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


def _with_parameters(params: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Return the attributes that bind an instance to the parameter group."""
    return {
        "parameter_group": parameter_group_name(params, context),
        "parameters_in_sync": True,
        "parameters_in_force": parameters_of(params),
    }


def _primary(params: Mapping[str, Any], context: Context) -> Wanted:
    identifier = identifier_of(params, context)
    attributes = {
        **_common(params, params),
        **_with_parameters(params, context),
        "identifier": identifier,
        "role": "primary",
        "engine_version": params["engine_version"],
        "encrypted": True,
        "kms_key_arn": params["kms_key_arn"],
        "storage_type": params["storage_type"],
        "database_name": params["database_name"],
        "master_username": params["master_username"],
        "port": params["port"],
        "subnet_group": identifier,
        "backup_retention_days": params["backup_retention_days"],
        "backup_window": params["backup_window"],
        "maintenance_window": params["maintenance_window"],
        "deletion_protection": params["deletion_protection"],
        "secret_arn": Ref("secretsmanager_secret", SECRET, "arn"),
    }
    tags: dict[str, Any] = {
        **context.tags(PRIMARY, Name=identifier),
        TAG_SECRET: Ref("secretsmanager_secret", SECRET, "arn"),
    }
    after = (("rds_subnet_group", SUBNETS), ("rds_parameter_group", family_of(params)), ("iam_role", MONITORING))
    return Wanted("rds_instance", PRIMARY, attributes, tags, after)


def replica_identifier(params: Mapping[str, Any], options: Mapping[str, Any], context: Context) -> str:
    """Return the identifier of a replica, e.g. ``pipeops-prod-replica-a``."""
    return f"{identifier_of(params, context)}-{options['name']}".lower()


def _replica(params: Mapping[str, Any], options: Mapping[str, Any], context: Context) -> Wanted:
    identifier = replica_identifier(params, options, context)
    attributes = {**_common(params, options), "identifier": identifier, "source": identifier_of(params, context)}
    component = {TAG_COMPONENT: f"{context.layer}/{REPLICAS}{options['name']}"}
    tags = {**context.tags(options["name"], Name=identifier), **component}
    return Wanted("rds_replica", options["name"], attributes, tags, (("rds_instance", PRIMARY),))


def _replica_settings(params: Mapping[str, Any], options: Mapping[str, Any], context: Context) -> Wanted:
    days = options["backup_retention_days"]
    attributes = {
        **_with_parameters(params, context),
        "identifier": replica_identifier(params, options, context),
        "deletion_protection": params["deletion_protection"],
        "backup_retention_days": days,
        "backup_window": params["backup_window"] if days else None,
        "maintenance_window": options.get("maintenance_window") or params["maintenance_window"],
    }
    return Wanted("rds_replica_settings", options["name"], attributes, None, (("rds_replica", options["name"]),))


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what applications, alarms and the other region need to know of the database."""

    def told(kind: str, name: str, attributes: Sequence[str]) -> dict[str, Any]:
        return {attribute: view.get(kind, name, attribute) for attribute in attributes}

    shared = ("identifier", "arn", "endpoint", "availability_zone", "instance_class", "multi_az")
    own = ("port", "resource_id", "engine_version", "master_username", "kms_key_arn")
    primary = told("rds_instance", PRIMARY, (*shared, *own))
    replicas = [{"name": name, **told("rds_replica", name, shared)} for name in view.names("rds_replica")]
    return {
        "primary": primary,
        "replicas": [{**replica, **_foreseen(replica, primary)} for replica in replicas],
        "secret_arn": view.get("secretsmanager_secret", SECRET, "arn"),
        "secret_name": view.get("secretsmanager_secret", SECRET, "name"),
        "parameter_group_name": view.get("rds_parameter_group", family_of(params), "name"),
        "subnet_group_name": view.get("rds_subnet_group", SUBNETS, "name"),
        "monitoring_role_arn": view.get("iam_role", MONITORING, "arn"),
        "database_name": params["database_name"],
    }


def _foreseen(replica: Mapping[str, Any], primary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ARN and the address that a replica will have beside a primary that stands.

    Both differ from the primary's in the identifier alone: the rest of an address is the same for all instances of an
    account in a region. So a dry run knows that a replica that is made again is found where it was.
    """
    return {
        name: primary[name].replace(primary["identifier"], replica["identifier"], 1)
        for name in ("arn", "endpoint")
        if is_pending(replica[name]) and not is_pending(primary[name])
    }


LAYER = Layer(
    "database",
    (
        SecretsManagerSecret(),
        IamRole(),
        RdsSubnetGroup(),
        RdsParameterGroup(),
        RdsInstance(),
        RdsReplica(),
        RdsReplicaSettings(),
    ),
    build,
    outputs,
)
