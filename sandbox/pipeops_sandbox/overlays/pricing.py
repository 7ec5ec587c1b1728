"""The Price List Query API, which moto does not have: GetProducts over a small list with the traps of the large one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..http_server import Response
from ..own import SERVICES
from ..protocol import error_response
from ..routing import Call

PRODUCTS = Path(__file__).parents[1] / "data" / "prices.yml"
#: Where the API is; elsewhere there is no such host.
REGIONS = ("us-east-1", "eu-central-1", "ap-south-1")
#: How usage types begin: of services that leave the prefix of us-east-1 out, and of the others.
BARE = {"us-west-2": "USW2-", "us-east-1": ""}
PREFIX = {"us-west-2": "USW2-", "us-east-1": "USE1-"}
LARGEST_PAGE = 100


def register() -> None:
    """Answer the service here."""
    SERVICES["pricing"] = answer


def answer(call: Call, body: bytes) -> Response | None:
    """Answer GetProducts; None for any other operation."""
    if call.operation != "GetProducts":
        return None
    if call.region not in REGIONS:
        text = f"The Price List Query API is in {', '.join(REGIONS)}, not in {call.region}."
        return error_response(call.protocol, "InvalidParameterException", text)
    asked = json.loads(body or b"{}")
    found = [one for one in products() if _fits(one, asked)]
    try:
        begin = int(base64.b64decode(asked["NextToken"])) if asked.get("NextToken") else 0
    except ValueError:
        return error_response(call.protocol, "InvalidNextTokenException", "The pagination token is invalid.")
    end = begin + min(asked.get("MaxResults") or LARGEST_PAGE, LARGEST_PAGE)
    page: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in found[begin:end]]}
    if end < len(found):
        page["NextToken"] = base64.b64encode(str(end).encode()).decode()
    return Response(200, json.dumps(page).encode(), [("Content-Type", "application/x-amz-json-1.1")])


@cache
def products() -> list[dict[str, Any]]:
    """Return all products of all Regions, as the API shows them."""
    rows = yaml.safe_load(PRODUCTS.read_text("utf-8"))["products"]
    return [product for row in rows for product in _in_regions(row)]


def _in_regions(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for region in [row["region"]] if "region" in row else BARE:
        names = {"BARE": BARE[region], "PREFIX": PREFIX[region], "REGION": region}
        attributes = {name: value.format(**names) for name, value in row["attributes"].items()}
        yield {
            "serviceCode": row["service"],
            "product": {
                "productFamily": row["family"],
                "attributes": {"servicecode": row["service"], "regionCode": region, **attributes},
            },
            "terms": {"OnDemand": {"term": {"priceDimensions": dict(_dimensions(row)), "termAttributes": {}}}},
        }


def _dimensions(row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    steps = {"0": row["usd"], **row.get("steps", {})}
    ends = [*list(steps)[1:], "Inf"]
    for number, ((begin, usd), end) in enumerate(zip(steps.items(), ends, strict=True)):
        price = {"unit": row["unit"], "beginRange": begin, "endRange": end, "pricePerUnit": {"USD": usd}}
        yield f"rate{number}", price


def _fits(product: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Tell whether a product is meant: all filters hold, and a field that it does not have fits none."""
    if product["serviceCode"] != asked["ServiceCode"]:
        return False
    known = {**product["product"]["attributes"], "productFamily": product["product"]["productFamily"]}
    return all(_holds(known.get(one["Field"]), one) for one in asked.get("Filters") or ())


def _holds(value: str | None, asked: Mapping[str, str]) -> bool:
    wanted = asked["Value"]
    several = wanted.split(",")
    kinds = {
        "TERM_MATCH": value == wanted,
        "EQUALS": value == wanted,
        "CONTAINS": value is not None and wanted in value,
        "ANY_OF": value in several,
        "NONE_OF": value not in several,
    }
    return kinds[asked["Type"]]
