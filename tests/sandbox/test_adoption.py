# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking over what others made: tags only, then an ordinary run that keeps what stood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.layers.eks_cluster import CLUSTER_POLICIES

from tests.sandbox import foreign_vpc
from tests.sandbox.conftest import Account
from tests.sandbox.eks_stand import foundations
from tests.sandbox.rds_database import small_options

NETWORK: dict[str, Any] = {"cidr": "10.0.0.0/16", "zones": list(foreign_vpc.ZONES)}


def test_a_network_is_taken_over_by_tags_alone(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = foreign_vpc.make(ec2)
    predicted, nothing = account.run_watched("vpc_network", check=True, state="adopted", vpc_id=vpc.vpc_id, **NETWORK)
    assert nothing == []
    adopted, calls = account.run_watched("vpc_network", state="adopted", vpc_id=vpc.vpc_id, **NETWORK)
    assert [a["action"] for a in adopted["actions"]] == [a["action"] for a in predicted["actions"]]
    assert set(calls) == {"ec2:CreateTags"}
    assert {a["change"] for a in adopted["actions"]} == {"tags"}
    # The VPC, its gateway, 9 subnets, 3 tables, NAT with its address, and the endpoint.
    assert len(adopted["actions"]) == 1 + 1 + 9 + 3 + 2 + 1
    outputs = adopted["outputs"]
    assert outputs["vpc_id"] == vpc.vpc_id
    assert outputs["subnet_ids"]["private"] == [vpc.subnets[f"private-{zone}"] for zone in foreign_vpc.ZONES]
    assert outputs["route_table_ids"] == vpc.tables
    assert outputs["nat_gateway_id"] == vpc.nat
    assert vpc.spare_subnet in {item["id"] for item in adopted["left_alone"]}

    again, calls = account.run_watched("vpc_network", state="adopted", vpc_id=vpc.vpc_id, **NETWORK)
    assert (again["changed"], calls) == (False, [])


def test_an_ordinary_run_goes_on_from_there_as_announced(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = foreign_vpc.make(ec2)
    adopted = account.run("vpc_network", state="adopted", vpc_id=vpc.vpc_id, **NETWORK)
    present = account.run("vpc_network", **NETWORK)
    assert {a["action"] for a in present["actions"]} == {a["action"] for a in adopted["deferred"]}
    # Neither what stood nor its way out is made a second time.
    assert not {"ec2_vpc", "ec2_subnet", "ec2_route_table", "ec2_nat_gateway", "ec2_elastic_ip", "ec2_route"} & {
        a["kind"] for a in present["actions"] if a["verb"] in ("create", "delete")
    }
    assert present["outputs"]["vpc_id"] == vpc.vpc_id
    assert present["outputs"]["nat_gateway_id"] == vpc.nat
    assert account.run("vpc_network", **NETWORK)["actions"] == []
    assert len(ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]) == 1
    assert vpc.spare_subnet in {one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cidr": "10.0.0.0/17"}, "cidr of VPC 'main'"),
        ({"vpc_id": "vpc-0123456789abcdef0"}, "has no such VPC"),
        ({"vpc_id": ""}, "vpc_id names the VPC to take over"),
        ({"environment": "staging"}, "belongs to environment 'prod'"),
    ],
)
def test_a_takeover_that_cannot_be_is_refused_before_any_tag(
    account: Account, options: dict[str, Any], words: str
) -> None:
    vpc = foreign_vpc.make(account.client("ec2"))
    if "environment" in options:
        account.run("vpc_network", state="adopted", vpc_id=vpc.vpc_id, **NETWORK)
    before = account.journal_length()
    with pytest.raises(PlanRefused, match=words):
        account.run("vpc_network", state="adopted", **{"vpc_id": vpc.vpc_id, **NETWORK, **options})
    assert [entry for entry in account.sandbox.journal.entries() if entry.n > before and entry.mutating] == []


