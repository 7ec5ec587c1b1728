# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The private zone of another environment, resolved in this one's VPC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import EngineError
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..engine.values import Ref
from ..resources._route53 import bare_name
from ..resources.route53_zone_association import KIND, JoinedZoneRecord, Route53ZoneAssociation
from .dns_zone import full_name, record_problems, record_wanted

ASSOCIATION = (KIND, "joined")


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the association and the records.

    Raises:
        EngineError: for records that DNS does not allow.
    """
    domain = bare_name(params["zone_name"])
    problems = record_problems(params["records"], domain)
    if problems:
        raise EngineError(
            f"Refused, nothing was changed. Private hosted zone {domain!r} in {context.region}: {' '.join(problems)}"
        )
    attributes = {
        "zone_name": domain,
        "zone_id": params["zone_id"],
        "vpc_id": params["vpc_id"],
        "region": context.region,
        "removal": params["state"] == "absent",
    }
    records = [record_wanted(record, domain, Ref(*ASSOCIATION, "zone_id")) for record in params["records"]]
    return [Wanted(*ASSOCIATION, attributes), *records]


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the zone, and the full name of each record by the name that was given."""
    domain = bare_name(params["zone_name"])
    return {
        "zone_id": view.get(*ASSOCIATION, "zone_id"),
        "zone_name": domain,
        "records": {record["name"]: full_name(record["name"], domain) for record in params["records"]},
    }


LAYER = Layer("dns", (Route53ZoneAssociation(), JoinedZoneRecord()), build, outputs)
