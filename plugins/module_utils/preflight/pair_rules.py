# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments that are deployed in the same run, against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .inventory import Inventory
from .problems import Problem

#: Parameters that a standby must not have lower than its primary (PostgreSQL manual, "Hot Standby", administrator's
#: overview). RDS raises them for a replica that cannot start otherwise, and drops that again with its parameter group.
REPLAYED = (
    "max_connections",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "max_wal_senders",
    "max_worker_processes",
)


def same_names(inventory: Inventory, other: Inventory) -> Iterable[Problem]:
    """In one account, names derive from the environment, so no two may share one; IAM and S3 know no region."""
    names = ("platform_name", "platform_environment", "platform_account_id")
    if all(inventory.has(name) and inventory.text(name) == other.text(name) for name in names):
        reason = f"host {other.host} has the same in this account, so both would be one"
        yield inventory.problem("platform_environment", reason, "Give each environment its own name.")


def pair_agrees(inventory: Inventory, other: Inventory) -> Iterable[Problem]:
    """What one side of a pair says of the other is so."""
    pair = inventory.record("platform_pair")
    if pair.get("environment") != other.environment:
        return
    if other.has("platform_region") and pair["region"] != other.text("platform_region"):
        mend = f"Write {other.text('platform_region')}."
        reason = f"{other.host} has platform_region {other.text('platform_region')}"
        yield inventory.problem("platform_pair.region", reason, mend, value=pair["region"])
    back = other.record("platform_pair")
    if back and back.get("environment") != inventory.environment:
        reason = f"{other.host} is the pair of {back.get('environment')}"
        yield inventory.problem("platform_pair", reason, "Let both name each other.")
    if other.has("platform_account_id") and inventory.text("platform_account_id") != other.text("platform_account_id"):
        reason = f"{other.host} is in account {other.text('platform_account_id')}, and RDS replicates within one only"
        yield inventory.problem("platform_account_id", reason, "Put both sides of a pair into one account.")


def pair_ranges(inventory: Inventory, other: Inventory) -> Iterable[Problem]:
    """The networks of a pair can be peered."""
    own, theirs = inventory.network("vpc_cidr"), other.network("vpc_cidr")
    if _are_paired(inventory, other) and own and theirs and own.overlaps(theirs):
        reason = f"it overlaps {theirs} of its pair {other.host}, and such networks cannot be peered"
        yield inventory.problem("vpc_cidr", reason, "Choose a range outside of it.")


def pair_roles(inventory: Inventory, other: Inventory) -> Iterable[Problem]:
    """One side of a pair is written to, the other follows."""
    role = inventory.text("platform_database_role")
    if _are_paired(inventory, other) and role and role == other.text("platform_database_role"):
        opposite = "replica" if role == "primary" else "primary"
        why = "two would be written to" if role == "primary" else "there would be nothing to follow"
        reason = f"its pair {other.host} is {role} too, and {why}"
        yield inventory.problem("platform_database_role", reason, f"Write {opposite} for one of them.")


def pair_names(inventory: Inventory, other: Inventory) -> Iterable[Problem]:
    """Clients find the database by the same names on both sides."""
    own, theirs = inventory.service, other.service
    if _are_paired(inventory, other) and own != theirs:
        reason = f"clients of its pair {other.host} find the database under the names of {theirs}, not of {own}"
        yield inventory.problem("platform_service_environment", reason, "Write the same environment on both sides.")


def pair_databases(inventory: Inventory, other: Inventory) -> Iterable[Problem]:
    """A replica runs what its source runs, and starts from the source's backups."""
    if not _are_paired(inventory, other) or inventory.text("platform_database_role") != "primary":
        return
    own, theirs = inventory.text("rds_engine_version"), other.text("rds_engine_version")
    if own and theirs and own != theirs:
        reason = f"its pair {other.host} has {theirs}, and a replica runs the version of its source"
        yield inventory.problem("rds_engine_version", reason, "Write the same version on both sides.")
    if inventory.number("rds_backup_retention_days") == 0:
        reason = f"{other.host} follows this database, and a replica starts from a backup of its source"
        yield inventory.problem("rds_backup_retention_days", reason, "Write 1 or more.")


def pair_capacity(inventory: Inventory, other: Inventory) -> Iterable[Problem]:
    """A replica has room for all that its source writes, and for as many of everything that the source logs."""
    if not _are_paired(inventory, other) or inventory.text("platform_database_role") != "replica":
        return
    own, theirs = inventory.number("rds_storage_max_gib"), other.number("rds_storage_max_gib")
    if own is not None and theirs is not None and own < theirs:
        reason = f"{other.host} may grow to {theirs} GiB, and a replica that is full stops to follow"
        yield inventory.problem("rds_storage_max_gib", reason, f"Write {theirs} or more.")
    for name in REPLAYED:
        wanted, given = (_whole(one.record("rds_parameters").get(name)) for one in (other, inventory))
        if wanted is not None and (given is None or given < wanted):
            reason = f"{other.host} has {wanted}, and PostgreSQL ends the recovery of a standby that has fewer"
            mend = f'Write {name}: "{wanted}" or more under rds_parameters.'
            yield inventory.problem(f"rds_parameters.{name}", reason, mend, value=given)


def pair_lease(inventory: Inventory, other: Inventory) -> Iterable[Problem]:
    """Both sides ask the same witness, and whoever leads is held to the same lease."""
    if not _are_paired(inventory, other):
        return
    for variable in ("rds_write_lease_seconds", "platform_witness_region"):
        theirs = other.text(variable)
        if inventory.text(variable) != theirs:
            reason = f"its pair {other.host} has {theirs or 'none'}, and the lease of a database moves with it"
            yield inventory.problem(variable, reason, f"Write {theirs or 'none'} on both sides.")


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None


def _are_paired(one: Inventory, other: Inventory) -> bool:
    pairs = (one.record("platform_pair").get("environment"), other.record("platform_pair").get("environment"))
    return pairs[0] == other.environment or pairs[1] == one.environment


RULES: tuple[Callable[[Inventory, Inventory], Iterable[Problem]], ...] = (
    same_names,
    pair_agrees,
    pair_ranges,
    pair_roles,
    pair_names,
    pair_databases,
    pair_capacity,
    pair_lease,
)
