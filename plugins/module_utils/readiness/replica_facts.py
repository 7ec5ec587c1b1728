# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be known of a pair of databases before one takes over: read at once, each part for itself.

In a disaster half of the answers are missing. So a part that cannot be read says why, and no part waits for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..engine.aws import Aws, describe_error, error_code, is_aws_error, tag_dict
from ..preflight.windows import DAY, BackupWindow
from ..resources import rds_describe, rds_metrics
from ..resources.rds_backup_facts import LEFT_OVER, replicated_backup
from ..resources.rds_describe import Instance
from ..resources.rds_source import InstanceArn

GIB = 1024**3
SLOT_LAG, WAL, FREE = "OldestReplicationSlotLag", "TransactionLogsDiskUsage", "FreeStorageSpace"


@dataclass(frozen=True)
class Asked:
    """Whose facts are wanted.

    Attributes:
        identifier: of the instance here.
        source: where the instance is that it replicates.
        secret: name of the secret with the password, None if it does not matter.
        kms_key_arn: the key that what is made here is encrypted with, None if it does not matter.
        cluster: name of the EKS cluster here, on which clients are to run; None if it does not matter.
        source_cluster: name of the one in the region of the source.
    """

    identifier: str
    source: InstanceArn
    source_arn: str
    secret: str | None = None
    kms_key_arn: str | None = None
    cluster: str | None = None
    source_cluster: str | None = None


@dataclass(frozen=True)
class InstanceFacts:
    """An instance as its region describes it, None for what AWS does not tell."""

    exists: bool
    identifier: str | None = None
    arn: str | None = None
    endpoint: str | None = None
    port: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    status: str | None = None
    role: str | None = None
    source_arn: str | None = None
    replication: list[dict[str, Any]] = field(default_factory=list)
    replicas: list[str] = field(default_factory=list)
    engine_version: str | None = None
    instance_class: str | None = None
    multi_az: bool | None = None
    storage_gib: int | None = None
    storage_operation: str | None = None
    storage_operation_percent: int | None = None
    pending_modifications: list[str] = field(default_factory=list)
    parameter_group: str | None = None
    parameter_status: str | None = None
    backup_retention_days: int | None = None
    backup_window: str | None = None
    in_backup_window: bool | None = None
    maintenance_window: str | None = None
    deletion_protection: bool | None = None
    managed_password: bool | None = None
    ca_certificate: str | None = None
    kms_key_arn: str | None = None


def instance_facts(instance: Instance | None, now: datetime) -> InstanceFacts:
    """Return a described instance as facts."""
    if instance is None:
        return InstanceFacts(exists=False)
    groups, window = instance.get("DBParameterGroups") or [{}], instance.get("PreferredBackupWindow")
    source = instance.get("ReadReplicaSourceDBInstanceIdentifier")
    return InstanceFacts(
        exists=True,
        identifier=instance["DBInstanceIdentifier"],
        arn=instance["DBInstanceArn"],
        endpoint=(instance.get("Endpoint") or {}).get("Address"),
        port=(instance.get("Endpoint") or {}).get("Port"),
        tags=tag_dict(instance.get("TagList")),
        status=instance["DBInstanceStatus"],
        role="replica" if source else "primary",
        source_arn=source,
        replication=list(instance.get("StatusInfos") or ()),
        replicas=list(instance.get("ReadReplicaDBInstanceIdentifiers") or ()),
        engine_version=instance.get("EngineVersion"),
        instance_class=instance.get("DBInstanceClass"),
        multi_az=instance.get("MultiAZ"),
        storage_gib=instance.get("AllocatedStorage"),
        storage_operation=instance.get("StorageOperationStatus"),
        storage_operation_percent=instance.get("StorageOperationPercentProgress"),
        # Names only: a value may be a password.
        pending_modifications=sorted(instance.get("PendingModifiedValues") or {}),
        parameter_group=groups[0].get("DBParameterGroupName"),
        parameter_status=groups[0].get("ParameterApplyStatus"),
        backup_retention_days=instance.get("BackupRetentionPeriod"),
        backup_window=window,
        in_backup_window=in_window(window, now) if window and instance.get("BackupRetentionPeriod") else False,
        maintenance_window=instance.get("PreferredMaintenanceWindow"),
        deletion_protection=instance.get("DeletionProtection"),
        managed_password=bool(instance.get("MasterUserSecret")),
        ca_certificate=instance.get("CACertificateIdentifier"),
        kms_key_arn=instance.get("KmsKeyId"),
    )


