"""Read replicas: creating them in the region or from another one, and promoting them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeops_sandbox.errors import AwsError

from . import backups, rules, subnets, ties
from .call import Call
from .dataplane import plane
from .instances import build, check_storage_quota, first_monitoring, new_identifier, options, register, view
from .phases import begin, duration, require_available
from .render import source_of
from .rules import combination, invalid
from .store import DbInstance, Phase, Replication, Settings, Snapshot, SubnetGroup, find_instance, store_of
from .windows import check_windows

REPLICA_LIMIT = 15
"""Replicas of one source, in all regions together."""

CASCADE_LIMIT = 5
"""Replicas of a source that is a replica itself."""

DEEPEST = 3
"""Levels of replicas below the primary."""

REGIONS_LIMIT = 2
"""Regions that a cascade may span."""

SEEDING = "seeding"
"""Why a source is ``modifying`` while its snapshot for a replica is taken; a second replica shares that snapshot."""


def create_db_instance_read_replica(call: Call) -> dict[str, Any]:
    """CreateDBInstanceReadReplica, called in the region where the replica is to be."""
    name = new_identifier(call)
    if call.has("SourceDBClusterIdentifier"):
        raise combination("SourceDBClusterIdentifier is for Multi-AZ DB clusters; name a SourceDBInstanceIdentifier.")
    source = _source(call)
    remote = source.region != call.region
    _check_request(call, remote)
    _check_source(call, source)
    group = _subnet_group(call, source, remote)
    settings = {
        **_inherited(call, source),
        **_encryption(call, source, remote),
        **subnets.place(group, call.text("AvailabilityZone"), call.flag("MultiAZ")),
    }
    replica = build(call, name, settings, group, f"default.{source.family}" if remote else source.parameter_group)
    check_storage_quota(call, settings["AllocatedStorage"])
    replica.replication = Replication(source.arn)
    replica.master_password = source.master_password
    register(call, replica)
    source.replicas.append(replica.arn)
    plane.active.replicating(replica, source)
    _seed(call, replica, source, remote)
    return view(replica)


def _source(call: Call) -> DbInstance:
    """Return the source: by identifier in the region, by ARN across regions."""
    given = call.text("SourceDBInstanceIdentifier")
    if not given:
        raise AwsError("MissingParameter", "The request must contain the parameter SourceDBInstanceIdentifier.")
    if not given.startswith("arn:"):
        return call.instance("SourceDBInstanceIdentifier")
    parts = given.split(":")
    if len(parts) != 7 or parts[2] != "rds" or parts[5] != "db":
        raise invalid(f"Invalid SourceDBInstanceIdentifier: {given}. An ARN of a DB instance is arn:aws:rds:...:db:ID.")
    if parts[4] != call.account:
        raise AwsError("DBInstanceNotFound", f"DBInstance {given} not found: a replica needs a source of its account.")
    found = find_instance(given)
    if found is None:
        raise AwsError("DBInstanceNotFound", f"DBInstance {given} not found.")
    return found


def _check_request(call: Call, remote: bool) -> None:
    """Refuse parameters that a PostgreSQL replica cannot have at creation."""
    if call.has("DBParameterGroupName"):
        raise combination(
            "A parameter group can't be specified during Read Replica creation for the following DB engine: postgres"
        )
    if call.has("PreSignedUrl") and not remote:
        raise combination("This request does not require the preSignedUrl parameter: the source is in this region.")
    if call.has("ReplicaMode") or call.has("Domain"):
        raise combination("ReplicaMode and Domain are not supported for read replicas of the engine postgres.")
    if call.has("DatabaseInsightsMode"):
        raise combination("DatabaseInsightsMode is not supported by CreateDBInstanceReadReplica: modify it afterwards.")


def _check_source(call: Call, source: DbInstance) -> None:
    """Refuse a source that cannot have another replica now, or ever."""
    if source.settings.get("MasterUserSecret"):
        raise invalid(
            "Creating a read replica for a source DB instance where ManageMasterUserPassword is enabled is not "
            f"supported for postgres: {source.arn}"
        )
    if not source.settings["BackupRetentionPeriod"]:
        raise AwsError(
            "InvalidDBInstanceState", f"Automated backups are not enabled for this database instance: {source.arn}"
        )
    if not (source.phases and source.phases[0].reason == SEEDING):
        require_available(source, f"creating the read replica {call.text('DBInstanceIdentifier')}")
    _check_limits(source)


def _check_limits(source: DbInstance) -> None:
    limit = CASCADE_LIMIT if source.replication else REPLICA_LIMIT
    if len(source.replicas) >= limit:
        raise AwsError("InstanceQuotaExceeded", f"{source.arn} has {len(source.replicas)} read replicas of {limit}.")
    depth = len(list(ancestors(source)))
    if depth >= DEEPEST:
        raise combination(f"{source.arn} is {depth} levels below its primary; a cascade has at most {DEEPEST} levels.")


def ancestors(instance: DbInstance) -> Iterator[DbInstance]:
    """Yield the sources above an instance, nearest first."""
    above = source_of(instance)
    while above is not None:
        yield above
        above = source_of(above)


def _subnet_group(call: Call, source: DbInstance, remote: bool) -> SubnetGroup:
    """Return the subnet group: in its own region a replica stays in the source's."""
    if not remote:
        name = call.text("DBSubnetGroupName")
        if name and name != source.subnet_group:
            raise AwsError(
                "DBSubnetGroupNotAllowedFault",
                f"DbSubnetGroupName {name} is not for {call.text('DBInstanceIdentifier')}: a read replica in the "
                f"source's region is in its subnet group {source.subnet_group}.",
            )
        return subnets.find(call.store, source.subnet_group)
    spanned = {one.region for one in [source, *ancestors(source)]} | {call.region}
    if len(spanned) > REGIONS_LIMIT:
        raise combination(
            f"A replica in {call.region} would span {sorted(spanned)}; a cascade has two regions at most."
        )
    group = subnets.find(call.store, call.text("DBSubnetGroupName"))
    for sibling in filter(None, map(find_instance, source.replicas)):
        if sibling.region == call.region:
            vpc = subnets.find(call.store, sibling.subnet_group).vpc_id
            if vpc != group.vpc_id:
                raise combination(
                    "Cross region read replicas of the same master in this region should be in the same DB subnet "
                    f"group's VPC, i.e. share the same customer VPC: {sibling.identifier} is in {vpc}."
                )
    return group


