"""Creating, describing, rebooting, stopping and starting DB instances."""

from __future__ import annotations

from typing import Any

from pipeops_sandbox.errors import AwsError

from . import catalog, effects, parameters, rules, subnets, ties
from .call import Call, filtered, page
from .dataplane import DEFAULT_PORT, plane
from .journal import tell
from .phases import begin, duration, require_available
from .render import instance_view, resource_id
from .rules import combination, invalid
from .store import DbInstance, Phase, Settings, SubnetGroup
from .windows import check_windows, default_backup_window, default_maintenance_window

INSTANCE_QUOTA, STORAGE_QUOTA = 40, 100_000
"""Instances and GiB that an account has by default in a region."""


def view(instance: DbInstance) -> dict[str, Any]:
    """Return the answer of an operation on one instance."""
    return {"DBInstance": instance_view(instance)}


def new_identifier(call: Call, parameter: str = "DBInstanceIdentifier") -> str:
    """Return a free identifier from the call, while the quota lasts.

    Raises:
        AwsError: malformed, ``DBInstanceAlreadyExists`` or ``InstanceQuotaExceeded``.
    """
    name = rules.identifier(call.text(parameter), parameter)
    if name in call.store.instances:
        raise AwsError("DBInstanceAlreadyExists", f"DB instance already exists: {name} in {call.region}.")
    if len(call.store.instances) >= INSTANCE_QUOTA:
        raise AwsError("InstanceQuotaExceeded", f"The quota of {INSTANCE_QUOTA} DB instances in {call.region} is used.")
    return name


def check_storage_quota(call: Call, gib: int) -> None:
    """Refuse storage beyond the region's quota.

    Raises:
        AwsError: ``StorageQuotaExceeded``.
    """
    used = sum(one.settings["AllocatedStorage"] for one in call.store.instances.values())
    if used + gib > STORAGE_QUOTA:
        raise AwsError("StorageQuotaExceeded", f"{used} GiB used and {gib} wanted; the quota is {STORAGE_QUOTA} GiB.")


def create_db_instance(call: Call) -> dict[str, Any]:
    """CreateDBInstance, for PostgreSQL."""
    name = new_identifier(call)
    if call.text("Engine") != catalog.ENGINE:
        raise invalid(f"Invalid DB engine: {call.text('Engine')}; the sandbox has {catalog.ENGINE} only.")
    if call.has("DBClusterIdentifier") or call.has("DBSecurityGroups"):
        raise combination("DBClusterIdentifier and DBSecurityGroups are not for a PostgreSQL DB instance in a VPC.")
    version = rules.version(call.text("EngineVersion", catalog.default_version()))
    group = subnets.find(call.store, call.text("DBSubnetGroupName"))
    parameter_group = parameters.group_for(call.store, call.text("DBParameterGroupName"), catalog.family_of(version))
    settings = {
        "EngineVersion": version,
        "DBInstanceClass": rules.instance_class(call.text("DBInstanceClass"), version),
        "MasterUsername": rules.master_user(call.text("MasterUsername")),
        "DBName": rules.database_name(call.text("DBName")) if call.has("DBName") else None,
        "Port": rules.port(call.number("Port", DEFAULT_PORT)),
        "BackupRetentionPeriod": rules.retention(call.number("BackupRetentionPeriod", 1)),
        **subnets.place(group, call.text("AvailabilityZone"), call.flag("MultiAZ")),
        **_new_storage(call),
        **encryption(call, call.flag("StorageEncrypted")),
        **windows(call, name),
        **options(call),
    }
    instance = build(call, name, settings, group, parameter_group.name)
    _set_master(call, instance)
    register(call, instance)
    plane.active.created(instance)
    begin(instance, call.now, *_creation(instance, "create_instance"))
    return view(instance)


def _new_storage(call: Call) -> Settings:
    wanted: Settings = {
        "AllocatedStorage": call.number("AllocatedStorage"),
        "StorageType": call.text("StorageType") or ("io1" if call.has("Iops") else "gp3"),
    }
    wanted |= {name: call.params[name] for name in ("Iops", "StorageThroughput") if call.has(name)}
    if call.has("MaxAllocatedStorage"):
        wanted["MaxAllocatedStorage"] = call.number("MaxAllocatedStorage")
    check_storage_quota(call, wanted["AllocatedStorage"])
    found = rules.storage(wanted, set(wanted))
    return {**found, "MaxAllocatedStorage": wanted.get("MaxAllocatedStorage")}


def encryption(call: Call, encrypted: bool) -> Settings:
    """Return the encryption members; without a key it is AWS's own for RDS.

    Raises:
        AwsError: ``KMSKeyNotAccessibleFault``, or a key without encryption.
    """
    if not encrypted:
        if call.has("KmsKeyId"):
            raise combination("KmsKeyId can be specified only for an encrypted DB instance: set StorageEncrypted.")
        return {"StorageEncrypted": False, "KmsKeyId": None}
    if call.has("KmsKeyId"):
        key = ties.key_arn(call.account, call.region, call.text("KmsKeyId"))
    else:
        key = ties.managed_key(call.account, call.region)
    return {"StorageEncrypted": True, "KmsKeyId": key}