def _legacy_database(account: Account, options: dict[str, Any]) -> None:
    """Make a database as somebody made it by hand: other names, another key, zone by AWS's choice."""
    rds = account.client("rds")
    rds.create_db_subnet_group(
        DBSubnetGroupName="legacy-subnets", DBSubnetGroupDescription="legacy", SubnetIds=options["subnet_ids"]
    )
    rds.create_db_instance(
        DBInstanceIdentifier="legacy",
        Engine="postgres",
        EngineVersion="17.6",
        DBInstanceClass="db.r6g.large",
        DBName="shop",
        MasterUsername="owner",
        MasterUserPassword="a-password-of-theirs",
        AllocatedStorage=100,
        StorageType="gp3",
        StorageEncrypted=True,
        KmsKeyId=account.client("kms").create_key()["KeyMetadata"]["Arn"],
        DBSubnetGroupName="legacy-subnets",
        VpcSecurityGroupIds=options["security_group_ids"],
        MultiAZ=True,
        BackupRetentionPeriod=7,
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="legacy", WaiterConfig={"Delay": 1})


def _credentials(account: Account) -> None:
    text = json.dumps({"username": "owner", "password": "a-password-of-theirs"})
    account.client("secretsmanager").create_secret(Name="pipeops/prod/database", SecretString=text)


def test_a_database_is_taken_over_under_its_own_name(account: Account) -> None:
    options = {
        **small_options(account),
        "identifier": "legacy",
        "database_name": "shop",
        "master_username": "owner",
    }
    with pytest.raises(PlanRefused, match=r"no DB instance legacy to take over\..*no secret pipeops/prod/database"):
        account.run("rds_instance_set", state="adopted", **options)
    _legacy_database(account, options)
    _credentials(account)
    adopted, calls = account.run_watched("rds_instance_set", state="adopted", **options)
    assert sorted(calls) == ["rds:AddTagsToResource", "secretsmanager:TagResource"]
    assert {a["action"] for a in adopted["deferred"]} >= {
        "update/rds_instance/primary/instance_class",
        "update/rds_instance/primary/backups",
        "update/rds_instance/primary/parameter_group",
    }
    assert adopted["outputs"]["primary"]["identifier"] == "legacy"

    present = account.run("rds_instance_set", **options)
    assert {a["action"] for a in present["actions"]} == {a["action"] for a in adopted["deferred"]}
    assert account.run("rds_instance_set", **options)["actions"] == []
    instances = account.client("rds").describe_db_instances()["DBInstances"]
    assert [(one["DBInstanceIdentifier"], one["DBSubnetGroup"]["DBSubnetGroupName"]) for one in instances] == [
        ("legacy", "legacy-subnets")
    ]
    secret = account.client("secretsmanager").get_secret_value(SecretId="pipeops/prod/database")
    assert json.loads(secret["SecretString"])["password"] == "a-password-of-theirs"


def test_what_a_database_cannot_become_is_refused_before_it_is_taken_over(account: Account) -> None:
    options = {**small_options(account), "identifier": "legacy", "database_name": "app", "master_username": "owner"}
    _legacy_database(account, options)
    _credentials(account)
    with pytest.raises(PlanRefused, match="database_name of DB instance 'primary'"):
        account.run("rds_instance_set", state="adopted", **options)
    [instance] = account.client("rds").describe_db_instances()["DBInstances"]
    assert instance["TagList"] == []


def test_a_cluster_is_taken_over_with_the_role_that_it_has(account: Account) -> None:
    options = {**foundations(account), "cluster_name": "legacy"}
    eks, iam = account.client("eks"), account.client("iam")
    with pytest.raises(PlanRefused, match="no EKS cluster legacy to take over"):
        account.run("eks_cluster", state="adopted", **options)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        ],
    }
    role = iam.create_role(RoleName="eks-of-theirs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    for policy in CLUSTER_POLICIES:
        iam.attach_role_policy(RoleName="eks-of-theirs", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    eks.create_cluster(
        name="legacy",
        version=options["version"],
        roleArn=role,
        resourcesVpcConfig={"subnetIds": options["subnet_ids"]},
        accessConfig={"authenticationMode": "API"},
        kubernetesNetworkConfig={"serviceIpv4Cidr": "172.21.0.0/16"},
    )
    eks.get_waiter("cluster_active").wait(name="legacy", WaiterConfig={"Delay": 1})
    adopted, calls = account.run_watched("eks_cluster", state="adopted", **options)
    assert calls == ["eks:TagResource"]
    present = account.run("eks_cluster", **options)
    assert {a["action"] for a in present["actions"]} == {a["action"] for a in adopted["deferred"]}
    assert account.run("eks_cluster", **options)["actions"] == []
    standing = eks.describe_cluster(name="legacy")["cluster"]
    assert (standing["roleArn"], standing["tags"]["pipeops:adopted"]) == (role, "true")
    assert eks.list_clusters()["clusters"] == ["legacy"]