def _inherited(call: Call, source: DbInstance) -> Settings:
    """Return the settings of a new replica: the source's, where the call does not say otherwise."""
    settings = source.settings
    ceiling = call.params.get("MaxAllocatedStorage", settings.get("MaxAllocatedStorage"))
    return {
        **options(call),
        **_storage(call, settings, ceiling),
        "MaxAllocatedStorage": ceiling,
        "DeletionProtection": False,  # accepted, and reported to have no effect at creation
        "AutoMinorVersionUpgrade": call.flag("AutoMinorVersionUpgrade", settings["AutoMinorVersionUpgrade"]),
        "EngineVersion": settings["EngineVersion"],
        "DBInstanceClass": rules.instance_class(
            call.text("DBInstanceClass") or settings["DBInstanceClass"], source.engine_version
        ),
        "MasterUsername": settings["MasterUsername"],
        "DBName": settings.get("DBName"),
        "Port": rules.port(call.number("Port", settings["Port"])),
        "BackupRetentionPeriod": 0,
        "PreferredBackupWindow": settings["PreferredBackupWindow"],
        "PreferredMaintenanceWindow": settings["PreferredMaintenanceWindow"],
    }


def _storage(call: Call, settings: Settings, ceiling: Any) -> Settings:
    """Return the storage of a replica: at least the source's size, its type and rates unless the call says so."""
    wanted: Settings = {
        "AllocatedStorage": max(call.number("AllocatedStorage"), settings["AllocatedStorage"]),
        "StorageType": call.text("StorageType") or settings["StorageType"],
    }
    if wanted["StorageType"] == settings["StorageType"]:
        wanted |= {name: settings[name] for name in ("Iops", "StorageThroughput") if settings.get(name)}
    given = {name for name in ("Iops", "StorageThroughput") if call.has(name)}
    wanted |= {name: call.params[name] for name in given}
    if ceiling is not None:
        wanted["MaxAllocatedStorage"] = int(ceiling)
    return rules.storage(wanted, given)


