# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of the database: instances, storage, backups, and what is sent to another region."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..layers.alarm_rules import CROSS_REGION_REPLICA, PRIMARY, REPLICA
from .lines import BACKUPS, CROSS_REGION, DATABASE, REPLICAS, Line
from .money import usd
from .sheet import Sheet

RDS = "AmazonRDS"
ZONES = {True: "multi-az", False: "single-az"}
WORDS = {True: "Multi-AZ", False: "Single-AZ"}
INSIGHTS = ("AmazonCloudWatch", "database-insights:standard-7-days")


@dataclass(frozen=True)
class Instance:
    """One DB instance.

    Attributes:
        name: what lines call it.
        role: as alarms call it.
    """

    name: str
    role: str
    instance_class: str
    multi_az: bool
    storage_gib: int

    @property
    def price(self) -> tuple[str, str]:
        """Where the price stands. That of Multi-AZ includes the standby."""
        return RDS, f"postgres:{ZONES[self.multi_az]}:{self.instance_class}"

    @property
    def storage_price(self) -> tuple[str, str]:
        return RDS, f"storage:gp3:{ZONES[self.multi_az]}"

    @property
    def single_az_count(self) -> int:
        """How many Single-AZ reservations cover it."""
        return 2 if self.multi_az else 1


def instances(sheet: Sheet) -> list[Instance]:
    """Return the DB instances of an environment."""
    inventory = sheet.inventory
    size, multi_az = inventory.text("rds_instance_class"), bool(inventory.flag("rds_multi_az"))
    storage = inventory.number("rds_storage_gib") or 0
    if inventory.text("platform_database_role") == "replica":
        return [Instance("Replica of the pair's database", CROSS_REGION_REPLICA, size, multi_az, storage)]
    replicas = [
        Instance(f"Replica {one['name']}", REPLICA, one.get("instance_class") or size, False, storage)
        for one in inventory.records("rds_replicas")
    ]
    return [Instance("Primary", PRIMARY, size, multi_az, storage), *replicas]


def lines(sheet: Sheet) -> Iterator[Line]:
    """Yield everything that the database costs."""
    found = instances(sheet)
    for instance in found:
        category = REPLICAS if instance.role == REPLICA else DATABASE
        what = f"{instance.name}, {instance.instance_class} {WORDS[instance.multi_az]}"
        note = "the standby is included" if instance.multi_az else ""
        yield sheet.line(category, what, "instances", instance.price, 1, note=note)
        storage = f"Storage of {instance.name.lower()}, gp3 {WORDS[instance.multi_az]}"
        note = _growth(sheet, instance)
        yield sheet.line(category, storage, "GB", instance.storage_price, instance.storage_gib, note=note)
    if any(instance.instance_class.startswith("db.t") for instance in found):
        yield sheet.used(
            DATABASE, "CPU credits of T instances", "vCPU hours", (RDS, "cpu-credits:t3-unlimited"),
            "database_credit_vcpu_hours", note="surplus credits, when the database is busier than its baseline",
        )  # fmt: skip
    if sheet.inventory.flag("rds_performance_insights"):
        yield sheet.line(DATABASE, "Database Insights, 7 days", "instances", INSIGHTS, len(found))
    yield from _backups(sheet)
    yield from _to_pair(sheet)


def _growth(sheet: Sheet, instance: Instance) -> str:
    """Return what storage may come to cost, since it grows by itself."""
    most, each = sheet.inventory.number("rds_storage_max_gib") or 0, sheet.each(*instance.storage_price)
    more = most - instance.storage_gib
    return f"grows by itself up to {most} GiB, {usd(each * more, sign=True)}" if more > 0 and each else ""


def _backups(sheet: Sheet) -> Iterator[Line]:
    free = "as much as the storage of the region's databases is free"
    price = (RDS, "backup-storage:above-free")
    if sheet.inventory.number("rds_backup_retention_days"):
        yield sheet.used(BACKUPS, "Backups above the free amount", "GB", price, "backup_gib_above_free", note=free)
    replica = sheet.inventory.text("platform_database_role") == "replica"
    if replica and sheet.inventory.number("rds_replica_backup_replication_days"):
        yield sheet.used(
            BACKUPS, "Replicated backups above the free amount", "GB", price, "replicated_backup_gib_above_free",
            note=free,
        )  # fmt: skip


def _to_pair(sheet: Sheet) -> Iterator[Line]:
    """Yield what leaves the region: AWS bills it where it comes from, so it is a line of the primary alone."""
    pair = sheet.inventory.record("platform_pair")
    if not pair or sheet.inventory.text("platform_database_role") != "primary":
        return
    price = ("AWSDataTransfer", f"inter-region:{sheet.region}-to-{pair['region']}")
    note = f"replication and backups to {pair['environment']}; AWS bills the region that sends"
    yield sheet.used(CROSS_REGION, f"To {pair['region']}", "GB", price, "cross_region_gb", note=note)
