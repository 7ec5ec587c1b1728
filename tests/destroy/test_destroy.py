# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What destroy.yml takes down, what it refuses, what it keeps and what it tells."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.destroy.conftest import PAIR, QUICK, REGIONS, Doomed
from tests.platform_runs import Run

Stand = Callable[[str], Doomed]


def said(run: Run) -> str:
    """Return what a run printed, without its line breaks."""
    return " ".join(run.output.split())


def kinds(run: Run, name: str) -> set[str]:
    return {action.split("/")[1] for action in run.actions(name)}


def test_the_check_tells_what_the_run_takes_down_and_nothing_is_left(stand: Stand) -> None:
    dev = stand("dev")
    announced = dev.destroy("dev", check=True)
    assert announced.status == 0, announced.output[-3000:]
    assert announced.mutations == []
    done = dev.destroy("dev")
    assert done.status == 0, done.output[-3000:]
    assert announced.actions("dev") == done.actions("dev")
    assert announced.tasks("dev") == done.tasks("dev")
    assert dev.standing("dev") == []
    assert "Nothing is left of dev but what is kept: 8 things, for 10.50 USD a month." in said(done)
    again = dev.destroy("dev")
    assert (again.status, again.mutations, dict(again.tasks("dev"))) == (0, [], {}), again.output[-3000:]


def test_a_source_is_refused_while_it_is_followed(stand: Stand) -> None:
    pair = stand("prod-dr")
    refused = pair.destroy("prod")
    assert (refused.status, refused.mutations) == (2, [])
    for reason in (
        "pipeops-prod in us-west-2 is followed by arn:aws:rds:us-east-1:123456789012:db:pipeops-dr",
        "are replicated to us-east-1",
        "is copied to us-east-1",
        "is resolved in vpc-",
    ):
        assert reason in said(refused)


def test_what_is_protected_is_refused_unless_the_operator_says_so(stand: Stand) -> None:
    pair = stand("prod-dr")
    refused = pair.destroy("dr", destroy_protected=False)
    assert (refused.status, refused.mutations) == (2, [])
    assert "Protected from deletion in us-east-1: DB instance pipeops-dr, EKS cluster pipeops-dr" in said(refused)


def test_it_asks_for_the_name_of_the_environment(stand: Stand) -> None:
    dev = stand("dev")
    for answer in ("yes", "staging"):
        refused = dev.destroy("dev", confirm=answer)
        assert (refused.status, refused.mutations) == (2, [])
        assert "Not confirmed, nothing was changed." in said(refused)
    both = dev.playbook("dev", "staging", playbook="playbooks/destroy.yml", extra={"confirm": "dev"})
    assert (both.status, both.mutations) == (2, [])
    assert "Name one environment" in said(both)


def test_another_account_is_refused(stand: Stand) -> None:
    dev = stand("dev")
    refused = dev.destroy("dev", platform_account_id="210987654321")
    assert (refused.status, refused.mutations) == (2, [])
    assert "210987654321" in said(refused)


def test_a_lock_of_another_run_is_respected(stand: Stand) -> None:
    dev = stand("dev")
    item = {"lock_id": "deployment", "run": "other", "holder": "alice@laptop", "purpose": "site.yml"}
    values = {name: {"S": value} for name, value in item.items()}
    numbers = {"pid": {"N": "1"}, "fencing_token": {"N": "1"}, "ends_at": {"N": "9999999999"}}
    dev.client("dynamodb").put_item(TableName="pipeops-dev-locks", Item={**values, **numbers})
    refused = dev.destroy("dev")
    assert (refused.status, refused.mutations) == (2, [])
    assert "alice@laptop" in said(refused)


