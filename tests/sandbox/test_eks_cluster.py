# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine import executor
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from pipeops_sandbox.faults import Rule
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.eks_stand import (
    ACCOUNT,
    ADMINISTRATOR,
    EDIT,
    FAST,
    NAME,
    NODE_ROLE,
    actions,
    calls,
    cluster,
    cluster_vpc,
    faster_once_seen,
    foundations,
    prove_change,
    run,
)


@pytest.fixture
def options(account: Account) -> dict[str, Any]:
    return foundations(account)


def test_a_cluster_converges_and_goes(account: Account, options: dict[str, Any]) -> None:
    outputs = prove_converges(account, "eks_cluster", **options)["outputs"]
    stands = cluster(account)
    assert stands["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    assert stands["computeConfig"] == {"enabled": True, "nodePools": []}
    assert stands["encryptionConfig"][0]["provider"]["keyArn"] == options["kms_key_arn"]
    assert outputs["endpoint"] == stands["endpoint"]
    assert outputs["cluster_security_group_id"].startswith("sg-")
    workloads = f"arn:aws:iam::{ACCOUNT}:role/pipeops/prod/workloads/{NAME}"
    assert outputs["workload_role_arns"] == {
        "external-secrets/external-secrets": f"{workloads}-external-secrets-external-secrets",
        "amazon-cloudwatch/cloudwatch-agent": f"{workloads}-amazon-cloudwatch-cloudwatch-agent",
    }
    prove_removes(account, "eks_cluster", **options)
    assert account.client("eks").list_clusters()["clusters"] == []
    assert account.client("logs").describe_log_groups()["logGroups"] == []
    left = [one["RoleName"] for one in account.client("iam").list_roles()["Roles"]]
    assert [name for name in left if name.startswith("pipeops")] == []


def test_every_option_at_once_converges_and_goes(account: Account, options: dict[str, Any]) -> None:
    vpc = cluster_vpc(account, options)
    group = account.client("ec2").create_security_group(GroupName="extra", Description="extra", VpcId=vpc)["GroupId"]
    every = {
        **options,
        "cluster_name": "main",
        "security_group_ids": [group],
        "endpoint_public_access": True,
        "public_access_cidrs": ["198.51.99.0/24", "203.0.112.0/24"],
        "service_ipv4_cidr": "172.30.0.0/20",
        "log_types": ["audit"],
        "log_retention_days": 0,
        "support_type": "EXTENDED",
        "zonal_shift": True,
        "builtin_node_pools": ["system", "general-purpose"],
        "workload_identity": "irsa",
        "tags": {"team": "platform"},
    }
    outputs = prove_converges(account, "eks_cluster", **every)["outputs"]
    assert outputs["node_role_name"] == "main-node"
    (provider,) = account.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert provider["Arn"].endswith(outputs["oidc_issuer"].removeprefix("https://"))
    prove_removes(account, "eks_cluster", **every)
    assert account.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_a_converged_run_takes_few_reads(account: Account, options: dict[str, Any]) -> None:
    plain = {**options, "access_entries": [], "workload_roles": []}
    run(account, plain)
    before = account.journal_length()
    run(account, plain)
    taken = Counter(entry.service for entry in account.sandbox.journal.entries() if entry.n > before)
    assert taken == {"eks": 8, "iam": 8, "logs": 2}


def test_start_early_and_wait_late(account: Account, options: dict[str, Any]) -> None:
    runtime.clock.set("aws", FAST)
    predicted = run(account, options, check=True, wait=False)
    later = run(account, options, check=True, started=predicted)
    inside = [
        "create/eks_access_entry/node",
        "create/eks_access_entry/role/admin",
        "create/eks_pod_identity/amazon-cloudwatch/cloudwatch-agent",
        "create/eks_pod_identity/external-secrets/external-secrets",
    ]
    assert sorted(actions(later)) == inside
    started = run(account, options, wait=False)
    assert actions(started) == actions(predicted)
    assert not started["settled"]
    assert cluster(account)["status"] == "CREATING"
    assert started["outputs"]["arn"] == cluster(account)["arn"]
    assert started["outputs"]["endpoint"] == "pending:eks_cluster.endpoint:main"
    finished = run(account, options, started=started)
    assert actions(finished) == actions(later)
    assert finished["outputs"]["endpoint"].startswith("https://")
    assert finished["settled"]
    assert not run(account, options)["changed"]


def logging_off(client: Callable[[str], Any]) -> None:
    off = {"types": ["api", "audit", "authenticator", "controllerManager", "scheduler"], "enabled": False}
    client("eks").update_cluster_config(name=NAME, logging={"clusterLogging": [off]})


def open_to_everybody(client: Callable[[str], Any]) -> None:
    everybody = {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}
    client("eks").update_cluster_config(name=NAME, resourcesVpcConfig=everybody)


def protect(client: Callable[[str], Any]) -> None:
    client("eks").update_cluster_config(name=NAME, deletionProtection=True)


def node_entry_of_another_type(client: Callable[[str], Any]) -> None:
    eks = client("eks")
    entry = eks.describe_access_entry(clusterName=NAME, principalArn=NODE_ROLE)["accessEntry"]
    eks.delete_access_entry(clusterName=NAME, principalArn=NODE_ROLE)
    eks.create_access_entry(clusterName=NAME, principalArn=NODE_ROLE, type="EC2_LINUX", tags=entry["tags"])


def administrator(client: Callable[[str], Any]) -> None:
    where = {"clusterName": NAME, "principalArn": f"arn:aws:iam::{ACCOUNT}:role/admin"}
    client("eks").associate_access_policy(**where, policyArn=ADMINISTRATOR, accessScope={"type": "cluster"})


def other_namespaces(client: Callable[[str], Any]) -> None:
    where = {"clusterName": NAME, "principalArn": f"arn:aws:iam::{ACCOUNT}:role/admin"}
    scope = {"type": "namespace", "namespaces": ["shop", "kube-system"]}
    client("eks").associate_access_policy(**where, policyArn=EDIT, accessScope=scope)


def privileged_group(client: Callable[[str], Any]) -> None:
    where = {"clusterName": NAME, "principalArn": f"arn:aws:iam::{ACCOUNT}:role/admin"}
    client("eks").update_access_entry(**where, kubernetesGroups=["masters"])


def association(client: Callable[[str], Any]) -> dict[str, str]:
    found = client("eks").list_pod_identity_associations(clusterName=NAME, namespace="external-secrets")
    return {"clusterName": NAME, "associationId": found["associations"][0]["associationId"]}


def association_of_another_role(client: Callable[[str], Any]) -> None:
    other = f"arn:aws:iam::{ACCOUNT}:role/pipeops/prod/workloads/{NAME}-amazon-cloudwatch-cloudwatch-agent"
    client("eks").update_pod_identity_association(**association(client), roleArn=other)


def trust_everybody(client: Callable[[str], Any]) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    client("iam").update_assume_role_policy(
        RoleName=f"{NAME}-external-secrets-external-secrets", PolicyDocument=document
    )


DRIFTS: list[tuple[Callable[[Callable[[str], Any]], Any], list[str]]] = [
    (logging_off, ["update/eks_cluster/main/logging"]),
    (open_to_everybody, ["update/eks_cluster/main/endpoint_access"]),
    (protect, ["update/eks_cluster/main/deletion_protection"]),
    (
        lambda client: client("eks").tag_resource(
            resourceArn=client("eks").describe_cluster(name=NAME)["cluster"]["arn"], tags={"Name": "mine"}
        ),
        ["update/eks_cluster/main/tags"],
    ),
    (
        lambda client: client("logs").put_retention_policy(logGroupName=f"/aws/eks/{NAME}/cluster", retentionInDays=1),
        ["update/log_group/cluster/retention_days"],
    ),
    (
        lambda client: client("logs").delete_log_group(logGroupName=f"/aws/eks/{NAME}/cluster"),
        ["create/log_group/cluster"],
    ),
    (
        lambda client: client("iam").detach_role_policy(
            RoleName=f"{NAME}-cluster", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSComputePolicy"
        ),
        ["update/iam_role/cluster/managed_policies"],
    ),
    (
        lambda client: client("eks").delete_access_entry(clusterName=NAME, principalArn=NODE_ROLE),
        ["create/eks_access_entry/node"],
    ),
    (node_entry_of_another_type, ["replace/eks_access_entry/node"]),
    (administrator, ["update/eks_access_entry/role/admin/policies"]),
    (other_namespaces, ["update/eks_access_entry/role/admin/policies"]),
    (privileged_group, ["update/eks_access_entry/role/admin/groups"]),
    (association_of_another_role, ["update/eks_pod_identity/external-secrets/external-secrets/role_arn"]),
    (
        lambda client: client("eks").delete_pod_identity_association(**association(client)),
        ["create/eks_pod_identity/external-secrets/external-secrets"],
    ),
    (trust_everybody, ["update/iam_workload_role/external-secrets/external-secrets/trust"]),
]


def test_every_drift_is_found_exactly_and_healed(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    for drift, expected in DRIFTS:
        drift(account.client)
        prove_change(account, expected, options)


CHANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"endpoint_public_access": True, "public_access_cidrs": ["198.51.99.0/24"]}, ["endpoint_access"]),
    ({"log_types": []}, ["logging"]),
    ({"support_type": "EXTENDED"}, ["upgrade_policy"]),
    ({"zonal_shift": True}, ["zonal_shift"]),
    ({"deletion_protection": True}, ["deletion_protection"]),
    ({"builtin_node_pools": ["system"]}, ["auto_mode"]),
]