def windows(call: Call, seed: str) -> Settings:
    """Return the windows of a new instance, given or RDS's own choice.

    Raises:
        AwsError: ``InvalidParameterValue`` for malformed or overlapping ones.
    """
    backup = call.text("PreferredBackupWindow") or default_backup_window(seed)
    maintenance = call.text("PreferredMaintenanceWindow").lower() or default_maintenance_window(seed)
    check_windows(backup, maintenance)
    return {"PreferredBackupWindow": backup, "PreferredMaintenanceWindow": maintenance}


def options(call: Call) -> Settings:
    """Return the settings that creating, restoring and replicating have in common."""
    interval = rules.monitoring_interval(call.number("MonitoringInterval"))
    authority = rules.certificate(call.text("CACertificateIdentifier", next(iter(catalog.certificates()))))
    return {
        "AutoMinorVersionUpgrade": call.flag("AutoMinorVersionUpgrade", True),
        "CACertificateIdentifier": authority,
        "CopyTagsToSnapshot": call.flag("CopyTagsToSnapshot"),
        "DedicatedLogVolume": call.flag("DedicatedLogVolume"),
        "DeletionProtection": call.flag("DeletionProtection"),
        "IAMDatabaseAuthenticationEnabled": call.flag("EnableIAMDatabaseAuthentication"),
        "EnabledCloudwatchLogsExports": rules.log_exports(call.items("EnableCloudwatchLogsExports")) or None,
        "EngineLifecycleSupport": call.text("EngineLifecycleSupport", "open-source-rds-extended-support"),
        "PubliclyAccessible": call.flag("PubliclyAccessible"),
        "CustomerOwnedIpEnabled": False,
        "BackupTarget": "region",
        "ActivityStreamStatus": "stopped",
        "MultiTenant": False,
        "IsStorageConfigUpgradeAvailable": False,
        **monitoring(call, interval),
        **insights(call),
    }


def monitoring(call: Call, interval: int) -> Settings:
    """Return the members of enhanced monitoring.

    Raises:
        AwsError: interval and role not together, or a role that cannot be assumed (yet).
    """
    role = call.text("MonitoringRoleArn")
    if interval and not role:
        raise combination(
            "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
        )
    if role and not interval:
        raise combination(
            "You must specify a MonitoringInterval value other than 0 if you specify a MonitoringRoleArn."
        )
    if not role:
        return {"MonitoringInterval": 0, "MonitoringRoleArn": None, "EnhancedMonitoringResourceArn": None}
    ties.check_monitoring_role(call.account, role)
    stream = f"arn:aws:logs:{call.region}:{call.account}:log-group:RDSOSMetrics:log-stream:rds"
    return {"MonitoringInterval": interval, "MonitoringRoleArn": role, "EnhancedMonitoringResourceArn": stream}


def insights(call: Call) -> Settings:
    """Return the members of Performance Insights.

    Raises:
        AwsError: its key or its retention while it is off, or either of them invalid.
    """
    days, key = call.params.get("PerformanceInsightsRetentionPeriod"), call.text("PerformanceInsightsKMSKeyId")
    mode = call.text("DatabaseInsightsMode", "standard")
    if not call.flag("EnablePerformanceInsights"):
        if days is not None or key:
            raise combination("Performance Insights options need EnablePerformanceInsights.")
        return {"PerformanceInsightsEnabled": False, "DatabaseInsightsMode": mode}
    found = ties.key_arn(call.account, call.region, key) if key else ties.managed_key(call.account, call.region)
    return {
        "PerformanceInsightsEnabled": True,
        "PerformanceInsightsKMSKeyId": found,
        "PerformanceInsightsRetentionPeriod": rules.insights_retention(int(days or 7)),
        "DatabaseInsightsMode": mode,
    }


def build(call: Call, name: str, settings: Settings, group: SubnetGroup, parameter_group: str) -> DbInstance:
    """Return a new instance in a subnet group, not in the store yet.

    Raises:
        AwsError: for security groups, option group or tags that cannot be.
    """
    groups = [str(one) for one in call.items("VpcSecurityGroupIds")]
    ties.check_security_groups(call.account, call.region, group.vpc_id, groups)
    default_options = f"default:{catalog.ENGINE}-{settings['EngineVersion'].split('.')[0]}"
    option_group = call.text("OptionGroupName") or default_options
    if option_group != default_options and option_group not in call.store.option_groups:
        raise AwsError("OptionGroupNotFoundFault", f"Specified OptionGroupName: {option_group} not found.")
    return DbInstance(
        account=call.account,
        region=call.region,
        identifier=name,
        resource_id=resource_id("db", call.account, call.region, name, call.store.next_number(), call.now),
        created_at=call.now,
        settings=settings,
        parameter_group=parameter_group,
        option_group=option_group,
        subnet_group=group.name,
        security_groups=groups or [ties.default_security_group(call.account, call.region, group.vpc_id)],
        tags=call.tags(),
    )