def test_what_the_cluster_left_goes_with_it(stand: Stand) -> None:
    dev = stand("dev")
    ec2, elb = dev.client("ec2"), dev.client("elbv2")
    owner = [{"Key": "elbv2.k8s.aws/cluster", "Value": "pipeops-dev"}]
    auto = [{"Key": "eks:eks-cluster-name", "Value": "pipeops-dev"}]
    subnets = ec2.describe_subnets(Filters=[{"Name": "tag:pipeops:environment", "Values": ["dev"]}])["Subnets"]
    vpc, public = subnets[0]["VpcId"], [row["SubnetId"] for row in subnets if "public" in json.dumps(row["Tags"])]
    group = ec2.create_security_group(GroupName="k8s-traffic", Description="k8s", VpcId=vpc)["GroupId"]
    ec2.create_tags(Resources=[group], Tags=owner)
    balancer = elb.create_load_balancer(Name="k8s-web", Subnets=public, SecurityGroups=[group], Tags=owner)
    elb.create_target_group(Name="k8s-web", Protocol="HTTP", Port=80, VpcId=vpc, Tags=owner)
    volume = ec2.create_volume(
        AvailabilityZone="us-west-2a", Size=20, TagSpecifications=[{"ResourceType": "volume", "Tags": auto}]
    )["VolumeId"]
    bystander = ec2.create_volume(AvailabilityZone="us-west-2a", Size=1)["VolumeId"]
    refers = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": group}]}]
    nodes = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["pipeops-dev-nodes"]}])
    ec2.authorize_security_group_ingress(GroupId=nodes["SecurityGroups"][0]["GroupId"], IpPermissions=refers)
    dev.client("logs").create_log_group(logGroupName="/aws/rds/instance/pipeops-dev/postgresql")
    dev.client("logs").create_log_group(logGroupName="/aws/rds/instance/pipeops-dev2/postgresql")
    done = dev.destroy("dev")
    assert done.status == 0, done.output[-3000:]
    assert balancer["LoadBalancers"][0]["LoadBalancerName"] == "k8s-web"
    assert elb.describe_load_balancers()["LoadBalancers"] == elb.describe_target_groups()["TargetGroups"] == []
    left = [row["VolumeId"] for row in ec2.describe_volumes()["Volumes"]]
    assert (volume in left, bystander in left) == (False, True)
    groups = [row["logGroupName"] for row in dev.client("logs").describe_log_groups()["logGroups"]]
    assert groups == ["/aws/rds/instance/pipeops-dev2/postgresql"]


@pytest.mark.thorough
def test_node_groups_and_add_ons_go_before_their_cluster(stand: Stand) -> None:
    dev = stand("dev")
    dev.begin()
    nodes = {"eks_compute": "managed_node_groups"}
    first = dev.playbook("dev", extra={**QUICK, **nodes})
    assert first.status == 0, first.output[-3000:]
    assert len(dev.client("eks").list_nodegroups(clusterName="pipeops-dev")["nodegroups"]) == 3
    announced, done = dev.destroy("dev", check=True, **nodes), dev.destroy("dev", **nodes)
    assert done.status == 0, done.output[-3000:]
    assert announced.actions("dev") == done.actions("dev")
    assert dev.standing("dev") == []


@pytest.mark.thorough
def test_what_somebody_else_made_under_its_tags_fails_the_proof(stand: Stand) -> None:
    dev = stand("dev")
    tags = [{"Key": "pipeops:platform", "Value": "pipeops"}, {"Key": "pipeops:environment", "Value": "dev"}]
    dev.client("sqs").create_queue(QueueName="forgotten", tags={row["Key"]: row["Value"] for row in tags})
    done = dev.destroy("dev", destroy_settle_seconds=1)
    assert done.status == 2
    assert "Not everything of pipeops-dev is gone. Left: sqs forgotten in us-west-2" in said(done)


@pytest.mark.thorough
def test_nothing_at_all_is_kept_if_that_is_asked_for(stand: Stand) -> None:
    dev = stand("dev")
    done = dev.destroy("dev", destroy_snapshots=True, destroy_backups=True, destroy_key_deletion_days=7)
    assert done.status == 0, done.output[-3000:]
    assert "for 0.00 USD a month" in said(done)
    assert dev.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"] == []
    keys = dev.client("kms").list_keys()["Keys"]
    states = {dev.client("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] for key in keys}
    assert states == {"PendingDeletion"}


@pytest.mark.thorough
def test_state_is_kept_with_its_key_if_that_is_asked_for(stand: Stand) -> None:
    dev = stand("dev")
    done = dev.destroy("dev", destroy_keep_state=True)
    assert done.status == 0, done.output[-3000:]
    assert "the key state, needed by the state bucket and the lock table" in said(done)
    bucket = "pipeops-dev-state-123456789012"
    assert "Contents" not in dev.client("s3").list_objects_v2(Bucket=bucket), "nothing is published any more"
    rest = dev.destroy("dev")
    assert rest.status == 0, rest.output[-3000:]
    assert kinds(rest, "dev") == {"s3_bucket", "dynamodb_table", "kms_key"}


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["staging", "dr"])
def test_others_go_wholly_too(stand: Stand, name: str) -> None:
    found = stand("prod-dr" if name in PAIR else name)
    done = found.destroy(name)
    assert done.status == 0, done.output[-3000:]
    assert found.standing(name) == []
    if name == "dr":
        prod = found.destroy("prod")
        assert prod.status == 0, prod.output[-3000:]
        assert found.standing("prod") == []
        tables = [found.client("dynamodb", region).list_tables()["TableNames"] for region in set(REGIONS.values())]
        assert tables == [[], []]
