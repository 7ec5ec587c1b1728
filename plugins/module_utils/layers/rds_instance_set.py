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
from ..resources.rds_instance import REPLICAS, RdsInstance
from ..resources.rds_parameter_group import RdsParameterGroup
from ..resources.rds_replica import RdsReplica, RdsReplicaSettings
from ..resources.rds_subnet_group import RdsSubnetGroup
from ..resources.secret import SecretsManagerSecret
from ._rds_common import (
    LAYER_NAME,
    MONITORING,
    PRIMARY,
    SECRET,
    SUBNETS,
    common_attributes,
    family_of,
    group_attributes,
    identifier_of,
    instance_settings,
    monitoring_role,
    parameter_group,
    primary_tags,
    secret_description,
    secret_name,
    subnet_group,
)
from .rds_rules import problems


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
        monitoring_role(context),
        subnet_group(params, context),
        parameter_group(params, context),
        _primary(params, context),
        *(_replica(params, options, context) for options in params["replicas"]),
    ]
    if params["state"] != "absent":
        wanted += [_replica_settings(params, options, context) for options in params["replicas"]]
    return wanted


def _secret(params: Mapping[str, Any], context: Context) -> Wanted:
    content = {
        "username": params["master_username"],
        "engine": "postgres",
        "port": params["port"],
        # No host: the secret is replicated to the other region, where the database has another one.
        "dbname": params["database_name"],
    }
    attributes = {
        "name": secret_name(params, context),
        "description": secret_description(params, context),
        "kms_key_arn": params["secret_kms_key_arn"],
        "content": content,
        "active": params["state"] != "absent",
    }
    return Wanted("secretsmanager_secret", SECRET, attributes, context.tags(SECRET))


def _primary(params: Mapping[str, Any], context: Context) -> Wanted:
    identifier = identifier_of(params, context)
    attributes = {
        **common_attributes(params, params),
        **group_attributes(params, context),
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
        **instance_settings(params),
        "secret_arn": Ref("secretsmanager_secret", SECRET, "arn"),
    }
    tags = primary_tags(params, context, Ref("secretsmanager_secret", SECRET, "arn"))
    after = (("rds_subnet_group", SUBNETS), ("rds_parameter_group", family_of(params)), ("iam_role", MONITORING))
    return Wanted("rds_instance", PRIMARY, attributes, tags, after)


def replica_identifier(params: Mapping[str, Any], options: Mapping[str, Any], context: Context) -> str:
    """Return the identifier of a replica, e.g. ``pipeops-prod-replica-a``."""
    return f"{identifier_of(params, context)}-{options['name']}".lower()


def _replica(params: Mapping[str, Any], options: Mapping[str, Any], context: Context) -> Wanted:
    identifier = replica_identifier(params, options, context)
    attributes = {
        **common_attributes(params, options),
        "identifier": identifier,
        "source": identifier_of(params, context),
    }
    component = {TAG_COMPONENT: f"{context.layer}/{REPLICAS}{options['name']}"}
    tags = {**context.tags(options["name"], Name=identifier), **component}
    return Wanted("rds_replica", options["name"], attributes, tags, (("rds_instance", PRIMARY),))


def _replica_settings(params: Mapping[str, Any], options: Mapping[str, Any], context: Context) -> Wanted:
    days = options["backup_retention_days"]
    attributes = {
        **group_attributes(params, context),
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
        "instances": [
            {"identifier": item["identifier"], "role": role, "storage_gib": params["storage_gib"]}
            for item, role in [(primary, "primary"), *((replica, "replica") for replica in replicas)]
        ],
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
    LAYER_NAME,
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
    adopts={
        ("rds_instance", PRIMARY): "Set identifier (rds_identifier) to that of the database to take over.",
        ("secretsmanager_secret", SECRET): "Make it, as a JSON object with the username and the password that the "
        "database takes now: everything else reads them there.",
    },
)
