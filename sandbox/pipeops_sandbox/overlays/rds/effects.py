"""What is true of a DB instance at the end of a phase: each gets the instance, the payload and the model time."""

from __future__ import annotations

from collections.abc import Callable

from . import backups, ties, upgrades
from .dataplane import plane
from .journal import tell
from .parameters import in_force
from .phases import begin, duration
from .store import DbInstance, Phase, Settings, find_instance, store_of

SHUTDOWN, RESTARTED = "RDS-EVENT-0004", "RDS-EVENT-0006"


def created(instance: DbInstance, payload: Settings, at: float) -> None:
    """The server answers for the first time: a new database, a replica or a restore."""
    instance.reachable = True
    tell(instance, "RDS-EVENT-0005", at)
    if instance.settings["BackupRetentionPeriod"]:
        tell(instance, "RDS-EVENT-0001", at)
    if instance.replication:
        instance.initialising_until = at + duration("storage_initialisation")
        tell(instance, "RDS-EVENT-0046", at)
        store = store_of(instance.account, instance.region)
        for key in [key for key, one in store.snapshots.items() if one.transient and one.data_of == payload["seed"]]:
            del store.snapshots[key]
    elif payload.get("restored"):
        instance.initialising_until = at + duration("storage_initialisation")
        tell(instance, payload["restored"], at)


def start_backup(instance: DbInstance, at: float) -> None:
    """Begin the nightly backup."""
    tell(instance, "RDS-EVENT-0001", at)
    begin(instance, at, Phase("backing-up", duration("backup"), "backed_up"))


def backed_up(instance: DbInstance, _payload: Settings, at: float) -> None:
    """An automated snapshot is complete; the first one opens the window of point-in-time restore."""
    instance.last_backup_at = at
    backups.keep_automated_snapshot(instance, at)
    tell(instance, "RDS-EVENT-0002", at)
    if instance.replication is None and instance.recoverable_from is None:
        # Not before the data plane has the data: nothing could be restored to an earlier moment.
        instance.phases[:0] = [Phase("backing-up", 0, "recoverable")]
        instance.since, instance.held = at, False


def recoverable(instance: DbInstance, _payload: Settings, at: float) -> None:
    """The data of the first snapshot are kept: from now on there is a moment to restore to."""
    instance.recoverable_from = at


def start_applying(instance: DbInstance, at: float) -> None:
    """Begin to apply what is pending."""
    heavy = instance.pending.keys() & {"DBInstanceClass", "EngineVersion", "MultiAZ", "DBSubnetGroupName"}
    seconds = duration("modify_heavy" if heavy else "modify")
    version = instance.pending.get("EngineVersion")
    if version:
        tell(instance, "RDS-EVENT-0267", at)
        if upgrades.is_major(instance, version):
            seconds = duration("upgrade_major")
            upgrades.begin_major(instance, version, at)
    status = "upgrading" if version else "modifying"
    instance.phases[:0] = [Phase(status, seconds, "apply_pending", dict(instance.pending))]
    instance.since, instance.held = at, False


def begin_applying(instance: DbInstance, _payload: Settings, at: float) -> None:
    """The lag after ModifyDBInstance is over: what is pending then is applied, in one go."""
    if instance.pending:
        start_applying(instance, at)


def apply_pending(instance: DbInstance, payload: Settings, at: float) -> None:
    """Put pending values in force."""
    values = {name: payload[name] for name in payload if instance.pending.get(name) == payload[name]}
    for name in values:
        del instance.pending[name]
    if "DBInstanceIdentifier" in values:
        rename(instance, values.pop("DBInstanceIdentifier"))
    if "DBSubnetGroupName" in values:
        instance.subnet_group = values.pop("DBSubnetGroupName")
    _tell_changes(instance, values, at)
    was_off, family = not instance.settings["BackupRetentionPeriod"], instance.family
    _apply(instance, values)
    if values.keys() & {"DBInstanceClass", "EngineVersion", "Port"}:
        _boot(instance)
        major = instance.family != family
        if major:
            plane.active.upgraded(instance)
        else:
            plane.active.rebooted(instance, failover=False)
        begin(instance, at, Phase("upgrading" if major else "modifying", 0))  # lasts until the server is up again
        if "EngineVersion" in values:
            upgrades.finished(instance, at, major=major)
    plane.active.modified(instance)
    _after_storage(instance, values, at)
    if "BackupRetentionPeriod" in values:
        backups.retention_changed(instance, was_off)
        if was_off:
            start_backup(instance, at)


def _apply(instance: DbInstance, values: Settings) -> None:
    password = values.pop("MasterUserPassword", None)
    if password is not None:
        instance.master_password = password
    if values.get("MultiAZ") is False:
        instance.settings.pop("SecondaryAvailabilityZone", None)
    if values.get("MultiAZ"):
        group = store_of(instance.account, instance.region).subnet_groups[instance.subnet_group]
        first = instance.settings["AvailabilityZone"]
        others = sorted(set(group.subnets.values()) - {first})
        instance.settings["SecondaryAvailabilityZone"] = others[0]
    instance.settings.update(values)
    if "EngineVersion" in values:
        upgrades.adopt_group(instance)


