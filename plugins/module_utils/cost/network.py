# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of the network: ways out, ways in, and what travels on them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from .lines import BALANCERS, ENDPOINTS, NAT, TRANSFER, Counts, Line
from .sheet import Sheet

VPC, ELB, MOVED = "AmazonVPC", "AWSELB", "AWSDataTransfer"
ADDRESS = (VPC, "public-ipv4:in-use-or-idle")
#: GB a month to the internet at the first price, and at the second.
FIRST_TIER, SECOND_TIER = Decimal(10 * 1024), Decimal(40 * 1024)


def lines(sheet: Sheet) -> Iterator[Line]:
    """Yield everything that the network costs."""
    yield from _nat(sheet)
    yield from _endpoints(sheet)
    yield from _balancers(sheet)
    yield from _internet(sheet)
    between = sheet.usage.get("between_zones_gb")
    both_ways = between.map(lambda gb: gb * 2) if between else None
    note = "" if between else "set cost_usage.between_zones_gb"
    price = (MOVED, "inter-az:each-direction")
    yield sheet.line(TRANSFER, "Between zones, both directions", "GB", price, both_ways, usage=True, note=note)


def gateways(sheet: Sheet) -> int:
    """Return how many times the hour of a NAT gateway is billed: a regional one, once a zone that it serves."""
    return {"zonal_single": 1, "regional": sheet.zones}.get(sheet.inventory.text("vpc_nat"), 0)


def _nat(sheet: Sheet) -> Iterator[Line]:
    count = gateways(sheet)
    if not count:
        return
    regional = sheet.inventory.text("vpc_nat") == "regional"
    item, unit = ("nat-gateway:regional", "zones") if regional else ("nat-gateway:zonal", "gateways")
    note = "billed for each zone that it serves" if regional else ""
    yield sheet.line(NAT, f"NAT gateway, {'regional' if regional else 'zonal'}", unit, (VPC, item), count, note=note)
    yield sheet.line(NAT, "Public IPv4 addresses of NAT", "addresses", ADDRESS, count)
    yield sheet.used(NAT, "Data through NAT", "GB", (VPC, "nat-gateway:data-processed"), "nat_gb")


def _endpoints(sheet: Sheet) -> Iterator[Line]:
    free = sheet.inventory.texts("vpc_gateway_endpoints")
    if free:
        price = (VPC, "gateway-endpoint:s3-dynamodb")
        yield sheet.line(ENDPOINTS, f"Gateway endpoints: {', '.join(free)}", "endpoints", price, len(free))
    count = len(sheet.inventory.texts("vpc_interface_endpoints"))
    if count:
        price = (VPC, "interface-endpoint")
        note = f"{count} in {sheet.zones} zones each"
        yield sheet.line(ENDPOINTS, "Interface endpoints", "endpoints and zones", price, count * sheet.zones, note=note)
        price = (VPC, "interface-endpoint:data-first-1PB")
        yield sheet.used(ENDPOINTS, "Data through interface endpoints", "GB", price, "interface_endpoint_gb")


def _balancers(sheet: Sheet) -> Iterator[Line]:
    """Yield the load balancers, which the cluster makes for what runs in it."""
    count = sheet.usage.get("load_balancers")
    hint = "" if count else "made by the cluster; set cost_usage.load_balancers"
    yield sheet.line(BALANCERS, "Application Load Balancers", "balancers", (ELB, "alb"), count, usage=True, note=hint)
    addresses = count.map(lambda balancers: balancers * sheet.zones) if count else None
    name = "Public IPv4 addresses of load balancers"
    yield sheet.line(BALANCERS, name, "addresses", ADDRESS, addresses, usage=True, note=hint or "one a zone")
    units = sheet.usage.get("load_balancer_capacity_units")
    hint = "" if units else "set cost_usage.load_balancer_capacity_units"
    price = (ELB, "alb:lcu")
    yield sheet.line(
        BALANCERS, "Load balancer capacity", "units all month", price, units, usage=True, hours=True, note=hint
    )


def _internet(sheet: Sheet) -> Iterator[Line]:
    """Yield what is sent to the internet, in the steps in which it becomes cheaper."""
    price, name = (MOVED, "internet-out:first-10TB"), "To the internet"
    counts = sheet.usage.get("internet_out_gb")
    if counts is None:
        yield sheet.used(TRANSFER, name, "GB", price, "internet_out_gb")
        return
    note = "above the 100 GB that are free for the whole account"
    first = counts.map(lambda gb: min(gb, FIRST_TIER))
    yield sheet.line(TRANSFER, name, "GB", price, first, usage=True, note=note)
    second = _between(counts, FIRST_TIER, FIRST_TIER + SECOND_TIER)
    if second:
        price = (MOVED, "internet-out:next-40TB")
        yield sheet.line(TRANSFER, f"{name}, next 40 TB", "GB", price, second, usage=True)
    rest = counts.map(lambda gb: max(gb - FIRST_TIER - SECOND_TIER, Decimal(0)))
    if rest:
        price = (MOVED, "internet-out:next-100TB")
        yield sheet.line(TRANSFER, f"{name}, above 50 TB", "GB", price, rest, usage=True)


def _between(counts: Counts, low: Decimal, high: Decimal) -> Counts:
    return counts.map(lambda gb: min(max(gb - low, Decimal(0)), high - low))
