# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who changed it: CloudTrail's event history, held against what differs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ..engine.aws import Aws, describe_error, is_aws_error
from .findings import Finding

#: Pages of 50 events that are read of a region at the most: CloudTrail answers two calls a second.
PAGES_MAX = 20
#: The region whose history has the changes of global services.
GLOBAL_REGION = "us-east-1"
#: How the user agent of our own runs is known.
OWN_AGENT = "pipeops.platform"
#: How the names of events begin that remove something.
REMOVALS = ("Delete", "Remove", "Detach", "Disassociate", "Terminate", "Release", "Revoke")
#: What events call a kind of resource, where that is not in its name.
NOUNS = {
    "rds_replica": "dbinstance",
    "rds_instance": "dbinstance",
    "ec2_flow_log": "flowlogs",
    "ec2_vpc_endpoint": "vpcendpoints",
    "ec2_elastic_ip": "address",
    "kms_key": "alias",
    "route53_record": "resourcerecordsets",
    "iam_role": "role",
}


@dataclass(frozen=True)
class Event:
    """One change by somebody else.

    Attributes:
        text: all of it as CloudTrail has it, to find identifiers in.
    """

    name: str
    at: str
    by: str
    source_ip: str
    agent: str
    text: str

    def as_dict(self, sure: bool) -> dict[str, Any]:
        """Return it as a finding carries it.

        Args:
            sure: whether it names the resource; else it only fits.
        """
        found = {"by": self.by, "event": self.name, "at": self.at, "source_ip": self.source_ip, "agent": self.agent}
        return {**found, "sure": sure}


def with_culprits(aws: Aws, findings: Sequence[Finding], days: float) -> tuple[list[Finding], str]:
    """Return the findings with who made each of them, and why that could not be asked; empty if it could.

    Args:
        days: how far to look back; CloudTrail's history has 90.
    """
    if not findings:
        return [], ""
    try:
        regions = [aws.region, *([GLOBAL_REGION] if aws.region != GLOBAL_REGION and _global(findings) else [])]
        events = [event for region in regions for event in _history(aws, region, days)]
    except Exception as error:
        if not is_aws_error(error):
            raise
        return list(findings), f"CloudTrail was not asked: {describe_error(error)}"
    return [replace(finding, who=_culprit(finding, events)) for finding in findings], ""


def _global(findings: Iterable[Finding]) -> bool:
    return any(finding.kind.startswith(("iam", "route53")) for finding in findings)


def _history(aws: Aws, region: str, days: float) -> list[Event]:
    """Return the changes of a region that were not made by runs of ours, the latest first."""
    pages = aws.client("cloudtrail", region=region).get_paginator("lookup_events")
    found: list[Event] = []
    asked: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        "StartTime": datetime.now(UTC) - timedelta(days=days),
        "PaginationConfig": {"MaxItems": PAGES_MAX * 50, "PageSize": 50},
    }
    for page in pages.paginate(**asked):
        found += [event for event in map(_event, page["Events"]) if OWN_AGENT not in event.agent]
    return found


def _event(told: Mapping[str, Any]) -> Event:
    text = str(told.get("CloudTrailEvent", "{}"))
    whole: Mapping[str, Any] = json.loads(text)
    who = whole.get("userIdentity", {})
    by = told.get("Username") or who.get("arn") or who.get("invokedBy") or "unknown"
    at = told["EventTime"].astimezone(UTC).isoformat(timespec="seconds")
    agent = str(whole.get("userAgent", ""))
    return Event(str(told["EventName"]), at, str(by), str(whole.get("sourceIPAddress", "")), agent, text)


def _culprit(finding: Finding, events: Sequence[Event]) -> dict[str, Any]:
    """Return the latest event that names the resource; for what is missing, else the latest that fits; else nothing."""
    for needle in needles(finding):
        found = next((event for event in events if needle in event.text), None)
        if found:
            return found.as_dict(sure=True)
    if finding.category == "missing":
        noun = NOUNS.get(finding.kind, finding.kind.partition("_")[2].replace("_", ""))
        fits = (event for event in events if event.name.startswith(REMOVALS) and noun in event.name.lower())
        found = next(fits, None)
        if found:
            return found.as_dict(sure=False)
    return {}


def needles(finding: Finding) -> list[str]:
    """Return by what an event may name a resource, the most telling first."""
    identifier = finding.id
    parts = [part.partition(":")[0] for part in identifier.removeprefix("s3://").split("/")]
    named = [f'"{identifier}"', identifier, *reversed(parts)] if identifier else []
    # What is too short to tell would be found anywhere.
    return [needle for needle in dict.fromkeys([*named, finding.arn]) if len(needle) > 7]
