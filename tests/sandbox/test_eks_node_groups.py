# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managed node groups with the add-ons that they need: in order, within bounds, changed and replaced with a word."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from pipeops_sandbox.overlays.eks import nodegroup_rules
from pipeops_sandbox.runtime import runtime

from tests.sandbox.conftest import Account, prove_converges, prove_removes
from tests.sandbox.eks_stand import FAST, NAME, actions, calls, foundations, run
from tests.sandbox.test_eks_data_plane import MODULE, change, plane

ZONES = ["us-west-2a", "us-west-2b", "us-west-2c"]


@pytest.fixture
def stand(account: Account) -> dict[str, Any]:
    """A cluster without Auto Mode, and the options of its data plane."""
    base = {**foundations(account), "workload_roles": [], "auto_mode": False}
    run(account, base)
    return {
        "account_id": "123456789012",
        "kubernetes_version": "1.36",
        "auto_mode": False,
        "zones": ZONES,
        "subnet_ids": base["subnet_ids"],
        "node_minimum": 3,
        "node_maximum": 10,
        "instance_types": ["m5.large", "m5.xlarge"],
        "kms_key_arn": base["ebs_kms_key_arn"],
    }


def group(account: Account, zone: str = "us-west-2a", revision: str = "1") -> dict[str, Any]:
    name = f"{NAME}-{zone}-{revision}"
    found: dict[str, Any] = account.client("eks").describe_nodegroup(clusterName=NAME, nodegroupName=name)["nodegroup"]
    return found


def groups(account: Account) -> list[str]:
    found: list[str] = account.client("eks").list_nodegroups(clusterName=NAME)["nodegroups"]
    return found


def test_nodes_come_about_in_order_and_go(account: Account, stand: dict[str, Any]) -> None:
    since = account.journal_length()
    prove_converges(account, MODULE, **stand)
    made = [e.operation for e in account.sandbox.journal.entries() if e.n > since and e.operation.startswith("Create")]
    kinds = [name for name in made if name in ("CreateAddon", "CreateNodegroup")]
    assert kinds == ["CreateAddon"] * 3 + ["CreateNodegroup"] * 3 + ["CreateAddon"] * 2
    sizes = [group(account, zone)["scalingConfig"] for zone in ZONES]
    assert [(s["minSize"], s["maxSize"], s["desiredSize"]) for s in sizes] == [(1, 4, 1), (1, 3, 1), (1, 3, 1)]
    prove_removes(account, MODULE, **stand)
    assert groups(account) == []


