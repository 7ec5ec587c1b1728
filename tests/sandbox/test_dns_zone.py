# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from pipeops_sandbox.faults import Rule

from tests.sandbox.conftest import Account, prove_converges, prove_removes

DOMAIN = "prod.pipeops.internal"
DATABASE = {"name": "database", "type": "CNAME", "ttl": 30, "values": ["a.rds.amazonaws.com"]}


def vpc(account: Account, cidr: str = "10.0.0.0/16", region: str = "us-west-2") -> dict[str, str]:
    made = account.client("ec2", region).create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    return {"vpc_id": made, "region": region}


@pytest.fixture
def options(account: Account) -> dict[str, Any]:
    """The options of an ordinary environment."""
    return {"zone_name": DOMAIN, "vpcs": [vpc(account)], "records": [DATABASE]}


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


def upsert(account: Account, zone_id: str, verb: str, **record: Any) -> None:
    """Change a record by hand."""
    batch = {"Changes": [{"Action": verb, "ResourceRecordSet": record}]}
    account.client("route53").change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


def test_it_converges_and_goes(account: Account, options: dict[str, Any]) -> None:
    options["records"] = [
        DATABASE,
        {"name": "@", "type": "TXT", "values": ['owner="pipeops"', "x" * 300]},
        {"name": f"api.{DOMAIN}", "type": "A", "values": ["10.0.0.2", "10.0.0.1"]},
        {"name": "*.apps", "type": "CNAME", "values": ["lb.example.com."]},
    ]
    applied = prove_converges(account, "dns_zone", **options)
    found = applied["outputs"]
    assert found["zone_name"] == DOMAIN
    assert len(found["name_servers"]) == 4
    assert found["records"]["database"] == f"database.{DOMAIN}"
    prove_removes(account, "dns_zone", **options)
    assert account.client("route53").list_hosted_zones()["HostedZones"] == []


def test_a_dry_run_takes_placeholders(account: Account) -> None:
    planned = account.run(
        "dns_zone",
        check=True,
        zone_name=DOMAIN,
        vpcs=[{"vpc_id": "pending:ec2_vpc.id:main", "region": "us-west-2"}],
        records=[
            {**DATABASE, "values": ["pending:rds_instance.endpoint:primary"]},
            {"name": "x", "type": "A", "values": ["pending:x"]},
        ],
    )
    assert actions(planned) == [
        "create/route53_zone/private",
        f"create/route53_record/database.{DOMAIN}:CNAME",
        f"create/route53_record/x.{DOMAIN}:A",
    ]
    assert planned["outputs"]["zone_id"] == "pending:route53_zone.id:private"


def test_a_record_that_was_changed_or_deleted_is_healed(account: Account, options: dict[str, Any]) -> None:
    zone_id = account.run("dns_zone", **options)["outputs"]["zone_id"]
    name = f"database.{DOMAIN}"
    drifted = {"Name": name, "Type": "CNAME", "TTL": 30, "ResourceRecords": [{"Value": "b.example.com"}]}
    upsert(account, zone_id, "UPSERT", **drifted)
    assert actions(account.run("dns_zone", check=True, **options)) == [f"update/route53_record/{name}:CNAME/values"]
    assert actions(account.run("dns_zone", **options)) == [f"update/route53_record/{name}:CNAME/values"]
    drifted["ResourceRecords"] = [{"Value": "a.rds.amazonaws.com"}]
    upsert(account, zone_id, "DELETE", **drifted)
    assert actions(account.run("dns_zone", **options)) == [f"create/route53_record/{name}:CNAME"]
    assert not account.run("dns_zone", **options)["changed"]


def test_another_ttl_is_one_change(account: Account, options: dict[str, Any]) -> None:
    account.run("dns_zone", **options)
    options["records"] = [{**DATABASE, "ttl": 60}]
    assert actions(account.run("dns_zone", **options)) == [f"update/route53_record/database.{DOMAIN}:CNAME/values"]


def test_vpcs_are_added_and_those_of_others_left_alone(account: Account, options: dict[str, Any]) -> None:
    zone_id = account.run("dns_zone", **options)["outputs"]["zone_id"]
    former, options["vpcs"] = options["vpcs"], [vpc(account, "10.2.0.0/16"), vpc(account, "10.1.0.0/16", "us-east-1")]
    changed, calls = account.run_watched("dns_zone", **options)
    assert actions(changed) == ["update/route53_zone/private/vpcs"]
    assert calls == ["route53:AssociateVPCWithHostedZone"] * 2
    found = account.client("route53").get_hosted_zone(Id=zone_id)["VPCs"]
    assert {(item["VPCId"], item["VPCRegion"]) for item in found} == {
        (item["vpc_id"], item["region"]) for item in [*former, *options["vpcs"]]
    }
    assert not account.run("dns_zone", **options)["changed"]


def test_a_zone_in_two_vpcs_is_made_so(account: Account, options: dict[str, Any]) -> None:
    options["vpcs"].append(vpc(account, "10.1.0.0/16", "us-east-1"))
    prove_converges(account, "dns_zone", **options)


