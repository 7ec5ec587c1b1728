# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from pipeops_sandbox.faults import Rule

from tests.sandbox.conftest import Account, prove_converges, prove_removes

MODULE, DOMAIN, EAST = "dns_zone_association", "prod.pipeops.internal", "us-east-1"
JOIN, RECORD = "create/route53_zone_association/joined", f"route53_record/database.{DOMAIN}:CNAME"
PENDING = "pending:route53_zone.id:private"


def vpc(account: Account, cidr: str, region: str) -> str:
    return str(account.client("ec2", region).create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])


@pytest.fixture
def options(account: Account) -> dict[str, Any]:
    """The options of dr, which has a VPC and no zone to join yet."""
    own = vpc(account, "10.1.0.0/16", EAST)
    return {"environment": "dr", "region": EAST, "zone_name": DOMAIN, "vpc_id": own}


@pytest.fixture
def zone(account: Account) -> dict[str, Any]:
    """The options of the zone of prod, which stands."""
    vpcs = [{"vpc_id": vpc(account, "10.0.0.0/16", "us-west-2"), "region": "us-west-2"}]
    made = {"zone_name": DOMAIN, "vpcs": vpcs, "records": [{"name": "database", "values": ["west.example.com"]}]}
    return {**made, "id": account.run("dns_zone", **made)["outputs"]["zone_id"]}


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def resolving(account: Account, zone_id: str) -> set[str]:
    return {item["VPCId"] for item in account.client("route53").get_hosted_zone(Id=zone_id)["VPCs"]}


def test_it_converges_and_goes(account: Account, zone: dict[str, Any], options: dict[str, Any]) -> None:
    applied = prove_converges(account, MODULE, **options)
    assert actions(applied) == [JOIN]
    assert applied["outputs"] == {"zone_id": zone["id"], "zone_name": DOMAIN, "records": {}}
    assert options["vpc_id"] in resolving(account, zone["id"])
    prove_removes(account, MODULE, **options)
    assert options["vpc_id"] not in resolving(account, zone["id"])


def test_both_sides_leave_each_other_alone(account: Account, zone: dict[str, Any], options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    keeper = {name: value for name, value in zone.items() if name != "id"}
    assert account.run("dns_zone", **keeper)["actions"] == []
    assert account.run(MODULE, **options)["actions"] == []


def test_a_name_is_pointed_here(account: Account, zone: dict[str, Any], options: dict[str, Any]) -> None:
    account.run(MODULE, **options)
    leading = {**options, "records": [{"name": "database", "values": ["east.example.com"]}]}
    foreseen = account.run(MODULE, check=True, **leading)
    done = account.run(MODULE, **leading)
    assert actions(foreseen) == actions(done) == [f"update/{RECORD}/values"]
    assert done["outputs"]["records"] == {"database": f"database.{DOMAIN}"}
    assert account.run(MODULE, **leading)["actions"] == []


def test_a_zone_that_is_still_to_be_made_is_awaited(account: Account, options: dict[str, Any]) -> None:
    records = [{"name": "database", "values": ["pending:rds_instance.endpoint:primary"]}]
    planned = account.run(MODULE, check=True, **{**options, "zone_id": PENDING, "records": records})
    assert actions(planned) == [JOIN, f"create/{RECORD}"]
    assert planned["outputs"]["zone_id"] == PENDING


def test_no_zone_to_join_is_refused(account: Account, options: dict[str, Any]) -> None:
    for check in (True, False):
        with pytest.raises(EngineError, match=f"no private hosted zone {DOMAIN} .* Run site.yml"):
            account.run(MODULE, check=check, **options)
    assert account.run(MODULE, state="absent", **options)["actions"] == []


def test_of_several_the_one_is_joined_that_is_meant(
    account: Account, zone: dict[str, Any], options: dict[str, Any]
) -> None:
    account.client("route53").create_hosted_zone(
        Name=DOMAIN,
        CallerReference="theirs",
        VPC={"VPCId": vpc(account, "10.9.0.0/16", "us-west-2"), "VPCRegion": "us-west-2"},
        HostedZoneConfig={"Comment": "", "PrivateZone": True},
    )
    with pytest.raises(EngineError, match="Several private hosted zones are called"):
        account.run(MODULE, **options)
    assert actions(account.run(MODULE, zone_id=zone["id"], **options)) == [JOIN]
    assert options["vpc_id"] in resolving(account, zone["id"])


def test_what_dns_does_not_allow_is_refused(account: Account, zone: dict[str, Any], options: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="a CNAME with 2 values"):
        account.run(MODULE, **{**options, "records": [{"name": "x", "values": ["a", "b"]}]})


@pytest.mark.parametrize("effect", ["throttle", "reset_after"])
def test_a_call_that_went_wrong_does_no_harm(
    account: Account, zone: dict[str, Any], options: dict[str, Any], effect: str
) -> None:
    account.sandbox.faults.add(Rule(effect, operation="AssociateVPCWithHostedZone", nth=1))
    account.run(MODULE, **options)
    assert options["vpc_id"] in resolving(account, zone["id"])
    assert not account.run(MODULE, **options)["changed"]
