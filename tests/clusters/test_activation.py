# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applications follow the database, on PostgreSQL servers and Kubernetes API servers of prod and dr.

The tests of this file go on where the one before ended: each ends with both clusters as they were at first, or says so.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.kube.activating import find_cluster
from ansible_collections.pipeops.platform.plugins.module_utils.kube.api import Api
from pipeops_sandbox.kubernetes import programs

from tests.clusters.conftest import KEYS
from tests.drill.stage import EAST, WEST
from tests.drill.stand import PlaybookRun, Stand, StandFailure
from tests.platform_runs import ROOT

PLACES = {"prod": WEST, "dr": EAST}
BOTH = ("prod", "dr")
NAMES = ["api-services", "batch-jobs", "sample-app", "web-frontend"]
#: Add-ons without which applications come all the same: they would take most of the time.
LEFT_OUT = ("prometheus_operator_crds", "kube_prometheus_stack", "cloudwatch_exporter", "cloudwatch")
SETTINGS: dict[str, Any] = {name: {"enabled": False} for name in LEFT_OUT}
IMAGE = "registry.example.com/write-guard:1"
CLAIM = "/api/v1/namespaces/api-services/persistentvolumeclaims/uploads"


class Clusters:
    """prod and dr, and what stands in their clusters."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand

    def run(self, playbook: str, *inventories: str, check: bool = False, **extra: Any) -> PlaybookRun:
        """Run a playbook and insist on its end."""
        settings = {"cluster_addons_settings": SETTINGS, "write_guard_image": IMAGE}
        return self.stand.playbook(playbook, inventories or BOTH, check=check, **settings, **extra)

    def done(self, playbook: str, *inventories: str, **extra: Any) -> dict[str, Any]:
        """Run a playbook, insist that it went well, and return its findings."""
        run = self.run(f"playbooks/{playbook}.yml", *inventories, **extra)
        assert run.status == 0, run.log.read_text("utf-8")[-3000:]
        return run.findings

    def api(self, environment: str) -> Api:
        """Return the way into a cluster."""
        keys = {**KEYS, "region": PLACES[environment], "endpoint_url": self.stand.url}
        aws = Aws({**keys, "wait_timeout": 30, "wait_delay": 0.2})
        cluster = find_cluster(aws, f"pipeops-{environment}")
        assert cluster is not None
        return Api(aws, cluster)

    def client(self, service: str, environment: str) -> Any:
        """Return a client of AWS, as an operator at a console."""
        keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
        return boto3.client(service, PLACES[environment], endpoint_url=self.stand.url, **keys)

    def applications(self, environment: str) -> list[str]:
        """Return the applications of a cluster."""
        found = self.api(environment).get("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications")
        return sorted(
            item["metadata"]["name"] for item in found["items"] if "deletionTimestamp" not in item["metadata"]
        )

    def role(self, environment: str) -> str:
        found = self.api(environment).get("/api/v1/namespaces/argocd/secrets/in-cluster")
        return str(found["metadata"]["labels"]["role"])

    def server(self, environment: str) -> psutil.Process:
        """Return the process of an API server."""
        listed = self.stand.look("kubernetes")["clusters"]
        (folder,) = (one["directory"] for one in listed if one["name"] == f"pipeops-{environment}")
        (found,) = (
            process for process in psutil.process_iter(["cmdline"])
            if "kube-apiserver" in str(process.info["cmdline"]) and folder in str(process.info["cmdline"])
        )  # fmt: skip
        return found

    @contextmanager
    def silent(self, environment: str) -> Iterator[None]:
        """Let an API server take connections and answer nothing."""
        server = self.server(environment)
        server.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            server.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    if programs.found() is None:
        pytest.skip("no programs of Kubernetes: python -m pipeops_sandbox kubernetes build")
    os.environ["PATH"] = f"{Path(programs.found().paths['helm']).parent}{os.pathsep}{os.environ['PATH']}"
    folder = ROOT / "build" / "activation"
    try:
        with Stand(folder, 0.5, kubernetes=True) as stand:
            found = Clusters(stand)
            run = found.run("site.yml")
            assert run.status == 0, run.log.read_text("utf-8")[-3000:]
            yield found
    except StandFailure as failure:
        pytest.fail(str(failure))


def as_the_inventories_say(clusters: Clusters) -> None:
    """Insist that prod has the applications and dr has none."""
    assert (clusters.role("prod"), clusters.role("dr")) == ("active", "standby")
    assert (clusters.applications("prod"), clusters.applications("dr")) == (NAMES, [])


@pytest.mark.parametrize("environment", BOTH)
def test_a_guard_stands_beside_each_database(clusters: Clusters, environment: str) -> None:
    found = clusters.api(environment).get("/apis/apps/v1/namespaces/write-guard/deployments/write-guard")
    assert found["status"]["availableReplicas"] == 2
    (container,) = found["spec"]["template"]["spec"]["containers"]
    told = {one["name"].removeprefix("WRITE_GUARD_"): one["value"] for one in container["env"]}
    assert container["image"] == IMAGE
    assert (told["ENVIRONMENT"], told["SERVICE"], told["LEASE_SECONDS"]) == (environment, "prod", "15")
    rds = clusters.client("rds", environment)
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier=f"pipeops-{environment}")["DBInstances"]
    assert told["ENDPOINT"] == instance["Endpoint"]["Address"]
    eks = clusters.client("eks", environment)
    listed = eks.list_pod_identity_associations(clusterName=f"pipeops-{environment}", namespace="write-guard")
    assert [one["serviceAccount"] for one in listed["associations"]] == ["write-guard"]


def test_what_would_become_of_applications_is_announced(clusters: Clusters) -> None:
    found = clusters.done("dr_switchover", check=True)
    assert found["cluster_that_leads"] == "pipeops-dr: would become active"
    assert found["cluster_on_standby"] == "pipeops-prod: would go to standby"
    as_the_inventories_say(clusters)


def test_a_switchover_flips_both_and_the_fail_back_brings_them_back(clusters: Clusters) -> None:
    a_claim(clusters)
    found = clusters.done("dr_switchover", confirm="prod")
    assert found["applications"].startswith("ready: 4 of 4 ready")
    assert found["applications_next"] == "nothing"
    assert 0 <= found["seconds_to_first_application"] <= found["seconds_to_all_applications"]
    assert (clusters.role("prod"), clusters.role("dr")) == ("standby", "active")
    assert (clusters.applications("prod"), clusters.applications("dr")) == ([], NAMES)
    kept = clusters.api("prod").get(CLAIM)["metadata"]
    assert kept["annotations"]["argocd.argoproj.io/sync-options"] == "Delete=false"
    assert clusters.api("prod").get("/api/v1/namespaces/api-services/secrets/database")
    # The inventory says otherwise until the fail-back; add-ons go by the databases.
    clusters.done("addons", "dr")
    assert clusters.role("dr") == "active"
    clusters.done("dr_failback", confirm="prod")
    as_the_inventories_say(clusters)


def a_claim(clusters: Clusters) -> None:
    """Claim a volume in the name of an application, without saying that it stays."""
    tracking = "api-services:/PersistentVolumeClaim:api-services/uploads"
    metadata = {
        "name": "uploads",
        "namespace": "api-services",
        "annotations": {"argocd.argoproj.io/tracking-id": tracking},
    }
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "gp3"}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
    clusters.api("prod").apply(CLAIM, body, dry_run=False)


def test_an_api_server_that_answers_nothing_holds_no_failover_up(clusters: Clusters) -> None:
    clusters.stand.control(f"regions/{WEST}", state="down")
    with clusters.silent("dr"):
        found = clusters.done("dr_failover", "dr", confirm="prod")
    assert found["leader"] == "dr"
    assert found["applications"].startswith("unknown")
    assert "does not answer" in found["applications_reason"]
    assert found["applications_next"] == "ansible-playbook playbooks/dr_activate.yml -i inventories/dr"
    # What the report says to do, once it answers again.
    assert clusters.done("dr_activate", "dr")["applications"].startswith("ready: 4 of 4 ready")
    assert clusters.applications("dr") == NAMES


def test_the_fence_puts_the_lost_side_on_standby_and_the_fail_back_brings_both_back(clusters: Clusters) -> None:
    clusters.stand.control(f"regions/{WEST}", state="up")
    assert clusters.role("prod") == "active"
    assert clusters.done("dr_fence")["cluster_on_standby"] == "pipeops-prod: standby"
    assert (clusters.role("prod"), clusters.role("dr")) == ("standby", "active")
    clusters.done("dr_failback", confirm="prod")
    as_the_inventories_say(clusters)


def test_applications_that_do_not_become_ready_are_told_and_fail_what_is_only_about_them(clusters: Clusters) -> None:
    api = clusters.api("prod")
    hold = {"spec": {"template": {"metadata": {"annotations": {"pipeops.sandbox/hold": "unready"}}}}}
    api.merge("/apis/apps/v1/namespaces/api-services/deployments/api", hold, dry_run=False)
    run = clusters.run("playbooks/dr_activate.yml", recovery_applications_timeout_seconds=15)
    assert run.status == 2
    said = " ".join(run.log.read_text("utf-8").split())
    assert "api-services is Progressing" in said
    assert run.findings["applications"].startswith("not ready: 3 of 4 ready")


def test_the_status_tells_of_both_clusters(clusters: Clusters) -> None:
    found = clusters.run("playbooks/dr_status.yml").findings
    assert found["clusters"] == {"standby": "standby", "leader": "active"}
    grades = {check["name"]: check["grade"] for check in found["checks"]}
    assert (grades["add-ons"], grades["role of the cluster"]) == ("good", "good")
