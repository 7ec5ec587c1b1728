# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.resources.eks_access_entry import EksAccessEntry
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account
from tests.sandbox.eks_stand import (
    ACCOUNT,
    ADMINISTRATOR,
    FAST,
    IAM_LAGS,
    LOGS,
    NAME,
    SECRETS,
    VIEW,
    actions,
    calls,
    foundations,
    prove_change,
    role,
    run,
)


@pytest.fixture
def options(account: Account) -> dict[str, Any]:
    return foundations(account)


def test_a_principal_that_does_not_exist_is_given_up(
    account: Account, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EksAccessEntry, "clears_within", 0.5)
    entry = {"principal_arn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}
    with pytest.raises(EngineError, match=r"EKS access entry 'role/nobody' in us-west-2: .*invalid principal"):
        run(account, options, access_entries=[entry])


def test_an_entry_that_eks_made_is_taken_over_as_announced(account: Account, options: dict[str, Any]) -> None:
    runtime.clock.set("aws", FAST)
    pools = {**options, "builtin_node_pools": ["general-purpose"]}
    predicted = [*actions(run(account, pools, check=True)), *actions(run(account, pools, check=True, wait=False))]
    started = run(account, pools, wait=False)
    finished = run(account, pools, started=started)
    assert {*actions(started), *actions(finished)} == set(predicted)
    assert "create/eks_access_entry/node" in actions(finished)
    assert not run(account, pools)["changed"]


def test_entries_and_associations_of_others_are_left_alone(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    eks, other = account.client("eks"), role(account, "other")
    eks.create_access_entry(clusterName=NAME, principalArn=other)
    theirs = f"arn:aws:iam::{ACCOUNT}:role/pipeops/prod/workloads/{NAME}-external-secrets-external-secrets"
    eks.create_pod_identity_association(clusterName=NAME, namespace="theirs", serviceAccount="job", roleArn=theirs)
    entries = set(eks.list_access_entries(clusterName=NAME)["accessEntries"])
    assert not run(account, options)["changed"]
    run(account, options, access_entries=[])
    assert entries - set(eks.list_access_entries(clusterName=NAME)["accessEntries"]) == {
        options["access_entries"][0]["principal_arn"]
    }
    assert len(eks.list_pod_identity_associations(clusterName=NAME)["associations"]) == 3
    # One that is wanted for the same principal is taken over, with what it had beside.
    eks.associate_access_policy(
        clusterName=NAME, principalArn=other, policyArn=ADMINISTRATOR, accessScope={"type": "cluster"}
    )
    entry = {"principal_arn": other, "groups": ["operators"], "policies": [{"name": "AmazonEKSViewPolicy"}]}
    job = {"namespace": "theirs", "service_account": "job"}
    expected = [
        "create/iam_workload_role/theirs/job",
        "create/eks_access_entry/role/other",
        "create/eks_pod_identity/theirs/job",
    ]
    options |= {"access_entries": [entry], "workload_roles": [*options["workload_roles"], job]}
    prove_change(account, expected, options)
    held = eks.list_associated_access_policies(clusterName=NAME, principalArn=other)["associatedAccessPolicies"]
    assert [policy["policyArn"] for policy in held] == [VIEW]


def test_access_is_taken_with_the_entry(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    prove_change(account, ["delete/eks_access_entry/role/admin"], options, access_entries=[])
    prove_change(account, ["create/eks_access_entry/role/admin"], options)
    entry = options["access_entries"][0]
    # A new name alone must not cost the principal its access.
    renamed = [{**entry, "name": "people"}]
    prove_change(account, ["update/eks_access_entry/people/tags"], options, access_entries=renamed)
    moved = [{**entry, "name": "people", "principal_arn": role(account, "people")}]
    prove_change(account, ["replace/eks_access_entry/people"], options, access_entries=moved)
    swapped = [{**entry, "name": "others", "principal_arn": moved[0]["principal_arn"]}, {**entry, "name": "people"}]
    expected = ["create/eks_access_entry/people", "update/eks_access_entry/others/tags"]
    changed = run(account, options, access_entries=swapped)
    assert sorted(actions(changed)) == sorted(expected)
    assert not run(account, options, access_entries=swapped)["changed"]


def test_a_workload_that_is_gone_leaves_no_role(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    workload = "external-secrets/external-secrets"
    expected = [f"delete/eks_pod_identity/{workload}", f"delete/iam_workload_role/{NAME}-{workload.replace('/', '-')}"]
    prove_change(account, expected, options, workload_roles=[LOGS])
    renamed = [LOGS, {**SECRETS, "role_name": "reads-secrets"}]
    run(account, options)
    changed = run(account, options, workload_roles=renamed)
    assert actions(changed) == [
        f"create/iam_workload_role/{workload}",
        f"update/eks_pod_identity/{workload}/role_arn",
        f"delete/iam_workload_role/{NAME}-{workload.replace('/', '-')}",
    ]
    assert not run(account, options, workload_roles=renamed)["changed"]


def test_workloads_move_to_irsa_and_back(account: Account, options: dict[str, Any]) -> None:
    run(account, options)
    predicted = run(account, options, check=True, workload_identity="irsa")
    moved = run(account, options, workload_identity="irsa")
    assert actions(moved) == actions(predicted)
    issuer = moved["outputs"]["oidc_issuer"].removeprefix("https://")
    trust = account.client("iam").get_role(RoleName=f"{NAME}-external-secrets-external-secrets")["Role"]
    condition = trust["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
    assert condition[f"{issuer}:sub"] == "system:serviceaccount:external-secrets:external-secrets"
    assert account.client("eks").list_pod_identity_associations(clusterName=NAME)["associations"] == []
    assert not run(account, options, workload_identity="irsa")["changed"]
    assert "create/eks_pod_identity/external-secrets/external-secrets" in actions(run(account, options))


def test_roles_that_iam_has_not_spread_are_waited_for(account: Account, options: dict[str, Any]) -> None:
    runtime.clock.set("aws", IAM_LAGS)
    before = account.journal_length()
    run(account, {**options, "access_entries": [], "workload_roles": []}, wait=False)
    tries = calls(account, before, "CreateCluster")
    assert tries[0] == ("CreateCluster", "InvalidParameterException")
    assert tries[-1] == ("CreateCluster", None)
    runtime.clock.set("aws", FAST)
    run(account, options)
    runtime.clock.set("aws", IAM_LAGS)
    late = {**options, "access_entries": [*options["access_entries"], {"principal_arn": role(account, "late")}]}
    late["workload_roles"] = [*options["workload_roles"], {"namespace": "shop", "service_account": "web"}]
    before = account.journal_length()
    assert len(actions(run(account, late))) == 3
    for operation in ("CreateAccessEntry", "CreatePodIdentityAssociation"):
        tries = calls(account, before, operation)
        assert tries[0] == (operation, "InvalidParameterException")
        assert tries[-1] == (operation, None)
