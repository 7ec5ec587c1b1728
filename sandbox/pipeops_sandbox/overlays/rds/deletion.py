"""DeleteDBInstance, and what becomes of the replicas and backups of what is deleted."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.errors import AwsError

from . import backups, rules
from .call import Call
from .dataplane import plane
from .instances import view
from .journal import tell
from .phases import SETTLED, begin, duration, restart
from .render import latest_restorable
from .rules import combination
from .store import AutomatedBackup, DbInstance, Phase, Replication, find_instance, stores_of

SNAPSHOT_IMPOSSIBLE = frozenset({"failed", "incompatible-restore", "incompatible-network"})
"""Statuses in which an instance can be deleted without a final snapshot only."""

UNDELETABLE = frozenset({"deleting", "creating-snapshot"})


def delete_db_instance(call: Call) -> dict[str, Any]:
    """DeleteDBInstance."""
    instance = call.instance()
    if instance.settings["DeletionProtection"]:
        raise combination(
            f"Cannot delete protected DB Instance {instance.identifier}, please disable deletion protection and "
            "try again."
        )
    if instance.status in UNDELETABLE:
        raise AwsError("InvalidDBInstanceState", f"Instance {instance.identifier} is already being deleted.")
    final = _final_snapshot(call, instance)
    if instance.status not in SETTLED and final:
        raise AwsError(
            "InvalidDBInstanceState",
            f"Instance {instance.identifier} is currently {instance.status}: a final snapshot needs it available.",
        )
    seconds = duration("delete")
    if final:
        snapshot = backups.snapshot_of(instance, final, "manual", call.now, duration("snapshot"))
        snapshot.tags = list(instance.tags) if instance.settings["CopyTagsToSnapshot"] else []
        call.store.snapshots[final] = snapshot
        seconds += duration("snapshot")
    _release_replicas(instance, call.now)
    _end_backups(call, instance)
    plane.active.deleted(instance)
    restart(instance, call.now, Phase("deleting", seconds, "removed"))
    return view(instance)


def _final_snapshot(call: Call, instance: DbInstance) -> str:
    """Return the final snapshot's identifier, or nothing if there is to be none."""
    name, skip = call.text("FinalDBSnapshotIdentifier"), call.flag("SkipFinalSnapshot")
    if name and skip:
        raise combination("FinalDBSnapshotIdentifier cannot be specified together with SkipFinalSnapshot.")
    if not name and not skip:
        raise combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
    if name and instance.replication:
        raise combination(
            f"FinalDBSnapshotIdentifier can not be specified when deleting a Read Replica: {instance.arn}"
        )
    if name and instance.status in SNAPSHOT_IMPOSSIBLE:
        raise AwsError("InvalidDBInstanceState", f"{instance.identifier} is {instance.status}: set SkipFinalSnapshot.")
    if not name:
        return ""
    name = rules.identifier(name, "FinalDBSnapshotIdentifier", longest=255)
    if name in call.store.snapshots:
        raise AwsError("DBSnapshotAlreadyExists", f"Cannot create the snapshot because {name} already exists.")
    return name


def _release_replicas(instance: DbInstance, now: float) -> None:
    """Promote the replicas in the region; end replication for those in another one, which stay as they are."""
    for replica in filter(None, map(find_instance, instance.replicas)):
        if replica.region != instance.region:
            message = "Replication was terminated because the source DB instance was deleted."
            replica.replication = Replication(instance.arn, "terminated", message)
            plane.active.detached(replica)
            tell(replica, "RDS-EVENT-0057", now)
        elif not replica.promoting:
            _promote(replica, now)
    instance.replicas = []


def _promote(replica: DbInstance, now: float) -> None:
    replica.promoting = True
    days = replica.settings["BackupRetentionPeriod"]
    wanted = {"BackupRetentionPeriod": days}
    begin(
        replica, now,
        Phase("modifying", duration("promote_modify"), "start_promotion"),
        Phase("rebooting", duration("promote_reboot"), "finish_promotion", wanted),
    )  # fmt: skip


def _end_backups(call: Call, instance: DbInstance) -> None:
    """Drop the automated backups, or retain them; copies in other regions are always retained."""
    latest = latest_restorable(instance, call.now)
    keep = not call.flag("DeleteAutomatedBackups", True)
    if keep and latest is not None and instance.recoverable_from is not None:
        key = f"ab-{instance.resource_id.removeprefix('db-').lower()}"
        call.store.backups[key] = AutomatedBackup(
            key, instance.arn, instance.resource_id, instance.identifier, instance.region, "retained",
            instance.settings["BackupRetentionPeriod"], instance.settings.get("KmsKeyId"),
            backups.remembered(instance), instance.created_at, instance.recoverable_from, latest,
            master_password=instance.master_password, tags=list(instance.tags),
        )  # fmt: skip
    if not keep:
        for snapshot in backups.automated_snapshots(instance):
            backups.drop_snapshot(call.store.snapshots, snapshot)
    for store in stores_of(call.account):
        for backup in store.backups.values():
            if backup.source_arn == instance.arn and backup.state != "retained" and latest is not None:
                backup.state, backup.latest = "retained", latest