def in_window(window: str, now: datetime) -> bool:
    """Tell whether a moment is within a daily window ``hh:mm-hh:mm`` in UTC, which may pass midnight."""
    parsed, at = BackupWindow.parse(window), now.astimezone(UTC)
    return parsed is not None and (at.hour * 60 + at.minute - parsed.start) % DAY < parsed.minutes


def read(aws: Aws, asked: Asked) -> dict[str, dict[str, Any] | None]:
    """Return all parts by name; None for one that was not asked for."""
    parts: dict[str, tuple[str, Callable[[Aws, Asked], dict[str, Any]] | None]] = {
        "replica": (aws.region, _replica),
        "lag": (aws.region, _lag),
        "source": (asked.source.region, _source),
        "source_metrics": (asked.source.region, _source_metrics),
        "backups": (aws.region, _backups),
        "quotas": (aws.region, _quotas),
        "secret": (aws.region, _secret if asked.secret else None),
        "secret_replication": (asked.source.region, _secret_replication if asked.secret else None),
        "key": (aws.region, _key if asked.kms_key_arn else None),
        "cluster": (aws.region, _cluster if asked.cluster else None),
        "source_cluster": (asked.source.region, _source_cluster if asked.source_cluster else None),
    }
    with ThreadPoolExecutor(len(parts)) as pool:
        futures = {name: pool.submit(_part, region, call, aws, asked) for name, (region, call) in parts.items() if call}
    return {name: futures[name].result() if name in futures else None for name in parts}


def _part(region: str, call: Callable[[Aws, Asked], dict[str, Any]], aws: Aws, asked: Asked) -> dict[str, Any]:
    """Return a part, or why there is none: ``reachable`` is False then."""
    try:
        return {"region": region, "reachable": True, "reason": None, **call(aws, asked)}
    except Exception as error:
        if not is_aws_error(error):
            raise
        return {"region": region, "reachable": False, "reason": describe_error(error)}


def _replica(aws: Aws, asked: Asked) -> dict[str, Any]:
    return asdict(instance_facts(rds_describe.describe(aws, asked.identifier, probe=True), datetime.now(UTC)))


def _source(aws: Aws, asked: Asked) -> dict[str, Any]:
    where = asked.source
    found = rds_describe.describe(aws, where.identifier, region=where.region, probe=True)
    facts = asdict(instance_facts(found, datetime.now(UTC)))
    return {**facts, "replica_endpoints": _endpoints(aws, where.region, facts["replicas"])}


def _endpoints(aws: Aws, region: str, replicas: Sequence[str]) -> dict[str, str]:
    """Return where those of the replicas answer that are in the region of their source; the others have ARNs."""
    names = [name for name in replicas if not name.startswith("arn:")]
    if not names:
        return {}
    filters = [{"Name": "db-instance-id", "Values": names}]
    found = aws.client("rds", region=region, probe=True).describe_db_instances(Filters=filters)["DBInstances"]
    return {one["DBInstanceIdentifier"]: one["Endpoint"]["Address"] for one in found if one.get("Endpoint")}


def _lag(aws: Aws, asked: Asked) -> dict[str, Any]:
    values = rds_metrics.latest(aws, asked.identifier, [rds_metrics.LAG], probe=True)
    return {"seconds": rds_metrics.known_lag(values[rds_metrics.LAG])}


def _source_metrics(aws: Aws, asked: Asked) -> dict[str, Any]:
    where = asked.source
    values = rds_metrics.latest(aws, where.identifier, [SLOT_LAG, WAL, FREE], region=where.region, probe=True)
    return {
        "oldest_slot_lag_bytes": rds_metrics.known_lag(values[SLOT_LAG]),
        "wal_bytes": values[WAL],
        "free_storage_bytes": values[FREE],
    }


