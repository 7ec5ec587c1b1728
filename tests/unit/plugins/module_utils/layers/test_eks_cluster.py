# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Context, View
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity, Key, Observed, Wanted
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import Plan, State, make_plan
from ansible_collections.pipeops.platform.plugins.module_utils.layers.eks_cluster import LAYER

ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/one"
ISSUER = "oidc.eks.us-west-2.amazonaws.com/id/0A"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/admin"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
ENTRY: dict[str, Any] = {
    "principal_arn": ADMIN,
    "name": None,
    "type": "STANDARD",
    "groups": ["operators"],
    "policies": [{"name": "AmazonEKSViewPolicy", "arn": None, "namespaces": ["shop", "search"]}],
}
WORKLOAD: dict[str, Any] = {
    "namespace": "shop",
    "service_account": "web",
    "role_name": None,
    "managed_policies": ["AmazonS3ReadOnlyAccess"],
    "inline_policies": {},
}
PARAMS: dict[str, Any] = {
    "state": "present",
    "cluster_name": None,
    "version": "1.36",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "security_group_ids": ["sg-a", "sg-b"],
    "kms_key_arn": KEY,
    "ebs_kms_key_arn": KEY,
    "endpoint_public_access": True,
    "endpoint_private_access": True,
    "public_access_cidrs": ["198.51.100.0/24", "203.0.113.0/24"],
    "service_ipv4_cidr": "172.20.0.0/16",
    "log_types": ["api", "audit"],
    "log_retention_days": 90,
    "support_type": "STANDARD",
    "deletion_protection": True,
    "zonal_shift": False,
    "auto_mode": True,
    "builtin_node_pools": [],
    "access_entries": [ENTRY],
    "workload_identity": "pod_identity",
    "workload_roles": [WORKLOAD],
}
MAIN = ("eks_cluster", "main")
ARNS = {"iam_role": "arn:aws:iam::123456789012:role/pipeops-prod-{}"}


def build(**options: Any) -> dict[Key, Wanted]:
    context = Context("cluster", Identity("pipeops", "prod"), Aws({"region": "us-west-2", "account_id": ACCOUNT}))
    return {item.key: item for item in LAYER.build({**PARAMS, **options}, context)}


def standing(wanted: dict[Key, Wanted]) -> State:
    """Return a layer of which everything stands as wanted."""
    types = {resource_type.kind: resource_type for resource_type in LAYER.types}
    state = State(types, wanted)
    for key, item in wanted.items():
        known = {"arn": ARNS.get(key[0], "arn:{}").format(key[1]), "oidc_issuer": f"https://{ISSUER}", "issuer": ISSUER}
        state.observed[key] = Observed(*key, key[1], known, dict(item.tags or {}), "ACTIVE")
    for key, item in wanted.items():
        wished = {name: value for name, value in state.resolved(item).attributes.items() if value is not None}
        state.observed[key] = replace(state.observed[key], attributes={**state.observed[key].attributes, **wished})
    return state


def without(state: State, *gone: Key) -> State:
    return State(state.types, state.wanted, {key: item for key, item in state.observed.items() if key not in gone})


def observed_with(state: State, key: Key, **attributes: Any) -> State:
    item = state.observed[key]
    changed = replace(item, attributes={**item.attributes, **attributes})
    return State(state.types, state.wanted, {**state.observed, key: changed})


def change(before: dict[Key, Wanted], after: dict[Key, Wanted]) -> Plan:
    """Plan from what ``before`` wants and stands to ``after``."""
    state = standing(before)
    return make_plan(State(state.types, after, dict(state.observed)))


def identities(plan: Plan) -> list[str]:
    return [action.identity for action in plan.actions]


def types() -> dict[str, Any]:
    return {resource_type.kind: resource_type for resource_type in LAYER.types}


def statement(item: Wanted, issuer: str = "") -> dict[str, Any]:
    """Return the only statement of a role's trust."""
    trust = item.attributes["trust"]
    trust = trust.make(issuer) if issuer else trust
    (only,) = trust["Statement"]
    return dict(only)


EVERYTHING = [
    "create/iam_role/cluster",
    "create/iam_role/node",
    "create/iam_workload_role/shop/web",
    "create/log_group/cluster",
    "create/eks_cluster/main",
    "create/eks_access_entry/node",
    "create/eks_access_entry/role/admin",
    "create/eks_pod_identity/shop/web",
]


