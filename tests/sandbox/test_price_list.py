# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of prices, renewed from the sandbox's Pricing API."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.cost.prices import PriceList
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.modules import price_list
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.pricing import PRICES

from .conftest import Account

WEST, EAST = "us-west-2", "us-east-1"


def renew(account: Account, target: Path, *, check: bool = False, **options: Any) -> dict[str, Any]:
    """Renew the carried list into a file of its own."""
    spec = {**aws_argument_spec(), **price_list.ARGUMENT_SPEC}
    given = {"source": str(PRICES), "path": str(target), "endpoint_url": account.url, **options}
    checked = ArgumentSpecValidator(spec).validate(given)
    assert not checked.error_messages, checked.error_messages
    return price_list.run(checked.validated_parameters, check_mode=check, progress=lambda _text: None)


def read(path: Path) -> PriceList:
    return PriceList.parse(path.read_text("utf-8"))


def test_a_price_that_has_changed_is_taken_over_with_its_day(account: Account, tmp_path: Path) -> None:
    result = renew(account, tmp_path / "prices.csv")
    found = read(tmp_path / "prices.csv").find("AmazonEC2", "ondemand:linux:t3.large", WEST)
    assert found is not None
    assert (found.usd, found.confidence) == (Decimal("0.0850"), "confirmed")
    assert found.source_date == datetime.now(UTC).date().isoformat()
    changed = {(one["item"], one["region"], one["before"], one["after"]) for one in result["changes"]}
    assert ("ondemand:linux:t3.large", WEST, "$0.0832", "$0.085") in changed
    assert ("auto-mode-fee:t3.medium", EAST, "$0.00499", "$0.005") in changed
    assert len(changed) == 4


def test_what_is_doubtful_is_kept_and_told(account: Account, tmp_path: Path) -> None:
    result = renew(account, tmp_path / "prices.csv")
    reasons = {(one["item"], one["region"]): one["reason"] for one in result["kept"]}
    assert "several such prices: 0.1920, 0.1930" in reasons["ondemand:linux:m5.xlarge", WEST]
    assert "more than 50" in reasons["control-plane:extended-support-surcharge", EAST]
    assert reasons["ondemand:linux:m6i.large", WEST] == "AWS's list has no such price"
    carried, renewed = read(PRICES), read(tmp_path / "prices.csv")
    for item, region in reasons:
        service = next(price.service for price in carried if (price.item, price.region) == (item, region))
        assert renewed.find(service, item, region) == carried.find(service, item, region)


def test_of_several_products_the_one_that_is_meant_is_taken(account: Account, tmp_path: Path) -> None:
    renew(account, tmp_path / "prices.csv")
    renewed = read(tmp_path / "prices.csv")
    today = datetime.now(UTC).date()
    for service, item, region, usd in (
        ("AmazonRDS", "postgres:multi-az:db.r6g.xlarge", EAST, "0.899"),
        ("AmazonRDS", "backup-storage:above-free", WEST, "0.095"),
        ("AmazonVPC", "nat-gateway:zonal", EAST, "0.045"),
        ("awskms", "customer-managed-key", WEST, "1"),
        ("AWSDataTransfer", "inter-region:us-west-2-to-us-east-1", WEST, "0.02"),
    ):
        found = renewed.find(service, item, region)
        assert found is not None
        assert (found.usd, found.dated) == (Decimal(usd), today), item


def test_a_check_writes_nothing_and_a_second_run_changes_nothing(account: Account, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    assert renew(account, path, check=True)["changed"]
    assert not path.exists()
    assert renew(account, path)["changed"]
    again = renew(account, path, source=str(path))
    assert (again["changed"], again["changes"]) == (False, [])


def test_an_item_that_the_list_lacks_can_be_added(account: Account, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    renew(account, path, items=[{"service": "AmazonEC2", "item": "ondemand:linux:m8i.large"}])
    assert read(path).usd("AmazonEC2", "ondemand:linux:m8i.large", EAST) == Decimal("0.1122")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"source": "/nowhere/prices.csv"}, "The list of prices cannot be read"),
        ({"path": "/dev/null/prices.csv"}, "The list of prices cannot be written"),
        ({"endpoint_url": "http://127.0.0.1:9"}, "AWS could not be asked for prices in us-east-1"),
    ],
)
def test_what_cannot_be_done_is_told(account: Account, tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        renew(account, tmp_path / "prices.csv", **options)
