# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to single instances in a move: the fence, the tags, and the removal in the right order."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from pipeops_sandbox.overlays.rds.inject import set_status

from tests.sandbox.conftest import MODULES, Account
from tests.sandbox.rds_pair import EAST, WEST, set_region

NAME = "pipeops-prod"
ALL = (NAME, f"{NAME}-a", f"{NAME}-b")


def call(account: Account, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
    """Run one of our function modules, in process."""
    loaded = importlib.import_module(f"{MODULES}.{module}")
    given = {"region": WEST, "endpoint_url": account.url, "identifier": NAME, "wait_delay": 0.05, **options}
    checked = ArgumentSpecValidator({**aws_argument_spec(), **loaded.ARGUMENT_SPEC}).validate(given)
    assert not checked.error_messages, checked.error_messages
    result: dict[str, Any] = loaded.run(checked.validated_parameters, check_mode=check, progress=lambda _text: None)
    return result


def stand(account: Account, region: str = WEST) -> str:
    """Make a network of our kind, in which the default group lets nothing in, and return its database group."""
    ec2, rds = account.client("ec2", region), account.client("rds", region)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]][:2]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(zones)
    ]
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=subnets)
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    (default,) = [group for group in groups if group["GroupName"] == "default"]
    ec2.revoke_security_group_ingress(GroupId=default["GroupId"], IpPermissions=default["IpPermissions"])
    return str(ec2.create_security_group(GroupName="data", Description="data", VpcId=vpc)["GroupId"])


@pytest.fixture
def primary(account: Account) -> dict[str, Any]:
    """A primary with two replicas beside it, protected as ours are."""
    group, rds = stand(account), account.client("rds", WEST)
    made = rds.create_db_instance(
        DBInstanceIdentifier=NAME, Engine="postgres", EngineVersion="17.6", DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20, MasterUsername="dbadmin", MasterUserPassword="correct-horse", DBName="app",
        DBSubnetGroupName="data", VpcSecurityGroupIds=[group], BackupRetentionPeriod=7, DeletionProtection=True,
    )["DBInstance"]  # fmt: skip
    for zone in ("a", "b"):
        rds.create_db_instance_read_replica(
            DBInstanceIdentifier=f"{NAME}-{zone}", SourceDBInstanceIdentifier=NAME, VpcSecurityGroupIds=[group]
        )
    return {"arn": made["DBInstanceArn"], "group": group}


def test_replicas_go_first_and_a_snapshot_stays(account: Account, primary: dict[str, Any]) -> None:
    del primary
    rds = account.client("rds", WEST)
    assert call(account, "rds_retirement", check=True)["removed"] == [f"{NAME}-a", f"{NAME}-b", NAME]
    assert len(rds.describe_db_instances()["DBInstances"]) == 3
    before = account.journal_length()
    result = call(account, "rds_retirement")
    deletions = [e for e in account.sandbox.journal.entries() if e.n > before and e.operation == "DeleteDBInstance"]
    assert (len(deletions), result["removed"]) == (3, [f"{NAME}-a", f"{NAME}-b", NAME])
    assert rds.describe_db_instances()["DBInstances"] == []
    (kept,) = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert kept["DBSnapshotIdentifier"] == result["final_snapshot"]
    assert call(account, "rds_retirement")["changed"] is False


def test_what_another_region_follows_is_kept(account: Account, primary: dict[str, Any]) -> None:
    group = stand(account, EAST)
    account.client("rds", EAST).create_db_instance_read_replica(
        DBInstanceIdentifier="pipeops-dr", SourceDBInstanceIdentifier=primary["arn"], DBSubnetGroupName="data",
        VpcSecurityGroupIds=[group],
    )  # fmt: skip
    with pytest.raises(EngineError, match="pipeops-dr, so it still leads"):
        call(account, "rds_retirement")
    assert len(account.client("rds", WEST).describe_db_instances()["DBInstances"]) == 3


