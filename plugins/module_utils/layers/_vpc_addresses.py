# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of a network: how a VPC's range is cut into subnets, and what ranges can stand together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, collapse_addresses, ip_network
from itertools import combinations
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.values import is_pending

TIERS = ("public", "private", "database")
#: Prefix lengths that AWS takes for a VPC and for a subnet ("VPC CIDR blocks", Amazon VPC user guide).
LONGEST, SHORTEST = 16, 28
#: Prefix lengths of a VPC that the default split cuts into subnets of a useful size.
SPLIT_FROM, SPLIT_TO = 16, 20
MOST_ZONES = 6


@dataclass(frozen=True)
class Addresses:
    """The ranges of a network.

    Attributes:
        vpc: the VPC's ranges, the first one first.
        tiers: the subnets of each tier, in the order of the zones.
        zones: the zones by name.
    """

    vpc: tuple[str, ...]
    tiers: Mapping[str, tuple[str, ...]]
    zones: tuple[str, ...]


def split(cidr: str, zones: int) -> dict[str, tuple[str, ...]]:
    """Cut a VPC's range into one subnet for each tier and zone.

    With two or three zones a private subnet is a quarter of the range, with four to six an eighth, since EKS Auto
    Mode takes pod addresses in blocks of 16 that must be free in one piece. A public and a database subnet is a
    64th, taken from the last quarter: public ones from its start, database ones after a quarter of it, or with four
    zones and more in its middle. For ``10.0.0.0/16`` and three zones that is ``/18`` at 0.0, 64.0, 128.0; public
    ``/22`` at 192.0, 196.0, 200.0; database ``/22`` at 208.0, 212.0, 216.0; the rest is spare.

    Args:
        cidr: from ``/16`` to ``/20``.
        zones: how many, two to six. Three zones need what two have and one more of each; a fourth moves all.
    """
    network = IPv4Network(cidr)
    few = zones <= 3
    small = list(list(network.subnets(2))[3].subnets(4))
    database_from = 4 if few else 8
    return {
        "public": _texts(small[:zones]),
        "private": _texts(list(network.subnets(2 if few else 3))[:zones]),
        "database": _texts(small[database_from : database_from + zones]),
    }


def addresses(params: Mapping[str, Any], region: str) -> Addresses:
    """Return the ranges that a network's options ask for.

    Raises:
        PlanRefused: with every reason why they cannot be, before anything is read or changed.
    """
    zones = tuple(params["zones"])
    vpc = (params["cidr"], *(params["secondary_cidrs"] or ()))
    reasons = [*_zone_problems(zones, region), *_range_problems("cidr", vpc[:1], LONGEST, SHORTEST)]
    reasons += _range_problems("secondary_cidrs", vpc[1:], LONGEST, SHORTEST)
    if reasons:
        raise PlanRefused(reasons)
    given = {tier: tuple(params[f"{tier}_subnets"] or ()) for tier in TIERS}
    if not all(given.values()):
        reasons += _split_problems(params["cidr"], [tier for tier in TIERS if not given[tier]])
    for tier in TIERS:
        reasons += _range_problems(f"{tier}_subnets", given[tier], LONGEST, SHORTEST)
    if reasons:
        raise PlanRefused(reasons)
    parts = {} if all(given.values()) else split(params["cidr"], len(zones))
    tiers = {tier: given[tier] or parts[tier] for tier in TIERS}
    reasons = [*_overlaps("cidr and secondary_cidrs", vpc), *_placement_problems(tiers, vpc, zones)]
    if reasons:
        raise PlanRefused(reasons)
    return Addresses(vpc, tiers, zones)


def outside_problems(params: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the ranges that lie outside the VPC; placeholders pass."""
    names = ("alb_ingress_cidrs", "peer_database_cidrs")
    return [problem for name in names for problem in _range_problems(name, params[name] or (), 0, 32)]


def summary(cidrs: Iterable[str]) -> list[str]:
    """Return the fewest ranges that cover exactly these, so that a network ACL needs few entries."""
    return [str(network) for network in collapse_addresses(IPv4Network(cidr) for cidr in cidrs)]


def _texts(networks: Iterable[IPv4Network]) -> tuple[str, ...]:
    return tuple(str(network) for network in networks)


def _zone_problems(zones: Sequence[str], region: str) -> Iterable[str]:
    if not 2 <= len(zones) <= MOST_ZONES:
        yield f"zones has {len(zones)} entries: name 2 to {MOST_ZONES} availability zones of {region}."
    for zone in sorted({zone for zone in zones if zones.count(zone) > 1}):
        yield f"zones names {zone} twice: name each zone once."
    for zone in zones:
        if not zone.startswith(region) or zone == region:
            yield f"zones names {zone!r}, which is no availability zone of {region}: use names like {region}a."


def _range_problems(option: str, cidrs: Iterable[str], longest: int, shortest: int) -> Iterable[str]:
    for cidr in cidrs:
        if is_pending(cidr):
            continue
        try:
            network = ip_network(cidr)
        except ValueError as error:
            yield f"{option} has {cidr!r}, which is no IPv4 range: {error}. Write it like 10.0.0.0/16."
            continue
        if not isinstance(network, IPv4Network):
            yield f"{option} has {cidr!r}, which is an IPv6 range: only IPv4 is set up here."
        elif not longest <= network.prefixlen <= shortest:
            yield f"{option} has {cidr!r}: AWS takes /{longest} to /{shortest}. Choose a range of such a size."


def _split_problems(cidr: str, tiers: Sequence[str]) -> Iterable[str]:
    if not SPLIT_FROM <= IPv4Network(cidr).prefixlen <= SPLIT_TO:
        lists = ", ".join(f"{tier}_subnets" for tier in tiers)
        yield (
            f"cidr {cidr!r} cannot be split by itself, only /{SPLIT_FROM} to /{SPLIT_TO} can: "
            f"give {lists} with one range for each zone."
        )


def _overlaps(option: str, cidrs: Sequence[str]) -> Iterable[str]:
    for one, other in combinations(cidrs, 2):
        if IPv4Network(one).overlaps(IPv4Network(other)):
            yield f"{option} hold {one} and {other}, which overlap: choose ranges that do not."


def _placement_problems(tiers: Mapping[str, Sequence[str]], vpc: Sequence[str], zones: Sequence[str]) -> Iterable[str]:
    for tier, cidrs in tiers.items():
        option = f"{tier}_subnets"
        if len(cidrs) != len(zones):
            yield f"{option} has {len(cidrs)} ranges for {len(zones)} zones: give one range for each zone, in order."
        for cidr in cidrs:
            if not any(IPv4Network(cidr).subnet_of(IPv4Network(whole)) for whole in vpc):
                yield (
                    f"{option} has {cidr}, which lies in none of the VPC's ranges {', '.join(vpc)}: "
                    "choose a range inside of them, or add one to secondary_cidrs."
                )
    together = [cidr for cidrs in tiers.values() for cidr in cidrs]
    yield from _overlaps("public_subnets, private_subnets and database_subnets", together)
