# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranges, zones and endpoints of a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network
from itertools import combinations

from ..layers._vpc_addresses import LONGEST, MOST_ZONES, SHORTEST, SPLIT_FROM, SPLIT_TO, TIERS, split
from .inventory import Inventory, range_fault, repeated
from .log_retention import retention_problem
from .problems import Problem

RFC_1918 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
#: Ranges that no VPC may have: this host, loopback, link-local, AWS's own, multicast, reserved.
FORBIDDEN = tuple(
    map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "198.19.0.0/16", "224.0.0.0/4", "240.0.0.0/4"))
)
#: What nodes of EKS call before they can run anything ("Deploy private clusters with limited internet access").
WITHOUT_NAT = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts")
ENDPOINT = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


def own_ranges(inventory: Inventory) -> Iterable[Problem]:
    """The VPC's ranges have sizes that AWS takes and lie where a VPC may be."""
    by_hand = all(inventory.texts(f"vpc_{tier}_subnets") for tier in TIERS)
    size = (LONGEST, SHORTEST) if by_hand else (SPLIT_FROM, SPLIT_TO)
    for variable, text, bounds in (
        ("vpc_cidr", inventory.text("vpc_cidr"), size),
        *(("vpc_secondary_cidrs", text, (LONGEST, SHORTEST)) for text in inventory.texts("vpc_secondary_cidrs")),
    ):
        if not text:
            continue
        yield from _range(inventory, variable, text, bounds)
        network = _network(text)
        if network and any(network.overlaps(one) for one in FORBIDDEN):
            mend = "Choose a private range, e.g. 10.0.0.0/16."
            yield inventory.problem(variable, "AWS takes no range there for a VPC", mend, value=text)


def _range(inventory: Inventory, variable: str, text: str, bounds: tuple[int, int]) -> Iterable[Problem]:
    fault = range_fault(text)
    if fault:
        yield inventory.problem(variable, *fault, value=text)
        return
    length = IPv4Network(text).prefixlen
    if not bounds[0] <= length <= bounds[1]:
        reason = f"a range of /{length} has the wrong size here: /{bounds[0]} to /{bounds[1]} can be"
        mend = f"Write a prefix length from /{bounds[0]} to /{bounds[1]}."
        yield inventory.problem(variable, reason, mend, value=text)


def _network(text: str) -> IPv4Network | None:
    return None if range_fault(text) else IPv4Network(text)


def secondary_ranges(inventory: Inventory) -> Iterable[Problem]:
    """Further ranges neither overlap nor mix RFC 1918's blocks (AWS: "CIDR block association restrictions")."""
    first, more = inventory.network("vpc_cidr"), inventory.networks("vpc_secondary_cidrs")
    for one, other in combinations([*([first] if first else []), *more], 2):
        if one.overlaps(other):
            mend = "Choose ranges that do not."
            yield inventory.problem("vpc_secondary_cidrs", f"{one} and {other} overlap", mend)
    block = next((one for one in RFC_1918 if first and first.subnet_of(one)), None)
    for network in more:
        if block and any(network.subnet_of(one) for one in RFC_1918 if one != block):
            reason = f"AWS does not mix {network} with vpc_cidr {first} in one VPC"
            yield inventory.problem("vpc_secondary_cidrs", reason, f"Choose a range of {block} or of 100.64.0.0/10.")


def zones(inventory: Inventory) -> Iterable[Problem]:
    """Zones are of the region, two to six, each once."""
    names, region = inventory.texts("vpc_zones"), inventory.text("platform_region")
    if not inventory.has("vpc_zones") or not region:
        return
    if not 2 <= len(names) <= MOST_ZONES:
        reason = f"EKS and RDS need 2 zones, and the split serves up to {MOST_ZONES}; these are {len(names)}"
        yield inventory.problem("vpc_zones", reason, f"Name 2 to {MOST_ZONES} zones of {region}, usually 3.")
    for zone in repeated(names):
        yield inventory.problem("vpc_zones", f"{zone} is there twice", "Name each zone once.")
    for zone in names:
        if not re.fullmatch(rf"{re.escape(region)}[a-z]", zone):
            reason = f"{zone} is no availability zone of {region}"
            mend = f"Use names like {region}a; local zones cannot host an EKS control plane."
            yield inventory.problem("vpc_zones", reason, mend)


def subnets(inventory: Inventory) -> Iterable[Problem]:
    """Subnets given by hand: one for each zone, inside the VPC, apart from all others."""
    count = len(inventory.texts("vpc_zones"))
    for tier in TIERS:
        variable = f"vpc_{tier}_subnets"
        given = inventory.texts(variable)
        for text in given:
            yield from _range(inventory, variable, text, (LONGEST, SHORTEST))
        if given and count and len(given) != count:
            reason = f"these are {len(given)} ranges for {count} zones (vpc_zones)"
            yield inventory.problem(variable, reason, "Give one range for each zone, in the same order.")
        yield from _outside(inventory, variable)
    yield from _overlapping_subnets(inventory)