def test_a_fence_falls_once(account: Account, primary: dict[str, Any]) -> None:
    assert call(account, "rds_fence", check=True)["fenced"] is False
    assert (call(account, "rds_fence")["fenced"], call(account, "rds_fence")["changed"]) == (True, False)
    assert [fenced(account, primary, name) for name in ALL] == [(True, True)] * 3
    assert call(account, "rds_fence", identifier="nobody")["fenced"] is True


def fenced(account: Account, primary: dict[str, Any], name: str) -> tuple[bool, bool]:
    """Tell whether an instance is off the network, and whether its tag says so."""
    (shown,) = account.client("rds", WEST).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    groups = [group["VpcSecurityGroupId"] for group in shown["VpcSecurityGroups"]]
    return primary["group"] not in groups, "pipeops:fenced" in {tag["Key"] for tag in shown["TagList"]}


def test_replicas_are_fenced_afterwards_where_seconds_count(account: Account, primary: dict[str, Any]) -> None:
    assert call(account, "rds_fence", replicas=False)["fenced"] is True
    assert [fenced(account, primary, name) for name in ALL] == [(True, False), (False, False), (False, False)]
    assert call(account, "rds_fence", replicas=False)["changed"] is False
    assert call(account, "rds_fence")["fenced"] is True
    assert [fenced(account, primary, name) for name in ALL] == [(True, True)] * 3


def test_a_replica_in_trouble_is_owed_and_keeps_no_other_from_its_fence(
    account: Account, primary: dict[str, Any]
) -> None:
    set_status("123456789012", WEST, f"{NAME}-a", "storage-full")
    found = call(account, "rds_fence", required=False)
    assert (found["reachable"], found["fenced"], list(found["unfenced"])) == (True, False, [f"{NAME}-a"])
    assert "is storage-full" in found["reason"]
    # No tag on the primary: what reads it would forget the replica.
    assert [fenced(account, primary, name) for name in ALL] == [(True, False), (False, False), (True, True)]
    with pytest.raises(EngineError, match=f"Read replicas of {NAME} in us-west-2 are not fenced: {NAME}-a"):
        call(account, "rds_fence")
    set_status("123456789012", WEST, f"{NAME}-a", "available")
    assert call(account, "rds_fence")["fenced"] is True
    assert [fenced(account, primary, name) for name in ALL] == [(True, True)] * 3


def test_a_fence_that_would_let_something_in_is_refused(account: Account, primary: dict[str, Any]) -> None:
    ec2 = account.client("ec2", WEST)
    (mine,) = ec2.describe_security_groups(GroupIds=[primary["group"]])["SecurityGroups"]
    filters = [{"Name": "vpc-id", "Values": [mine["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    (default,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_ingress(GroupId=default["GroupId"], IpPermissions=[rule])
    with pytest.raises(EngineError, match="has rules that let something in"):
        call(account, "rds_fence")


def test_a_fence_in_a_region_that_is_down_is_owed_or_an_error(account: Account, primary: dict[str, Any]) -> None:
    del primary
    set_region(account, WEST, "down")
    try:
        found = call(account, "rds_fence", required=False)
        assert (found["reachable"], found["fenced"]) == (False, False)
        assert "is not fenced" in found["reason"]
        with pytest.raises(EngineError, match="Run again"):
            call(account, "rds_fence")
    finally:
        set_region(account, WEST, "up")


def test_tags_come_and_go_without_the_others(account: Account, primary: dict[str, Any]) -> None:
    account.client("rds", WEST).add_tags_to_resource(ResourceName=primary["arn"], Tags=[{"Key": "own", "Value": "1"}])
    tag = {"pipeops:takes-over-from": "arn"}
    assert call(account, "rds_instance_tags", set=tag)["tags"] == {"own": "1", **tag}
    assert call(account, "rds_instance_tags", set=tag)["changed"] is False
    assert call(account, "rds_instance_tags", remove=list(tag))["tags"] == {"own": "1"}
    with pytest.raises(EngineError, match="There is no DB instance nobody"):
        call(account, "rds_instance_tags", identifier="nobody", set=tag)
