"""Automated backups as things of their own: of living instances, retained, and replicated to another region."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.errors import AwsError

from . import catalog, rules, ties
from .backups import remembered
from .call import Call, filtered, page, timestamp
from .phases import duration, require_available
from .render import latest_restorable, resource_id
from .rules import combination, invalid
from .store import AutomatedBackup, DbInstance, arn, find_instance

QUOTA = 20
"""Replicated automated backups that an account has by default."""


def find_backup(call: Call, backup_arn: str) -> AutomatedBackup:
    """Return an automated backup of this region by ARN.

    Raises:
        AwsError: ``DBInstanceAutomatedBackupNotFound``.
    """
    key = backup_arn.rsplit(":", 1)[-1]
    found = call.store.backups.get(key)
    if found is None or arn(call.region, call.account, "auto-backup", key) != backup_arn:
        raise AwsError(
            "DBInstanceAutomatedBackupNotFound", f"Automated backup {backup_arn} not found in {call.region}."
        )
    return found


def _source(call: Call) -> DbInstance | None:
    given = call.text("SourceDBInstanceArn")
    parts = given.split(":")
    if len(parts) != 7 or parts[2] != "rds" or parts[5] != "db":
        raise invalid(f"Invalid SourceDBInstanceArn: {given}; must be arn:aws:rds:REGION:ACCOUNT:db:ID.")
    if parts[3] == call.region:
        raise combination(f"{given} is in {call.region}: call this in the destination region, not in the source's.")
    return find_instance(given) if parts[4] == call.account else None


def start_db_instance_automated_backups_replication(call: Call) -> dict[str, Any]:
    """StartDBInstanceAutomatedBackupsReplication, called in the destination region."""
    source = _source(call)
    if source is None:
        raise AwsError("DBInstanceNotFound", f"DBInstance {call.text('SourceDBInstanceArn')} not found.")
    _check_source(call, source)
    days = rules.retention(call.number("BackupRetentionPeriod", 7))
    if not days:
        raise invalid("BackupRetentionPeriod of replicated backups must be between 1 and 35.")
    key = _key(call, source)
    old = next((one for one in call.store.backups.values() if one.source_arn == source.arn), None)
    if old is not None and old.state != "retained":
        raise AwsError(
            "InvalidDBInstanceAutomatedBackupState",
            f"Automated backups of {source.arn} are replicated to {call.region} already, as {old.identifier}.",
        )
    same = old is not None and old.resource_id == source.resource_id
    if old is not None and same and old.kms_key != key:
        raise combination(f"The backups retained as {old.identifier} are under {old.kms_key}: restart with that key.")
    if sum(one.state != "retained" for one in call.store.backups.values()) >= QUOTA:
        raise AwsError("DBInstanceAutomatedBackupQuotaExceeded", f"The quota of {QUOTA} replicated backups is used.")
    backup = _new_backup(call, source, days, key)
    if old is not None and same:
        backup.identifier, backup.earliest = old.identifier, old.earliest
    call.store.backups[backup.identifier] = backup
    return {"DBInstanceAutomatedBackup": rendered(call, backup)}


def _check_source(call: Call, source: DbInstance) -> None:
    supported = catalog.backup_replication_regions()
    if call.region not in supported or source.region not in supported:
        raise combination(f"Automated backups do not replicate from {source.region} to {call.region}.")
    if not source.settings["BackupRetentionPeriod"]:
        raise AwsError(
            "InvalidDBInstanceState", f"Automated backups are not enabled for this database instance: {source.arn}"
        )
    if source.replication:
        raise AwsError(
            "InvalidDBInstanceState", f"{source.arn} is a read replica, whose automated backups do not replicate."
        )
    require_available(source, "replicating its automated backups")


def _key(call: Call, source: DbInstance) -> str | None:
    if not source.settings["StorageEncrypted"]:
        return None
    if not call.has("KmsKeyId"):
        raise combination(f"The backups of {source.arn} are encrypted: KmsKeyId of {call.region} is needed.")
    return ties.key_arn(call.account, call.region, call.text("KmsKeyId"))


def _new_backup(call: Call, source: DbInstance, days: int, key: str | None) -> AutomatedBackup:
    number = call.store.next_number()
    return AutomatedBackup(
        identifier=resource_id("ab", source.arn, call.region, number).lower(),
        source_arn=source.arn,
        resource_id=source.resource_id,
        instance_id=source.identifier,
        source_region=source.region,
        state="replicating",
        retention=days,
        kms_key=key,
        settings=remembered(source),
        instance_created_at=source.created_at,
        earliest=call.now,
        latest=call.now,
        ready_at=call.now + duration("replication_start"),
        master_password=source.master_password,
        tags=call.tags(),
    )


def stop_db_instance_automated_backups_replication(call: Call) -> dict[str, Any]:
    """StopDBInstanceAutomatedBackupsReplication: what was copied is retained."""
    given = call.text("SourceDBInstanceArn")
    _source(call)
    for backup in call.store.backups.values():
        if backup.source_arn == given and backup.state == "replicating":
            backup.latest = backup.window(call.now)[1] or backup.earliest
            backup.state = "retained"
            return {"DBInstanceAutomatedBackup": rendered(call, backup)}
    raise AwsError("DBInstanceNotFound", f"DBInstance {given} has no automated backups replicated to {call.region}.")


def delete_db_instance_automated_backup(call: Call) -> dict[str, Any]:
    """DeleteDBInstanceAutomatedBackup, for retained ones."""
    if call.has("DBInstanceAutomatedBackupsArn"):
        backup = find_backup(call, call.text("DBInstanceAutomatedBackupsArn"))
    else:
        wanted = call.text("DbiResourceId")
        found = [one for one in call.store.backups.values() if one.resource_id == wanted]
        if not found:
            raise AwsError("DBInstanceAutomatedBackupNotFound", f"No automated backup of {wanted} in {call.region}.")
        backup = found[0]
    if backup.state != "retained":
        raise AwsError(
            "InvalidDBInstanceAutomatedBackupState",
            f"Automated backup {backup.identifier} is {backup.state}: stop its replication before deleting it.",
        )
    view = rendered(call, backup) | {"Status": "deleting"}
    del call.store.backups[backup.identifier]
    return {"DBInstanceAutomatedBackup": view}


def describe_db_instance_automated_backups(call: Call) -> dict[str, Any]:
    """DescribeDBInstanceAutomatedBackups: of living instances, retained and replicated ones."""
    rows = [_of_living(call, one) for one in call.store.instances.values() if one.settings["BackupRetentionPeriod"]]
    rows += [rendered(call, backup) for backup in call.store.backups.values()]
    if call.has("DBInstanceAutomatedBackupsArn"):
        rows = [rendered(call, find_backup(call, call.text("DBInstanceAutomatedBackupsArn")))]
    for parameter in ("DBInstanceIdentifier", "DbiResourceId"):
        if call.has(parameter):
            rows = [row for row in rows if row[parameter] == call.text(parameter)]
            if not rows:
                raise AwsError(
                    "DBInstanceAutomatedBackupNotFound",
                    f"No automated backup of {call.text(parameter)} in {call.region}.",
                )
    keys = {
        "status": lambda row: [row["Status"]],
        "db-instance-id": lambda row: [row["DBInstanceIdentifier"], row["DBInstanceArn"]],
        "dbi-resource-id": lambda row: [row["DbiResourceId"]],
    }
    return page(call, "DBInstanceAutomatedBackups", filtered(call, rows, keys))


def _common(settings: dict[str, Any]) -> dict[str, Any]:
    view = dict(settings)
    view["Encrypted"], view["OptionGroupName"] = view.pop("StorageEncrypted"), view.pop("OptionGroup")
    for name in ("DBName", "MultiAZ", "DBInstanceClass"):
        view.pop(name, None)
    return {**view, "Engine": catalog.ENGINE, "LicenseModel": catalog.LICENSE, "BackupTarget": "region"}


def _of_living(call: Call, instance: DbInstance) -> dict[str, Any]:
    latest = latest_restorable(instance, call.now)
    window = {}
    if latest is not None and instance.recoverable_from is not None:
        window = {"EarliestTime": timestamp(instance.recoverable_from), "LatestTime": timestamp(latest)}
    return {
        **_common(remembered(instance)),
        "DBInstanceArn": instance.arn,
        "DbiResourceId": instance.resource_id,
        "DBInstanceIdentifier": instance.identifier,
        "Region": call.region,
        "Status": "active" if window else "creating",
        "RestoreWindow": window,
        "InstanceCreateTime": timestamp(instance.created_at),
        "TagList": instance.tags,
    }


def rendered(call: Call, backup: AutomatedBackup) -> dict[str, Any]:
    """Return the API's ``DBInstanceAutomatedBackup`` of a retained or replicated one."""
    earliest, latest = backup.window(call.now)
    state = "pending" if backup.state == "replicating" and latest is None else backup.state
    window = {} if latest is None else {"EarliestTime": timestamp(earliest), "LatestTime": timestamp(latest)}
    settings = {**backup.settings, "BackupRetentionPeriod": backup.retention, "KmsKeyId": backup.kms_key}
    return {
        **_common({name: value for name, value in settings.items() if value is not None}),
        "DBInstanceArn": backup.source_arn,
        "DbiResourceId": backup.resource_id,
        "DBInstanceIdentifier": backup.instance_id,
        "DBInstanceAutomatedBackupsArn": arn(call.region, call.account, "auto-backup", backup.identifier),
        "Region": backup.source_region,
        "Status": state,
        "RestoreWindow": window,
        "InstanceCreateTime": timestamp(backup.instance_created_at),
        "TagList": backup.tags,
    }
