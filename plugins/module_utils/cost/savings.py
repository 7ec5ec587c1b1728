# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an environment could do without, or pay less for: each with what has to be true for it.

All is computed for the fewest nodes, since nobody should commit to more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from .cluster import EBS, EC2, EKS, bounds, nodes, on_demand, volume_gib
from .database import RDS, Instance, instances
from .machines import arm64, rightsize, single_az, spot
from .money import CostError, cents
from .network import ADDRESS, VPC, gateways
from .saving import Saving
from .sheet import Sheet

#: Where the list has the commitments of EC2, and of which type: the share saved is taken for all types.
REFERENCE_REGION, REFERENCE_TYPE = "us-east-1", "t3.medium"
WEEK = 168


def savings(sheet: Sheet) -> Iterator[Saving]:
    """Yield what is worth a thought in an environment, the known before the unknown."""
    found = [saving for lever in LEVERS for saving in lever(sheet)]
    yield from sorted(found, key=lambda saving: (saving.taken, saving.monthly is None, -(saving.monthly or 0)))


def awake_share(sheet: Sheet) -> Decimal:
    """Return which part of the time the environment is needed.

    Raises:
        CostError: if a week has no such hours.
    """
    hours = sheet.inventory.number("cost_hours_per_week")
    if hours is not None and not 1 <= hours <= WEEK:
        raise CostError(f"cost_hours_per_week is {hours}: a week has 1 to {WEEK} hours.")
    return Decimal(hours or WEEK) / WEEK


def _reservations(sheet: Sheet) -> Iterator[Saving]:
    """Yield reserved DB instances for one year and three, in an environment that never sleeps."""
    known = instances(sheet)
    always = awake_share(sheet) == 1
    for years, length, payment, how in (
        ("1yr", "1 year", "no-upfront", "nothing upfront"),
        ("3yr", "3 years", "partial-upfront-effective", "partly upfront"),
    ):
        saved = [_reserved(sheet, instance, f"ri:{years}:{payment}") for instance in known]
        if None in saved:
            continue
        yield Saving(
            f"rds_reserved_{years}",
            f"Reserved DB instances, {length}, {how}",
            cents(sum((one for one in saved if one is not None), Decimal(0))),
            f"{_many(len(known), 'instance')} of the same class for {length}; a Multi-AZ one takes two reservations",
            together=years == "1yr" and always,
        )


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _reserved(sheet: Sheet, instance: Instance, kind: str) -> Decimal | None:
    now = sheet.each(*instance.price)
    then = sheet.each(RDS, f"{kind}:postgres:single-az:{instance.instance_class}")
    return None if now is None or then is None else now - then * instance.single_az_count


def _plans(sheet: Sheet) -> Iterator[Saving]:
    """Yield Savings Plans for the fewest nodes."""
    least = _nodes(sheet)
    full = sheet.prices.usd(EC2, on_demand(REFERENCE_TYPE), REFERENCE_REGION)
    for kind, title in (("convertible", "Compute Savings Plan"), ("standard", "EC2 Instance Savings Plan")):
        committed = sheet.prices.usd(EC2, f"ri-{kind}:1yr:no-upfront:{REFERENCE_TYPE}", REFERENCE_REGION)
        saved = least * (1 - committed / full) if least and committed and full else None
        if least == 0:
            continue
        yield Saving(
            f"savings_plan_{kind}",
            f"{title}, 1 year, nothing upfront",
            None if saved is None else cents(saved),
            f"the share of {REFERENCE_TYPE} holds for all types, and the fewest nodes run all year",
            together=kind == "convertible" and awake_share(sheet) == 1,
        )


def _sum(prices: Iterable[tuple[Decimal | None, Decimal | int]]) -> Decimal | None:
    """Return the sum of prices, each so many times; None if one of them is not known."""
    total = Decimal(0)
    for price, count in prices:
        if count and price is None:
            return None
        total += (price or Decimal(0)) * count
    return total


def _share(amount: Decimal | None, share: Decimal = Decimal(1)) -> Decimal | None:
    return None if amount is None else cents(amount * share)


def _nodes(sheet: Sheet) -> Decimal | None:
    """Return what the fewest nodes cost."""
    return _sum((sheet.each(EC2, on_demand(one)), counts.minimum) for one, counts in nodes(sheet).items())


def _fees(sheet: Sheet) -> Decimal | None:
    """Return what Auto Mode takes for the fewest nodes."""
    return _sum((sheet.each(EKS, f"auto-mode-fee:{one}"), counts.minimum) for one, counts in nodes(sheet).items())


