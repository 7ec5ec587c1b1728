"""Engine upgrades: who goes along with a new major version, and what RDS keeps of the data around one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from . import backups, catalog
from .journal import tell
from .phases import begin, duration
from .store import DbInstance, Phase, Settings, find_instance, store_of


def is_major(instance: DbInstance, version: str) -> bool:
    """Tell whether a version is of another major than the one in force."""
    return catalog.family_of(version) != instance.family


def goes_along(replica: DbInstance) -> bool:
    """Tell whether a replica is upgraded together with its source: RDS says so of those in its Region only."""
    source = find_instance(replica.replication.source_arn) if replica.replication else None
    return source is not None and source.region == replica.region


def replicas_behind(instance: DbInstance, version: str) -> Iterator[DbInstance]:
    """Yield the replicas of an instance that run an earlier version than this one."""
    order = catalog.versions()
    for replica in map(find_instance, instance.replicas):
        if replica and order.index(replica.engine_version) < order.index(version):
            yield replica


def begin_major(instance: DbInstance, version: str, at: float) -> None:
    """Begin a major upgrade: a snapshot before it, and the replicas of the Region with it."""
    for replica in [one for one in replicas_behind(instance, version) if goes_along(one)]:
        tell(replica, "RDS-EVENT-0398", at)
        replica.pending["EngineVersion"] = version
        payload: Settings = {"EngineVersion": version}
        begin(replica, at, Phase("upgrading", duration("upgrade_major"), "apply_pending", payload))
    if instance.settings["BackupRetentionPeriod"] and instance.replication is None:
        _keep(instance, version, at)


def _keep(instance: DbInstance, version: str, at: float) -> None:
    old, new = (one.replace(".", "-") for one in (instance.engine_version, version))
    name = f"rds:preupgrade-{instance.identifier}-{old}-to-{new}-{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d-%H-%M}"
    store = store_of(instance.account, instance.region)
    store.snapshots[name] = backups.snapshot_of(instance, name, "automated", at, 0)


def adopt_group(instance: DbInstance) -> None:
    """After a major upgrade an instance that nobody gave a group of its family is on RDS's own."""
    group = store_of(instance.account, instance.region).parameter_groups.get(instance.parameter_group)
    family = group.family if group else instance.parameter_group.removeprefix("default.")
    if family != instance.family:
        instance.parameter_group = f"default.{instance.family}"


def finished(instance: DbInstance, at: float, *, major: bool) -> None:
    """An instance runs its new version; after a major one RDS takes a backup."""
    tell(instance, "RDS-EVENT-0268", at)
    if major and instance.settings["BackupRetentionPeriod"] and instance.replication is None:
        tell(instance, "RDS-EVENT-0001", at)
        begin(instance, at, Phase("backing-up", duration("backup"), "backed_up"))
