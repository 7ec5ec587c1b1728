# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The private names of an environment: a hosted zone that its VPCs resolve, and the records in it."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import EngineError
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..engine.values import Ref, is_pending
from ..resources._route53 import bare_name, reference_prefix
from ..resources.route53_record import Route53Record
from ..resources.route53_zone import Route53Zone

LAYER_NAME = "dns"
ZONE = ("route53_zone", "private")


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the zone and its records."""
    domain = bare_name(params["zone_name"])
    problems = [*_zone_problems(params), *record_problems(params["records"], domain)]
    if problems:
        raise EngineError(
            f"Refused, nothing was changed. Private hosted zone {domain!r} in {context.region}: {' '.join(problems)}"
        )
    comment = params["comment"]
    attributes = {
        "name": domain,
        "comment": f"Private names of {context.identity.prefix}" if comment is None else comment,
        "vpcs": [{"vpc_id": vpc["vpc_id"], "region": vpc["region"]} for vpc in params["vpcs"]],
        "reference": reference_prefix(context.identity, LAYER_NAME, ZONE[1]),
        "emptied": (params["state"] == "absent" and params["empty"]) or None,
    }
    zone = Wanted(*ZONE, attributes, context.tags(ZONE[1]))
    return [zone, *(record_wanted(record, domain, Ref(*ZONE)) for record in params["records"])]


def full_name(name: str, domain: str) -> str:
    """Return the full domain name of a record whose name is given below the zone, or in full; ``@`` is the zone."""
    bare = bare_name(name)
    if bare == "@":
        return domain
    return bare if bare == domain or bare.endswith(f".{domain}") else f"{bare}.{domain}"


def _logical(record: Mapping[str, Any], domain: str) -> str:
    return f"{full_name(record['name'], domain)}:{record['type']}"


def record_wanted(record: Mapping[str, Any], domain: str, zone: Ref) -> Wanted:
    """Return a record in the zone whose id the reference is."""
    attributes = {
        "zone": zone.name,
        "zone_name": domain,
        "zone_id": zone,
        "name": full_name(record["name"], domain),
        "type": record["type"],
        "ttl": record["ttl"],
        "values": list(record["values"]),
    }
    return Wanted("route53_record", _logical(record, domain), attributes)


def _zone_problems(params: Mapping[str, Any]) -> list[str]:
    if not params["vpcs"] and params["state"] == "present":
        return ["vpcs is empty, but a private zone needs at least one VPC. Give one."]
    doubles = [vpc for vpc, times in Counter(str(item["vpc_id"]) for item in params["vpcs"]).items() if times > 1]
    return [f"vpcs names {vpc} more than once. Name it once." for vpc in doubles if not is_pending(vpc)]


def record_problems(records: Sequence[Mapping[str, Any]], domain: str) -> list[str]:
    """Return a sentence for each thing about records that DNS does not allow."""
    problems = []
    names = Counter(full_name(record["name"], domain) for record in records)
    for name, times in Counter(_logical(record, domain) for record in records).items():
        if times > 1:
            problems.append(f"records names {name} more than once. Put its values together.")
    for record in records:
        name = full_name(record["name"], domain)
        problems.extend(f"Record {name!r} {problem}" for problem in _own_problems(record, name, domain, names))
    return problems


def _own_problems(record: Mapping[str, Any], name: str, domain: str, names: Mapping[str, int]) -> list[str]:
    problems = []
    values = record["values"]
    if not values:
        problems.append("has no values. Give at least one.")
    if record["type"] == "CNAME":
        if len(values) > 1:
            problems.append(f"is a CNAME with {len(values)} values. DNS allows one.")
        if name == domain:
            problems.append("is a CNAME at the top of the zone, which DNS does not allow. Give it a name below.")
        if names[name] > 1:
            problems.append("is a CNAME beside other records of its name, which DNS does not allow. Rename one.")
    if record["type"] == "A":
        wrong = [value for value in values if not is_pending(value) and not _is_address(value)]
        problems.extend(f"has the value {value!r}, which is no IPv4 address. Mend it, or use CNAME." for value in wrong)
    return problems


def _is_address(value: str) -> bool:
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return False
    return True


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the zone, and the full name of each record by the name that was given."""
    domain = bare_name(params["zone_name"])
    return {
        "zone_id": view.get(*ZONE),
        "zone_name": domain,
        "name_servers": view.get(*ZONE, "name_servers"),
        "records": {record["name"]: full_name(record["name"], domain) for record in params["records"]},
    }


LAYER = Layer(LAYER_NAME, (Route53Zone(), Route53Record()), build, outputs)
