# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EKS add-ons: announced, made, changed, taken over, removed, and what becomes of those that are not well."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from pipeops_sandbox.overlays.eks.control_plane import NoDataPlane
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.eks_stand import FAST, NAME, actions, calls, foundations, run

MODULE = "eks_data_plane"
SERVER = {"name": "metrics-server"}
CLOUDWATCH: dict[str, Any] = {
    "name": "amazon-cloudwatch-observability",
    "version": "v4.6.0-eksbuild.1",
    "configuration": {"containerLogs": {"enabled": False}},
    "namespace": "amazon-cloudwatch",
    "roles": [{"service_account": "cloudwatch-agent", "managed_policies": ["CloudWatchAgentServerPolicy"]}],
}


@pytest.fixture
def stand(account: Account) -> dict[str, Any]:
    """A cluster in Auto Mode, and the options of its data plane."""
    run(account, {**foundations(account), "workload_roles": []})
    return {"account_id": "123456789012", "kubernetes_version": "1.36", "addons": [SERVER, CLOUDWATCH]}


def plane(account: Account, options: dict[str, Any], **more: Any) -> dict[str, Any]:
    return account.run(MODULE, **{**options, **more})


def change(account: Account, expected: list[str], options: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Announce a change, make it, and find nothing left to do."""
    assert actions(plane(account, options, check=True, **more)) == expected
    done = plane(account, options, **more)
    assert actions(done) == expected
    assert actions(plane(account, options, **more)) == []
    return done


def addon(account: Account, name: str) -> dict[str, Any]:
    found: dict[str, Any] = account.client("eks").describe_addon(clusterName=NAME, addonName=name)["addon"]
    return found


def test_from_an_empty_account_versions_are_named(account: Account) -> None:
    options = {"account_id": "123456789012", "kubernetes_version": "1.36", "addons": [SERVER]}
    (action,) = plane(account, options, check=True)["actions"]
    assert {"attribute": "version", "before": None, "after": "v0.8.0-eksbuild.2"} in action["differences"]


def test_it_comes_about_and_goes(account: Account, stand: dict[str, Any]) -> None:
    made = prove_converges(account, MODULE, **stand)
    assert made["outputs"]["addons"]["metrics-server"]["version"] == "v0.8.0-eksbuild.2"
    role = made["outputs"]["addons"]["amazon-cloudwatch-observability"]["role_arns"]["cloudwatch-agent"]
    assert role.endswith("/pipeops-prod-amazon-cloudwatch-cloudwatch-agent")
    seen = addon(account, "amazon-cloudwatch-observability")
    assert seen["tags"]["pipeops:component"] == "data-plane/amazon-cloudwatch-observability"
    assert len(seen["podIdentityAssociations"]) == 1
    prove_removes(account, MODULE, **stand)
    assert account.client("eks").list_addons(clusterName=NAME)["addons"] == []


def test_settings_change_in_one_update(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    other = {**CLOUDWATCH, "version": "latest", "configuration": {"agent": {"a": 1}}}
    since = account.journal_length()
    done = change(
        account,
        ["update/eks_addon/amazon-cloudwatch-observability/settings"],
        stand,
        addons=[SERVER, {**other, "version": "v4.6.0-eksbuild.1"}],
    )
    assert [d["attribute"] for d in done["actions"][0]["differences"]] == ["configuration"]
    assert calls(account, since, "UpdateAddon") == [("UpdateAddon", None)]
    assert addon(account, "amazon-cloudwatch-observability")["configurationValues"] == '{"agent": {"a": 1}}'


def test_values_are_dropped_and_roles_taken(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    plain = {"name": CLOUDWATCH["name"], "namespace": "amazon-cloudwatch"}
    expected = [
        "update/eks_addon/amazon-cloudwatch-observability/settings",
        "delete/iam_workload_role/pipeops-prod-amazon-cloudwatch-cloudwatch-agent",
    ]
    change(account, expected, stand, addons=[SERVER, plain])
    seen = addon(account, CLOUDWATCH["name"])
    assert seen["configurationValues"] == "{}"
    assert "podIdentityAssociations" not in seen


def test_one_that_others_made_is_taken_over(account: Account, stand: dict[str, Any]) -> None:
    eks = account.client("eks")
    eks.create_addon(clusterName=NAME, addonName="metrics-server", configurationValues='{"replicas": 5}')
    eks.create_addon(clusterName=NAME, addonName="cert-manager")
    expected = ["update/eks_addon/metrics-server/settings", "update/eks_addon/metrics-server/tags"]
    change(account, expected, stand, addons=[SERVER])
    assert eks.list_addons(clusterName=NAME)["addons"] == ["cert-manager", "metrics-server"]
    change(account, ["delete/eks_addon/metrics-server"], stand, addons=[])
    assert eks.list_addons(clusterName=NAME)["addons"] == ["cert-manager"]


@pytest.mark.parametrize("preserve", [True, False])
def test_what_is_preserved_conflicts_until_it_may_be_overwritten(
    account: Account, stand: dict[str, Any], preserve: bool
) -> None:
    plane(account, stand, addons=[{**SERVER, "configuration": {"replicas": 5}, "preserve": True}])
    plane(account, stand, addons=[{**SERVER, "configuration": {"replicas": 5}, "preserve": preserve}])
    plane(account, stand, addons=[])
    if not preserve:
        assert plane(account, stand, addons=[SERVER])["settled"]
        return
    with pytest.raises(EngineError, match=r"CREATE_FAILED: ConfigurationConflict.*set resolve_conflicts to overwrite"):
        plane(account, stand, addons=[SERVER])
    done = change(
        account,
        ["update/eks_addon/metrics-server/settings"],
        stand,
        addons=[{**SERVER, "resolve_conflicts": "overwrite"}],
    )
    assert done["actions"][0]["differences"] == [
        {"attribute": "condition", "before": "creation failed", "after": "sound"}
    ]
    assert addon(account, "metrics-server")["status"] == "ACTIVE"


def test_one_that_cannot_run_is_no_success(account: Account, stand: dict[str, Any], monkeypatch: Any) -> None:
    plane(account, stand)
    monkeypatch.setattr(NoDataPlane, "can_run_pods", lambda _self, _cluster: False)
    seen = plane(account, stand, check=True)
    assert seen["actions"] == []
    assert not seen["settled"]
    assert "InsufficientNumberOfReplicas" in seen["health"]["eks_addon/metrics-server"]
    with pytest.raises(EngineError, match=r"still DEGRADED: InsufficientNumberOfReplicas.*kubectl describe") as error:
        plane(account, stand, wait_timeout=1)
    assert "take the add-on off the list" in str(error.value)


def test_an_update_under_way_is_waited_for_and_not_sent_twice(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    runtime.clock.set("aws", FAST)
    eks, name = account.client("eks"), CLOUDWATCH["name"]
    eks.update_addon(clusterName=NAME, addonName=name, configurationValues='{"agent": {}}')
    since = account.journal_length()
    done = plane(account, stand, addons=[SERVER, {**CLOUDWATCH, "configuration": {"agent": {}}}])
    assert calls(account, since, "UpdateAddon") == []
    assert done["settled"]
    assert addon(account, name)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"addons": [{"name": "coredns"}]}, "Auto Mode brings coredns itself"),
        ({"addons": [{"name": "unheard-of"}]}, "EKS offers no add-on 'unheard-of' for Kubernetes 1.36"),
        ({"addons": [SERVER, SERVER]}, "metrics-server is there 2 times"),
        ({"addons": [{**SERVER, "version": "0.8"}]}, "no version of the add-on metrics-server"),
        ({"addons": [{**SERVER, "version": "v0.7.0-eksbuild.1"}]}, "default, latest or one of v0.8.1-eksbuild.1"),
        ({"addons": [{**SERVER, "roles": [{"service_account": "one"}]}]}, "has no policies"),
        ({"workload_identity": "irsa"}, "oidc_issuer is empty"),
    ],
)
def test_what_cannot_be_is_refused(
    account: Account, stand: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    for check in (True, False):
        with pytest.raises(PlanRefused, match=reason):
            plane(account, stand, check=check, **options)


def test_no_add_on_is_moved_to_another_namespace(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    with pytest.raises(PlanRefused, match="EKS moves none to another one"):
        plane(account, stand, addons=[SERVER, {**CLOUDWATCH, "namespace": "elsewhere"}])
