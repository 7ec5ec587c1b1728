# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster with managed node groups goes up one version: announced, confirmed, carried on, refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.platform_runs import ROOT, Platform, Run

UPGRADE = "playbooks/upgrade_cluster.yml"
GROUPS = {"eks_compute": "managed_node_groups"}
NAME = "pipeops-dev"
#: What changes something, in its order: the control plane, kube-proxy, three node groups, the outputs.
CALLS = ["eks:UpdateClusterVersion", "eks:UpdateAddon", *["eks:UpdateNodegroupVersion"] * 3, "s3:PutObject"]


@pytest.fixture(scope="module")
def _dev_once(_server: Platform) -> str:
    """Stand dev up with node groups of 1.35, once, and return the name of the snapshot that keeps it."""
    _server.begin()
    first = _server.playbook("dev", extra={**GROUPS, "eks_version": "1.35"})
    assert first.status == 0, first.output[-4000:]
    _server.control("POST", "snapshot", name="dev-old")
    return "dev-old"


@pytest.fixture
def dev(_server: Platform, _dev_once: str) -> Platform:
    _server.begin()
    _server.control("POST", "restore", name=_dev_once)
    return _server


def upgrade(stand: Platform, version: str = "1.36", *, check: bool = False, **extra: Any) -> Run:
    given = {**GROUPS, "eks_version": version, "confirm": "dev", **extra}
    return stand.playbook("dev", check=check, playbook=UPGRADE, extra=given)


def versions(stand: Platform) -> set[str]:
    """Return the versions of control plane and node groups."""
    eks = stand.client("eks")
    groups = eks.list_nodegroups(clusterName=NAME)["nodegroups"]
    found = {eks.describe_nodegroup(clusterName=NAME, nodegroupName=group)["nodegroup"]["version"] for group in groups}
    return found | {eks.describe_cluster(name=NAME)["cluster"]["version"]}


def test_it_is_announced_done_and_then_nothing_is_left(dev: Platform, tmp_path: Path) -> None:
    announced = upgrade(dev, check=True)
    assert announced.status == 0, announced.output[-3000:]
    assert announced.mutations == []
    assert "goes from v1.35.4-eksbuild.3 to v1.36.2-eksbuild.1" in announced.output
    assert versions(dev) == {"1.35"}
    done = upgrade(dev)
    assert done.status == 0, done.output[-3000:]
    assert done.mutations == CALLS
    assert done.actions("dev") == announced.actions("dev")
    assert done.tasks("dev") == announced.tasks("dev")
    assert versions(dev) == {"1.36"}
    for again in (upgrade(dev), dev.playbook("dev", extra={**GROUPS, "eks_version": "1.36"})):
        assert again.status == 0, again.output[-3000:]
        assert again.mutations == []
        assert not again.tasks("dev")


@pytest.mark.parametrize(
    "nth",
    [
        pytest.param(1, marks=pytest.mark.thorough),
        2,
        pytest.param(3, marks=pytest.mark.thorough),
    ],
    ids=lambda nth: f"{nth}-{CALLS[nth - 1]}",
)
def test_one_that_was_killed_is_carried_on(dev: Platform, nth: int) -> None:
    rule = {"effect": "kill_client", "mutating": True, "service": "eks", "nth": nth, "when": "after"}
    dev.control("POST", "faults", **rule, also="ansible-playbook")
    killed = upgrade(dev)
    assert killed.status < 0
    again = upgrade(dev, deployment_lock_wait_seconds=120)
    assert again.status == 0, again.output[-3000:]
    assert versions(dev) == {"1.36"}
    both = killed.mutations + again.mutations
    assert both.count("eks:UpdateClusterVersion") == 1
    assert both.count("eks:UpdateNodegroupVersion") == 3
    assert upgrade(dev).mutations == []


@pytest.mark.parametrize(
    ("version", "extra", "said"),
    [
        ("1.37", {}, "EKS goes up one minor version at a time, not to 1.37. Set eks_version in the inventory to 1.36"),
        ("1.34", {}, "1.34 would be a step back"),
        (
            "1.36",
            {"confirm": "prod"},
            "Not confirmed, nothing was changed. pipeops-dev goes from Kubernetes 1.35 to 1.36",
        ),
    ],
)
def test_what_cannot_be_is_refused(dev: Platform, version: str, extra: dict[str, Any], said: str) -> None:
    refused = upgrade(dev, version, **extra)
    assert refused.status != 0
    assert said in " ".join(refused.output.split())
    assert refused.mutations == []
    assert versions(dev) == {"1.35"}


def test_what_eks_warns_of_stops_it_until_somebody_takes_it(dev: Platform) -> None:
    dev.control("POST", f"eks/us-west-2/{NAME}", insight="Deprecated APIs", status="ERROR", reason="in use")
    for check in (True, False):
        refused = upgrade(dev, check=check)
        assert refused.status != 0
        assert "insight/Deprecated APIs removed in Kubernetes v1.36" in refused.output
        assert "old-operator/1.2" in refused.output
        assert refused.mutations == []
    taken = upgrade(dev, upgrade_accept=["insight/Deprecated APIs removed in Kubernetes v1.36"])
    assert taken.status == 0, taken.output[-3000:]
    assert versions(dev) == {"1.36"}


def test_the_main_playbook_upgrades_nothing_and_names_the_command(dev: Platform) -> None:
    refused = dev.playbook("dev", extra={**GROUPS, "eks_version": "1.36"})
    assert refused.status != 0
    assert "ansible-playbook playbooks/upgrade_cluster.yml -i inventories/ENV" in refused.output
    assert versions(dev) == {"1.35"}


def test_the_runbook_is_typed_as_it_stands(empty: Platform) -> None:
    stood = empty.playbook("dev", extra={"eks_version": "1.35"})
    assert stood.status == 0, stood.output[-3000:]
    text = (ROOT / "docs" / "upgrade_cluster.md").read_text("utf-8")
    (block,) = re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
    for command in block.splitlines():
        done = empty.shell(command)
        assert done.returncode == 0, f"{command}\n{(done.stdout + done.stderr)[-4000:]}"
    assert empty.client("eks").describe_cluster(name=NAME)["cluster"]["version"] == "1.36"
    for part in ("**When:**", "**Needs:**", "**Takes:**", "**Undo:**"):
        assert part in text