def test_comment_and_tags_are_healed(account: Account, options: dict[str, Any]) -> None:
    zone_id = account.run("dns_zone", **options)["outputs"]["zone_id"]
    route53 = account.client("route53")
    route53.update_hosted_zone_comment(Id=zone_id, Comment="mine")
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, RemoveTagKeys=["Name"])
    wanted = ["update/route53_zone/private/comment", "update/route53_zone/private/tags"]
    assert actions(account.run("dns_zone", **options)) == wanted
    assert not account.run("dns_zone", **options)["changed"]


def test_a_zone_that_a_killed_run_left_without_tags_is_ours(account: Account, options: dict[str, Any]) -> None:
    first = options["vpcs"][0]
    account.client("route53").create_hosted_zone(
        Name=DOMAIN,
        CallerReference="pipeops-prod/dns/private/0123",
        VPC={"VPCId": first["vpc_id"], "VPCRegion": first["region"]},
        HostedZoneConfig={"Comment": "Private names of pipeops-prod", "PrivateZone": True},
    )
    completed = account.run("dns_zone", **options)
    assert actions(completed) == [
        "update/route53_zone/private/tags",
        f"create/route53_record/database.{DOMAIN}:CNAME",
    ]


def test_a_namesake_of_others_is_left_alone(account: Account, options: dict[str, Any]) -> None:
    other = vpc(account, "10.9.0.0/16")
    theirs = account.client("route53").create_hosted_zone(
        Name=DOMAIN,
        CallerReference="theirs",
        VPC={"VPCId": other["vpc_id"], "VPCRegion": other["region"]},
        HostedZoneConfig={"Comment": "", "PrivateZone": True},
    )["HostedZone"]["Id"]
    made = account.run("dns_zone", **options)["outputs"]["zone_id"]
    assert not theirs.endswith(made)
    account.run("dns_zone", state="absent", **options)
    assert account.client("route53").get_hosted_zone(Id=theirs)["HostedZone"]["Name"] == f"{DOMAIN}."


def test_an_adopted_zone_is_found_by_its_tags(account: Account, options: dict[str, Any]) -> None:
    first = options["vpcs"][0]
    route53 = account.client("route53")
    zone_id = route53.create_hosted_zone(
        Name=DOMAIN,
        CallerReference="earlier",
        VPC={"VPCId": first["vpc_id"], "VPCRegion": first["region"]},
        HostedZoneConfig={"Comment": "", "PrivateZone": True},
    )["HostedZone"]["Id"].rpartition("/")[2]
    owner = {
        "pipeops:platform": "pipeops",
        "pipeops:environment": "prod",
        "pipeops:component": "dns/private",
        "pipeops:managed-by": "pipeops.platform",
    }
    tags = [{"Key": key, "Value": value} for key, value in owner.items()]
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, AddTags=tags)
    assert account.run("dns_zone", **options)["outputs"]["zone_id"] == zone_id


def test_two_zones_of_ours_are_refused(account: Account, options: dict[str, Any]) -> None:
    for number in range(2):
        account.client("route53").create_hosted_zone(
            Name=DOMAIN,
            CallerReference=f"pipeops-prod/dns/private/{number}",
            VPC={"VPCId": vpc(account, f"10.{number + 1}.0.0/16")["vpc_id"], "VPCRegion": "us-west-2"},
            HostedZoneConfig={"Comment": "", "PrivateZone": True},
        )
    with pytest.raises(EngineError, match="Several private hosted zones"):
        account.run("dns_zone", **options)


def test_records_of_others_keep_the_zone(account: Account, options: dict[str, Any]) -> None:
    zone_id = account.run("dns_zone", **options)["outputs"]["zone_id"]
    theirs = {"Name": f"theirs.{DOMAIN}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.9"}]}
    upsert(account, zone_id, "CREATE", **theirs)
    assert not account.run("dns_zone", **options)["changed"]
    with pytest.raises(EngineError, match=f"theirs.{DOMAIN} A"):
        account.run("dns_zone", state="absent", **options)


def test_a_new_name_for_the_zone_is_refused(account: Account, options: dict[str, Any]) -> None:
    account.run("dns_zone", **options)
    with pytest.raises(PlanRefused, match="cannot rename a zone"):
        account.run("dns_zone", **{**options, "zone_name": "other.internal"})


def test_without_waiting_nobody_asks_whether_it_has_spread(account: Account, options: dict[str, Any]) -> None:
    before = account.journal_length()
    account.run("dns_zone", wait=False, **options)
    asked = [entry.operation for entry in account.sandbox.journal.entries() if entry.n > before]
    assert "GetChange" not in asked


@pytest.mark.parametrize("effect", ["throttle", "reset_after"])
@pytest.mark.parametrize("operation", ["CreateHostedZone", "ChangeTagsForResource", "ChangeResourceRecordSets"])
def test_a_call_that_went_wrong_makes_no_second_zone(
    account: Account, options: dict[str, Any], operation: str, effect: str
) -> None:
    account.sandbox.faults.add(Rule(effect, operation=operation, nth=1))
    account.run("dns_zone", **options)
    assert len(account.client("route53").list_hosted_zones()["HostedZones"]) == 1
    assert not account.run("dns_zone", **options)["changed"]