def test_nothing_stands_so_everything_is_created_in_order() -> None:
    wanted = build()
    plan = make_plan(State(types(), wanted))
    assert sorted(identities(plan)) == sorted(EVERYTHING)
    place = {action.key: number for number, action in enumerate(plan.actions)}
    for key, item in wanted.items():
        assert all(place[need] < place[key] for need in item.needs)


def test_everything_stands_so_nothing_is_done() -> None:
    for options in ({}, {"workload_identity": "irsa"}, {"builtin_node_pools": ["system"]}, {"auto_mode": False}):
        assert make_plan(standing(build(**options))) == Plan()


def test_without_waiting_what_is_inside_of_the_cluster_is_left_for_later() -> None:
    plan = make_plan(State(types(), build()), wait=False)
    assert identities(plan) == [name for name in EVERYTHING if not name.startswith(("create/eks_a", "create/eks_p"))]
    assert [action.identity for action in plan.deferred] == EVERYTHING[5:]


def test_roles_that_trust_the_issuer_are_left_for_later_too() -> None:
    plan = make_plan(State(types(), build(workload_identity="irsa")), wait=False)
    assert {action.identity for action in plan.deferred} == {
        "create/eks_access_entry/node",
        "create/eks_access_entry/role/admin",
        "create/iam_oidc_provider/cluster",
        "create/iam_workload_role/shop/web",
    }


CHANGES = [
    ({"endpoint_public_access": False}, ["endpoint_access"]),
    ({"public_access_cidrs": ["198.51.100.0/24"]}, ["endpoint_access"]),
    ({"subnet_ids": ["subnet-a", "subnet-c"]}, ["vpc_config"]),
    ({"security_group_ids": []}, ["vpc_config"]),
    ({"log_types": []}, ["logging"]),
    ({"support_type": "EXTENDED"}, ["upgrade_policy"]),
    ({"zonal_shift": True}, ["zonal_shift"]),
    ({"deletion_protection": False}, ["deletion_protection"]),
    ({"builtin_node_pools": ["general-purpose"]}, ["auto_mode"]),
    # Nothing that is the same in another order, and nothing that is not asked for any more.
    ({"security_group_ids": ["sg-b", "sg-a"], "log_types": ["audit", "api"]}, []),
    ({"public_access_cidrs": ["203.0.113.0/24", "198.51.100.0/24"]}, []),
    ({"kms_key_arn": None}, []),
    # Each kind is a change of its own, and Auto Mode comes after what it needs.
    (
        {"log_types": ["api"], "zonal_shift": True, "endpoint_public_access": False, "builtin_node_pools": ["system"]},
        ["endpoint_access", "logging", "auto_mode", "zonal_shift"],
    ),
]


@pytest.mark.parametrize(("options", "expected"), CHANGES)
def test_an_option_changes_what_it_stands_for(options: dict[str, Any], expected: list[str]) -> None:
    assert identities(change(build(), build(**options))) == [f"update/eks_cluster/main/{name}" for name in expected]


def test_retention_is_changed_in_the_log_group() -> None:
    (action,) = change(build(), build(log_retention_days=30)).actions
    assert action.identity == "update/log_group/cluster/retention_days"
    assert not action.traits.reversible


def test_auto_mode_is_switched_off_with_the_nodes_access() -> None:
    plan = change(build(), build(auto_mode=False))
    assert identities(plan) == ["update/eks_cluster/main/auto_mode", "delete/eks_access_entry/node"]
    assert "Auto Mode nodes" in plan.actions[0].traits.interrupts


def test_a_cluster_that_only_knows_the_config_map_is_brought_forward() -> None:
    state = observed_with(standing(build()), MAIN, authentication_mode="CONFIG_MAP", auto_mode=False)
    plan = make_plan(state)
    assert identities(plan) == ["update/eks_cluster/main/authentication", "update/eks_cluster/main/auto_mode"]
    assert not plan.actions[0].traits.reversible


def test_a_cluster_without_a_key_is_given_one_for_good() -> None:
    (action,) = make_plan(observed_with(standing(build()), MAIN, kms_key_arn="")).actions
    assert action.identity == "update/eks_cluster/main/encryption"
    assert not action.traits.reversible


