# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both sides of a pair: the replica of dr, what belongs to it, and the guard against deploying over a move."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.platform_runs import Platform, Run
from tests.playbooks.conftest import CONVERGED_CALLS

WEST, EAST = "us-west-2", "us-east-1"
PROD_ARN = f"arn:aws:rds:{WEST}:123456789012:db:pipeops-prod"
SECRET = "pipeops/prod/database"


def database(stand: Platform, region: str = EAST, identifier: str = "pipeops-dr") -> dict[str, Any]:
    found = stand.client("rds", region).describe_db_instances(DBInstanceIdentifier=identifier)
    return dict(found["DBInstances"][0])


def published(stand: Platform, environment: str, region: str) -> dict[str, Any]:
    bucket, key = f"pipeops-{environment}-state-123456789012", f"outputs/{environment}.json"
    body = stand.client("s3", region).get_object(Bucket=bucket, Key=key)["Body"].read()
    return dict(json.loads(body)["outputs"])


def settled(run: Run) -> None:
    """Insist that a run went well and had nothing to do."""
    assert run.status == 0, run.output[-4000:]
    assert run.mutations == []
    assert not any(run.tasks(host) for host in run.hosts)


def stands(stand: Platform) -> None:
    """Insist on everything that makes dr ready to take over."""
    replica = database(stand)
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == PROD_ARN
    assert (replica["MultiAZ"], replica["DeletionProtection"], replica["BackupRetentionPeriod"]) == (True, True, 30)
    assert replica["DBParameterGroups"][0]["DBParameterGroupName"] == "pipeops-dr-postgres17"
    assert stand.client("secretsmanager", EAST).describe_secret(SecretId=SECRET)["PrimaryRegion"] == WEST
    (backup,) = stand.client("rds", EAST).describe_db_instance_automated_backups(
        Filters=[{"Name": "db-instance-id", "Values": ["pipeops-prod"]}]
    )["DBInstanceAutomatedBackups"]
    assert (backup["DBInstanceArn"], backup["BackupRetentionPeriod"]) == (PROD_ARN, 7)
    zones = stand.client("route53").list_hosted_zones()["HostedZones"]
    zone = next(zone["Id"] for zone in zones if zone["Name"] == "prod.pipeops.internal.")
    regions = [vpc["VPCRegion"] for vpc in stand.client("route53").get_hosted_zone(Id=zone)["VPCs"]]
    assert sorted(regions) == [EAST, WEST]


def test_both_stand_up_in_one_run(empty: Platform) -> None:
    first = empty.playbook("prod", "dr")
    assert first.status == 0, first.output[-4000:]
    stands(empty)
    assert "replica of pipeops-prod in us-west-2" in first.output
    settled(empty.playbook("prod", "dr"))
    for environment in ("prod", "dr"):
        alone = empty.playbook(environment)
        settled(alone)
        assert len(alone.calls) <= CONVERGED_CALLS
    settled(empty.playbook("dr", playbook="playbooks/database.yml"))


def test_each_side_publishes_the_database_that_it_has(pair: Platform) -> None:
    prod, dr = published(pair, "prod", WEST), published(pair, "dr", EAST)
    assert prod["database"]["role"] == "primary"
    assert (dr["database"]["role"], dr["database"]["secret_name"]) == ("replica", SECRET)
    replica = dr["database"]["replica"]
    assert (replica["identifier"], replica["source_arn"]) == ("pipeops-dr", prod["database"]["primary"]["arn"])
    assert replica["endpoint"] == database(pair)["Endpoint"]["Address"]
    assert dr["dns"]["service"]["zone_id"] == prod["dns"]["zone_id"]


@pytest.mark.thorough
def test_a_side_without_its_primary_says_what_is_missing_and_stands(empty: Platform) -> None:
    for check in (True, False):
        run = empty.playbook("dr", check=check)
        assert run.status == 0, run.output[-4000:]
        text = " ".join(run.output.split())
        assert "dr gets no database in this run: prod in us-west-2 has published no primary" in text
        assert "dr does not resolve prod.pipeops.internal yet" in text
        assert "-i inventories/prod -i inventories/dr" in text
    assert published(empty, "dr", EAST)["database"] == {"role": "replica"}
    settled(empty.playbook("dr"))
    assert empty.playbook("prod").status == 0
    assert empty.playbook("dr").status == 0
    stands(empty)


def test_a_side_is_left_as_it_is_while_the_region_of_its_primary_is_down(pair: Platform) -> None:
    pair.control("POST", f"regions/{WEST}", state="down")
    try:
        run = pair.playbook("dr")
    finally:
        pair.control("POST", f"regions/{WEST}", state="up")
    settled(run)
    assert published(pair, "dr", EAST)["database"]["replica"]["source_arn"] == PROD_ARN


def promote(stand: Platform) -> None:
    """Promote the replica of dr by hand."""
    rds = stand.client("rds", EAST)
    rds.promote_read_replica(DBInstanceIdentifier="pipeops-dr", BackupRetentionPeriod=30)
    while database(stand).get("ReadReplicaSourceDBInstanceIdentifier"):
        pass


@pytest.mark.parametrize(
    "inventories",
    [
        pytest.param(("prod",), marks=pytest.mark.thorough),
        pytest.param(("dr",), marks=pytest.mark.thorough),
        ("prod", "dr"),
    ],
    ids="+".join,
)
def test_a_run_over_a_move_is_refused(pair: Platform, inventories: tuple[str, ...]) -> None:
    promote(pair)
    for check in (True, False):
        run = pair.playbook(*inventories, check=check)
        text = " ".join(run.output.split())
        assert run.status != 0
        assert run.mutations == []
        if "prod" in inventories:
            assert f"platform_database_role is primary: the database of its pair, {PROD_ARN[:12]}" in text
            assert "db:pipeops-dr in us-east-1, is a primary as well, so two would lead" in text
            assert "playbooks/dr_status.yml" in text and "playbooks/dr_failback.yml" in text
    assert database(pair)["DBInstanceStatus"] == "available"


def test_a_promoted_side_goes_on_with_the_roles_swapped(pair: Platform) -> None:
    """After a move that shall stay, the other side has the copied secret, and its run changes nothing about it."""
    promote(pair)
    pair.client("secretsmanager", EAST).stop_replication_to_replica(SecretId=SECRET)
    west = pair.client("rds", WEST)
    tags = [{"Key": "pipeops:fenced", "Value": "2026-11-25T00:00:00Z"}]
    west.add_tags_to_resource(ResourceName=PROD_ARN, Tags=tags)
    run = pair.playbook("dr", extra={"platform_database_role": "primary"})
    assert run.status == 0, run.output[-4000:]
    actions = run.actions("dr")
    assert not [action for action in actions if action.startswith(("create/rds", "create/secretsmanager"))], actions
    assert actions["update/route53_record/database.prod.pipeops.internal:CNAME/values"] == 1
    assert published(pair, "dr", EAST)["database"]["role"] == "primary"
    settled(pair.playbook("dr", extra={"platform_database_role": "primary"}))
