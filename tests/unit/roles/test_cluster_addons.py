# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role cluster_addons hands to Helm and to the API server."""

from __future__ import annotations

import json
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.addons.rendering import FULL, PLAIN, ROOT, Rendered, render

VERSION = "1.36"
APPLICATIONS = ["sample-app", "api-services", "web-frontend", "batch-jobs"]


@pytest.fixture(scope="module")
def plain() -> Rendered:
    return render(PLAIN)


@pytest.fixture(scope="module")
def full() -> Rendered:
    return render(FULL)


def of_kind(rendered: Rendered, kind: str) -> list[dict[str, Any]]:
    return [item for item in rendered.manifests if item["kind"] == kind]


def test_every_version_is_pinned() -> None:
    text = (ROOT / "roles/cluster_addons/vars/main/catalogue.yml").read_text("utf-8")
    for addon in yaml.safe_load(text)["__cluster_addons_catalogue"]:
        assert isinstance(addon["version"], str), addon["name"]
        assert addon["version"].count(".") == 2, addon["name"]


def test_definitions_come_first_then_secrets_then_what_uses_them(full: Rendered) -> None:
    waves = [addon["needs"] for addon in full.plan]
    assert waves == sorted(waves, key=["nothing", "definitions", "secrets"].index)


@pytest.mark.parametrize("case", ["plain", "full"])
def test_kubernetes_takes_every_manifest(case: str, request: pytest.FixtureRequest) -> None:
    rendered: Rendered = request.getfixturevalue(case)
    judged = 0
    for item in rendered.manifests:
        try:
            kubernetes_validate.validate(item, VERSION, strict=True)
            judged += 1
        except kubernetes_validate.SchemaNotFoundError:
            # Kinds that charts define: tests.addons holds them against the charts.
            assert item["apiVersion"].split("/")[0] in (
                *("external-secrets.io", "generators.external-secrets.io"),
                *("monitoring.coreos.com", "argoproj.io"),
            )
    assert judged > 40


