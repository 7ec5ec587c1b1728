"""DB snapshots: taking, copying across regions, describing, deleting."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.errors import AwsError

from . import backups, catalog, rules, ties
from .call import Call, checked_tags, filtered, page, timestamp
from .dataplane import plane
from .phases import begin, duration, require_available
from .rules import combination, invalid
from .store import Phase, RdsStore, Snapshot, arn, store_of, stores_of

QUOTA = 100
"""Manual snapshots that an account has by default in a region."""


def find(store: RdsStore, name: str) -> Snapshot:
    """Return a snapshot by identifier or ARN of this region.

    Raises:
        AwsError: ``DBSnapshotNotFound``.
    """
    key = name.split(":snapshot:", 1)[-1].lower()
    found = store.snapshots.get(key)
    if found is None or (name.startswith("arn:") and name.split(":")[3] != store.region):
        raise AwsError("DBSnapshotNotFound", f"DBSnapshot not found: {name} in {store.region}.")
    return found


def rendered(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    """Return the API's ``DBSnapshot``."""
    inner = ("DBName", "MultiAZ", "DBInstanceClass", "StorageEncrypted", "OptionGroup")
    settings = {name: value for name, value in snapshot.settings.items() if name not in inner}
    view = {
        **settings,
        "DBSnapshotIdentifier": snapshot.identifier,
        "DBSnapshotArn": arn(call.region, call.account, "snapshot", snapshot.identifier),
        "DBInstanceIdentifier": snapshot.instance_id,
        "DbiResourceId": snapshot.resource_id,
        "Engine": catalog.ENGINE,
        "LicenseModel": catalog.LICENSE,
        "SnapshotType": snapshot.kind,
        "SnapshotTarget": "region",
        "Status": snapshot.status(call.now),
        "PercentProgress": snapshot.percent(call.now),
        "Encrypted": snapshot.settings["StorageEncrypted"],
        "InstanceCreateTime": timestamp(snapshot.instance_created_at),
        "OptionGroupName": snapshot.settings["OptionGroup"],
        "TagList": snapshot.tags,
        "MultiTenant": False,
    }
    if snapshot.percent(call.now) == 100:
        moment = timestamp(snapshot.started_at)
        view |= {"SnapshotCreateTime": moment, "OriginalSnapshotCreateTime": moment, "SnapshotDatabaseTime": moment}
    if snapshot.source_arn:
        view |= {"SourceDBSnapshotIdentifier": snapshot.source_arn, "SourceRegion": snapshot.source_arn.split(":")[3]}
    return view


def _new_name(call: Call, parameter: str) -> str:
    name = rules.identifier(call.text(parameter), parameter, longest=255)
    if name in call.store.snapshots:
        raise AwsError("DBSnapshotAlreadyExists", f"Cannot create the snapshot because {name} already exists.")
    if sum(one.kind == "manual" for one in call.store.snapshots.values()) >= QUOTA:
        raise AwsError("SnapshotQuotaExceeded", f"The quota of {QUOTA} manual snapshots in {call.region} is used.")
    return name


def create_db_snapshot(call: Call) -> dict[str, Any]:
    """CreateDBSnapshot: the instance is ``backing-up`` meanwhile."""
    instance = call.instance()
    name, tags = _new_name(call, "DBSnapshotIdentifier"), call.tags()
    require_available(instance, f"creating the snapshot {name}")
    snapshot = backups.snapshot_of(instance, name, "manual", call.now, duration("snapshot"))
    snapshot.tags = tags or (list(instance.tags) if instance.settings["CopyTagsToSnapshot"] else [])
    call.store.snapshots[name] = snapshot
    begin(instance, call.now, Phase("backing-up", duration("snapshot")))
    return {"DBSnapshot": rendered(call, snapshot)}


def describe_db_snapshots(call: Call) -> dict[str, Any]:
    """DescribeDBSnapshots; without a type automated and manual ones."""
    rows = sorted(call.store.snapshots.values(), key=lambda one: one.identifier)
    rows = [one for one in rows if one.started_at <= call.now]
    if call.has("DBSnapshotIdentifier"):
        rows = [find(call.store, call.text("DBSnapshotIdentifier"))]
    if call.has("DBInstanceIdentifier"):
        wanted = call.text("DBInstanceIdentifier").rsplit(":", 1)[-1].lower()
        rows = [one for one in rows if one.instance_id == wanted]
    kind = call.text("SnapshotType")
    if kind not in ("", "automated", "manual", "shared", "public", "awsbackup"):
        raise invalid(f"Invalid SnapshotType {kind}.")
    rows = [one for one in rows if kind in ("", one.kind)]
    keys = {
        "db-instance-id": lambda one: [one.instance_id, arn(call.region, call.account, "db", one.instance_id)],
        "db-snapshot-id": lambda one: [one.identifier],
        "dbi-resource-id": lambda one: [one.resource_id],
        "snapshot-type": lambda one: [one.kind],
        "engine": lambda _one: [catalog.ENGINE],
    }
    return page(call, "DBSnapshots", filtered(call, rows, keys), lambda one: rendered(call, one))


def delete_db_snapshot(call: Call) -> dict[str, Any]:
    """DeleteDBSnapshot, for manual ones that are complete."""
    snapshot = find(call.store, call.text("DBSnapshotIdentifier"))
    if snapshot.kind != "manual" or snapshot.status(call.now) != "available":
        raise AwsError(
            "InvalidDBSnapshotState",
            f"Cannot delete the {snapshot.kind} snapshot {snapshot.identifier}: it is {snapshot.status(call.now)}, and "
            "only manual snapshots that are available can be deleted.",
        )
    view = rendered(call, snapshot) | {"Status": "deleted"}
    del call.store.snapshots[snapshot.identifier]
    if not _data_shared(call, snapshot):
        plane.active.forgotten(snapshot)
    return {"DBSnapshot": view}


def _data_shared(call: Call, snapshot: Snapshot) -> bool:
    return any(one.data_of == snapshot.data_of for store in stores_of(call.account) for one in store.snapshots.values())


def copy_db_snapshot(call: Call) -> dict[str, Any]:
    """CopyDBSnapshot, within the region or from another one by ARN."""
    given = call.text("SourceDBSnapshotIdentifier")
    region = given.split(":")[3] if given.startswith("arn:") else call.region
    source = find(store_of(call.account, region), given)
    name = _new_name(call, "TargetDBSnapshotIdentifier")
    if source.status(call.now) != "available":
        raise AwsError("InvalidDBSnapshotState", f"Snapshot {given} is {source.status(call.now)}, not available yet.")
    encrypted, remote = source.settings["StorageEncrypted"], region != call.region
    if encrypted and remote and not call.has("KmsKeyId"):
        raise combination(f"Copying the encrypted snapshot {given} to {call.region} needs a KmsKeyId of {call.region}.")
    settings = dict(source.settings)
    if call.has("KmsKeyId"):
        key = ties.key_arn(call.account, call.region, call.text("KmsKeyId"))
        settings |= {"StorageEncrypted": True, "KmsKeyId": key}
    tags = call.tags() or (checked_tags(source.tags) if call.flag("CopyTags") else [])
    copied = Snapshot(
        name, source.instance_id, source.resource_id, "manual", call.now,
        duration("snapshot_copy" if remote else "snapshot"), settings, source.instance_created_at,
        source_arn=arn(region, call.account, "snapshot", source.identifier),
        master_password=source.master_password, data_of=source.data_of, tags=tags,
    )  # fmt: skip
    call.store.snapshots[name] = copied
    return {"DBSnapshot": rendered(call, copied)}