def _outside(inventory: Inventory, variable: str) -> Iterable[Problem]:
    first = inventory.network("vpc_cidr")
    whole = [*([first] if first else []), *inventory.networks("vpc_secondary_cidrs")]
    for network in inventory.networks(variable):
        if whole and not any(network.subnet_of(one) for one in whole):
            reason = f"{network} lies outside of the VPC's {', '.join(map(str, whole))}"
            yield inventory.problem(variable, reason, "Choose a range inside, or add one to vpc_secondary_cidrs.")


def tier_ranges(inventory: Inventory) -> dict[str, list[IPv4Network]]:
    """Return the subnets of each tier, given ones or those that the split will make; nothing if it cannot."""
    first, count = inventory.network("vpc_cidr"), len(inventory.texts("vpc_zones"))
    can_split = first is not None and SPLIT_FROM <= first.prefixlen <= SPLIT_TO and 2 <= count <= MOST_ZONES
    made: Mapping[str, tuple[str, ...]] = split(str(first), count) if can_split else {}
    return {
        tier: inventory.networks(f"vpc_{tier}_subnets") or [IPv4Network(text) for text in made.get(tier, ())]
        for tier in TIERS
    }


def _overlapping_subnets(inventory: Inventory) -> Iterable[Problem]:
    placed = [(tier, network) for tier, networks in tier_ranges(inventory).items() for network in networks]
    for (tier, one), (other_tier, other) in combinations(placed, 2):
        given = [t for t in (tier, other_tier) if inventory.texts(f"vpc_{t}_subnets")]
        if given and one.overlaps(other):
            made = "" if len(given) == 2 else ", which is made without you"
            reason = f"{tier} {one} overlaps {other_tier} {other}{made}"
            yield inventory.problem(
                f"vpc_{given[0]}_subnets", reason, "Choose ranges that do not, for all three tiers."
            )


def gateway(inventory: Inventory) -> Iterable[Problem]:
    """Without a way out, nodes need endpoints to join the cluster."""
    if inventory.text("vpc_nat") != "none":
        return
    missing = [name for name in WITHOUT_NAT if name not in inventory.texts("vpc_interface_endpoints")]
    if missing:
        mend = f"Add {', '.join(missing)} to vpc_interface_endpoints, or choose zonal_single."
        yield inventory.problem("vpc_nat", "nodes would reach neither EKS nor their images", mend)
    if "s3" not in inventory.texts("vpc_gateway_endpoints"):
        reason = "nodes would not reach S3, where ECR keeps image layers"
        yield inventory.problem("vpc_nat", reason, "Add s3 to vpc_gateway_endpoints, or choose zonal_single.")


def endpoints(inventory: Inventory) -> Iterable[Problem]:
    """Endpoints are named as after ``com.amazonaws.REGION.``, each once."""
    for variable in ("vpc_interface_endpoints", "vpc_gateway_endpoints"):
        for name in repeated(inventory.texts(variable)):
            yield inventory.problem(variable, f"{name} is there twice", "Name each service once.")
    for name in inventory.texts("vpc_interface_endpoints"):
        if name.startswith("com.amazonaws.") or not ENDPOINT.fullmatch(name):
            service = ".".join(name.split(".")[3:]) or "ecr.api"
            reason = "only the part after com.amazonaws.REGION. is wanted"
            yield inventory.problem("vpc_interface_endpoints", reason, f"Write {service}.", value=name)


def outside_ranges(inventory: Inventory) -> Iterable[Problem]:
    """Who reaches load balancers and the database from outside."""
    for variable in ("vpc_alb_ingress_cidrs", "vpc_peer_database_cidrs"):
        for text in inventory.texts(variable):
            yield from _range(inventory, variable, text, (0, 32))
        for text in repeated(inventory.texts(variable)):
            yield inventory.problem(variable, f"{text} is there twice", "Name each range once.")
    own = inventory.network("vpc_cidr")
    for network in inventory.networks("vpc_peer_database_cidrs"):
        if not any(network.subnet_of(one) for one in (*RFC_1918, IPv4Network("100.64.0.0/10"))):
            reason = f"{network} is not private, and the database is not for the internet"
            yield inventory.problem("vpc_peer_database_cidrs", reason, "Name the range of a peered network.")
        elif own and network.overlaps(own):
            reason = f"{network} overlaps vpc_cidr {own}, and such networks cannot be peered"
            yield inventory.problem("vpc_peer_database_cidrs", reason, "Name ranges outside of the VPC.")


def flow_logs(inventory: Inventory) -> Iterable[Problem]:
    """Flow logs are kept for as long as CloudWatch Logs can."""
    yield from retention_problem(inventory, "vpc_flow_logs_retention_days")


RULES: tuple[Callable[[Inventory], Iterable[Problem]], ...] = (
    own_ranges,
    secondary_ranges,
    zones,
    subnets,
    gateway,
    endpoints,
    outside_ranges,
    flow_logs,
)