REFUSALS = [
    ({}, {"version": "1.35"}, "playbooks/upgrade_cluster.yml"),
    ({}, {"service_ipv4_cidr": "172.21.0.0/16"}, "service_ipv4_cidr of EKS cluster"),
    ({}, {"role_arn": "arn:aws:iam::123456789012:role/former"}, "role for good"),
    ({}, {"kms_key_arn": "arn:aws:kms:us-west-2:123456789012:key/two"}, "never changes the key"),
    ({"builtin_node_pools": ["system"]}, {"node_role_arn": "arn:of:another"}, "switch them off first"),
]


@pytest.mark.parametrize(("options", "stands", "reason"), REFUSALS)
def test_what_eks_cannot_change_is_refused(options: dict[str, Any], stands: dict[str, Any], reason: str) -> None:
    with pytest.raises(PlanRefused, match="nothing was changed") as refusal:
        make_plan(observed_with(standing(build(**options)), MAIN, **stands))
    assert reason in str(refusal.value)
    assert "pipeops-prod" in str(refusal.value) or "main" in str(refusal.value)


PROBLEMS = [
    ({"endpoint_public_access": True, "public_access_cidrs": []}, "public_access_cidrs is empty"),
    ({"endpoint_public_access": False, "endpoint_private_access": False}, "nobody could reach"),
    ({"log_retention_days": 45}, "log_retention_days is 45"),
    ({"subnet_ids": ["subnet-a", "subnet-a"]}, "at least two zones"),
    ({"auto_mode": False, "builtin_node_pools": ["system"]}, "only Auto Mode has"),
    ({"cluster_name": "-prod"}, "cannot be the name"),
    ({"cluster_name": "a" * 101}, "cannot be the name"),
    ({"cluster_name": "a" * 57}, "at most 56"),
    ({"access_entries": [ENTRY, {**ENTRY, "name": "again"}]}, "2 times"),
    ({"access_entries": [ENTRY, {**ENTRY, "principal_arn": "arn:aws:iam::210987654321:role/admin"}]}, "Set name"),
    ({"access_entries": [{**ENTRY, "name": "node"}]}, "entry of Auto Mode nodes"),
    ({"access_entries": [{**ENTRY, "name": "a,b"}]}, "takes in no tag"),
    ({"access_entries": [{**ENTRY, "principal_arn": "arn:aws:sts::1:assumed-role/admin/me"}]}, "is a session"),
    ({"access_entries": [{**ENTRY, "type": "EC2"}]}, "none for type EC2"),
    ({"access_entries": [{**ENTRY, "policies": [*ENTRY["policies"], {"arn": VIEW, "namespaces": []}]}]}, "Join the"),
    ({"access_entries": [{**ENTRY, "policies": [{"namespaces": []}]}]}, "Set one of them"),
    ({"access_entries": [{**ENTRY, "policies": [{"name": "A", "arn": VIEW, "namespaces": []}]}]}, "Set one of them"),
    ({"workload_roles": [WORKLOAD, WORKLOAD]}, "gets one role"),
    ({"workload_roles": [{**WORKLOAD, "namespace": "n" * 60}]}, "longer than the 64"),
    (
        {"workload_roles": [{**WORKLOAD, "role_name": "a"}, {**WORKLOAD, "namespace": "b", "role_name": "a"}]},
        "2 roles named 'a'",
    ),
    ({"state": "absent"}, "deletion_protection is true"),
]


