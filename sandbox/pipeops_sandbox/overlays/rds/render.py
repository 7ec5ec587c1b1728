"""DB instances as DescribeDBInstances shows them."""

from __future__ import annotations

import hashlib
from typing import Any

from pipeops_sandbox.runtime import runtime

from . import catalog, subnets
from .call import timestamp
from .dataplane import plane
from .store import LOG_INTERVAL, DbInstance, RdsStore, Replication, arn, find_instance, store_of, stores_of

SECRET_SETTINGS = frozenset({"MasterUserPassword"})


def latest_restorable(instance: DbInstance, now: float) -> float | None:
    """Return the model time up to which an instance can be restored, or None without point-in-time restore."""
    if instance.recoverable_from is None or not instance.settings["BackupRetentionPeriod"]:
        return None
    until = now if instance.stopped_at is None else instance.stopped_at
    return max(instance.recoverable_from, until // LOG_INTERVAL * LOG_INTERVAL)


def instance_view(instance: DbInstance) -> dict[str, Any]:
    """Return the API's ``DBInstance``. Members without a value are left out, as on AWS."""
    now = runtime.clock.now()
    store = store_of(instance.account, instance.region)
    settings = {name: value for name, value in instance.settings.items() if value is not None and name != "Port"}
    until = timestamp(instance.created_at + 365 * 24 * 3600)
    return {
        **settings,
        "DBInstanceIdentifier": instance.identifier,
        "DBInstanceArn": instance.arn,
        "DbiResourceId": instance.resource_id,
        "DBInstanceStatus": instance.status,
        "Engine": catalog.ENGINE,
        "LicenseModel": catalog.LICENSE,
        "DbInstancePort": 0,
        "DBSecurityGroups": [],
        "DomainMemberships": [],
        "AssociatedRoles": [],
        "PendingModifiedValues": _pending(instance),
        "TagList": instance.tags,
        **_network(store, instance),
        **_groups(instance),
        **_links(instance),
        **_times(instance, now),
        **_storage(instance, now),
        **_backups(instance),
        "CertificateDetails": {"CAIdentifier": settings["CACertificateIdentifier"], "ValidTill": until},
    }


def _pending(instance: DbInstance) -> dict[str, Any]:
    return {name: "****" if name in SECRET_SETTINGS else value for name, value in instance.pending.items()}


def _network(store: RdsStore, instance: DbInstance) -> dict[str, Any]:
    group = subnets.rendered(store, subnets.find(store, instance.subnet_group))
    del group["DBSubnetGroupArn"], group["SupportedNetworkTypes"]
    found: dict[str, Any] = {
        "DBSubnetGroup": group,
        "NetworkType": "IPV4",
        "VpcSecurityGroups": [
            {"VpcSecurityGroupId": group_id, "Status": "active"} for group_id in instance.security_groups
        ],
    }
    if instance.reachable:
        endpoint = plane.active.endpoint(instance)
        found["Endpoint"] = {
            "Address": endpoint.address,
            "Port": endpoint.port,
            "HostedZoneId": endpoint.hosted_zone_id,
        }
    return found


def _groups(instance: DbInstance) -> dict[str, Any]:
    return {
        "DBParameterGroups": [
            {"DBParameterGroupName": instance.parameter_group, "ParameterApplyStatus": instance.parameter_status}
        ],
        "OptionGroupMemberships": [{"OptionGroupName": instance.option_group, "Status": "in-sync"}],
    }


def _links(instance: DbInstance) -> dict[str, Any]:
    """Return both ends of replication: identifiers within a region, ARNs across regions."""
    found: dict[str, Any] = {
        "ReadReplicaDBInstanceIdentifiers": [_name_for(instance.region, one) for one in instance.replicas],
        "ReadReplicaDBClusterIdentifiers": [],
    }
    if instance.replication:
        found["ReadReplicaSourceDBInstanceIdentifier"] = _name_for(instance.region, instance.replication.source_arn)
        if instance.reachable:
            found["StatusInfos"] = [_status_info(instance, instance.replication)]
    return found


def _name_for(region: str, instance_arn: str) -> str:
    other, identifier = instance_arn.split(":")[3], instance_arn.split(":")[6]
    return identifier if other == region else instance_arn


def _status_info(instance: DbInstance, link: Replication) -> dict[str, Any]:
    seen = plane.active.replication(instance) if link.status == "replicating" else None
    status, message = (seen.status, seen.message) if seen else (link.status, link.message)
    info: dict[str, Any] = {"StatusType": "read replication", "Normal": status == "replicating", "Status": status}
    return {**info, "Message": message} if message else info


def _times(instance: DbInstance, now: float) -> dict[str, Any]:
    """Return the times; an instance still being made has no creation time yet."""
    found: dict[str, Any] = {}
    if instance.reachable:
        found["InstanceCreateTime"] = timestamp(instance.created_at)
    latest = latest_restorable(instance, now)
    if latest is not None:
        found["LatestRestorableTime"] = timestamp(latest)
    if instance.stopped_at is not None:
        found["AutomaticRestartTime"] = timestamp(instance.stopped_at + 7 * 24 * 3600)
    return found


def _storage(instance: DbInstance, now: float) -> dict[str, Any]:
    """Return how far loading from the snapshot is; meanwhile the storage is slower than provisioned."""
    if now >= instance.initialising_until or not instance.reachable:
        return {}
    total = runtime.clock.duration("rds:storage_initialisation") or 1.0
    left = (instance.initialising_until - now) / total
    return {"StorageOperationStatus": "Initializing", "StorageOperationPercentProgress": max(0, int(100 - 100 * left))}


def _backups(instance: DbInstance) -> dict[str, Any]:
    """Return the ARNs of this instance's automated backups in other regions."""
    copies = [
        {"DBInstanceAutomatedBackupsArn": arn(store.region, store.account, "auto-backup", key)}
        for store in stores_of(instance.account)
        for key, backup in store.backups.items()
        if backup.state != "retained" and backup.source_arn == instance.arn
    ]
    return {"DBInstanceAutomatedBackupsReplications": copies} if copies else {}


def resource_id(kind: str, *seed: object) -> str:
    """Return an id of RDS's form, e.g. ``db-`` and 26 characters, unique by its seed."""
    digest = hashlib.sha256("/".join(map(str, seed)).encode()).hexdigest().upper()
    return f"{kind}-{digest[:26]}"


def source_of(instance: DbInstance) -> DbInstance | None:
    """Return the instance that a replica follows, if that still exists."""
    return find_instance(instance.replication.source_arn) if instance.replication else None
