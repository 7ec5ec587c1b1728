# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory against what AWS says about account, region and offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .database_rules import classes, database_identifier
from .facts import Facts
from .inventory import Inventory
from .problems import Problem, nearest

#: Zones without room for an EKS control plane, by the id that all accounts share ("EKS network requirements").
NO_CONTROL_PLANE = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})


def account(inventory: Inventory, facts: Facts) -> Iterable[Problem]:
    """The credentials are those of the account that is meant."""
    if inventory.text("platform_account_id") != facts.account_id:
        reason = f"the credentials of this run belong to account {facts.account_id}"
        mend = "Sign in to the account of the inventory, or correct the variable."
        yield inventory.problem("platform_account_id", reason, mend)


def zones(inventory: Inventory, facts: Facts) -> Iterable[Problem]:
    """The zones exist for this account and can host a control plane."""
    usable = sorted(zone for zone, zone_id in facts.zone_ids.items() if zone_id not in NO_CONTROL_PLANE)
    for zone in inventory.texts("vpc_zones"):
        zone_id = facts.zone_ids.get(zone)
        mend = f"Choose of {', '.join(usable)}."
        if zone_id is None:
            yield inventory.problem("vpc_zones", f"this account has no zone {zone}", mend)
        elif zone_id in NO_CONTROL_PLANE:
            reason = f"{zone} is {zone_id} in this account, where EKS has no room for a control plane"
            yield inventory.problem("vpc_zones", reason, mend)


def node_types(inventory: Inventory, facts: Facts) -> Iterable[Problem]:
    """Each instance type can be had in each zone, since each zone has nodes of its own."""
    usable = {zone for zone, zone_id in facts.zone_ids.items() if zone_id not in NO_CONTROL_PLANE}
    zones_wanted = [zone for zone in inventory.texts("vpc_zones") if zone in usable]
    region = inventory.text("platform_region")
    for name in inventory.texts("eks_node_instance_types"):
        offered = facts.type_zones.get(name, frozenset())
        missing = [zone for zone in zones_wanted if zone not in offered]
        where = f"in {region}" if not offered else f"in {', '.join(missing)}"
        if missing:
            mend = "Choose a type that is, or other zones." if offered else "Choose a type that is."
            yield inventory.problem("eks_node_instance_types", f"{name} is not offered {where}", mend)


def cluster_version(inventory: Inventory, facts: Facts) -> Iterable[Problem]:
    """EKS has the version, with the support that is wanted."""
    version = inventory.text("eks_version")
    status = facts.cluster_versions.get(version, "UNSUPPORTED")
    standard = sorted(name for name, support in facts.cluster_versions.items() if support == "STANDARD_SUPPORT")
    mend = f"Choose of {', '.join(standard)}."
    if status == "UNSUPPORTED":
        reason = f"EKS has no such version in {inventory.text('platform_region')}"
        yield inventory.problem("eks_version", reason, mend)
    elif status == "EXTENDED_SUPPORT" and inventory.text("eks_support_type") == "STANDARD":
        reason = "its standard support is over, and with eks_support_type STANDARD AWS upgrades it by itself"
        yield inventory.problem("eks_version", reason, f"{mend[:-1]}, or write EXTENDED and pay for it.")


def engine_version(inventory: Inventory, facts: Facts) -> Iterable[Problem]:
    """RDS has the version."""
    version = inventory.text("rds_engine_version")
    if version not in facts.engine_versions:
        major = version.split(".", maxsplit=1)[0]
        same = [name for name in facts.engine_versions if name.split(".")[0] == major]
        mend = f"Choose of {', '.join(same or facts.engine_versions)}."
        reason = f"RDS has no such PostgreSQL in {inventory.text('platform_region')}"
        yield inventory.problem("rds_engine_version", reason, mend)


def instance_classes(inventory: Inventory, facts: Facts) -> Iterable[Problem]:
    """RDS has the classes for the version, and they can do what is wanted of them."""
    version, region = inventory.text("rds_engine_version"), inventory.text("platform_region")
    if version not in facts.engine_versions:
        return
    for variable, name in classes(inventory).items():
        found = facts.classes.get(name)
        if found is None:
            reason = f"RDS does not offer this class for PostgreSQL {version} on gp3 in {region}"
            mend = nearest(name, facts.classes, "Choose another one, e.g. db.r6g.large.")
            yield inventory.problem(variable, reason, mend, value=name)
            continue
        for switch, support, what in WISHES:
            wished = inventory.number(switch) if switch.endswith("_seconds") else inventory.flag(switch)
            if wished and support not in found.supports:
                mend = f"Choose a larger or newer class, or switch {switch} off."
                yield inventory.problem(variable, f"this class has no {what}", mend, value=name)


#: A switch of the inventory, what the class must support for it, and how people call that.
WISHES = (
    ("rds_multi_az", "MultiAZCapable", "Multi-AZ"),
    ("rds_performance_insights", "SupportsPerformanceInsights", "Performance Insights"),
    ("rds_monitoring_interval_seconds", "SupportsEnhancedMonitoring", "Enhanced Monitoring"),
    ("rds_iam_authentication", "SupportsIAMDatabaseAuthentication", "IAM database authentication"),
)


def replica_zones(inventory: Inventory, facts: Facts) -> Iterable[Problem]:
    """Each replica's class can be had in the zone of the replica."""
    first = inventory.text("rds_instance_class")
    for index, replica in enumerate(inventory.records("rds_replicas")):
        name, zone = str(replica.get("instance_class") or first), str(replica["availability_zone"])
        found = facts.classes.get(name)
        if found and zone not in found.zones:
            variable = f"rds_replicas[{index}].availability_zone"
            mend = f"Choose of {', '.join(sorted(found.zones))}, or another class."
            yield inventory.problem(variable, f"RDS does not offer {name} there", mend, value=zone)


def database_role(inventory: Inventory, facts: Facts) -> Iterable[Problem]:
    """No run makes a second primary beside one that leads, or follows what follows it: that is a move of its own."""
    pair, role = facts.pair, inventory.text("platform_database_role")
    if pair is None or not pair.arn:
        return
    other = inventory.record("platform_pair")
    where = f"the database of its pair, {pair.arn} in {other['region']},"
    mend = (
        "Look with playbooks/dr_status.yml, go back with playbooks/dr_failback.yml, or if the move shall stay, swap "
        "the roles in both inventories."
    )
    if role == "primary" and pair.leads:
        yield inventory.problem("platform_database_role", f"{where} is a primary as well, so two would lead", mend)
    own = f":rds:{inventory.text('platform_region')}:{facts.account_id}:db:{database_identifier(inventory)}"
    if role == "replica" and pair.source.endswith(own):
        reason = f"{where} is a replica of the database of {inventory.environment}, which leads"
        yield inventory.problem("platform_database_role", reason, mend)


RULES: tuple[Callable[[Inventory, Facts], Iterable[Problem]], ...] = (
    account,
    zones,
    node_types,
    cluster_version,
    engine_version,
    instance_classes,
    replica_zones,
    database_role,
)
