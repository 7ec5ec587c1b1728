"""Automated backups: the daily snapshots, and what happens to them when retention changes."""

from __future__ import annotations

from datetime import UTC, datetime

from .dataplane import plane
from .phases import duration
from .store import DbInstance, Settings, Snapshot, store_of

DAY = 24 * 3600

KEPT = (
    "AllocatedStorage", "StorageType", "Iops", "StorageThroughput", "EngineVersion", "MasterUsername", "DBName",
    "AvailabilityZone", "StorageEncrypted", "KmsKeyId", "Port", "IAMDatabaseAuthenticationEnabled", "MultiAZ",
    "DBInstanceClass", "BackupRetentionPeriod", "PreferredBackupWindow", "DedicatedLogVolume",
)  # fmt: skip
"""Settings of an instance that its snapshots remember."""


def remembered(instance: DbInstance) -> Settings:
    """Return the settings that a snapshot of an instance remembers."""
    settings = {name: instance.settings[name] for name in KEPT if instance.settings.get(name) is not None}
    store = store_of(instance.account, instance.region)
    return {
        **settings,
        "VpcId": store.subnet_groups[instance.subnet_group].vpc_id,
        "OptionGroup": instance.option_group,
    }


def snapshot_of(instance: DbInstance, identifier: str, kind: str, at: float, seconds: float) -> Snapshot:
    """Return a new snapshot of an instance; the data plane keeps the data as they are now."""
    snapshot = Snapshot(
        identifier=identifier,
        instance_id=instance.identifier,
        resource_id=instance.resource_id,
        kind=kind,
        started_at=at,
        seconds=seconds,
        settings=remembered(instance),
        instance_created_at=instance.created_at,
        master_password=instance.master_password,
        data_of=f"{instance.resource_id}/{identifier}/{at:.3f}",
    )
    plane.active.snapshotted(instance, snapshot)
    return snapshot


def keep_automated_snapshot(instance: DbInstance, at: float) -> None:
    """Add today's automated snapshot, and drop those past their retention."""
    store = store_of(instance.account, instance.region)
    identifier = automated_name(instance, at)
    snapshot = snapshot_of(instance, identifier, "automated", at, 0)
    if instance.settings["CopyTagsToSnapshot"]:
        snapshot.tags = list(instance.tags)
    store.snapshots[identifier] = snapshot
    oldest = at - instance.settings["BackupRetentionPeriod"] * DAY
    for old in [one for one in automated_snapshots(instance) if one.started_at < oldest]:
        drop_snapshot(store.snapshots, old)


def automated_name(instance: DbInstance, at: float) -> str:
    """Return RDS's name of an automated snapshot, ``rds:ID-YYYY-MM-DD-HH-MI``."""
    return f"rds:{instance.identifier}-{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d-%H-%M}"


def automated_snapshots(instance: DbInstance) -> list[Snapshot]:
    """Return an instance's automated snapshots."""
    store = store_of(instance.account, instance.region)
    mine = [one for one in store.snapshots.values() if one.resource_id == instance.resource_id]
    return [one for one in mine if one.kind == "automated" and not one.transient]


def drop_snapshot(snapshots: dict[str, Snapshot], snapshot: Snapshot) -> None:
    """Delete a snapshot and its data."""
    del snapshots[snapshot.identifier]
    plane.active.forgotten(snapshot)


def retention_changed(instance: DbInstance, was_off: bool) -> None:
    """Retention went to 0: automated backups are gone at once. From 0: the first backup will open the window."""
    if not instance.settings["BackupRetentionPeriod"]:
        instance.recoverable_from = None
        store = store_of(instance.account, instance.region)
        for snapshot in automated_snapshots(instance):
            drop_snapshot(store.snapshots, snapshot)
    elif was_off:
        instance.recoverable_from = None


def snapshot_seconds() -> float:
    """Return how long a snapshot takes."""
    return duration("snapshot")