def _encryption(call: Call, source: DbInstance, remote: bool) -> Settings:
    encrypted = source.settings["StorageEncrypted"]
    if not encrypted:
        if call.has("KmsKeyId"):
            raise combination(f"Cannot create an encrypted read replica from the unencrypted source {source.arn}.")
        return {"StorageEncrypted": False, "KmsKeyId": None}
    if call.has("KmsKeyId"):
        return {"StorageEncrypted": True, "KmsKeyId": ties.key_arn(call.account, call.region, call.text("KmsKeyId"))}
    if remote:
        raise combination("Cannot create a cross region unencrypted read replica from encrypted source.")
    ties.key_arn(call.account, source.region, source.settings["KmsKeyId"])
    return {"StorageEncrypted": True, "KmsKeyId": source.settings["KmsKeyId"]}


def _seed(call: Call, replica: DbInstance, source: DbInstance, remote: bool) -> None:
    """Begin a replica's creation: snapshot of the source, copy to the other region, load."""
    snap, copy = duration("snapshot"), duration("snapshot_copy") if remote else 0.0
    if not source.phases:
        begin(source, call.now, Phase("modifying", snap, reason=SEEDING))
    if remote:
        _show_seed(call, replica, source, snap, copy)
    extra = duration("multi_az") if replica.settings["MultiAZ"] else 0.0
    load = duration("load")
    creating = Phase("creating", snap + copy + load + extra, "created", {"seed": replica.resource_id})
    begin(replica, call.now, creating, *first_monitoring(replica))


def _show_seed(call: Call, replica: DbInstance, source: DbInstance, snap: float, copy: float) -> None:
    """Show the snapshot that seeds a replica, in both regions while it is on its way."""
    name = backups.automated_name(source, call.now)
    at_source = store_of(call.account, source.region).snapshots
    if name not in at_source:
        at_source[name] = backups.snapshot_of(source, name, "automated", call.now, snap)
    if name not in call.store.snapshots:
        call.store.snapshots[name] = Snapshot(
            name, source.identifier, source.resource_id, "automated", call.now + snap, copy,
            backups.remembered(source), source.created_at, transient=True, data_of=replica.resource_id,
        )  # fmt: skip


def promote_read_replica(call: Call) -> dict[str, Any]:
    """PromoteReadReplica. The status does not change at once; the source's region is not needed."""
    replica = call.instance()
    if replica.replication is None:
        raise AwsError("InvalidDBInstanceState", f"DB Instance is not a read replica: {replica.arn}")
    if replica.promoting:
        raise AwsError("InvalidDBInstanceState", f"DB Instance is being promoted already: {replica.arn}")
    require_available(replica, "promoting")
    days = rules.retention(call.number("BackupRetentionPeriod", 1))
    if not days and replica.replicas:
        raise combination(f"{replica.identifier} has read replicas: its BackupRetentionPeriod cannot be 0.")
    window = call.text("PreferredBackupWindow", replica.settings["PreferredBackupWindow"])
    check_windows(window, replica.settings["PreferredMaintenanceWindow"])
    replica.promoting = True
    wanted = {"BackupRetentionPeriod": days, "PreferredBackupWindow": window}
    phases = [
        Phase(replica.status, duration("promote_lag"), "start_promotion"),
        Phase("modifying", duration("promote_modify")),
        Phase("rebooting", duration("promote_reboot"), "finish_promotion", wanted),
    ]
    if days:
        phases.append(Phase("backing-up", duration("promote_backup"), "backed_up"))
    begin(replica, call.now, *phases)
    return view(replica)


def switchover_read_replica(call: Call) -> dict[str, Any]:
    """SwitchoverReadReplica exists for Oracle Data Guard only."""
    replica = call.instance()
    raise combination(
        f"The engine postgres of {replica.identifier} does not support SwitchoverReadReplica; promote the replica."
    )
