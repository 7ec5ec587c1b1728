# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other machines than those of an environment would cost: smaller ones, arm64, spot, one zone instead of two."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .cluster import EC2, nodes, on_demand
from .database import RDS, WORDS, ZONES, Instance, instances
from .money import cents
from .saving import Saving
from .sheet import Sheet, monthly

#: The arm64 family beside a family, and the one size below another.
ARM = {"t3": "t4g", "t3a": "t4g", "m5": "m7g", "m6i": "m7g", "m6a": "m7g", "m7i": "m7g"}
DATABASE_ARM = {"db.t3": "db.t4g", "db.m5": "db.m6g", "db.m6i": "db.m6g", "db.r5": "db.r6g", "db.r6i": "db.r6g"}
SMALLER = {"2xlarge": "xlarge", "xlarge": "large", "large": "medium"}


def single_az(sheet: Sheet, instance: Instance, lever: str, title: str, assumption: str) -> Iterator[Saving]:
    """Yield what the standby of one instance and its storage cost."""
    if not instance.multi_az:
        return
    prices = [(f"postgres:{{}}:{instance.instance_class}", 1), ("storage:gp3:{}", instance.storage_gib)]
    saved = Decimal(0)
    for item, count in prices:
        two, one = (sheet.each(RDS, item.format(ZONES[multi_az])) for multi_az in (True, False))
        if two is None or one is None:
            return
        saved += (two - one) * count
    yield Saving(lever, title, cents(saved), f"{WORDS[False]}: {assumption}")


def rightsize(sheet: Sheet) -> Iterator[Saving]:
    """Yield smaller sizes of an environment that no other one has to take over from."""
    if sheet.inventory.record("platform_pair"):
        return
    for instance in instances(sheet):
        yield from single_az(
            sheet, instance, "database_single_az", "Database in one zone", "the environment may be down when a zone is"
        )
    for one, counts in nodes(sheet).items():
        family, _dot, size = one.partition(".")
        yield from _other_type(
            sheet,
            one,
            counts.minimum,
            f"{family}.{SMALLER.get(size)}",
            "nodes_smaller",
            "half the memory is enough, by measurement",
        )


def arm64(sheet: Sheet) -> Iterator[Saving]:
    """Yield arm64 machines in the place of x86 ones."""
    for one, counts in nodes(sheet).items():
        family, _dot, size = one.partition(".")
        yield from _other_type(
            sheet, one, counts.minimum, f"{ARM.get(family)}.{size}", "nodes_arm64", "all images are there for arm64"
        )
    for instance in instances(sheet):
        family, _dot, size = instance.instance_class.rpartition(".")
        zones = f"postgres:{ZONES[instance.multi_az]}:"
        now, then = sheet.each(*instance.price), sheet.each(RDS, f"{zones}{DATABASE_ARM.get(family)}.{size}")
        if now is not None and then is not None and then < now:
            yield Saving(
                "database_arm64",
                f"{DATABASE_ARM[family]}.{size} instead of {instance.instance_class}",
                cents(now - then),
                "the class is changed in a maintenance window",
            )


def _other_type(sheet: Sheet, one: str, count: Decimal, other: str, lever: str, assumption: str) -> Iterator[Saving]:
    now, then = sheet.each(EC2, on_demand(one)), sheet.each(EC2, on_demand(other))
    if count and now is not None and then is not None and then < now:
        yield Saving(lever, f"{other} instead of {one}", cents((now - then) * count), assumption)


def spot(sheet: Sheet) -> Iterator[Saving]:
    """Yield spot nodes where interruptions are bearable: in an environment that no other one takes over from."""
    if sheet.inventory.record("platform_pair"):
        return
    for one, counts in nodes(sheet).items():
        if not counts.minimum:
            continue
        begin = f"spot:linux:{one}:"
        found = next((p for p in sheet.prices if p.region == sheet.region and p.item.startswith(begin)), None)
        now, then = sheet.each(EC2, on_demand(one)), monthly(found) if found else None
        known = now is not None and then is not None
        why = f"by the mean price of one day ({found.source_date})" if found else "the list has no spot price of it"
        saved = cents((now - then) * counts.minimum) if known and now is not None and then is not None else None
        yield Saving("spot", f"Spot for {one}", saved, f"nodes may go within two minutes; {why}")