def _set_master(call: Call, instance: DbInstance) -> None:
    """Set the master password, or let RDS keep one in a secret of its own."""
    if not call.flag("ManageMasterUserPassword"):
        if call.has("MasterUserSecretKmsKeyId"):
            raise combination("MasterUserSecretKmsKeyId needs ManageMasterUserPassword.")
        instance.master_password = rules.password(call.text("MasterUserPassword"))
        return
    if call.has("MasterUserPassword"):
        raise combination("You can't specify MasterUserPassword together with ManageMasterUserPassword.")
    key = call.text("MasterUserSecretKmsKeyId")
    found = ties.key_arn(call.account, call.region, key) if key else None
    user = instance.settings["MasterUsername"]
    arn, instance.master_password = ties.create_master_secret(
        call.account, call.region, instance.resource_id, user, found
    )
    key_id = found or ties.managed_key(call.account, call.region, "secretsmanager")
    instance.settings["MasterUserSecret"] = {"SecretArn": arn, "SecretStatus": "active", "KmsKeyId": key_id}


def register(call: Call, instance: DbInstance) -> None:
    """Put a new instance into the store, running with its group's parameters from the first start."""
    call.store.instances[instance.identifier] = instance
    effects.boot(instance)


def _creation(instance: DbInstance, step: str) -> list[Phase]:
    seconds = duration(step) + (duration("multi_az") if instance.settings["MultiAZ"] else 0)
    return [Phase("creating", seconds, "created"), *first_backup(instance), *first_monitoring(instance)]


def first_backup(instance: DbInstance) -> list[Phase]:
    """Return the backup that a new instance with retention begins with."""
    if not instance.settings["BackupRetentionPeriod"]:
        return []
    return [Phase("backing-up", duration("backup"), "backed_up")]


def first_monitoring(instance: DbInstance) -> list[Phase]:
    """Return the phase in which enhanced monitoring is switched on."""
    if not instance.settings["MonitoringInterval"]:
        return []
    return [Phase("configuring-enhanced-monitoring", duration("configure"), "changed")]


FILTERS = {
    "db-instance-id": lambda one: [one.identifier, one.arn],
    "dbi-resource-id": lambda one: [one.resource_id],
    "engine": lambda _one: [catalog.ENGINE],
    "db-cluster-id": lambda _one: [],
    "domain": lambda _one: [],
}


def describe_db_instances(call: Call) -> dict[str, Any]:
    """DescribeDBInstances."""
    rows = sorted(call.store.instances.values(), key=lambda one: one.identifier)
    if call.has("DBInstanceIdentifier"):
        rows = [call.instance()]
    return page(call, "DBInstances", filtered(call, rows, FILTERS), instance_view)


def reboot_db_instance(call: Call) -> dict[str, Any]:
    """RebootDBInstance; with ForceFailover on the standby's zone."""
    instance = call.instance()
    failover = call.flag("ForceFailover")
    if instance.status != "incompatible-parameters":  # a reboot is the way out of that
        require_available(instance, "rebooting")
    if failover and not instance.settings["MultiAZ"]:
        raise combination(f"Cannot force a failover of {instance.identifier}: it is not a Multi-AZ DB instance.")
    effects.boot(instance)
    tell(instance, "RDS-EVENT-0013" if failover else effects.SHUTDOWN, call.now)
    plane.active.rebooted(instance, failover)
    seconds = duration("failover" if failover else "reboot")
    begin(instance, call.now, Phase("rebooting", seconds, "rebooted", {"failover": failover}))
    return view(instance)


def stop_db_instance(call: Call) -> dict[str, Any]:
    """StopDBInstance: refused for a replica, and for an instance that has any."""
    instance = call.instance()
    require_available(instance, "stopping")
    if instance.replicas or instance.replication:
        role = "has read replicas" if instance.replicas else "is a read replica"
        raise AwsError(
            "InvalidDBInstanceState",
            f"Cannot stop {instance.identifier} in {call.region}: it {role}. Only a DB instance outside replication "
            "can be stopped.",
        )
    if call.has("DBSnapshotIdentifier"):
        raise invalid("The sandbox takes no snapshot while stopping: call CreateDBSnapshot before StopDBInstance.")
    plane.active.stopped(instance)
    begin(instance, call.now, Phase("stopping", duration("stop"), "stopped"))
    return view(instance)


def start_db_instance(call: Call) -> dict[str, Any]:
    """StartDBInstance."""
    instance = call.instance()
    if instance.status != "stopped":
        raise AwsError(
            "InvalidDBInstanceState",
            f"Instance {instance.identifier} is {instance.status}, only a stopped DB instance can be started.",
        )
    effects.start_again(instance, call.now)
    return view(instance)
