"""The Price List Query API: filters, pages, and where it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def products(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in answer["PriceList"]]


def matching(**fields: str) -> list[dict[str, str]]:
    return [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]


def test_filters_are_all_to_hold(client: Any) -> None:
    filters = matching(regionCode="us-west-2", instanceType="t3.medium", operatingSystem="Linux", capacitystatus="Used")
    (found,) = products(client("pricing", "us-east-1").get_products(ServiceCode="AmazonEC2", Filters=filters))
    assert found["product"]["attributes"]["usagetype"] == "USW2-BoxUsage:t3.medium"
    (term,) = found["terms"]["OnDemand"].values()
    (price,) = term["priceDimensions"].values()
    assert price["pricePerUnit"] == {"USD": "0.0416"}


def test_usage_types_of_ec2_have_no_prefix_in_virginia_and_those_of_vpc_do(client: Any) -> None:
    pricing = client("pricing", "us-east-1")
    for service, usage_type in (("AmazonEC2", "NatGateway-Hours"), ("AmazonVPC", "USE1-VpcEndpoint-Hours")):
        filters = matching(regionCode="us-east-1", usagetype=usage_type)
        assert len(products(pricing.get_products(ServiceCode=service, Filters=filters))) == 1


@pytest.mark.parametrize(
    ("kind", "value", "count"),
    [
        ("CONTAINS", "NatGateway-Hours", 2),
        ("EQUALS", "USW2-NatGateway-Hours", 1),
        ("ANY_OF", "a,USW2-NatGateway-Bytes", 1),
    ],
)
def test_other_ways_to_match(client: Any, kind: str, value: str, count: int) -> None:
    filters = [*matching(regionCode="us-west-2"), {"Type": kind, "Field": "usagetype", "Value": value}]
    answer = client("pricing", "us-east-1").get_products(ServiceCode="AmazonEC2", Filters=filters)
    assert len(products(answer)) == count


def test_pages_hold_together(client: Any) -> None:
    pricing = client("pricing", "us-east-1")
    whole = pricing.get_products(ServiceCode="AmazonEC2")["PriceList"]
    pages = pricing.get_paginator("get_products").paginate(ServiceCode="AmazonEC2", PaginationConfig={"PageSize": 4})
    assert [text for page in pages for text in page["PriceList"]] == whole


def test_the_api_is_in_few_regions(client: Any) -> None:
    with pytest.raises(ClientError, match="us-east-1, eu-central-1, ap-south-1"):
        client("pricing", "us-west-2").get_products(ServiceCode="AmazonEC2")


def test_what_it_does_not_know_is_not_emulated(client: Any) -> None:
    with pytest.raises(ClientError, match="pricing:DescribeServices"):
        client("pricing", "us-east-1").describe_services()
