# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, storage, windows, backups and replicas of a database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .inventory import Inventory, repeated
from .postgresql_words import RESERVED
from .problems import Problem, nearest
from .windows import BackupWindow, MaintenanceWindow, overlap

#: Limits of CreateDBInstance for PostgreSQL on gp3, after its documentation in the RDS API.
PORTS, STORAGE_GIB, RETENTION_DAYS, USER_LENGTH, NAME_LENGTH = (1150, 65535), (20, 65536), (0, 35), 16, 63
MOST_REPLICAS = 15
IDENTIFIER_LENGTH = 63
#: Four turns of the guard (extensions/write_guard), in seconds.
SHORTEST_LEASE = 12
REPLICA_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
CLASS = re.compile(r"db\.[a-z0-9]+(?:-[a-z0-9]+)*\.[a-z0-9]+(?:[.-][a-z0-9]+)*")
VERSION = re.compile(r"[0-9]{2}\.[0-9]{1,2}")
WORD = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
#: Users and databases that RDS keeps for itself, beside PostgreSQL's reserved words.
RDS_USERS = frozenset({"admin", "rdsadmin", "rds_superuser", "rdsrepladmin", "rds_replication", "rds_password"})
RDS_DATABASES = frozenset({"rdsadmin", "template0", "template1"})


def database_identifier(inventory: Inventory) -> str:
    """Return the identifier of the primary: the environment's name, or that of a database that was taken over."""
    return (inventory.text("rds_identifier") or inventory.prefix).lower()


def version_and_class(inventory: Inventory) -> Iterable[Problem]:
    """Version and classes are of the right form; whether AWS offers them, AWS is asked."""
    text = inventory.text("rds_engine_version")
    if text and not VERSION.fullmatch(text):
        reason = "the minor version is part of what is run, so that both regions run the same"
        yield inventory.problem("rds_engine_version", reason, 'Write major and minor version in quotes, e.g. "17.6".')
    for variable, name in classes(inventory).items():
        if not CLASS.fullmatch(name):
            mend = f"Write db.{name}." if CLASS.fullmatch(f"db.{name}") else "Write it like db.r6g.large."
            yield inventory.problem(variable, "this is no DB instance class", mend, value=name)


def classes(inventory: Inventory) -> dict[str, str]:
    """Return each variable that names an instance class, with the class."""
    named = {"rds_instance_class": inventory.text("rds_instance_class")}
    for index, replica in enumerate(inventory.records("rds_replicas")):
        named[f"rds_replicas[{index}].instance_class"] = str(replica.get("instance_class") or "")
    return {variable: name for variable, name in named.items() if name}


def names(inventory: Inventory) -> Iterable[Problem]:
    """Database and master user have names that RDS takes."""
    for variable, length, kept in (
        ("rds_database_name", NAME_LENGTH, RDS_DATABASES),
        ("rds_master_username", USER_LENGTH, RDS_USERS),
    ):
        text = inventory.text(variable)
        if not text:
            continue
        if len(text) > length or not WORD.fullmatch(text):
            reason = f"RDS takes 1 to {length} letters, digits and underscores, from a letter"
            yield inventory.problem(variable, reason, "Respell it.")
        elif text.lower() in kept:
            yield inventory.problem(variable, "RDS keeps this name for itself", f"Write app_{text.lower()}.")
        elif text.lower().startswith("pg_") or text.lower() in RESERVED:
            reason = "PostgreSQL keeps this word for itself"
            yield inventory.problem(variable, reason, f"Write app_{text.lower().removeprefix('pg_')}.")


def bounds(inventory: Inventory) -> Iterable[Problem]:
    """Port, storage and retention are within RDS's limits."""
    for variable, (low, high), unit in (
        ("rds_port", PORTS, ""),
        ("vpc_database_port", PORTS, ""),
        ("rds_storage_gib", STORAGE_GIB, " GiB"),
        ("rds_storage_max_gib", STORAGE_GIB, " GiB"),
        ("rds_backup_retention_days", RETENTION_DAYS, " days"),
    ):
        value = inventory.number(variable)
        if value is not None and not low <= value <= high:
            reason = f"RDS takes {low} to {high}{unit}"
            yield inventory.problem(variable, reason, f"Write a number from {low} to {high}.")
    ours, opened = inventory.number("rds_port"), inventory.number("vpc_database_port")
    if ours is not None and opened is not None and ours != opened:
        reason = f"the network opens port {opened} (vpc_database_port), so nobody would reach the database"
        yield inventory.problem("rds_port", reason, "Set both to the same number.")


