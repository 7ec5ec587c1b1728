"""What AWS refuses about single values: identifiers, names, passwords, versions, classes, storage."""

from __future__ import annotations

import re
from typing import Any

from pipeops_sandbox.errors import AwsError

from . import catalog

RESERVED_USERS = frozenset({"admin", "postgres_admin", "rdsadmin", "rds_superuser", "rdsrepladmin", "rds_replication"})
"""Names that RDS keeps for itself or PostgreSQL keeps as words."""

MONITORING_INTERVALS = (0, 1, 5, 10, 15, 30, 60)
PI_RETENTIONS = frozenset({7, 731} | {31 * months for months in range(1, 24)})
LOG_TYPES = frozenset({"postgresql", "upgrade", "iam-db-auth-error"})
RETENTION_MAX = 35


def invalid(message: str) -> AwsError:
    """Return ``InvalidParameterValue``."""
    return AwsError("InvalidParameterValue", message)


def combination(message: str) -> AwsError:
    """Return ``InvalidParameterCombination``."""
    return AwsError("InvalidParameterCombination", message)


def identifier(name: str, parameter: str = "DBInstanceIdentifier", longest: int = 63) -> str:
    """Return an identifier as RDS keeps it, in lower case.

    Raises:
        AwsError: unless it is 1 to ``longest`` letters, digits and single hyphens, from a letter, not to a hyphen.
    """
    if len(name) > longest or not re.fullmatch(r"[a-zA-Z](?:-?[a-zA-Z0-9])*", name):
        raise invalid(
            f"The parameter {parameter} is not a valid identifier: {name!r}. Identifiers have at most {longest} "
            "characters, must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not "
            "end with a hyphen or contain two consecutive hyphens."
        )
    return name.lower()


def group_name(name: str, parameter: str) -> str:
    """Return a group's name in lower case.

    Raises:
        AwsError: as for identifiers, or for the reserved prefix ``default``.
    """
    if name.lower() == "default" or name.lower().startswith("default."):
        raise invalid(f"The parameter {parameter} {name!r} is reserved for groups that RDS makes itself.")
    if not 1 <= len(name) <= 255 or not re.fullmatch(r"[a-zA-Z](?:[-._ ]?[a-zA-Z0-9])*", name):
        raise invalid(
            f"The parameter {parameter} is not a valid name: {name!r}. It must begin with a letter, hold only letters, "
            "digits, hyphens and periods, and neither end with a hyphen nor contain two in a row."
        )
    return name.lower()


def master_user(name: str) -> str:
    """Return the master user name.

    Raises:
        AwsError: if it is missing, malformed or reserved.
    """
    if not re.fullmatch(r"[a-zA-Z_]\w{0,62}", name):
        raise invalid(f"The parameter MasterUsername is not a valid identifier: {name!r}: 1 to 63 letters, digits, _.")
    if name.lower() in RESERVED_USERS:
        raise invalid(f"MasterUsername {name} cannot be used as it is a reserved word used by the engine")
    return name


def password(value: str) -> str:
    """Return a master password.

    Raises:
        AwsError: under 8 or over 128 characters, or with one that RDS does not take.
    """
    if not 8 <= len(value) <= 128:
        wrong = "shorter than 8" if len(value) < 8 else "longer than 128"
        raise invalid(f"The parameter MasterUserPassword is not a valid password because it is {wrong} characters.")
    if not re.fullmatch(r"[!-~]+", value) or re.search(r'[/@"]', value):
        raise invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides "
            "'/', '@', '\"', ' ' may be used."
        )
    return value


def database_name(name: str) -> str:
    """Return a database name.

    Raises:
        AwsError: unless it is 1 to 63 letters, digits and underscores, not from a digit.
    """
    if not re.fullmatch(r"[a-zA-Z_]\w{0,62}", name):
        raise invalid(f"DBName {name!r} must begin with a letter and contain only 1 to 63 alphanumeric characters.")
    return name


def version(given: str) -> str:
    """Return the full engine version.

    Raises:
        AwsError: ``InvalidParameterCombination`` if RDS does not offer it.
    """
    found = catalog.resolve_version(given)
    if found is None:
        raise combination(f"Cannot find version {given} for postgres. DescribeDBEngineVersions lists what there is.")
    return found


def instance_class(name: str, engine_version: str) -> str:
    """Return an instance class.

    Raises:
        AwsError: if it is no class, or none that is orderable.
    """
    if not re.fullmatch(r"db\.[a-z0-9]+\.[a-z0-9]+", name):
        raise invalid(f"Invalid DB Instance class: {name}")
    if name not in catalog.classes():
        raise combination(
            f"RDS does not support creating a DB instance with the following combination: DBInstanceClass={name}, "
            f"Engine=postgres, EngineVersion={engine_version}, LicenseModel=postgresql-license. "
            "DescribeOrderableDBInstanceOptions lists the supported combinations."
        )
    return name


def retention(days: int) -> int:
    """Return a backup retention period.

    Raises:
        AwsError: outside 0 to 35 days.
    """
    if not 0 <= days <= RETENTION_MAX:
        raise invalid(f"Invalid backup retention period: {days}. Retention period must be between 0 and 35.")
    return days


def port(number: int) -> int:
    """Return a port.

    Raises:
        AwsError: outside 1150 to 65535.
    """
    if not 1150 <= number <= 65535:
        raise invalid(f"Invalid port {number}: must be between 1150 and 65535.")
    return number


