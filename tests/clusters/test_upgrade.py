# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster in Auto Mode goes up one version: nodes follow, and what is inside of it can stand in the way."""

from __future__ import annotations

import importlib
from typing import Any, cast

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.filter.cluster_ground import cluster_ground

from tests.clusters.conftest import Clusters
from tests.sandbox.conftest import MODULES, Account
from tests.sandbox.eks_stand import NAME, foundations

OPERATOR = {
    "principal_arn": "arn:aws:iam::123456789012:user/moto",
    "policies": [{"name": "AmazonEKSClusterAdminPolicy"}],
}
ZONES = ["us-west-2a", "us-west-2b", "us-west-2c"]
LABELS = {"app": "front"}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "front", "namespace": "default"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "front", "image": "registry.example.com/front:1"}]},
        },
    },
}
BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "never", "namespace": "default"},
    "spec": {"maxUnavailable": 0, "selector": {"matchLabels": LABELS}},
}


class Stand:
    """A cluster of prod, and our modules pointed at it."""

    def __init__(self, url: str) -> None:
        self.account = Account(url, cast("Any", None))
        self.base = {
            **foundations(self.account),
            "version": "1.35",
            "workload_roles": [],
            "access_entries": [OPERATOR],
        }
        outputs = self.account.run("eks_cluster", **self.base)["outputs"]
        self.where = {name: outputs[name] for name in ("cluster_name", "endpoint", "certificate_authority")}
        self.ground = cluster_ground(
            outputs,
            minimum=2,
            maximum=2,
            zones=ZONES,
            instance_types=["t3.medium"],
            subnet_ids=self.base["subnet_ids"],
            kms_key_arn=self.base["ebs_kms_key_arn"],
        )

    def call(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run one of our modules that are a function."""
        loaded = importlib.import_module(f"{MODULES}.{module}")
        given = {"region": "us-west-2", "endpoint_url": self.account.url, "wait_delay": 0.5, "wait_timeout": 400}
        checked = ArgumentSpecValidator({**aws_argument_spec(), **loaded.ARGUMENT_SPEC}).validate({**given, **options})
        assert not checked.error_messages, checked.error_messages
        result: dict[str, Any] = loaded.run(checked.validated_parameters, check_mode=check, progress=lambda _text: None)
        return result

    def found(self, version: str) -> dict[str, Any]:
        """Return what stands in the way of a version."""
        outputs: dict[str, Any] = self.call(
            "eks_upgrade_info", cluster_name=NAME, version=version, addons=[{"name": "metrics-server"}]
        )["outputs"]
        return outputs

    def data_plane(self, version: str) -> dict[str, Any]:
        """Bring its add-on about."""
        return self.account.run("eks_data_plane", kubernetes_version=version, addons=[{"name": "metrics-server"}])

    def nodes(self, version: str, *, check: bool = False, **before: Any) -> dict[str, Any]:
        """Await nodes of a version."""
        return self.call("kube_node_versions", check=check, version=version, **self.where, **before)


@pytest.fixture
def prod(stand: Clusters, monkeypatch: pytest.MonkeyPatch) -> Stand:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "operator")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "operator")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return Stand(stand.url)


def test_nodes_follow_the_control_plane(prod: Stand) -> None:
    definitions = [*prod.ground, DEPLOYMENT, BUDGET]
    prod.call("kube_objects", **prod.where, set="ground", definitions=definitions, wait_for={"Deployment": "Available"})
    prod.data_plane("1.35")
    assert set(prod.nodes("1.35")["outputs"]["nodes"].values()) == {"1.35"}

    blocked = prod.found("1.36")
    assert [text.split(":")[0] for text in blocked["blockers"]] == ["budget/default/never"]
    prod.call("kube_objects", **prod.where, set="ground", definitions=[BUDGET], state="absent")
    before = prod.found("1.36")
    assert before["blockers"] == [], before
    assert before["begins"]

    (announced,) = prod.nodes("1.36", check=True, before=before["nodes"])["actions"]
    (step,) = prod.account.run("eks_control_plane", version="1.36")["actions"]
    assert step["action"] == "update/eks_control_plane/main/version"
    assert prod.data_plane("1.36")["actions"] == []
    done = prod.nodes("1.36", before=before["nodes"])
    assert done["actions"] == [announced]
    assert set(done["outputs"]["nodes"].values()) == {"1.36"}

    after = prod.found("1.36")
    assert not after["begins"]
    assert after["blockers"] == []
    assert prod.nodes("1.36", before=after["nodes"])["actions"] == []
    assert prod.account.run("eks_control_plane", version="1.36")["actions"] == []