@pytest.mark.parametrize(("options", "reason"), PROBLEMS)
def test_options_that_cannot_be_are_refused_with_a_mend(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(PlanRefused, match="nothing was changed") as refusal:
        build(**options)
    assert reason in str(refusal.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(PlanRefused) as refusal:
        build(log_retention_days=45, endpoint_public_access=False, endpoint_private_access=False)
    assert len(refusal.value.reasons) == 2


def test_roles_get_what_they_need_and_no_more() -> None:
    wanted = build(ebs_kms_key_arn=None)
    cluster, node = wanted["iam_role", "cluster"], wanted["iam_role", "node"]
    assert statement(cluster)["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement(node)["Action"] == ["sts:AssumeRole"]
    assert len(cluster.attributes["managed_policies"]) == 5
    assert cluster.attributes["inline_policies"] == {}
    (allowed,) = build()["iam_role", "cluster"].attributes["inline_policies"].values()
    assert {one["Resource"] for one in allowed["Statement"]} == {KEY}


def test_a_workload_role_is_for_one_service_account_of_one_cluster() -> None:
    trust = statement(build()["iam_workload_role", "shop/web"])
    assert trust["Principal"] == {"Service": ["pods.eks.amazonaws.com"]}
    assert trust["Condition"] == {
        "StringEquals": {
            "aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:us-west-2:{ACCOUNT}:cluster/pipeops-prod",
            "aws:RequestTag/kubernetes-namespace": "shop",
            "aws:RequestTag/kubernetes-service-account": "web",
        }
    }
    trust = statement(build(workload_identity="irsa")["iam_workload_role", "shop/web"], ISSUER)
    assert trust["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}
    assert trust["Condition"]["StringEquals"] == {
        f"{ISSUER}:sub": "system:serviceaccount:shop:web",
        f"{ISSUER}:aud": "sts.amazonaws.com",
    }


def test_workloads_move_from_pod_identity_to_irsa_without_a_new_role() -> None:
    plan = change(build(), build(workload_identity="irsa"))
    assert identities(plan) == [
        "create/iam_oidc_provider/cluster",
        "update/iam_workload_role/shop/web/trust",
        "delete/eks_pod_identity/shop/web",
    ]


def test_a_workload_that_is_gone_loses_its_association_before_its_role() -> None:
    plan = change(build(), build(workload_roles=[]))
    assert identities(plan) == ["delete/eks_pod_identity/shop/web", "delete/iam_workload_role/shop/web"]


ENTRIES = [
    ([], ["delete/eks_access_entry/role/admin"]),
    ([{**ENTRY, "groups": []}], ["update/eks_access_entry/role/admin/groups"]),
    ([{**ENTRY, "policies": []}], ["update/eks_access_entry/role/admin/policies"]),
    (
        [{**ENTRY, "policies": [{"arn": VIEW, "namespaces": ["shop"]}]}],
        ["update/eks_access_entry/role/admin/policies"],
    ),
    ([{**ENTRY, "policies": [{"arn": VIEW, "namespaces": ["search", "shop"]}]}], []),
    ([{**ENTRY, "type": "EC2_LINUX", "groups": [], "policies": []}], ["replace/eks_access_entry/role/admin"]),
    (
        [{**ENTRY, "principal_arn": "arn:aws:iam::210987654321:role/admin"}],
        ["replace/eks_access_entry/role/admin"],
    ),
]


@pytest.mark.parametrize(("entries", "expected"), ENTRIES)
def test_access_changes_as_the_entries_do(entries: list[dict[str, Any]], expected: list[str]) -> None:
    assert identities(change(build(), build(access_entries=entries))) == expected


def test_an_entry_that_was_deleted_is_made_again() -> None:
    node = ("eks_access_entry", "node")
    assert identities(make_plan(without(standing(build()), node))) == ["create/eks_access_entry/node"]


def test_outputs_are_placeholders_until_eks_tells_them() -> None:
    wanted = build()
    outputs = LAYER.outputs(View(State(types(), wanted)), PARAMS)
    assert outputs["cluster_name"] == "pipeops-prod"
    assert outputs["version"] == "1.36"
    assert outputs["log_group"] == "/aws/eks/pipeops-prod/cluster"
    assert outputs["node_role_name"] == "pipeops-prod-node"
    for name in ("arn", "endpoint", "certificate_authority", "oidc_issuer", "cluster_security_group_id"):
        assert outputs[name] == f"pending:eks_cluster.{name}:main"
    assert outputs["workload_role_arns"] == {"shop/web": "pending:iam_workload_role.arn:shop/web"}
    json.dumps(outputs)


def test_all_inputs_may_be_placeholders() -> None:
    given = {name: f"pending:kms_key.arn:{name}" for name in ("kms_key_arn", "ebs_kms_key_arn")}
    wanted = build(**given, subnet_ids=["pending:vpc_network.subnet_ids:private"])
    assert sorted(identities(make_plan(State(types(), wanted)))) == sorted(EVERYTHING)
