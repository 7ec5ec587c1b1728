# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where AWS's price list has an item of ours: what to ask the Pricing API, and what to take from its answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

#: How usage types begin in a region. EC2, RDS and ELB leave the prefix of us-east-1 out; VPC and EKS do not.
PREFIXES = {"us-west-2": "USW2-", "us-east-1": "USE1-"}
WITHOUT_PREFIX = "us-east-1"
#: What AWSDataTransfer calls regions.
LOCATIONS = {"us-west-2": "US West (Oregon)", "us-east-1": "US East (N. Virginia)"}
ZONES = {"single-az": "Single-AZ", "multi-az": "Multi-AZ"}

Attributes = dict[str, str]


@dataclass(frozen=True)
class Offer:
    """A question to the Pricing API.

    Attributes:
        service_code: AWS's name of the service.
        attributes: what the product must have; all of them.
        suffix: how its usage type must end, where the API can only be asked for the whole.
    """

    service_code: str
    attributes: Mapping[str, str]
    suffix: str = ""

    @property
    def filters(self) -> list[dict[str, str]]:
        """Return it as GetProducts takes it."""
        return [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in self.attributes.items()]


def offer(service: str, item: str, region: str) -> Offer | None:
    """Return what to ask for the price of an item; None if nobody knows.

    Args:
        service, item: as the list of prices has them.
    """
    for pattern, make in OFFERS.get(service, ()):
        found = re.fullmatch(pattern, item)
        if found and region in PREFIXES:
            return make(region, *found.groups())
    return None


def _in(region: str, **attributes: str) -> Attributes:
    return {"regionCode": region, **attributes}


def _usage(region: str, rest: str) -> str:
    """Return a usage type of a service that leaves the prefix of us-east-1 out."""
    return rest if region == WITHOUT_PREFIX else f"{PREFIXES[region]}{rest}"


def _node(region: str, instance_type: str) -> Offer:
    return Offer(
        "AmazonEC2",
        _in(
            region,
            instanceType=instance_type,
            operatingSystem="Linux",
            tenancy="Shared",
            preInstalledSw="NA",
            capacitystatus="Used",
            licenseModel="No License required",
        ),
    )


def _volume(region: str) -> Offer:
    return Offer("AmazonEC2", _in(region, productFamily="Storage", volumeApiName="gp3"))


def _nat(kind: str) -> Callable[[str], Offer]:
    return lambda region: Offer("AmazonEC2", _in(region, productFamily="NAT Gateway", usagetype=_usage(region, kind)))


def _eks(kind: str) -> Callable[..., Offer]:
    return lambda region, *parts: Offer("AmazonEKS", _in(region, usagetype=f"{PREFIXES[region]}{kind.format(*parts)}"))


def _vpc(kind: str) -> Callable[[str], Offer]:
    return lambda region: Offer("AmazonVPC", _in(region, usagetype=f"{PREFIXES[region]}{kind}"))


def _database(region: str, zones: str, instance_class: str) -> Offer:
    more = {"instanceType": instance_class, "databaseEngine": "PostgreSQL", "deploymentOption": ZONES[zones]}
    return Offer("AmazonRDS", _in(region, productFamily="Database Instance", **more))


def _database_storage(region: str, zones: str) -> Offer:
    more = {"volumeType": "General Purpose-GP3", "deploymentOption": ZONES[zones], "databaseEngine": "Any"}
    return Offer("AmazonRDS", _in(region, productFamily="Database Storage", **more))


def _backup(region: str) -> Offer:
    return Offer("AmazonRDS", _in(region, productFamily="Storage Snapshot"), "RDS:ChargedBackupUsage")


def _balancer(kind: str) -> Callable[[str], Offer]:
    return lambda region: Offer(
        "AWSELB", _in(region, productFamily="Load Balancer-Application", usagetype=_usage(region, kind))
    )


def _between(region: str, source: str, target: str) -> Offer | None:
    if source not in LOCATIONS or target not in LOCATIONS:
        return None
    places = {"fromLocation": LOCATIONS[source], "toLocation": LOCATIONS[target]}
    return Offer("AWSDataTransfer", {"transferType": "InterRegion Outbound", **places})


Make = Callable[..., "Offer | None"]
#: By service: a pattern of items, and what makes the question of what it finds.
OFFERS: Mapping[str, Sequence[tuple[str, Make]]] = {
    "AmazonEC2": ((r"ondemand:linux:(.+)", _node),),
    "AmazonEBS": ((r"gp3:storage", _volume),),
    "AmazonEKS": (
        (r"control-plane:standard-support", _eks("AmazonEKS-Hours:perCluster")),
        (r"control-plane:extended-support-surcharge", _eks("AmazonEKS-Hours:extendedSupport")),
        (r"auto-mode-fee:(.+)", _eks("EKS-Auto:{}-management-hours")),
    ),
    "AmazonVPC": (
        (r"nat-gateway:zonal", _nat("NatGateway-Hours")),
        (r"nat-gateway:regional", _nat("RegionalNatGateway-Hours")),
        (r"nat-gateway:data-processed", _nat("NatGateway-Bytes")),
        (r"public-ipv4:in-use-or-idle", _vpc("PublicIPv4:InUseAddress")),
        (r"interface-endpoint", _vpc("VpcEndpoint-Hours")),
    ),
    "AmazonRDS": (
        (r"postgres:(single-az|multi-az):(db\..+)", _database),
        (r"storage:gp3:(single-az|multi-az)", _database_storage),
        (r"backup-storage:above-free", _backup),
    ),
    "AWSELB": ((r"alb", _balancer("LoadBalancerUsage")), (r"alb:lcu", _balancer("LCUUsage"))),
    "awskms": (
        (
            r"customer-managed-key",
            lambda region: Offer("awskms", _in(region, productFamily="Encryption Key"), "KMS-Keys"),
        ),
    ),
    "AWSSecretsManager": ((r"secret", lambda region: Offer("AWSSecretsManager", _in(region, productFamily="Secret"))),),
    "AWSDataTransfer": ((r"inter-region:(.+)-to-(.+)", _between),),
}


def price_in(asked: Offer, products: Iterable[Mapping[str, Any]]) -> tuple[Decimal | None, str]:
    """Return the price in an answer, or why there is none.

    Args:
        products: what GetProducts has answered, parsed.
    """
    amounts = sorted({amount for product in products if _meant(asked, product) for amount in _on_demand(product)})
    if len(amounts) == 1:
        return amounts[0], ""
    if not amounts:
        return None, "AWS's list has no such price"
    return None, f"AWS's list has several such prices: {', '.join(f'{amount:f}' for amount in amounts)}"


def _meant(asked: Offer, product: Mapping[str, Any]) -> bool:
    usage_type = product.get("product", {}).get("attributes", {}).get("usagetype", "")
    return str(usage_type).endswith(asked.suffix)


def _on_demand(product: Mapping[str, Any]) -> Iterator[Decimal]:
    """Yield the prices of the first units, without those that are 0: such rows are of free tiers and reservations."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            try:
                amount = Decimal(str(dimension.get("pricePerUnit", {}).get("USD")))
            except InvalidOperation:
                continue
            if amount > 0 and Decimal(str(dimension.get("beginRange") or 0)) == 0:
                yield amount