@pytest.mark.parametrize(("change", "updates"), CHANGES)
def test_each_kind_of_change_is_applied(
    account: Account, options: dict[str, Any], change: dict[str, Any], updates: list[str]
) -> None:
    run(account, options)
    before = account.journal_length()
    prove_change(account, [f"update/eks_cluster/main/{name}" for name in updates], options, **change)
    assert calls(account, before, "UpdateClusterConfig") == [("UpdateClusterConfig", None)]
    prove_change(account, [f"update/eks_cluster/main/{name}" for name in updates], options)


def test_subnets_are_swapped_within_their_zones(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    other = account.client("ec2").create_subnet(
        VpcId=cluster_vpc(account, options), CidrBlock="10.0.128.0/20", AvailabilityZone="us-west-2a"
    )
    subnets = [other["Subnet"]["SubnetId"], *options["subnet_ids"][1:]]
    prove_change(account, ["update/eks_cluster/main/vpc_config"], options, subnet_ids=subnets)
    with pytest.raises(EngineError, match=r"vpc_config of the EKS cluster 'main' .* same set of AZs"):
        run(account, options, subnet_ids=options["subnet_ids"][:2])


def test_changes_of_two_kinds_are_sent_one_after_the_other(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    runtime.clock.set("aws", FAST)
    before = account.journal_length()
    more = {"log_types": ["audit"], "endpoint_public_access": True, "public_access_cidrs": ["198.51.99.0/24"]}
    changed = run(account, options, **more, zonal_shift=True)
    assert actions(changed) == [f"update/eks_cluster/main/{n}" for n in ("endpoint_access", "logging", "zonal_shift")]
    sent = calls(account, before, "UpdateClusterConfig", "DescribeUpdate")
    assert {error for _operation, error in sent} == {None}
    order = [one for number, (one, _error) in enumerate(sent) if not number or sent[number - 1][0] != one]
    assert order == ["UpdateClusterConfig", "DescribeUpdate"] * 3
    kinds = [
        account.client("eks").describe_update(name=NAME, updateId=update)["update"]["type"]
        for update in account.client("eks").list_updates(name=NAME)["updateIds"]
    ]
    assert kinds == ["ZonalShiftConfigUpdate", "LoggingUpdate", "EndpointAccessUpdate"]
    assert not run(account, options, **more, zonal_shift=True)["changed"]


def test_an_update_of_somebody_else_is_waited_out(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    runtime.clock.set("aws", FAST)
    account.client("eks").update_cluster_config(name=NAME, controlPlaneScalingConfig={"tier": "tier-xl"})
    before = account.journal_length()
    # EKS may still show the cluster as ACTIVE for a moment, and refuse.
    busy: dict[str, Any] = {"effect": "error", "code": "ResourceInUseException", "status": 409}
    account.sandbox.faults.add(Rule(operation="UpdateClusterConfig", nth=1, **busy))
    assert actions(run(account, options, log_types=["audit"])) == ["update/eks_cluster/main/logging"]
    sent = calls(account, before, "UpdateClusterConfig")
    assert sent == [("UpdateClusterConfig", "ResourceInUseException"), ("UpdateClusterConfig", None)]


def test_an_update_whose_end_nobody_awaited_is_not_refused(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    runtime.clock.set("aws", 1)
    account.client("eks").update_cluster_config(name=NAME, zonalShiftConfig={"enabled": True})
    with faster_once_seen(account, "DescribeCluster"):
        healed = run(account, options, zonal_shift=True)
    assert actions(healed) == ["update/eks_cluster/main/zonal_shift"]
    assert cluster(account)["zonalShiftConfig"] == {"enabled": True}


def test_another_version_is_refused_before_anything_is_changed(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    for check in (True, False):

        def refused(check: bool = check) -> None:
            with pytest.raises(PlanRefused, match=r"playbooks/upgrade_cluster\.yml"):
                run(account, options, check=check, version="1.37", log_types=[])

        assert account.mutations(refused) == []


def test_a_protected_cluster_is_removed_only_if_the_option_says_so(account: Account, options: dict[str, Any]) -> None:
    run(account, options, deletion_protection=True)

    def refused() -> None:
        with pytest.raises(PlanRefused, match="Set deletion_protection to false"):
            run(account, options, state="absent", deletion_protection=True)

    assert account.mutations(refused) == []
    runtime.clock.set("aws", FAST)
    assert run(account, options, state="absent")["changed"]
    assert account.client("eks").list_clusters()["clusters"] == []


def test_a_role_outlives_its_cluster(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    before = account.journal_length()
    run(account, options, state="absent")
    gone = [operation for operation, _error in calls(account, before, "DeleteCluster", "DeleteRole", "DeleteLogGroup")]
    assert gone.index("DeleteCluster") < gone.index("DeleteLogGroup")
    # Roles of workloads may go before, those of cluster and nodes may not.
    assert gone.index("DeleteCluster") < len(gone) - 2


def test_a_cluster_that_is_on_its_way_out_is_awaited_and_made_anew(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    runtime.clock.set("aws", FAST)
    issuer = cluster(account)["identity"]["oidc"]["issuer"]
    account.client("eks").delete_cluster(name=NAME)
    healed = run(account, options)
    assert "create/eks_cluster/main" in actions(healed)
    assert healed["outputs"]["oidc_issuer"] != issuer
    assert not run(account, options)["changed"]


def test_a_cluster_of_former_times_is_brought_forward(account: Account, options: dict[str, Any]) -> None:
    """One made with the API's defaults: CONFIG_MAP, no Auto Mode, no key, open to everybody."""
    former = {**options, "workload_roles": [], "access_entries": []}
    iam, eks = account.client("iam"), account.client("eks")
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = iam.create_role(RoleName=f"{NAME}-cluster", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    vpc, network = {"subnetIds": options["subnet_ids"]}, {"serviceIpv4Cidr": "172.20.0.0/16"}
    eks.create_cluster(name=NAME, version="1.36", roleArn=made, resourcesVpcConfig=vpc, kubernetesNetworkConfig=network)
    role_changes = ("trust", "settings", "managed_policies", "inline_policies", "tags")
    changes = ("authentication", "upgrade_policy", "endpoint_access", "logging", "encryption", "auto_mode", "tags")
    expected = [
        *(f"update/iam_role/cluster/{change}" for change in role_changes),
        "create/iam_role/node",
        "create/log_group/cluster",
        *(f"update/eks_cluster/main/{change}" for change in changes),
        "create/eks_access_entry/node",
    ]
    assert prove_change(account, expected, former)["outputs"]["cluster_name"] == NAME
    assert cluster(account)["accessConfig"]["authenticationMode"] == "API"


def test_a_cluster_of_another_environment_is_not_touched(account: Account, options: dict[str, Any]) -> None:
    run(account, options)

    def refused() -> None:
        with pytest.raises(EngineError, match="belongs to environment prod, not to staging"):
            run(account, options, environment="staging", cluster_name=NAME)

    assert account.mutations(refused) == []


def test_auto_mode_goes_and_comes(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    expected = ["update/eks_cluster/main/auto_mode", "delete/eks_access_entry/node"]
    prove_change(account, expected, options, auto_mode=False)
    prove_change(account, ["update/eks_cluster/main/auto_mode", "create/eks_access_entry/node"], options)


def test_a_dry_run_takes_placeholders(account: Account, options: dict[str, Any]) -> None:
    given = {name: f"pending:kms_key.arn:{name}" for name in ("kms_key_arn", "ebs_kms_key_arn")}
    subnets = [f"pending:ec2_subnet.id:private-{zone}" for zone in "abc"]
    dry = {**options, **given, "subnet_ids": subnets}
    planned, calls = account.run_watched("eks_cluster", check=True, **dry)
    assert calls == []
    assert actions(planned) == actions(run(account, options))


def test_a_run_that_is_cut_off_anywhere_is_finished_by_the_next(account: Account, options: dict[str, Any]) -> None:
    refusal: dict[str, Any] = {"effect": "error", "code": "AccessDeniedException", "status": 403, "mutating": True}
    for attempt in range(40):
        # Each run gets two to four writes farther than the one before, so that each kind of call is cut off.
        account.sandbox.faults.add(Rule(nth=3 + attempt % 3, times=10**6, **refusal))
        try:
            run(account, options)
        except EngineError as error:
            assert "AccessDeniedException" in str(error)
        else:
            break
        finally:
            account.sandbox.faults.clear()
    else:
        pytest.fail("the runs come to no end")
    assert not run(account, options)["changed"]
    assert len(account.client("eks").list_clusters()["clusters"]) == 1


def test_lost_answers_double_nothing(
    account: Account, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "VISIBLE_AFTER", 0.5)
    lost = ("CreateRole", "CreateLogGroup", "CreateCluster", "CreateAccessEntry", "AssociateAccessPolicy")
    for operation in (*lost, "CreatePodIdentityAssociation"):
        account.sandbox.faults.add(Rule("reset_after", operation=operation, nth=1))
    run(account, options)
    assert {rule.fired for rule in account.sandbox.faults.rules()} == {1}
    account.sandbox.faults.clear()
    assert not run(account, options)["changed"]
    # Those of the cluster role, of EKS itself, of the nodes and of the people.
    assert len(account.client("eks").list_access_entries(clusterName=NAME)["accessEntries"]) == 4
