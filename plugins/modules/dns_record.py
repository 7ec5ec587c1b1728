#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dns_record
short_description: Move one record of a private hosted zone
version_added: 1.0.0
description:
  - Makes one record say what it shall, in a private zone that is found by its name, whoever made it. All other records
    are left alone. M(pipeops.platform.dns_zone) manages a whole zone.
  - C(amazon.aws.route53) takes the option O(region) for the one of a record by latency, so it cannot stand beside a
    default region, and takes seconds in the minutes of a failover in which this is one call.
options:
  zone_name:
    description: The private hosted zone.
    type: str
    required: true
  name:
    description: The full name of the record.
    type: str
    required: true
  type:
    description: The type of the record.
    type: str
    choices: [A, CNAME]
    default: CNAME
  ttl:
    description: Seconds that resolvers may keep the answer.
    type: int
    default: 30
  values:
    description: What the record says.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: Says whether the record would change.
  diff_mode:
    support: full
    description: Returns the record before and after.
  idempotent:
    support: full
    description: A record that says what it shall is left alone.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Lead clients to the database of the other region
  pipeops.platform.dns_record:
    region: us-east-1
    zone_name: prod.pipeops.internal
    name: database.prod.pipeops.internal
    values: [pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com]
"""

RETURN = r"""
zone_id:
  description: The zone.
  returned: always
  type: str
  sample: Z2F56UZL2M1ACD
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.resources._route53 import bare_name

ARGUMENT_SPEC: dict[str, Any] = {
    "zone_name": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["A", "CNAME"], "default": "CNAME"},
    "ttl": {"type": "int", "default": 30},
    "values": {"type": "list", "elements": "str", "required": True},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Make the record say what it shall.

    Raises:
        EngineError: if there is not exactly one such zone, or Route 53 refuses.
    """
    aws, name = Aws(params, progress), bare_name(params["name"])
    with refusals_as(f"Could not change the record {name}"):
        zone_id = _zone_id(aws, bare_name(params["zone_name"]))
        return {"zone_id": zone_id, **_bring(aws, zone_id, name, params, check_mode)}


def _zone_id(aws: Aws, name: str) -> str:
    listed = aws.client("route53").list_hosted_zones_by_name(DNSName=name)["HostedZones"]
    found = [zone for zone in listed if bare_name(zone["Name"]) == name and zone["Config"]["PrivateZone"]]
    if len(found) != 1:
        ids = ", ".join(zone["Id"] for zone in found) or "none"
        raise EngineError(
            f"There must be one private hosted zone {name} in this account, and there is: {ids}. Run site.yml for the "
            "environment whose names these are, or delete the zones that nobody uses."
        )
    return str(found[0]["Id"]).rpartition("/")[2]


def _bring(aws: Aws, zone_id: str, name: str, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    client = aws.client("route53")
    first = client.list_resource_record_sets(
        HostedZoneId=zone_id, StartRecordName=name, StartRecordType=params["type"], MaxItems="1"
    )["ResourceRecordSets"]
    standing = [one for one in first if bare_name(one["Name"]) == name and one["Type"] == params["type"]]
    before = _described(standing[0]) if standing else {}
    after = {"ttl": params["ttl"], "values": sorted(bare_name(value) for value in params["values"])}
    changed = before != after
    if changed and not check_mode:
        records = [{"Value": value} for value in after["values"]]
        record = {"Name": name, "Type": params["type"], "TTL": after["ttl"], "ResourceRecords": records}
        # UPSERT, so that a repeated call after a lost answer does no harm.
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)
    shown = {"before": before, "after": after}
    return {"changed": changed, "diff": {"before_header": name, "after_header": name, **shown}}


def _described(record: Mapping[str, Any]) -> dict[str, Any]:
    values = [bare_name(value["Value"]) for value in record.get("ResourceRecords", ())]
    return {"ttl": record.get("TTL"), "values": sorted(values)}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
