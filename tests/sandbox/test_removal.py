# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules remove that did not come of them, and what they do not touch."""

from __future__ import annotations

from typing import Any
from urllib.request import Request, urlopen

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from ansible_collections.pipeops.platform.plugins.modules import rds_final_snapshot
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_removes
from tests.sandbox.rds_database import MODULE, small_options

ZONE: dict[str, Any] = {"zone_name": "prod.pipeops.internal"}


@pytest.fixture
def database(account: Account) -> dict[str, Any]:
    options = {**small_options(account), "deletion_protection": False, "final_snapshot": False}
    account.run(MODULE, **options)
    return options


def take(account: Account, *, check: bool = False) -> dict[str, Any]:
    params = {"identifier": "pipeops-prod", "region": account.region, "endpoint_url": account.url}
    own = {"wait_timeout": 20, "wait_delay": 0.2, **params}
    return rds_final_snapshot.run(own, check_mode=check, progress=lambda _text: None)


def test_the_final_snapshot_is_taken_once_and_awaited(account: Account, database: dict[str, Any]) -> None:
    rds = account.client("rds")
    assert (take(account, check=True)["changed"], rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]) == (
        True,
        [],
    )
    first = take(account)
    (snapshot,) = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert (first["snapshot"], snapshot["Status"]) == (snapshot["DBSnapshotIdentifier"], "available")
    assert {tag["Key"]: tag["Value"] for tag in snapshot["TagList"]}["pipeops:environment"] == "prod"
    again = take(account)
    assert (again["changed"], again["snapshot"]) == (False, first["snapshot"])
    account.run(MODULE, state="absent", **database)
    gone = take(account)
    assert (gone["changed"], gone["snapshot"]) == (False, first["snapshot"])


def test_a_database_that_no_snapshot_can_be_taken_of_is_named(account: Account, database: dict[str, Any]) -> None:
    runtime.clock.set("instant", 1)
    path = f"{account.url}/_sandbox/rds/{account.region}/pipeops-prod"
    urlopen(Request(path, data=b'{"status": "incompatible-network"}', method="POST"), timeout=10).close()
    with pytest.raises(EngineError, match="is incompatible-network, and AWS takes no snapshot then"):
        take(account)


def test_copies_go_only_if_that_is_asked_for(account: Account, database: dict[str, Any]) -> None:
    take(account)
    rds = account.client("rds")
    rds.create_db_snapshot(DBSnapshotIdentifier="by-hand", DBInstanceIdentifier="pipeops-prod")
    rds.remove_tags_from_resource(
        ResourceName=f"arn:aws:rds:{account.region}:123456789012:snapshot:by-hand", TagKeys=["pipeops:environment"]
    )
    rds.delete_db_instance(DBInstanceIdentifier="pipeops-prod", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    nothing = account.run("rds_copies", state="absent")
    assert nothing["actions"] == []
    prove_removes(account, "rds_copies", snapshots=True, retained_backups=True)
    left = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert [row["DBSnapshotIdentifier"] for row in left] == ["by-hand"], "what does not carry our tags stays"


@pytest.mark.parametrize("module", ["rds_copies", "service_leftovers"])
def test_they_bring_nothing_about(account: Account, module: str) -> None:
    with pytest.raises(PlanRefused, match="Set state: absent"):
        account.run(module)


def test_a_protected_witness_goes_if_the_option_says_so(account: Account) -> None:
    account.run("database_witness")
    with pytest.raises(EngineError, match="protected from deletion"):
        account.run("database_witness", state="absent")
    prove_removes(account, "database_witness", deletion_protection=False)


def test_a_zone_goes_with_names_of_others_if_that_is_asked_for(account: Account) -> None:
    vpc = account.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = account.run("dns_zone", vpcs=[{"vpc_id": vpc, "region": account.region}], **ZONE)
    record = {"Name": "web.prod.pipeops.internal", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}
    account.client("route53").change_resource_record_sets(
        HostedZoneId=made["outputs"]["zone_id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )
    with pytest.raises(EngineError, match=r"still holds records .* set empty: true"):
        account.run("dns_zone", vpcs=[], state="absent", **ZONE)
    prove_removes(account, "dns_zone", vpcs=[], empty=True, **ZONE)
    assert account.client("route53").list_hosted_zones()["HostedZones"] == []
