# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in an account, without the ids that AWS makes up, so that two accounts can be compared."""

from __future__ import annotations

from collections import Counter

from tests.platform_runs import Platform

REGIONS = ("us-west-2", "us-east-1", "us-east-2")
COMPONENT, NAME = "pipeops:component", "Name"


def standing(stand: Platform) -> Counter[str]:
    """Return what carries the platform's tags, by kind, environment and component, with how many there are of each.

    A thing that stands twice counts twice, one that nobody wants counts once too many: both differ from an account in
    which nothing went wrong.
    """
    found: Counter[str] = Counter()
    for region in REGIONS:
        pages = stand.client("resourcegroupstaggingapi", region).get_paginator("get_resources")
        for page in pages.paginate(TagFilters=[{"Key": "pipeops:environment"}]):
            for row in page["ResourceTagMappingList"]:
                tags = {tag["Key"]: tag["Value"] for tag in row["Tags"]}
                component = tags.get(COMPONENT) or tags.get(NAME) or "?"
                found[f"{region} {kind(row['ResourceARN'])} {tags['pipeops:environment']} {component}"] += 1
    iam = stand.client("iam")
    for page in iam.get_paginator("list_roles").paginate():
        found.update(f"role {role['RoleName']}" for role in page["Roles"])
    for page in stand.client("route53").get_paginator("list_hosted_zones").paginate():
        found.update(f"zone {zone['Name']} {zone['ResourceRecordSetCount']} records" for zone in page["HostedZones"])
    return found


def kind(arn: str) -> str:
    """Return service and type of an ARN, e.g. ``ec2:subnet``."""
    _arn, _partition, service, _region, _account, resource = arn.split(":", 5)
    # S3 and SNS have no type in their ARNs.
    return f"{service}:{resource.replace(':', '/').partition('/')[0]}" if service not in ("s3", "sns") else service


def difference(found: Counter[str], expected: Counter[str]) -> list[str]:
    """Return what is there too often, and what is missing, a sentence each."""
    surplus = [f"{one} stands {count} times too often" for one, count in (found - expected).items()]
    return [*surplus, *(f"{one} is missing" for one in (expected - found))]