def _tell_changes(instance: DbInstance, values: Settings, at: float) -> None:
    if "DBInstanceClass" in values:
        tell(instance, "RDS-EVENT-0014", at)
    if "AllocatedStorage" in values:
        tell(instance, "RDS-EVENT-0017", at)
    if "MultiAZ" in values:
        tell(instance, "RDS-EVENT-0025" if values["MultiAZ"] else "RDS-EVENT-0030", at)


def _after_storage(instance: DbInstance, values: Settings, at: float) -> None:
    if values.keys() & {"AllocatedStorage", "StorageType", "Iops", "StorageThroughput"}:
        instance.storage_changed_at = at
        begin(instance, at, Phase("storage-optimization", duration("storage_optimization")))


def rename(instance: DbInstance, identifier: str) -> None:
    """Give an instance another identifier; its replicas and its source follow."""
    store = store_of(instance.account, instance.region)
    old = instance.arn
    del store.instances[instance.identifier]
    instance.identifier = identifier
    store.instances[identifier] = instance
    for replica_arn in instance.replicas:
        replica = find_instance(replica_arn)
        if replica and replica.replication:
            replica.replication.source_arn = instance.arn
    source = find_instance(instance.replication.source_arn) if instance.replication else None
    if source:
        source.replicas = [instance.arn if one == old else one for one in source.replicas]


def group_attached(instance: DbInstance, payload: Settings, _at: float) -> None:
    """A parameter group was exchanged: dynamic parameters hold, static ones wait for a reboot."""
    instance.parameter_status = "pending-reboot"
    refresh_dynamic(instance)


def refresh_dynamic(instance: DbInstance) -> None:
    """Take over the dynamic parameters of the instance's group."""
    instance.in_force = in_force(instance, keep_static=True)
    plane.active.modified(instance)


def changed(instance: DbInstance, _payload: Settings, _at: float) -> None:
    """A setting that needs no restart has reached the server."""
    plane.active.modified(instance)


def password_changed(instance: DbInstance, payload: Settings, at: float) -> None:
    """The master password is another one."""
    instance.master_password = payload["MasterUserPassword"]
    instance.pending.pop("MasterUserPassword", None)
    plane.active.modified(instance)
    tell(instance, "RDS-EVENT-0016", at)


def _boot(instance: DbInstance) -> None:
    instance.in_force = in_force(instance, keep_static=False)
    instance.parameter_status = "in-sync"


def boot(instance: DbInstance) -> None:
    """Take over all parameters of the instance's group, as a start of the server does."""
    _boot(instance)


def rebooted(instance: DbInstance, payload: Settings, at: float) -> None:
    """The server is up again; after a failover on the other zone."""
    if payload.get("failover"):
        settings = instance.settings
        first, second = settings["AvailabilityZone"], settings["SecondaryAvailabilityZone"]
        settings["AvailabilityZone"], settings["SecondaryAvailabilityZone"] = second, first
        tell(instance, "RDS-EVENT-0015", at)
        tell(instance, "RDS-EVENT-0049", at)
    tell(instance, RESTARTED, at)


def stopped(instance: DbInstance, _payload: Settings, at: float) -> None:
    """The server is down; RDS starts it again by itself after seven days."""
    instance.resting, instance.stopped_at = "stopped", at
    tell(instance, "RDS-EVENT-0087", at)


def started(instance: DbInstance, _payload: Settings, at: float) -> None:
    """A stopped server is up again."""
    tell(instance, "RDS-EVENT-0088", at)


def start_again(instance: DbInstance, at: float) -> None:
    """Begin to start a stopped instance, because somebody asked or because it was stopped for seven days."""
    _boot(instance)
    plane.active.started(instance)
    instance.resting, instance.stopped_at = "available", None
    begin(instance, at, Phase("starting", duration("start"), "started"))


def start_promotion(instance: DbInstance, _payload: Settings, at: float) -> None:
    """The lag after PromoteReadReplica is over: replication ends now."""
    plane.active.promoted(instance)
    tell(instance, SHUTDOWN, at)


def finish_promotion(instance: DbInstance, payload: Settings, at: float) -> None:
    """The former replica is on its own: neither it nor its source names the other any more."""
    detach(instance)
    instance.promoting = False
    instance.settings.update(payload)
    instance.recoverable_from = None
    _boot(instance)
    tell(instance, RESTARTED, at)
    if instance.settings["BackupRetentionPeriod"]:
        tell(instance, "RDS-EVENT-0001", at)


def detach(instance: DbInstance) -> None:
    """Remove both ends of a replication."""
    link, instance.replication = instance.replication, None
    source = find_instance(link.source_arn) if link else None
    if source:
        source.replicas = [one for one in source.replicas if one != instance.arn]


def removed(instance: DbInstance, _payload: Settings, at: float) -> None:
    """The instance is gone."""
    tell(instance, "RDS-EVENT-0003", at)
    detach(instance)
    secret = instance.settings.get("MasterUserSecret")
    if secret:
        ties.delete_master_secret(instance.account, instance.region, secret["SecretArn"])
    del store_of(instance.account, instance.region).instances[instance.identifier]


EFFECTS: dict[str, Callable[[DbInstance, Settings, float], None]] = {
    effect.__name__: effect
    for effect in (
        created, backed_up, begin_applying, apply_pending, group_attached, changed, password_changed,
        rebooted, stopped, started, start_promotion, finish_promotion, removed, recoverable,
    )
}  # fmt: skip
"""By the name that phases carry, because functions do not pickle by value."""