def certificate(name: str) -> str:
    """Return a certificate authority's identifier.

    Raises:
        AwsError: ``CertificateNotFound``.
    """
    if name not in catalog.certificates():
        raise AwsError("CertificateNotFound", f"Certificate {name} not found.")
    return name


def log_exports(types: list[str]) -> list[str]:
    """Return log types to export, sorted.

    Raises:
        AwsError: ``InvalidParameterCombination`` for one that PostgreSQL does not have.
    """
    unknown = sorted(set(types) - LOG_TYPES)
    if unknown:
        raise combination(
            f"You cannot use the log types '{', '.join(unknown)}' with engine version postgres. "
            "For supported log types, see the documentation."
        )
    return sorted(set(types))


def monitoring_interval(seconds: int) -> int:
    """Return the interval of enhanced monitoring.

    Raises:
        AwsError: unless it is 0, 1, 5, 10, 15, 30 or 60 seconds.
    """
    if seconds not in MONITORING_INTERVALS:
        raise invalid(f"Invalid MonitoringInterval {seconds}: must be one of 0, 1, 5, 10, 15, 30, 60.")
    return seconds


def insights_retention(days: int) -> int:
    """Return the retention of Performance Insights.

    Raises:
        AwsError: unless it is 7, 731 or a multiple of 31 up to 713 days.
    """
    if days not in PI_RETENTIONS:
        raise invalid(f"Invalid Performance Insights retention {days}: must be 7, 731 or 31 x n for n from 1 to 23.")
    return days


def storage(wanted: dict[str, Any], given: set[str]) -> dict[str, Any]:
    """Return the storage settings that a combination amounts to.

    Args:
        wanted: AllocatedStorage, StorageType, and Iops, StorageThroughput, MaxAllocatedStorage where set.
        given: which of them the caller named; IOPS of small gp3 storage may be described but not asked for.

    Raises:
        AwsError: ``StorageTypeNotSupported``, ``InvalidParameterValue`` or ``InvalidParameterCombination``.
    """
    kind, gib = wanted["StorageType"], wanted["AllocatedStorage"]
    rows = catalog.storage_types()
    if kind not in rows:
        raise AwsError("StorageTypeNotSupported", f"Invalid storage type: {kind}. Use one of {', '.join(rows)}.")
    low, high = rows[kind]["gib"]
    if not low <= gib <= high:
        raise invalid(f"Invalid storage size for engine name postgres and storage type {kind}: {gib}; {low} to {high}.")
    ceiling = wanted.get("MaxAllocatedStorage")
    if ceiling is not None and not gib * 1.1 <= ceiling <= high:
        raise combination(f"MaxAllocatedStorage {ceiling} must exceed AllocatedStorage {gib} by 10 % or more.")
    result = {"AllocatedStorage": gib, "StorageType": kind, "Iops": None, "StorageThroughput": None}
    if kind == "gp3":
        return result | _gp3(wanted, given)
    if "StorageThroughput" in given:
        raise combination(f"StorageThroughput cannot be specified for storage type {kind}, only for gp3.")
    return result | _provisioned(kind, wanted, given)


def _gp3(wanted: dict[str, Any], given: set[str]) -> dict[str, Any]:
    row = catalog.storage_types()["gp3"]
    gib, least_iops, least_rate = wanted["AllocatedStorage"], row["iops"][0], row["throughput"][0]
    iops, rate = wanted.get("Iops") or 0, wanted.get("StorageThroughput") or 0
    if gib < row["from_gib"]:
        if given & {"Iops", "StorageThroughput"} and (iops, rate) != (3000, 125):
            raise combination(
                "You can't specify IOPS or storage throughput for engine postgres and a storage size less than "
                f"{row['from_gib']}."
            )
        return {"Iops": 3000, "StorageThroughput": 125}
    iops = max(iops, least_iops) if "Iops" not in given else iops
    rate = max(rate, least_rate) if "StorageThroughput" not in given else rate
    for name, value, bounds in (("iops", iops, row["iops"]), ("storage throughput", rate, row["throughput"])):
        if not bounds[0] <= value <= bounds[1]:
            raise combination(f"Invalid {name} value {value} for gp3: must be between {bounds[0]} and {bounds[1]}.")
    if rate * 4 > iops:
        raise combination(f"Storage throughput {rate} exceeds a quarter of the provisioned IOPS {iops}.")
    return {"Iops": iops, "StorageThroughput": rate}


def _provisioned(kind: str, wanted: dict[str, Any], given: set[str]) -> dict[str, Any]:
    row = catalog.storage_types()[kind]
    if "iops" not in row:
        if "Iops" in given:
            raise combination(f"Iops cannot be specified for storage type {kind}.")
        return {}
    iops = wanted.get("Iops")
    if iops is None:
        raise combination(f"You must specify Iops for storage type {kind}.")
    per_gib = iops / wanted["AllocatedStorage"]
    if not row["iops"][0] <= iops <= row["iops"][1]:
        raise invalid(f"Iops {iops} must be between {row['iops'][0]} and {row['iops'][1]} for storage type {kind}.")
    if not row["iops_per_gib"][0] <= per_gib <= row["iops_per_gib"][1]:
        raise combination(f"The IOPS to GiB ratio {per_gib:.2f} is outside {row['iops_per_gib']} for {kind}.")
    return {"Iops": iops}