def storage(inventory: Inventory) -> Iterable[Problem]:
    """Storage can grow by a tenth at least."""
    size, most = inventory.number("rds_storage_gib"), inventory.number("rds_storage_max_gib")
    # RDS user guide, "Managing capacity automatically with Amazon RDS storage autoscaling"; in whole tenths.
    if size is None or most is None or most * 10 >= size * 11:
        return
    least = -(-size * 11 // 10)
    reason = f"storage grows by 10 % or more, and rds_storage_gib is {size} already"
    yield inventory.problem("rds_storage_max_gib", reason, f"Write {least} or more.")


def windows(inventory: Inventory) -> Iterable[Problem]:
    """Both windows are of the right form and length, and apart."""
    backup, maintenance = inventory.text("rds_backup_window"), inventory.text("rds_maintenance_window")
    night, week = BackupWindow.parse(backup), MaintenanceWindow.parse(maintenance)
    if backup and night is None:
        mend = 'Write it in UTC like "08:00-08:30", with two digits each.'
        yield inventory.problem("rds_backup_window", "RDS takes hh24:mi-hh24:mi", mend)
    if maintenance and week is None:
        mend = 'Write it in UTC like "sun:09:30-sun:10:30", with mon to sun and two digits each.'
        yield inventory.problem("rds_maintenance_window", "RDS takes ddd:hh24:mi-ddd:hh24:mi", mend)
    for variable, window in (("rds_backup_window", night), ("rds_maintenance_window", week)):
        fault = window.length_fault() if window else ""
        if fault:
            yield inventory.problem(variable, fault, "Move its end.")
    if night and week and overlap(night, week):
        mend = "Move one of them."
        yield inventory.problem("rds_backup_window", f"it overlaps rds_maintenance_window {maintenance}", mend)


def replicas(inventory: Inventory) -> Iterable[Problem]:
    """Replicas have backups to start from, zones of the network, and names of their own."""
    listed = inventory.records("rds_replicas")
    if listed and inventory.number("rds_backup_retention_days") == 0:
        mend = "Write 1 or more, or remove rds_replicas."
        yield inventory.problem("rds_backup_retention_days", "a replica starts from a backup of its source", mend)
    if len(listed) > MOST_REPLICAS:
        reason = f"RDS takes {MOST_REPLICAS} replicas of one source, these are {len(listed)}"
        yield inventory.problem("rds_replicas", reason, "Remove some.")
    for name in repeated(str(replica["name"]) for replica in listed):
        yield inventory.problem("rds_replicas", f"two replicas are called {name}", "Give each its own name.")
    for index, replica in enumerate(listed):
        yield from _replica(
            inventory, f"rds_replicas[{index}]", str(replica["name"]), str(replica["availability_zone"])
        )


def follower(inventory: Inventory) -> Iterable[Problem]:
    """What follows another region's database has backups of its own, since it has to lead one day."""
    if inventory.text("platform_database_role") == "replica" and inventory.number("rds_backup_retention_days") == 0:
        reason = "it may be promoted, and without backups nothing could follow it or bring it back"
        yield inventory.problem("rds_backup_retention_days", reason, "Write 1 or more.")
    days = inventory.number("rds_replica_backup_replication_days")
    if days is not None and not RETENTION_DAYS[0] <= days <= RETENTION_DAYS[1]:
        reason = "RDS keeps replicated backups for 1 to 35 days, and 0 stands for none"
        yield inventory.problem("rds_replica_backup_replication_days", reason, "Write a number from 0 to 35.")


def _replica(inventory: Inventory, path: str, name: str, zone: str) -> Iterable[Problem]:
    zones = inventory.texts("vpc_zones")
    if zones and zone not in zones:
        mend = nearest(zone, zones, f"Choose one of {', '.join(zones)}.")
        yield inventory.problem(f"{path}.availability_zone", "vpc_zones has no such zone", mend, value=zone)
    identifier = f"{database_identifier(inventory)}-replica-{name}"
    if not REPLICA_NAME.fullmatch(name):
        reason = "it becomes part of an RDS identifier: lower case letters, digits and single hyphens"
        yield inventory.problem(f"{path}.name", reason, "Respell it, e.g. a.", value=name)
    elif len(identifier) > IDENTIFIER_LENGTH:
        reason = f"the identifier {identifier} has {len(identifier)} characters, and RDS takes {IDENTIFIER_LENGTH}"
        yield inventory.problem(f"{path}.name", reason, "Shorten the name.", value=name)


def parameters(inventory: Inventory) -> Iterable[Problem]:
    """Parameters are single values, under names as PostgreSQL spells them."""
    for name, value in inventory.record("rds_parameters").items():
        path = f"rds_parameters.{name}"
        if not re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)?", str(name)):
            mend = "Write lower case letters and underscores."
            yield inventory.problem(path, "no PostgreSQL parameter is spelt so", mend, value=value)
        if isinstance(value, (list, dict)) or value is None:
            mend = 'Join a list with commas: "pg_stat_statements,auto_explain".'
            shown_value = "null" if value is None else value
            yield inventory.problem(path, "a parameter has one value", mend, value=shown_value)
        if isinstance(value, bool):
            mend = f'Write "{int(value)}" in quotes.'
            yield inventory.problem(path, "RDS writes switches as 0 and 1", mend, value=value)


