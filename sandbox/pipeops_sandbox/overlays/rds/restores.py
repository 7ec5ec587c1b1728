"""Restoring to a new instance: from a snapshot, to a point in time, from replicated backups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeops_sandbox.errors import AwsError

from . import backups, catalog, parameters, rules, snapshots, subnets
from .call import Call, seconds_of, timestamp
from .dataplane import RestorePoint, plane
from .instances import build, check_storage_quota, first_backup, new_identifier, options, register, view, windows
from .phases import begin, duration
from .render import latest_restorable
from .replication import find_backup
from .rules import combination, invalid
from .store import DbInstance, Phase, Settings

FROM_SNAPSHOT, FROM_TIME = "RDS-EVENT-0043", "RDS-EVENT-0019"


@dataclass(frozen=True)
class Origin:
    """What a restore starts from: the settings remembered there, the data, the master password."""

    settings: Settings
    point: RestorePoint
    password: str
    event: str


def restore_db_instance_from_db_snapshot(call: Call) -> dict[str, Any]:
    """RestoreDBInstanceFromDBSnapshot."""
    if not call.has("DBSnapshotIdentifier"):
        raise AwsError("MissingParameter", "The request must contain the parameter DBSnapshotIdentifier.")
    snapshot = snapshots.find(call.store, call.text("DBSnapshotIdentifier"))
    if snapshot.status(call.now) != "available":
        raise AwsError("InvalidDBSnapshotState", f"Snapshot {snapshot.identifier} is {snapshot.status(call.now)}.")
    point = RestorePoint(snapshot.resource_id, snapshot.data_of, snapshot.started_at)
    origin = Origin(snapshot.settings, point, snapshot.master_password, FROM_SNAPSHOT)
    return _restore(call, "DBInstanceIdentifier", origin, duration("load"))


def restore_db_instance_to_point_in_time(call: Call) -> dict[str, Any]:
    """RestoreDBInstanceToPointInTime, of an instance or of replicated or retained backups."""
    names = ("SourceDBInstanceIdentifier", "SourceDbiResourceId", "SourceDBInstanceAutomatedBackupsArn")
    given = [name for name in names if call.has(name)]
    if len(given) != 1:
        raise combination(f"Exactly one of {', '.join(names)} must be specified; given: {', '.join(given) or 'none'}.")
    if call.flag("ManageMasterUserPassword"):
        raise combination("ManageMasterUserPassword is not supported for a point-in-time restore of postgres.")
    of_backup = given[0] == "SourceDBInstanceAutomatedBackupsArn"
    origin = _of_backup(call) if of_backup else _of_instance(call, given[0])
    return _restore(call, "TargetDBInstanceIdentifier", origin, duration("load") + duration("restore_logs"))


def _of_instance(call: Call, parameter: str) -> Origin:
    if parameter == "SourceDbiResourceId":
        wanted = call.text(parameter)
        source = next((one for one in call.store.instances.values() if one.resource_id == wanted), None)
        if source is None:
            raise AwsError("DBInstanceNotFound", f"DBInstance with resource id {wanted} not found in {call.region}.")
    else:
        source = call.instance(parameter)
    latest = latest_restorable(source, call.now)
    if latest is None or source.recoverable_from is None:
        raise AwsError(
            "PointInTimeRestoreNotEnabled",
            f"{source.identifier} has no point in time to restore to: automated backups are off, it is a read replica, "
            "or its first backup is not complete.",
        )
    at = _moment(call, source.recoverable_from, latest)
    return Origin(
        backups.remembered(source), RestorePoint(source.resource_id, "", at), source.master_password, FROM_TIME
    )


def _of_backup(call: Call) -> Origin:
    backup = find_backup(call, call.text("SourceDBInstanceAutomatedBackupsArn"))
    earliest, latest = backup.window(call.now)
    if latest is None:
        raise AwsError(
            "InvalidRestoreFault", f"The backup {backup.identifier} is not complete: nothing to restore yet."
        )
    settings = {**backup.settings, "KmsKeyId": backup.kms_key}
    at = _moment(call, earliest, latest)
    return Origin(settings, RestorePoint(backup.resource_id, "", at), backup.master_password, FROM_TIME)


def _moment(call: Call, earliest: float, latest: float) -> float:
    if call.flag("UseLatestRestorableTime") == call.has("RestoreTime"):
        raise combination("Specify either RestoreTime or UseLatestRestorableTime, and not both.")
    if not call.has("RestoreTime"):
        return latest
    at = seconds_of(call.params["RestoreTime"])
    # What DescribeDBInstances shows is rounded, and clients give whole seconds: both ends of the window are in it.
    if not int(earliest) <= at <= round(latest, 3):
        raise invalid(
            f"The specified time {timestamp(at)} is outside the restore window {timestamp(earliest)} to "
            f"{timestamp(latest)}."
        )
    return min(max(at, earliest), latest)


def _restore(call: Call, parameter: str, origin: Origin, seconds: float) -> dict[str, Any]:
    """Make the new instance. What the call does not say is the default, not what the source had."""
    name = new_identifier(call, parameter)
    if call.text("Engine", catalog.ENGINE) != catalog.ENGINE or call.has("DBName"):
        raise combination("A restore of postgres keeps the engine and the database's name.")
    settings = _settings(call, name, origin.settings)
    group = subnets.find(call.store, call.text("DBSubnetGroupName"))
    settings |= subnets.place(group, call.text("AvailabilityZone"), call.flag("MultiAZ"))
    family = catalog.family_of(settings["EngineVersion"])
    parameter_group = parameters.group_for(call.store, call.text("DBParameterGroupName"), family)
    check_storage_quota(call, settings["AllocatedStorage"])
    instance: DbInstance = build(call, name, settings, group, parameter_group.name)
    instance.master_password = origin.password
    register(call, instance)
    plane.active.restored(instance, origin.point)
    extra = duration("multi_az") if settings["MultiAZ"] else 0.0
    creating = Phase("creating", seconds + extra, "created", {"restored": origin.event})
    begin(instance, call.now, creating, *first_backup(instance))
    return view(instance)


def _settings(call: Call, name: str, remembered: Settings) -> Settings:
    storage = ("AllocatedStorage", "StorageType", "Iops", "StorageThroughput")
    wanted = {key: remembered[key] for key in storage if remembered.get(key)}
    given = {key for key in storage if call.has(key)}
    if call.text("StorageType", wanted["StorageType"]) != wanted["StorageType"]:
        wanted = {"AllocatedStorage": wanted["AllocatedStorage"]}
    wanted |= {key: call.params[key] for key in given}
    ceiling = call.params.get("MaxAllocatedStorage")
    if ceiling is not None:
        wanted["MaxAllocatedStorage"] = int(ceiling)
    version = remembered["EngineVersion"]
    days = call.number("BackupRetentionPeriod", remembered["BackupRetentionPeriod"])
    return {
        **options(call),
        **rules.storage(wanted, given),
        **windows(call, name),
        "MaxAllocatedStorage": ceiling,
        "EngineVersion": version,
        "DBInstanceClass": rules.instance_class(call.text("DBInstanceClass", remembered["DBInstanceClass"]), version),
        "MasterUsername": remembered["MasterUsername"],
        "DBName": remembered.get("DBName"),
        "Port": rules.port(call.number("Port", remembered["Port"])),
        "BackupRetentionPeriod": rules.retention(days),
        "StorageEncrypted": remembered["StorageEncrypted"],
        "KmsKeyId": remembered.get("KmsKeyId"),
    }
