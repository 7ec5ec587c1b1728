# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one resource of a plan costs a month, from the attributes that it is made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .database import RDS, ZONES
from .money import cents
from .prices import PriceList
from .sheet import monthly

Attributes = Mapping[str, Any]
#: Lists of what is counted: service, item, how many.
Parts = list[tuple[str, str, Decimal]]
ONE = Decimal(1)


@dataclass(frozen=True)
class ResourcePrice:
    """What a resource costs.

    Attributes:
        monthly: USD a month, without usage; None if a price is not known.
        note: what is not in it.
    """

    monthly: Decimal | None
    note: str = ""


def price(kind: str, attributes: Attributes, region: str, prices: PriceList) -> ResourcePrice | None:
    """Return what a resource costs that is made with these attributes; None if it costs nothing by itself.

    Args:
        kind: the kind of the resource type, e.g. ``rds_instance``.
    """
    if kind not in PARTS:
        return None
    parts, note = PARTS[kind](attributes)
    if not parts:
        return ResourcePrice(None, note) if note else None
    amounts = []
    for service, item, count in parts:
        found = prices.find(service, item, region)
        each = monthly(found) if found and found.usable else None
        if each is None:
            return ResourcePrice(None, f"no price of {item} in {region}")
        amounts.append(each * count)
    return ResourcePrice(cents(sum(amounts, Decimal(0))), note)


def _fixed(service: str, item: str, note: str = "") -> Callable[[Attributes], tuple[Parts, str]]:
    return lambda _attributes: ([(service, item, ONE)], note)


def _gateway(attributes: Attributes) -> tuple[Parts, str]:
    regional = attributes.get("mode") == "regional"
    return (
        [("AmazonVPC", f"nat-gateway:{attributes.get('mode', 'zonal')}", ONE)],
        "for each zone, and traffic" if regional else "and traffic",
    )


def _endpoint(attributes: Attributes) -> tuple[Parts, str]:
    if attributes.get("type") != "Interface":
        return [], ""
    return [("AmazonVPC", "interface-endpoint", Decimal(len(attributes.get("subnets") or ())))], "and traffic"


def _instance(attributes: Attributes) -> tuple[Parts, str]:
    zones, storage = ZONES[bool(attributes.get("multi_az"))], attributes.get("storage_gib")
    parts = [(RDS, f"postgres:{zones}:{attributes.get('instance_class')}", ONE)]
    if storage is None:
        return parts, "and storage"
    return [*parts, (RDS, f"storage:gp3:{zones}", Decimal(int(storage)))], ""


def _by_usage(_attributes: Attributes) -> tuple[Parts, str]:
    return [], "by usage"


PARTS: dict[str, Callable[[Attributes], tuple[Parts, str]]] = {
    "ec2_nat_gateway": _gateway,
    "ec2_elastic_ip": _fixed("AmazonVPC", "public-ipv4:in-use-or-idle"),
    "ec2_vpc_endpoint": _endpoint,
    "ec2_flow_log": _by_usage,
    "eks_cluster": _fixed("AmazonEKS", "control-plane:standard-support", "and nodes"),
    "rds_instance": _instance,
    "rds_replica": _instance,
    "rds_cross_region_replica": _instance,
    "rds_restore": _instance,
    "rds_backup_replication": _by_usage,
    "kms_key": _fixed("awskms", "customer-managed-key"),
    "secretsmanager_secret": _fixed("AWSSecretsManager", "secret"),
    "secretsmanager_replica": _fixed("AWSSecretsManager", "secret"),
    "cloudwatch_alarm": _fixed("AmazonCloudWatch", "alarm:standard"),
    "route53_zone": _fixed("AmazonRoute53", "hosted-zone"),
    "log_group": _by_usage,
    "s3_bucket": _by_usage,
    "dynamodb_table": _by_usage,
}
