"""What can be had: versions, classes, regions, certificates, option groups, quotas."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from pipeops_sandbox.errors import AwsError

from . import catalog, ties
from .call import Call, filtered, page
from .instances import INSTANCE_QUOTA, STORAGE_QUOTA
from .replication import QUOTA as BACKUP_QUOTA
from .rules import LOG_TYPES, group_name, invalid
from .snapshots import QUOTA as SNAPSHOT_QUOTA
from .store import OptionGroup, RdsStore, arn


def describe_db_engine_versions(call: Call) -> dict[str, Any]:
    """DescribeDBEngineVersions; other engines have none here."""
    wanted, rows = call.text("EngineVersion"), catalog.versions()
    if call.text("Engine", catalog.ENGINE) != catalog.ENGINE:
        rows = []
    if wanted:
        rows = [one for one in rows if wanted in (one, one.split(".")[0])]
    if call.has("DBParameterGroupFamily"):
        rows = [one for one in rows if catalog.family_of(one) == call.text("DBParameterGroupFamily")]
    if call.flag("DefaultOnly"):
        majors = {one.split(".")[0] for one in rows}
        chosen = catalog.resolve_version(wanted) if wanted in majors else catalog.default_version()
        rows = [one for one in rows if one == chosen]
    keys = {
        "engine-version": lambda one: [one],
        "engine": lambda _one: [catalog.ENGINE],
        "status": lambda _one: ["available"],
        "db-parameter-group-family": lambda one: [catalog.family_of(one)],
    }
    return page(call, "DBEngineVersions", filtered(call, rows, keys), _version)


def _version(version: str) -> dict[str, Any]:
    return {
        "Engine": catalog.ENGINE,
        "MajorEngineVersion": version.split(".", maxsplit=1)[0],
        "EngineVersion": version,
        "DBParameterGroupFamily": catalog.family_of(version),
        "DBEngineDescription": "PostgreSQL",
        "DBEngineVersionDescription": f"PostgreSQL {version}",
        "ValidUpgradeTarget": [_target(version, target) for target in catalog.upgrade_targets(version)],
        "ExportableLogTypes": sorted(LOG_TYPES),
        "SupportsLogExportsToCloudwatchLogs": True,
        "SupportsReadReplica": True,
        "SupportsGlobalDatabases": False,
        "SupportsParallelQuery": False,
        "SupportsBabelfish": False,
        "SupportsCertificateRotationWithoutRestart": True,
        "SupportedCACertificateIdentifiers": list(catalog.certificates()),
        "Status": "available",
    }


def _target(version: str, target: str) -> dict[str, Any]:
    return {
        "Engine": catalog.ENGINE,
        "EngineVersion": target,
        "Description": f"PostgreSQL {target}",
        "AutoUpgrade": False,
        "IsMajorVersionUpgrade": target.split(".", maxsplit=1)[0] != version.split(".", maxsplit=1)[0],
    }


def describe_orderable_db_instance_options(call: Call) -> dict[str, Any]:
    """DescribeOrderableDBInstanceOptions: version x class x storage type, as AWS lists them."""
    versions = catalog.versions() if call.text("Engine") == catalog.ENGINE else []
    if call.has("EngineVersion"):
        versions = [one for one in versions if call.text("EngineVersion") in (one, one.split(".")[0])]
    names = [one for one in catalog.classes() if call.text("DBInstanceClass", one) == one]
    zones = [{"Name": zone} for zone in ties.zones(call.account, call.region)]
    rows = [(version, name, kind) for version in versions for name in names for kind in catalog.storage_types()]
    return page(call, "OrderableDBInstanceOptions", rows, lambda row: _option(*row, zones))


def _option(version: str, name: str, kind: str, zones: list[dict[str, str]]) -> dict[str, Any]:
    row = catalog.storage_types()[kind]
    option = {
        "Engine": catalog.ENGINE,
        "EngineVersion": version,
        "DBInstanceClass": name,
        "LicenseModel": catalog.LICENSE,
        "AvailabilityZones": zones,
        "MultiAZCapable": True,
        "ReadReplicaCapable": True,
        "Vpc": True,
        "SupportsStorageEncryption": name != "db.t2.micro",
        "StorageType": kind,
        "SupportsIops": "iops" in row,
        "SupportsStorageThroughput": "throughput" in row,
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": True,
        "SupportsPerformanceInsights": not name.endswith((".micro", ".small")),
        "SupportsStorageAutoscaling": True,
        "MinStorageSize": row["gib"][0],
        "MaxStorageSize": row["gib"][1],
        "SupportedNetworkTypes": ["IPV4"],
        "SupportsClusters": False,
    }
    if "iops" in row:
        option |= {"MinIopsPerDbInstance": row["iops"][0], "MaxIopsPerDbInstance": row["iops"][1]}
    return option


def describe_source_regions(call: Call) -> dict[str, Any]:
    """DescribeSourceRegions: from where replicas and backups can come to this region."""
    supported = catalog.backup_replication_regions()
    rows = [
        {
            "RegionName": region,
            "Endpoint": f"https://rds.{region}.amazonaws.com",
            "Status": "available",
            "SupportsDBInstanceAutomatedBackupsReplication": call.region in supported,
        }
        for region in supported
        if region != call.region and call.text("RegionName", region) == region
    ]
    return page(call, "SourceRegions", rows)


def describe_certificates(call: Call) -> dict[str, Any]:
    """DescribeCertificates."""
    names = list(catalog.certificates())
    if call.has("CertificateIdentifier"):
        wanted = call.text("CertificateIdentifier")
        if wanted not in names:
            raise AwsError("CertificateNotFound", f"Certificate {wanted} not found.")
        names = [wanted]
    answer = page(call, "Certificates", names, lambda name: _certificate(call, name))
    return {**answer, "DefaultCertificateForNewLaunches": next(iter(catalog.certificates()))}


def _certificate(call: Call, name: str) -> dict[str, Any]:
    begins, ends = catalog.certificates()[name]
    return {
        "CertificateIdentifier": name,
        "CertificateType": "CA",
        "Thumbprint": hashlib.sha1(f"{name}/{call.region}".encode(), usedforsecurity=False).hexdigest(),
        "ValidFrom": datetime(begins, 5, 21, tzinfo=UTC),
        "ValidTill": datetime(ends, 5, 21, tzinfo=UTC),
        "CertificateArn": f"arn:aws:rds:{call.region}::cert:{name}",
        "CustomerOverride": False,
    }


def describe_account_attributes(call: Call) -> dict[str, Any]:
    """DescribeAccountAttributes: the quotas that this sandbox holds to, and what is used."""
    store = call.store
    rows = {
        "DBInstances": (len(store.instances), INSTANCE_QUOTA),
        "AllocatedStorage": (sum(one.settings["AllocatedStorage"] for one in store.instances.values()), STORAGE_QUOTA),
        "ManualSnapshots": (sum(one.kind == "manual" for one in store.snapshots.values()), SNAPSHOT_QUOTA),
        "DBInstanceAutomatedBackups": (len(store.backups), BACKUP_QUOTA),
    }
    return {
        "AccountQuotas": [{"AccountQuotaName": name, "Used": used, "Max": most} for name, (used, most) in rows.items()]
    }


def describe_pending_maintenance_actions(call: Call) -> dict[str, Any]:
    """DescribePendingMaintenanceActions: AWS plans nothing here."""
    return page(call, "PendingMaintenanceActions", [])


def _option_group(store: RdsStore, group: OptionGroup) -> dict[str, Any]:
    return {
        "OptionGroupName": group.name,
        "OptionGroupDescription": group.description,
        "EngineName": catalog.ENGINE,
        "MajorEngineVersion": group.major_version,
        "Options": [],
        "AllowsVpcAndNonVpcInstanceMemberships": True,
        "OptionGroupArn": arn(store.region, store.account, "og", group.name),
    }


def create_option_group(call: Call) -> dict[str, Any]:
    """CreateOptionGroup, for PostgreSQL an empty one."""
    name = group_name(call.text("OptionGroupName"), "OptionGroupName")
    major = call.text("MajorEngineVersion")
    if call.text("EngineName") != catalog.ENGINE or major not in catalog.majors():
        raise invalid(f"Invalid engine {call.text('EngineName')} {major} for the option group {name}.")
    if name in call.store.option_groups:
        raise AwsError("OptionGroupAlreadyExistsFault", f"The option group {name} already exists.")
    group = OptionGroup(name, major, call.text("OptionGroupDescription"), call.tags())
    call.store.option_groups[name] = group
    return {"OptionGroup": _option_group(call.store, group)}


def delete_option_group(call: Call) -> dict[str, Any]:
    """DeleteOptionGroup, unless an instance uses it."""
    name = call.text("OptionGroupName")
    if name not in call.store.option_groups:
        raise AwsError("OptionGroupNotFoundFault", f"Specified OptionGroupName: {name} not found.")
    if any(one.option_group == name for one in call.store.instances.values()):
        raise AwsError("InvalidOptionGroupStateFault", f"The option group {name} is in use and cannot be deleted.")
    del call.store.option_groups[name]
    return {}


def describe_option_groups(call: Call) -> dict[str, Any]:
    """DescribeOptionGroups: own ones, and the default one of each major version."""
    defaults = [
        OptionGroup(f"default:{catalog.ENGINE}-{major}", major, f"Default option group for {catalog.ENGINE} {major}")
        for major in catalog.majors()
    ]
    rows = [*defaults, *call.store.option_groups.values()]
    if call.has("OptionGroupName"):
        rows = [one for one in rows if one.name == call.text("OptionGroupName")]
        if not rows:
            raise AwsError(
                "OptionGroupNotFoundFault", f"Specified OptionGroupName: {call.text('OptionGroupName')} not found."
            )
    if call.has("MajorEngineVersion"):
        rows = [one for one in rows if one.major_version == call.text("MajorEngineVersion")]
    return page(call, "OptionGroupsList", rows, lambda one: _option_group(call.store, one))