def test_a_node_is_hardened_and_encrypted(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    template = group(account)["launchTemplate"]
    (version,) = account.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=template["id"], Versions=[template["version"]]
    )["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    disk = data["BlockDeviceMappings"][0]["Ebs"]
    assert (disk["VolumeType"], disk["Encrypted"], disk["KmsKeyId"]) == ("gp3", True, stand["kms_key_arn"])
    entry = account.client("eks").describe_access_entry(clusterName=NAME, principalArn=group(account)["nodeRole"])
    assert entry["accessEntry"]["type"] == "EC2_LINUX"


def test_the_number_of_nodes_is_the_autoscalers(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    account.client("eks").update_nodegroup_config(
        clusterName=NAME, nodegroupName=f"{NAME}-us-west-2a-1", scalingConfig={"desiredSize": 4}
    )
    assert actions(plane(account, stand)) == []
    expected = [f"update/eks_node_group/{zone}/settings" for zone in ZONES]
    change(account, expected, stand, node_maximum=13, node_minimum=6)
    sizes = [group(account, zone)["scalingConfig"] for zone in ZONES]
    assert [(s["minSize"], s["maxSize"], s["desiredSize"]) for s in sizes] == [(2, 5, 4), (2, 4, 2), (2, 4, 2)]


def test_another_disk_replaces_nodes_and_says_so(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    expected = ["update/ec2_launch_template/worker/data", *(f"update/eks_node_group/{zone}/nodes" for zone in ZONES)]
    done = change(account, expected, stand, node_disk_gib=120)
    assert "pods on nodes that are replaced" in done["actions"][-1]["interrupts"]
    assert group(account)["launchTemplate"]["version"] == "2"


def test_a_tag_of_the_inventory_replaces_no_node(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    assert {action["change"] for action in plane(account, stand, tags={"cost-center": "42"})["actions"]} == {"tags"}


def test_other_types_are_refused_until_somebody_says_how(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    runtime.clock.set("aws", FAST)
    with pytest.raises(PlanRefused, match=r"instance_types of node group .* Raise the node revision"):
        plane(account, stand, instance_types=["m6i.large"])
    new = [f"create/eks_node_group/{zone}" for zone in ZONES]
    old = [f"delete/eks_node_group/{NAME}-{zone}-1" for zone in ZONES]
    since = account.journal_length()
    change(account, [*new, *old], stand, instance_types=["m6i.large"], node_revision="2")
    assert groups(account) == [f"{NAME}-{zone}-2" for zone in ZONES]
    # The old ones go when the new ones are active.
    sent = [(e.operation, e.time) for e in account.sandbox.journal.entries() if e.n > since and e.mutating]
    first = min(time for name, time in sent if name == "DeleteNodegroup")
    assert first - max(time for name, time in sent if name == "CreateNodegroup") >= 110


def test_nodes_of_another_version_are_refused_kept_or_moved(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    account.client("eks").update_cluster_version(name=NAME, version="1.37")
    newer = {**stand, "kubernetes_version": "1.37"}
    with pytest.raises(PlanRefused, match=r"run Kubernetes 1.36, the cluster 1.37.*upgrade_cluster.yml"):
        plane(account, newer)
    kept = plane(account, newer, node_version_rule="keep")
    assert {action["kind"] for action in kept["actions"]} == {"eks_addon"}
    assert group(account)["version"] == "1.36"
    change(account, [f"update/eks_node_group/{zone}/nodes" for zone in ZONES], newer, node_version_rule="update")
    assert group(account)["version"] == "1.37"
    assert actions(plane(account, newer)) == []


def test_a_group_that_never_came_up_tells_why_and_is_made_anew(
    account: Account, stand: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = {"code": "NodeCreationFailure", "message": "Unhealthy nodes in the cluster", "resourceIds": ["i-1"]}
    said = r"is CREATE_FAILED: NodeCreationFailure: Unhealthy nodes in the cluster \(i-1\). See that"
    with monkeypatch.context() as patch, pytest.raises(EngineError, match=said):
        patch.setattr(nodegroup_rules, "join_issues", lambda _call, _cluster, _name: [issue])
        plane(account, stand)
    mended = [f"update/eks_node_group/{zone}/condition" for zone in ZONES]
    done = plane(account, stand)
    assert [name for name in actions(done) if "node_group" in name] == mended
    assert group(account)["status"] == "ACTIVE"
    assert actions(plane(account, stand)) == []


def test_an_interrupted_change_is_carried_on_without_a_second_update(account: Account, stand: dict[str, Any]) -> None:
    plane(account, stand)
    runtime.clock.set("aws", FAST)
    account.client("eks").update_nodegroup_config(
        clusterName=NAME,
        nodegroupName=f"{NAME}-us-west-2a-1",
        scalingConfig={"minSize": 2, "maxSize": 4, "desiredSize": 2},
    )
    since = account.journal_length()
    plane(account, stand, node_minimum=4)
    assert calls(account, since, "UpdateNodegroupConfig") == []
    assert plane(account, stand, node_minimum=4)["actions"] == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"zones": ZONES[:2]}, "There are 2 zones and 3 subnet_ids"),
        ({"node_minimum": 11}, "node_minimum is 11"),
        ({"instance_types": []}, "instance_types is empty"),
    ],
)
def test_what_cannot_be_is_refused(
    account: Account, stand: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PlanRefused, match=reason):
        plane(account, stand, **options)


@pytest.mark.parametrize("identity", ["pod_identity", "irsa"])
def test_a_dry_run_in_an_empty_account_foresees_add_ons_and_groups(account: Account, identity: str) -> None:
    foreseen = account.run(
        "eks_data_plane",
        check=True,
        kubernetes_version="1.35",
        auto_mode=False,
        workload_identity=identity,
        oidc_issuer="pending:eks_cluster.oidc_issuer:main",
        zones=ZONES,
        subnet_ids=[f"pending:ec2_subnet.id:private/{zone}" for zone in ZONES],
        node_minimum=3,
        node_maximum=6,
        instance_types=["m5.large"],
        kms_key_arn="pending:kms_key.arn:ebs",
    )
    made = [action["action"].split("/")[1] for action in foreseen["actions"]]
    assert (made.count("eks_node_group"), "eks_addon" in made) == (3, True)
    assert account.client("eks").list_clusters()["clusters"] == []