def _standing(sheet: Sheet) -> Decimal | None:
    """Return what can only be saved by removing it: the control plane, and the NAT gateway with its addresses."""
    gateway = "nat-gateway:regional" if sheet.inventory.text("vpc_nat") == "regional" else "nat-gateway:zonal"
    items = ((EKS, "control-plane:standard-support", 1), (VPC, gateway, gateways(sheet)), (*ADDRESS, gateways(sheet)))
    return _sum((sheet.each(service, item), count) for service, item, count in items)


def _sleep(sheet: Sheet) -> Iterator[Saving]:
    """Yield what nights and weekends are worth."""
    asleep = 1 - awake_share(sheet)
    if not asleep:
        return
    database = _sum((sheet.each(*instance.price), 1) for instance in instances(sheet))
    hours = f"needed {round(awake_share(sheet) * WEEK)} of {WEEK} hours a week"
    stops = f"{hours}; storage goes on, and AWS starts it again after 7 days"
    removed = "they are destroyed and made again each day, since neither can be stopped"
    for lever, title, amount, assumption, together in (
        ("nodes", "Nodes off at nights and weekends", _nodes(sheet), hours, True),
        ("auto_mode", "Auto Mode fee of nodes that are off", _fees(sheet), hours, True),
        ("database", "Database stopped at nights and weekends", database, stops, True),
        ("rest", "Cluster and NAT gateway removed at nights and weekends", _standing(sheet), removed, False),
    ):
        yield Saving(f"sleep_{lever}", title, _share(amount, asleep), assumption, together=together)


def _standby(sheet: Sheet) -> Iterator[Saving]:
    """Yield what the other region can do without until it is needed."""
    if sheet.inventory.text("platform_database_role") != "replica":
        return
    for instance in instances(sheet):
        yield from single_az(
            sheet,
            instance,
            "replica_single_az",
            "Replica in one zone until it is promoted",
            "a promoted replica is made Multi-AZ after a failover, which takes its time",
        )
    count = bounds(sheet).minimum
    if not count:
        return
    running = _nodes(sheet), _fees(sheet)
    whole = None if None in running else sum((one for one in running if one is not None), Decimal(0))
    starts = "nodes start in minutes when the standby is activated; set eks_node_minimum to 0"
    yield Saving("standby_nodes", "No nodes on standby", _share(whole), starts)
    volumes = _sum([(sheet.each(EBS, "gp3:storage"), count * volume_gib(sheet))])
    yield Saving(
        "standby_volumes", "No volumes of nodes on standby", _share(volumes), "with the nodes, their volumes go"
    )


def _ways_out(sheet: Sheet) -> Iterator[Saving]:
    """Yield the choice between one gateway and one a zone."""
    regional, zonal = (sheet.each(VPC, f"nat-gateway:{kind}") for kind in ("regional", "zonal"))
    address = sheet.each(VPC, "public-ipv4:in-use-or-idle")
    if not gateways(sheet) or regional is None or zonal is None or address is None:
        return
    saved = cents((regional + address) * sheet.zones - (zonal + address))
    taken = sheet.inventory.text("vpc_nat") == "zonal_single"
    yield Saving(
        "nat_zonal",
        "One zonal NAT gateway instead of a regional one",
        saved,
        "without its zone, the private subnets have no way out",
        taken=taken,
    )


def _support(sheet: Sheet) -> Iterator[Saving]:
    """Yield what a cluster in standard support does not pay."""
    surcharge = sheet.each(EKS, "control-plane:extended-support-surcharge")
    if surcharge:
        taken = sheet.inventory.text("eks_support_type") == "STANDARD"
        yield Saving(
            "standard_support",
            "Kubernetes in standard support",
            cents(surcharge),
            "AWS upgrades the cluster when the support of its version ends",
            taken=taken,
        )


def _log_class(sheet: Sheet) -> Iterator[Saving]:
    """Yield logs of the class for what is seldom read."""
    counts = sheet.usage.get("log_gb")
    dear, cheap = (
        sheet.each("AmazonCloudWatch", f"logs:ingestion-{kind}") for kind in ("standard", "infrequent-access")
    )
    if counts and counts.minimum and dear is not None and cheap is not None:
        yield Saving(
            "log_class",
            "Logs of the class Infrequent Access",
            cents((dear - cheap) * counts.minimum),
            "no metric filter, alarm or live tail reads them",
        )


LEVERS = (
    *(_reservations, _plans, _sleep, _standby, rightsize),
    *(arm64, spot, _ways_out, _support, _log_class),
)
