# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who changed it: CloudTrail's event history, held against what differs."""

from __future__ import annotations

import json
import re
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
#: Characters that an identifier has at least.
TELLING = 7
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
    "route53_zone_association": "vpcfromhostedzone",
}
#: The first word of a kind, and the source of its events where that is another one.
SOURCES = {"log": "logs", "cloudwatch": "monitoring"}


@dataclass(frozen=True)
class Event:
    """One change by somebody else.

    Attributes:
        source: the service, e.g. ``ec2``.
        text: all of it as CloudTrail has it, to find identifiers in.
    """

    source: str
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
    source = str(told.get("EventSource", "")).partition(".")[0]
    return Event(source, str(told["EventName"]), at, str(by), str(whole.get("sourceIPAddress", "")), agent, text)


def _culprit(finding: Finding, events: Sequence[Event]) -> dict[str, Any]:
    """Return the latest event that names the resource; for what is missing, else the latest that fits; else nothing."""
    word = finding.kind.replace(":", "_").partition("_")[0]
    own = [event for event in events if event.source == SOURCES.get(word, word)]
    noun = NOUNS.get(finding.kind, finding.kind.partition("_")[2].replace("_", ""))
    for needle in needles(finding):
        # A whole word: names begin like other names.
        exact = re.compile(rf"(?<![\w-]){re.escape(needle)}(?![\w-])")
        found = [event for event in own if exact.search(event.text)]
        # What is done to a part of a resource names the resource, too.
        nearest = [event for event in found if noun in event.name.lower() or "Tag" in event.name]
        if found:
            return (nearest or found)[0].as_dict(sure=True)
    fits = [event for event in own if event.name.startswith(REMOVALS) and noun in event.name.lower()]
    return fits[0].as_dict(sure=False) if finding.category == "missing" and fits else {}


def needles(finding: Finding) -> list[str]:
    """Return by what an event may name a resource, the most telling first."""
    whole = finding.id.removeprefix("s3://")
    # Records are known by their zone and name, documents by bucket and key, routes by their table.
    inner = whole.partition("/")[2].partition(":")[0]
    named = [finding.id, inner, whole.partition(" ")[0], finding.arn]
    values = [item[side] for item in finding.differences for side in ("wanted", "found")]
    named += [value for value in values if isinstance(value, str)]
    # What is too short to tell would be found anywhere.
    return [needle for needle in dict.fromkeys(named) if len(needle) > TELLING]
