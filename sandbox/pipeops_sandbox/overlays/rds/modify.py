"""ModifyDBInstance: what applies at once, what waits for the window or ApplyImmediately, what is refused."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.errors import AwsError

from . import backups, catalog, parameters, rules, subnets, ties, upgrades
from .call import Call
from .instances import insights, monitoring, view
from .phases import begin, duration, require_available
from .rules import combination, invalid
from .store import DbInstance, ParameterGroup, Phase, Settings, stores_of
from .windows import check_windows

PLAIN_FLAGS = ("DeletionProtection", "CopyTagsToSnapshot", "AutoMinorVersionUpgrade", "PubliclyAccessible")
"""Settings that hold at once, whatever ApplyImmediately says, and show no status."""

STORAGE = ("AllocatedStorage", "StorageType", "Iops", "StorageThroughput")

UNSUPPORTED = (
    "DBSecurityGroups", "Domain", "TdeCredentialArn", "ProcessorFeatures", "ReplicaMode", "NetworkType", "Engine",
    "RotateMasterUserPassword", "AwsBackupRecoveryPointArn", "MultiTenant", "AutomationMode", "LicenseModel",
)  # fmt: skip
"""Parameters of other engines, or of features that the sandbox does not have."""


def modify_db_instance(call: Call) -> dict[str, Any]:
    """ModifyDBInstance. Everything is checked before anything changes."""
    instance = call.instance()
    for name in UNSUPPORTED:
        if call.has(name):
            raise invalid(f"The sandbox does not modify {name} of a PostgreSQL DB instance.")
    if call.has("MasterUserPassword") and instance.replication:
        raise combination(
            "Cannot change master user password on an RDS postgres Read Replica because it uses physical replication"
        )
    require_available(instance, "modifying")
    now_values, phases = _at_once(call, instance)
    later = _differing(instance, _deferrable(call, instance))
    group = _parameter_group(call, instance, later)
    _commit(call, instance, now_values, later)
    if group is not None:
        parameters.attach(instance, group, call.now)
    begin_phases(call, instance, phases, later)
    if call.has("MasterUserPassword"):
        # Shown, as asterisks, until it holds.
        instance.pending["MasterUserPassword"] = call.text("MasterUserPassword")
    return view(instance)


def begin_phases(call: Call, instance: DbInstance, phases: list[Phase], later: Settings) -> None:
    """Start what takes time: what holds at once first, then what ApplyImmediately asked for.

    The status stays as it is for a moment, so that a waiter that polls at once sees ``available``.
    """
    if phases:
        begin(instance, call.now, *phases)
    if call.flag("ApplyImmediately") and instance.pending and (later or not phases):
        begin(instance, call.now, Phase(instance.status, duration("modify_lag"), "begin_applying"))


def _commit(call: Call, instance: DbInstance, now_values: Settings, later: Settings) -> None:
    """Put in force what holds at once, and note what waits."""
    instance.security_groups = now_values.pop("VpcSecurityGroupIds", instance.security_groups)
    was_off = not instance.settings["BackupRetentionPeriod"]
    instance.settings.update(now_values)
    if "BackupRetentionPeriod" in now_values:
        backups.retention_changed(instance, was_off)
    if later and not instance.pending:
        instance.pending_since = call.now
    instance.pending.update(later)


def _at_once(call: Call, instance: DbInstance) -> tuple[Settings, list[Phase]]:
    """Return the settings that do not wait, and the phases that they cause."""
    values: Settings = {name: call.flag(name) for name in PLAIN_FLAGS if call.has(name)}
    phases: list[Phase] = []
    values |= _windows(call, instance)
    _take_monitoring(call, instance, values, phases)
    _take_exports(call, instance, values, phases)
    _take_security_groups(call, instance, values, phases)
    if call.has("MaxAllocatedStorage"):
        values["MaxAllocatedStorage"] = call.number("MaxAllocatedStorage")
    if call.has("MasterUserPassword"):
        payload = {"MasterUserPassword": rules.password(call.text("MasterUserPassword"))}
        if instance.settings.get("MasterUserSecret"):
            raise combination("You can't specify MasterUserPassword for an instance with ManageMasterUserPassword.")
        seconds = duration("reset_password")
        phases.append(Phase("resetting-master-credentials", seconds, "password_changed", payload))
    _take_managed_password(call, instance, values)
    days = call.params.get("BackupRetentionPeriod")
    if days is not None and rules.retention(int(days)) and instance.settings["BackupRetentionPeriod"]:
        values["BackupRetentionPeriod"] = int(days)
    return values, phases


def _windows(call: Call, instance: DbInstance) -> Settings:
    wanted = {
        name: call.text(name) for name in ("PreferredBackupWindow", "PreferredMaintenanceWindow") if call.has(name)
    }
    if wanted:
        wanted = {name: value.lower() for name, value in wanted.items()}
        both = instance.settings | wanted
        check_windows(both["PreferredBackupWindow"], both["PreferredMaintenanceWindow"])
    return wanted


def _take_monitoring(call: Call, instance: DbInstance, values: Settings, phases: list[Phase]) -> None:
    settings = instance.settings
    if call.has("MonitoringInterval") or call.has("MonitoringRoleArn"):
        interval = rules.monitoring_interval(call.number("MonitoringInterval", settings["MonitoringInterval"]))
        params = dict(call.params)
        if interval and not call.has("MonitoringRoleArn"):
            params["MonitoringRoleArn"] = settings.get("MonitoringRoleArn")
        found = monitoring(Call(call.account, call.region, params, call.now), interval)
        if found["MonitoringInterval"] != settings["MonitoringInterval"]:
            phases.append(Phase("configuring-enhanced-monitoring", duration("configure"), "changed"))
        values |= found
    if any(name.startswith(("PerformanceInsights", "EnablePerformance", "DatabaseInsights")) for name in call.params):
        params = {"EnablePerformanceInsights": settings["PerformanceInsightsEnabled"], **call.params}
        if settings.get("PerformanceInsightsKMSKeyId") and call.has("PerformanceInsightsKMSKeyId"):
            key = ties.key_arn(call.account, call.region, call.text("PerformanceInsightsKMSKeyId"))
            if key != settings["PerformanceInsightsKMSKeyId"]:
                raise combination("You can't change the AWS KMS key of Performance Insights once it has been enabled.")
        values |= insights(Call(call.account, call.region, params, call.now))


def _take_exports(call: Call, instance: DbInstance, values: Settings, phases: list[Phase]) -> None:
    wanted = call.params.get("CloudwatchLogsExportConfiguration")
    if not wanted:
        return
    on = set(rules.log_exports(list(wanted.get("EnableLogTypes") or [])))
    off = set(rules.log_exports(list(wanted.get("DisableLogTypes") or [])))
    if on & off:
        raise combination(f"Log types both enabled and disabled: {', '.join(sorted(on & off))}.")
    before = set(instance.settings.get("EnabledCloudwatchLogsExports") or [])
    after = (before | on) - off
    if after != before:
        values["EnabledCloudwatchLogsExports"] = sorted(after) or None
        phases.append(Phase("configuring-log-exports", duration("configure"), "changed"))


def _take_security_groups(call: Call, instance: DbInstance, values: Settings, phases: list[Phase]) -> None:
    wanted = [str(one) for one in call.items("VpcSecurityGroupIds")]
    if not wanted:
        return
    group = subnets.find(call.store, instance.subnet_group)
    ties.check_security_groups(call.account, call.region, group.vpc_id, wanted)
    if sorted(wanted) != sorted(instance.security_groups):
        values["VpcSecurityGroupIds"] = wanted
        phases.append(Phase("modifying", duration("configure"), "changed"))


def _take_managed_password(call: Call, instance: DbInstance, values: Settings) -> None:
    """Hand the master password to RDS, which a PostgreSQL replica set forbids."""
    if not call.has("ManageMasterUserPassword"):
        return
    if not call.flag("ManageMasterUserPassword"):
        if instance.settings.get("MasterUserSecret") and not call.has("MasterUserPassword"):
            raise combination("Switching ManageMasterUserPassword off needs a MasterUserPassword.")
        values["MasterUserSecret"] = None
        return
    if instance.replicas or instance.replication:
        raise invalid(
            f"ManageMasterUserPassword is not supported for {instance.identifier}: it takes part in read replication."
        )
    raise invalid("The sandbox switches ManageMasterUserPassword on at creation only.")


def _deferrable(call: Call, instance: DbInstance) -> Settings:
    """Return the checked values that follow ApplyImmediately."""
    values: Settings = {}
    version = _version(call, instance)
    if version:
        values["EngineVersion"] = version
    if call.has("DBInstanceClass"):
        values["DBInstanceClass"] = rules.instance_class(call.text("DBInstanceClass"), instance.engine_version)
    if call.has("MultiAZ"):
        values["MultiAZ"] = call.flag("MultiAZ")
    if call.has("DBPortNumber"):
        values["Port"] = rules.port(call.number("DBPortNumber"))
    if call.has("CACertificateIdentifier"):
        values["CACertificateIdentifier"] = rules.certificate(call.text("CACertificateIdentifier"))
    if call.has("EnableIAMDatabaseAuthentication"):
        values["IAMDatabaseAuthenticationEnabled"] = call.flag("EnableIAMDatabaseAuthentication")
    if call.has("DedicatedLogVolume"):
        values["DedicatedLogVolume"] = call.flag("DedicatedLogVolume")
    if call.has("OptionGroupName") and call.text("OptionGroupName") != instance.option_group:
        raise AwsError(
            "OptionGroupNotFoundFault", f"Specified OptionGroupName: {call.text('OptionGroupName')} not found."
        )
    return values | _storage(call, instance) | _retention(call, instance) | _identity(call, instance)


def _retention(call: Call, instance: DbInstance) -> Settings:
    """Return retention if it is switched on or off, which waits; other changes hold at once."""
    if not call.has("BackupRetentionPeriod"):
        return {}
    days = rules.retention(call.number("BackupRetentionPeriod"))
    if not days and instance.replicas:
        raise combination(
            f"Automated backups of {instance.identifier} cannot be disabled: it is the source of read replicas."
        )
    if not days and _backup_copies(instance):
        raise combination(
            f"Automated backups of {instance.identifier} are replicated to another region: stop that first."
        )
    return {} if bool(days) == bool(instance.settings["BackupRetentionPeriod"]) else {"BackupRetentionPeriod": days}


def _backup_copies(instance: DbInstance) -> bool:
    rows = [backup for store in stores_of(instance.account) for backup in store.backups.values()]
    return any(row.source_arn == instance.arn and row.state != "retained" for row in rows)


def _identity(call: Call, instance: DbInstance) -> Settings:
    values: Settings = {}
    if call.has("NewDBInstanceIdentifier"):
        name = rules.identifier(call.text("NewDBInstanceIdentifier"), "NewDBInstanceIdentifier")
        if name != instance.identifier and name in call.store.instances:
            raise AwsError("DBInstanceAlreadyExists", f"DB instance already exists: {name} in {call.region}.")
        values["DBInstanceIdentifier"] = name
    if call.has("DBSubnetGroupName"):
        group = subnets.find(call.store, call.text("DBSubnetGroupName"))
        if group.vpc_id != subnets.find(call.store, instance.subnet_group).vpc_id and instance.settings["MultiAZ"]:
            raise combination(f"{instance.identifier} is Multi-AZ and cannot move to {group.vpc_id}.")
        if group.name == instance.subnet_group:
            raise invalid(f"The DB instance {instance.identifier} is already in the subnet group {group.name}.")
        values["DBSubnetGroupName"] = group.name
    return values


def _version(call: Call, instance: DbInstance) -> str:
    """Return the version to upgrade to, or nothing."""
    if not call.has("EngineVersion"):
        return ""
    wanted = rules.version(call.text("EngineVersion"))
    if wanted == instance.engine_version:
        return ""
    if wanted not in catalog.upgrade_targets(instance.engine_version):
        raise combination(f"Cannot upgrade postgres from {instance.engine_version} to {wanted}")
    major = catalog.family_of(wanted) != instance.family
    if major:
        _check_major(call, instance, wanted)
    behind = [one for one in upgrades.replicas_behind(instance, wanted) if not (major and upgrades.goes_along(one))]
    if behind:
        names = ", ".join(one.arn if one.region != instance.region else one.identifier for one in behind)
        raise AwsError(
            "DBUpgradeDependencyFailure", f"One or more of the DB Instance's read replicas need to be upgraded: {names}"
        )
    return wanted


def _check_major(call: Call, instance: DbInstance, wanted: str) -> None:
    if instance.replication:
        raise invalid("Major Version Upgrade not supported for Postgres Read Replica DB Instances")
    if not call.flag("AllowMajorVersionUpgrade"):
        raise combination("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.")
    if not instance.parameter_group.startswith("default.") and not call.has("DBParameterGroupName"):
        raise combination(
            f"{instance.identifier} uses {instance.parameter_group}: name a DBParameterGroupName of family "
            f"{catalog.family_of(wanted)} for the upgrade."
        )


def _storage(call: Call, instance: DbInstance) -> Settings:
    given = {name for name in STORAGE if call.has(name)}
    if not given:
        return {}
    settings = instance.settings
    wanted = {name: settings.get(name) for name in (*STORAGE, "MaxAllocatedStorage") if settings.get(name) is not None}
    wanted |= {name: call.params[name] for name in given}
    if wanted["StorageType"] != settings["StorageType"]:
        wanted = {key: value for key, value in wanted.items() if key in given | {"AllocatedStorage", "StorageType"}}
    old, new = settings["AllocatedStorage"], wanted["AllocatedStorage"]
    if new < old:
        raise invalid(f"Invalid storage size: {new} GiB is below the present {old} GiB, storage never shrinks.")
    if old < new < old * 1.1:
        raise combination(f"New allocated storage {new} GiB must exceed the present {old} GiB by at least 10 %.")
    found = rules.storage(wanted, given)
    if any(settings.get(name) != value for name, value in found.items()):
        _check_cool_off(call, instance)
    return found


def _check_cool_off(call: Call, instance: DbInstance) -> None:
    since = instance.storage_changed_at
    cool = duration("storage_cool_off")
    if instance.status == "storage-optimization" or (since is not None and call.now < since + cool):
        raise combination(
            f"You can't currently modify the storage of {instance.identifier} because the previous storage change is "
            "being processed or was less than 6 hours ago."
        )


def _differing(instance: DbInstance, values: Settings) -> Settings:
    """Return the values that are news, and take back what is pending where they ask for what is."""
    now = instance.settings | {"DBInstanceIdentifier": instance.identifier}
    for name in [name for name, value in values.items() if value == now.get(name)]:
        instance.pending.pop(name, None)
        del values[name]
    return values


def _parameter_group(call: Call, instance: DbInstance, later: Settings) -> ParameterGroup | None:
    """Return the parameter group to attach, or None if it is the one that is."""
    if not call.has("DBParameterGroupName"):
        return None
    family = catalog.family_of(later.get("EngineVersion", instance.engine_version))
    group = parameters.group_for(call.store, call.text("DBParameterGroupName"), family)
    return None if group.name == instance.parameter_group else group
