# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DB instance in the words of our attributes: what AWS describes, and the requests that set it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..engine.model import Update
from .rds_describe import NEEDS_ACTION, Instance, parameter_status

#: Parameters that CreateDBInstance, CreateDBInstanceReadReplica and ModifyDBInstance share, by our attribute.
SHARED = {
    "instance_class": "DBInstanceClass",
    "storage_max_gib": "MaxAllocatedStorage",
    "iops": "Iops",
    "throughput_mibps": "StorageThroughput",
    "multi_az": "MultiAZ",
    "security_group_ids": "VpcSecurityGroupIds",
    "monitoring_interval_seconds": "MonitoringInterval",
    "monitoring_role_arn": "MonitoringRoleArn",
    "performance_insights": "EnablePerformanceInsights",
    "performance_insights_retention_days": "PerformanceInsightsRetentionPeriod",
    "iam_authentication": "EnableIAMDatabaseAuthentication",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "copy_tags_to_snapshots": "CopyTagsToSnapshot",
    "ca_certificate": "CACertificateIdentifier",
}
#: Those that CreateDBInstance and ModifyDBInstance have, but the creation of a replica does not take or ignores.
SETTABLE = {
    **SHARED,
    "storage_gib": "AllocatedStorage",
    "engine_version": "EngineVersion",
    "parameter_group": "DBParameterGroupName",
    "backup_retention_days": "BackupRetentionPeriod",
    "backup_window": "PreferredBackupWindow",
    "maintenance_window": "PreferredMaintenanceWindow",
    "deletion_protection": "DeletionProtection",
}
#: Parameters that creations alone have.
AT_CREATION = {
    "identifier": "DBInstanceIdentifier",
    "availability_zone": "AvailabilityZone",
    "log_exports": "EnableCloudwatchLogsExports",
    "performance_insights_key_arn": "PerformanceInsightsKMSKeyId",
}
#: Parameters that the creation of a primary has beside those.
OF_A_PRIMARY = {
    "encrypted": "StorageEncrypted",
    "storage_type": "StorageType",
    "kms_key_arn": "KmsKeyId",
    "database_name": "DBName",
    "master_username": "MasterUsername",
    "port": "Port",
    "subnet_group": "DBSubnetGroupName",
}
#: Members of PendingModifiedValues that DBInstance has under the same name.
PENDING = frozenset(
    {
        "AllocatedStorage",
        "BackupRetentionPeriod",
        "CACertificateIdentifier",
        "DBInstanceClass",
        "EngineVersion",
        "IAMDatabaseAuthenticationEnabled",
        "Iops",
        "MultiAZ",
        "StorageThroughput",
    }
)
#: Attributes that AWS may show late while an instance is created; what was asked for then counts.
LATE = frozenset({*SHARED, "availability_zone", "log_exports", "port", "backup_retention_days"})
#: Plain attributes of a DBInstance.
PLAIN = {
    "identifier": "DBInstanceIdentifier",
    "arn": "DBInstanceArn",
    "resource_id": "DbiResourceId",
    "engine_version": "EngineVersion",
    "instance_class": "DBInstanceClass",
    "storage_gib": "AllocatedStorage",
    "storage_max_gib": "MaxAllocatedStorage",
    "storage_type": "StorageType",
    "iops": "Iops",
    "throughput_mibps": "StorageThroughput",
    "encrypted": "StorageEncrypted",
    "kms_key_arn": "KmsKeyId",
    "multi_az": "MultiAZ",
    "availability_zone": "AvailabilityZone",
    "database_name": "DBName",
    "master_username": "MasterUsername",
    "backup_retention_days": "BackupRetentionPeriod",
    "backup_window": "PreferredBackupWindow",
    "maintenance_window": "PreferredMaintenanceWindow",
    "deletion_protection": "DeletionProtection",
    "monitoring_interval_seconds": "MonitoringInterval",
    "monitoring_role_arn": "MonitoringRoleArn",
    "performance_insights": "PerformanceInsightsEnabled",
    "performance_insights_retention_days": "PerformanceInsightsRetentionPeriod",
    "iam_authentication": "IAMDatabaseAuthenticationEnabled",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "copy_tags_to_snapshots": "CopyTagsToSnapshot",
    "ca_certificate": "CACertificateIdentifier",
    "source": "ReadReplicaSourceDBInstanceIdentifier",
}


def attributes_of(instance: Instance) -> dict[str, Any]:
    """Return the attributes of an instance; values that AWS is about to put in force count as in force.

    That is what keeps a second run from asking again for what the first one has asked for.
    """
    waiting = instance.get("PendingModifiedValues") or {}
    merged = {**instance, **{name: value for name, value in waiting.items() if name in PENDING}}
    attributes = {name: merged.get(member) for name, member in PLAIN.items()}
    attributes["performance_insights"] = bool(attributes["performance_insights"])
    endpoint, subnets = instance.get("Endpoint") or {}, instance.get("DBSubnetGroup") or {}
    return {
        **attributes,
        "endpoint": endpoint.get("Address"),
        "port": endpoint.get("Port"),
        "subnet_group": subnets.get("DBSubnetGroupName"),
        "security_group_ids": [
            group["VpcSecurityGroupId"]
            for group in instance.get("VpcSecurityGroups") or ()
            if group.get("Status") != "removing"
        ],
        "log_exports": _log_exports(instance),
        "parameter_group": next(
            (group["DBParameterGroupName"] for group in instance.get("DBParameterGroups") or ()), None
        ),
        "parameters_in_sync": parameter_status(instance) != "pending-reboot",
        "role": "replica" if instance.get("ReadReplicaSourceDBInstanceIdentifier") else "primary",
        "failure": NEEDS_ACTION.get(instance["DBInstanceStatus"]),
    }


def _log_exports(instance: Instance) -> list[str]:
    waiting = (instance.get("PendingModifiedValues") or {}).get("PendingCloudwatchLogsExports") or {}
    exported = set(instance.get("EnabledCloudwatchLogsExports") or ())
    return sorted((exported | set(waiting.get("LogTypesToEnable") or ())) - set(waiting.get("LogTypesToDisable") or ()))


def request(attributes: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return request parameters for those attributes that are set."""
    return {member: attributes[name] for name, member in names.items() if attributes.get(name) is not None}


def modification(
    update: Update, wanted: Mapping[str, Any], observed: Mapping[str, Any], different: Collection[str]
) -> dict[str, Any]:
    """Return the parameters of ModifyDBInstance for one change.

    Only what differs is sent: storage that has grown by itself must not be asked to shrink, for one.
    """
    values = request({name: wanted[name] for name in different}, SETTABLE)
    if update.name == "log_exports":
        before, after = set(observed.get("log_exports") or ()), set(wanted["log_exports"])
        values["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": sorted(after - before),
            "DisableLogTypes": sorted(before - after),
        }
    elif update.name == "monitoring":
        # The interval and the role only go together.
        values |= request(wanted, {name: SHARED[name] for name in update.attributes})
    elif update.name == "performance_insights" and wanted["performance_insights"]:
        values |= request(wanted, {name: SHARED[name] for name in update.attributes})
        if not observed.get("performance_insights"):
            # The key is chosen once, when Performance Insights is switched on for the first time.
            values |= request(wanted, {"performance_insights_key_arn": "PerformanceInsightsKMSKeyId"})
    return values