def encryption(inventory: Inventory) -> Iterable[Problem]:
    """Connections are encrypted, always."""
    value = inventory.record("rds_parameters").get("rds.force_ssl", "1")
    if str(value).lower() not in ("1", "on", "true"):
        reason = "passwords and data would cross the network in the clear"
        mend = "Remove it, and give clients RDS's certificates."
        yield inventory.problem("rds_parameters.rds.force_ssl", reason, mend, value=value)


def write_lease(inventory: Inventory) -> Iterable[Problem]:
    """A write lease has a job that enforces it, a witness and somebody who takes over, and some patience."""
    seconds = inventory.number("rds_write_lease_seconds")
    if not seconds:
        return
    variable = "rds_write_lease_seconds"
    if seconds < SHORTEST_LEASE:
        reason = "the guard speaks to the database every few seconds, and one lost turn would close it"
        yield inventory.problem(variable, reason, f"Write {SHORTEST_LEASE} or more, or 0 for no lease.")
    if not inventory.record("platform_pair"):
        reason = "nobody can take over from this environment, so there is nothing to guard against"
        yield inventory.problem(variable, reason, "Remove it, or set platform_pair.")
    libraries = str(inventory.record("rds_parameters").get("shared_preload_libraries", "")).split(",")
    if "pg_cron" not in [one.strip() for one in libraries]:
        reason = f"a job of pg_cron enforces the lease ({variable}), and the database does not load it"
        mend = "Write pg_stat_statements,pg_cron."
        yield inventory.problem("rds_parameters.shared_preload_libraries", reason, mend, value=",".join(libraries))
    if inventory.text("rds_database_name") == "postgres":
        reason = "pg_cron's jobs run in it, and the one that opens a closed database cannot run in that"
        yield inventory.problem("rds_database_name", reason, "Give the applications' database another name, e.g. app.")


def log_exports(inventory: Inventory) -> Iterable[Problem]:
    """Logs are named once."""
    for name in repeated(inventory.texts("rds_log_exports")):
        yield inventory.problem("rds_log_exports", f"{name} is there twice", "Name each log once.")


RULES: tuple[Callable[[Inventory], Iterable[Problem]], ...] = (
    version_and_class,
    names,
    bounds,
    storage,
    windows,
    replicas,
    follower,
    parameters,
    encryption,
    write_lease,
    log_exports,
)
