# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name that clients use, and moving it."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError

from tests.sandbox.conftest import MODULES, Account
from tests.sandbox.rds_pair import EAST, WEST, set_region

ZONE, NAME = "prod.pipeops.internal", "database.prod.pipeops.internal"
PROD, DR = "pipeops-prod.c1.us-west-2.rds.amazonaws.com", "pipeops-dr.c1.us-east-1.rds.amazonaws.com"


def lead(account: Account, *, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run the module, in process."""
    loaded = importlib.import_module(f"{MODULES}.dns_record")
    given = {"region": EAST, "endpoint_url": account.url, "zone_name": ZONE, "name": NAME, "values": [DR], **options}
    checked = ArgumentSpecValidator({**aws_argument_spec(), **loaded.ARGUMENT_SPEC}).validate(given)
    assert not checked.error_messages, checked.error_messages
    result: dict[str, Any] = loaded.run(checked.validated_parameters, check_mode=check, progress=lambda _text: None)
    return result


def make_zone(account: Account, reference: str = "one") -> str:
    """Make a private zone, and return its id."""
    vpc = account.client("ec2", WEST).create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    zone = account.client("route53").create_hosted_zone(
        Name=ZONE, CallerReference=reference, VPC={"VPCRegion": WEST, "VPCId": vpc},
        HostedZoneConfig={"PrivateZone": True, "Comment": ""},
    )  # fmt: skip
    return str(zone["HostedZone"]["Id"]).rpartition("/")[2]


@pytest.fixture
def zone(account: Account) -> str:
    """A private zone in which the name leads to prod, and another name somewhere else."""
    made = make_zone(account)
    for name, value in ((NAME, PROD), (f"web.{ZONE}", "elsewhere.example.com")):
        put(account, made, name, value)
    return made


def put(account: Account, zone: str, name: str, value: str, kind: str = "CNAME") -> None:
    record = {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    account.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def records(account: Account, zone: str) -> dict[str, tuple[int, list[str]]]:
    """Return what the names of a zone say."""
    found = account.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    kept = [one for one in found if one["Type"] in ("A", "CNAME")]
    return {one["Name"]: (one["TTL"], [value["Value"] for value in one["ResourceRecords"]]) for one in kept}


def test_a_record_moves_once_and_no_other_one_does(account: Account, zone: str) -> None:
    before = records(account, zone)
    foreseen = lead(account, check=True)
    assert (foreseen["changed"], records(account, zone)) == (True, before)
    calls = account.mutations(lambda: lead(account))
    assert calls == ["route53:ChangeResourceRecordSets"]
    assert records(account, zone) == {**before, f"{NAME}.": (30, [DR])}
    assert account.mutations(lambda: lead(account)) == []
    assert lead(account)["changed"] is False
    moved = lead(account, check=True, values=[f"{PROD}."])
    assert moved["zone_id"] == zone
    assert moved["diff"]["before"] == {"ttl": 30, "values": [DR]}
    assert moved["diff"]["after"] == {"ttl": 30, "values": [PROD]}


def test_a_record_that_is_not_there_is_made(account: Account, zone: str) -> None:
    made = lead(account, name=f"new.{ZONE}", type="A", ttl=60, values=["10.0.0.2", "10.0.0.1"])
    assert (made["changed"], made["diff"]["before"]) == (True, {})
    assert records(account, zone)[f"new.{ZONE}."] == (60, ["10.0.0.1", "10.0.0.2"])
    assert lead(account, name=f"new.{ZONE}", type="A", ttl=60, values=["10.0.0.1", "10.0.0.2"])["changed"] is False


def test_a_zone_that_is_not_there_or_there_twice_is_refused(account: Account) -> None:
    with pytest.raises(EngineError, match=r"one private hosted zone prod\.pipeops\.internal .* none\. Run site\.yml"):
        lead(account)
    ids = [make_zone(account, reference) for reference in ("one", "two")]
    with pytest.raises(EngineError) as raised:
        lead(account)
    assert all(one in str(raised.value) for one in ids)


def test_while_us_east_1_is_down_the_name_stays(account: Account, zone: str) -> None:
    before = records(account, zone)
    set_region(account, EAST, "down")
    try:
        with pytest.raises(EngineError, match=f"Could not change the record {NAME}"):
            lead(account)
    finally:
        set_region(account, EAST, "up")
    assert records(account, zone) == before