def _backups(aws: Aws, asked: Asked) -> dict[str, Any]:
    backup = replicated_backup(aws, asked.source_arn, LEFT_OVER, probe=True)
    latest = (backup or {}).get("RestoreWindow", {}).get("LatestTime")
    return {
        "exists": backup is not None,
        "arn": (backup or {}).get("DBInstanceAutomatedBackupsArn"),
        "status": (backup or {}).get("Status"),
        "retention_days": (backup or {}).get("BackupRetentionPeriod"),
        "kms_key_arn": (backup or {}).get("KmsKeyId"),
        "latest_time": latest.astimezone(UTC).isoformat(timespec="seconds") if latest else None,
        "age_seconds": max(0.0, round((datetime.now(UTC) - latest).total_seconds(), 1)) if latest else None,
    }


def _secret(aws: Aws, asked: Asked) -> dict[str, Any]:
    found = _described_secret(aws, asked, aws.region)
    primary = (found or {}).get("PrimaryRegion")
    changed = (found or {}).get("LastChangedDate")
    return {
        "exists": found is not None and "DeletedDate" not in found,
        "arn": (found or {}).get("ARN"),
        "role": ("replica" if primary and primary != aws.region else "standalone") if found else None,
        "primary_region": primary,
        "kms_key_arn": (found or {}).get("KmsKeyId"),
        "changed_at": changed.astimezone(UTC).isoformat(timespec="seconds") if changed else None,
    }


def _secret_replication(aws: Aws, asked: Asked) -> dict[str, Any]:
    found = _described_secret(aws, asked, asked.source.region) or {}
    copies = [copy for copy in found.get("ReplicationStatus") or () if copy["Region"] == aws.region]
    copy: Mapping[str, Any] = copies[0] if copies else {}
    return {"exists": bool(found), "status": copy.get("Status"), "message": copy.get("StatusMessage")}


def _described_secret(aws: Aws, asked: Asked, region: str) -> dict[str, Any] | None:
    try:
        answer = aws.client("secretsmanager", region=region, probe=True).describe_secret(SecretId=asked.secret)
    except Exception as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return None
    return dict(answer)


def _key(aws: Aws, asked: Asked) -> dict[str, Any]:
    try:
        found = aws.client("kms", probe=True).describe_key(KeyId=asked.kms_key_arn)["KeyMetadata"]
    except Exception as error:
        if error_code(error) != "NotFoundException":
            raise
        return {"exists": False, "enabled": False, "arn": None, "state": None}
    return {"exists": True, "enabled": found["Enabled"], "arn": found["Arn"], "state": found["KeyState"]}


def _cluster(aws: Aws, asked: Asked) -> dict[str, Any]:
    return _described_cluster(aws, aws.region, asked.cluster)


def _source_cluster(aws: Aws, asked: Asked) -> dict[str, Any]:
    return _described_cluster(aws, asked.source.region, asked.source_cluster)


def _described_cluster(aws: Aws, region: str, name: str | None) -> dict[str, Any]:
    try:
        found = aws.client("eks", region=region, probe=True).describe_cluster(name=name)["cluster"]
    except Exception as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        found = {}
    return {
        "exists": bool(found),
        "name": name,
        "status": found.get("status"),
        "version": found.get("version"),
        "endpoint": found.get("endpoint"),
        "certificate_authority": (found.get("certificateAuthority") or {}).get("data"),
    }


def _quotas(aws: Aws, _asked: Asked) -> dict[str, Any]:
    rows = aws.client("rds", probe=True).describe_account_attributes()["AccountQuotas"]
    left = {row["AccountQuotaName"]: row["Max"] - row["Used"] for row in rows}
    return {
        "instances_left": left.get("DBInstances"),
        "storage_left_gib": left.get("AllocatedStorage"),
        "snapshots_left": left.get("ManualSnapshots"),
    }