@pytest.mark.parametrize("case", ["plain", "full"])
def test_no_object_is_there_twice(case: str, request: pytest.FixtureRequest) -> None:
    rendered: Rendered = request.getfixturevalue(case)
    names = [(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in rendered.manifests]
    assert len(names) == len(set(names))


def test_namespaces_of_applications_are_closed_and_bounded(plain: Rendered) -> None:
    for name in APPLICATIONS:
        labels = plain.named("Namespace", name)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        deny = plain.named("NetworkPolicy", "default-deny", name)["spec"]
        assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        assert plain.named("ResourceQuota", "quota", name)["spec"]["hard"]["pods"]
        assert plain.named("LimitRange", "limits", name)


def test_the_database_is_reached_where_it_is_needed_only(plain: Rendered) -> None:
    for kind, name in (("ExternalSecret", "database"), ("NetworkPolicy", "allow-database")):
        where = {item["metadata"]["namespace"] for item in of_kind(plain, kind) if item["metadata"]["name"] == name}
        assert where == {"sample-app", "api-services", "batch-jobs"}


def test_a_call_between_namespaces_is_allowed_on_both_sides(plain: Rendered) -> None:
    assert plain.named("NetworkPolicy", "allow-to-api-services", "web-frontend")
    assert plain.named("NetworkPolicy", "allow-from-web-frontend", "api-services")


def test_templates_of_the_operator_arrive_as_they_are(plain: Rendered) -> None:
    data = plain.named("ExternalSecret", "database", "api-services")["spec"]["target"]["template"]["data"]
    assert data["password"] == "{{ .password }}"
    assert data["host"] == "database.dev.pipeops.internal"


def test_secrets_are_read_in_the_region_of_the_cluster_by_named_namespaces(plain: Rendered) -> None:
    spec = plain.named("ClusterSecretStore", "secrets-manager")["spec"]
    assert spec["provider"]["aws"] == {"service": "SecretsManager", "region": "us-west-2"}
    assert spec["conditions"] == [{"namespaces": ["argocd", "monitoring", *APPLICATIONS]}]


def test_argo_cd_learns_of_the_platform_and_of_the_role(plain: Rendered, full: Rendered) -> None:
    active, standby = (rendered.named("Secret", "in-cluster")["metadata"] for rendered in (plain, full))
    assert (active["labels"]["role"], standby["labels"]["role"]) == ("active", "standby")
    assert active["annotations"]["database_host"] == "database.dev.pipeops.internal"
    assert all(isinstance(value, str) for value in active["annotations"].values())


def test_applications_are_deployed_where_the_role_is_active(plain: Rendered) -> None:
    spec = plain.named("ApplicationSet", "applications")["spec"]
    _git, clusters = spec["generators"][0]["matrix"]["generators"]
    assert clusters["clusters"]["selector"] == {"matchLabels": {"role": "active"}}
    assert spec["template"]["spec"]["source"]["path"] == "{{ .path.path }}/overlays/{{ .metadata.labels.environment }}"
    assert spec["template"]["spec"]["syncPolicy"]["automated"] == {"prune": True, "selfHeal": True}


def test_without_a_repository_there_is_nothing_to_deploy() -> None:
    rendered = render({**PLAIN, "cluster_addons_gitops_repository": ""})
    assert not of_kind(rendered, "ApplicationSet")
    assert rendered.named("AppProject", "applications")["spec"]["sourceRepos"] == []


def test_alerts_reach_nobody_unless_told_whom(plain: Rendered, full: Rendered) -> None:
    quiet, loud = (rendered.values["kube_prometheus_stack"]["alertmanager"] for rendered in (plain, full))
    assert quiet["config"]["receivers"] == [{"name": "null"}, {"name": "default"}, {"name": "critical"}]
    assert "secrets" not in quiet["alertmanagerSpec"]
    assert loud["alertmanagerSpec"]["secrets"] == ["alert-routes"]
    kinds = {receiver["name"]: sorted(receiver) for receiver in loud["config"]["receivers"]}
    assert kinds["critical"] == ["email_configs", "name", "pagerduty_configs", "slack_configs"]
    assert kinds["heartbeat"] == ["name", "webhook_configs"]


@pytest.mark.parametrize("case", ["plain", "full"])
def test_every_route_has_a_receiver_and_no_secret_is_in_values(case: str, request: pytest.FixtureRequest) -> None:
    rendered: Rendered = request.getfixturevalue(case)
    config = rendered.values["kube_prometheus_stack"]["alertmanager"]["config"]
    named = {receiver["name"] for receiver in config["receivers"]}
    assert {config["route"]["receiver"], *(route["receiver"] for route in config["route"]["routes"])} <= named
    text = json.dumps(rendered.values)
    for word in ("api_url:", '"api_url"', '"routing_key"', '"auth_password"', "adminPassword"):
        assert word not in text


def test_lag_is_told_and_wakes_people(full: Rendered) -> None:
    groups = full.named("PrometheusRule", "pipeops")["spec"]["groups"]
    rules = {rule["alert"]: rule for group in groups for rule in group["rules"]}
    assert rules["DatabaseReplicaLag"]["expr"] == "aws_rds_replica_lag_maximum > 60"
    assert rules["DatabaseReplicaLagBeyondObjective"]["labels"] == {"severity": "critical"}
    assert "{{ $labels.dimension_DBInstanceIdentifier }}" in rules["DatabaseReplicaLag"]["annotations"]["summary"]
    assert {"StandbyRunsApplications", "NodesAtMaximum"} <= rules.keys()


def test_dashboards_are_json_that_grafana_finds(plain: Rendered) -> None:
    boards = [item for item in of_kind(plain, "ConfigMap") if item["metadata"]["name"].startswith("dashboard-")]
    assert len(boards) == 3
    for board in boards:
        assert board["metadata"]["labels"] == {"grafana_dashboard": "1"}
        (text,) = board["data"].values()
        assert json.loads(text)["panels"]


def test_an_add_on_that_is_switched_off_leaves_nothing_behind() -> None:
    off = {"external_secrets": {"enabled": False}, "argo_cd": {"enabled": False}}
    rendered = render({**PLAIN, "cluster_addons_settings": off})
    assert not rendered.objects["secrets"]
    assert not rendered.objects["gitops"]
    assert "argocd" not in {item["metadata"]["name"] for item in of_kind(rendered, "Namespace")}
