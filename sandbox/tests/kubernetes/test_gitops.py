"""What Argo CD would do: applications from a set, manifests from a folder, and how healthy they are."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pipeops_sandbox.kubernetes import health, kustomize, rollouts, sources
from pipeops_sandbox.kubernetes.appsets import Ungenerated, applications, filled

CHECKOUT = Path(__file__).resolve().parents[3]
APPS = CHECKOUT / "examples" / "gitops" / "apps"


def cluster(role: str, name: str = "in-cluster") -> dict[str, Any]:
    labels = {"argocd.argoproj.io/secret-type": "cluster", "role": role, "environment": "dr"}
    data = {"name": base64.b64encode(name.encode()).decode(), "server": base64.b64encode(b"https://here").decode()}
    return {"metadata": {"name": name, "labels": labels, "annotations": {"aws_region": "us-east-1"}}, "data": data}


def a_set(*generators: dict[str, Any], **template: Any) -> dict[str, Any]:
    spec = {"generators": list(generators), "template": template or {"metadata": {"name": "{{ .name }}"}, "spec": {}}}
    return {"metadata": {"name": "set", "namespace": "argocd", "uid": "1"}, "spec": spec}


def read(url: str, revision: str) -> Path:
    return sources.Sources(Path("/nowhere")).read(url, revision)[0]


FOLDERS = {"repoURL": CHECKOUT.as_uri(), "revision": "main", "directories": [{"path": "examples/gitops/apps/*"}]}
MATRIX = {"matrix": {"generators": [{"git": FOLDERS}, {"clusters": {"selector": {"matchLabels": {"role": "active"}}}}]}}
TEMPLATE = {
    "metadata": {"name": "{{ .path.basename }}"},
    "spec": {"source": {"path": "{{ .path.path }}/overlays/{{ .metadata.labels.environment }}"}},
}


def test_a_folder_is_an_application_where_the_role_is_active() -> None:
    found = applications(a_set(MATRIX, **TEMPLATE), [cluster("active")], read)
    assert [one["metadata"]["name"] for one in found] == ["api-services", "batch-jobs", "sample-app", "web-frontend"]
    assert found[0]["spec"]["source"]["path"] == "examples/gitops/apps/api-services/overlays/dr"
    assert found[0]["metadata"]["ownerReferences"][0]["name"] == "set"


def test_on_standby_there_is_none() -> None:
    assert applications(a_set(MATRIX, **TEMPLATE), [cluster("standby")], read) == []


def test_a_list_is_taken_as_it_is() -> None:
    found = applications(a_set({"list": {"elements": [{"name": "one"}, {"name": "two"}]}}), [], read)
    assert [one["metadata"]["name"] for one in found] == ["one", "two"]


def test_two_of_a_name_are_refused() -> None:
    with pytest.raises(Ungenerated, match="duplicate name: one"):
        applications(a_set({"list": {"elements": [{"name": "one"}, {"name": "one"}]}}), [], read)


@pytest.mark.parametrize(
    ("text", "why"),
    [("{{ .labels.role }}", 'no entry for key "role"'), ("{{ index .labels 0 }}", "names of parameters only")],
)
def test_what_the_template_lacks_is_named(text: str, why: str) -> None:
    with pytest.raises(Ungenerated, match=why):
        filled({"name": text}, {"labels": {}})


def test_a_generator_that_is_not_played_is_named() -> None:
    with pytest.raises(Ungenerated, match="pullRequest"):
        applications(a_set({"pullRequest": {}}), [], read)


@pytest.mark.parametrize("url", ["https://github.com/example/applications.git", "git@github.com:example/a.git"])
def test_nothing_outside_this_machine_is_read(url: str) -> None:
    with pytest.raises(sources.Unreadable, match="repositories of this machine only"):
        read(url, "main")


def test_a_bare_repository_is_read_at_its_revision(tmp_path: Path) -> None:
    work, bare = tmp_path / "work", tmp_path / "bare.git"
    work.mkdir()
    who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(work), *who, *words], check=True, capture_output=True)

    git("init", "--initial-branch=main")
    (work / "one.yml").write_text("{}")
    git("add", "one.yml")
    git("commit", "--message=one")
    subprocess.run(["git", "clone", "--bare", str(work), str(bare)], check=True, capture_output=True)
    (work / "one.yml").write_text("changed")
    folder, commit = sources.Sources(tmp_path / "kept").read(bare.as_uri(), "main")
    assert (folder / "one.yml").read_text() == "{}"
    assert len(commit) == 40
    with pytest.raises(sources.Unreadable, match="unable to resolve 'other'"):
        sources.Sources(tmp_path / "kept").read(bare.as_uri(), "other")


@pytest.mark.parametrize("folder", sorted(APPS.glob("*/overlays/*")), ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_all_examples_are_built(folder: Path) -> None:
    patch = {
        "target": {"kind": "ConfigMap", "name": "platform"},
        "patch": '- {op: replace, path: /data, value: {environment: "dr"}}',
    }
    found = {one["kind"]: one for one in kustomize.manifests(folder, [patch])}
    assert found["ConfigMap"]["data"] == {"environment": "dr"}
    for one in found.values():
        assert one["metadata"]["labels"]["app.kubernetes.io/name"]


def test_labels_reach_selectors_and_templates() -> None:
    found = {one["kind"]: one for one in kustomize.manifests(APPS / "api-services" / "overlays" / "dr")}
    own = {"app.kubernetes.io/name": "api"}
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == own
    assert found["Deployment"]["spec"]["template"]["metadata"]["labels"] == own
    assert found["Deployment"]["spec"]["replicas"] == 3
    assert found["Service"]["spec"]["selector"] == own


def test_what_is_not_built_is_named(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yml").write_text("helmCharts: []")
    with pytest.raises(kustomize.Unbuildable, match="helmCharts"):
        kustomize.manifests(tmp_path)


def deployment(available: int, observed: int = 2) -> dict[str, Any]:
    status = {"observedGeneration": observed, "updatedReplicas": 2, "availableReplicas": available}
    return {"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}


@pytest.mark.parametrize(
    ("live", "word"),
    [
        (None, "Missing"),
        (deployment(2), "Healthy"),
        (deployment(1), "Progressing"),
        (deployment(2, observed=1), "Progressing"),
        ({"kind": "Rollout", "status": {"phase": "Paused"}}, "Suspended"),
        ({"kind": "Service", "spec": {}}, "Healthy"),
        ({"kind": "Service", "spec": {"type": "LoadBalancer"}}, "Progressing"),
        ({"kind": "PersistentVolumeClaim", "status": {"phase": "Bound"}}, "Healthy"),
        ({"kind": "ConfigMap"}, "Healthy"),
    ],
)
def test_the_health_of_a_resource(live: dict[str, Any] | None, word: str) -> None:
    assert health.health(live) == word


def test_an_application_is_as_its_worst_resource() -> None:
    assert health.worst(["Healthy", "Missing", "Progressing"]) == "Missing"
    assert health.worst([]) == "Healthy"


def test_a_rollout_has_a_replica_set_for_its_version() -> None:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    metadata = {"name": "a", "namespace": "n", "uid": "1", "generation": 4}
    item = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec}
    made = rollouts.replica_set(item)
    changed = rollouts.replica_set({**item, "spec": {**spec, "template": {**template, "spec": {"containers": [1]}}}})
    assert made["metadata"]["name"] != changed["metadata"]["name"]
    assert made["spec"]["replicas"] == 3
    assert made["spec"]["selector"]["matchLabels"]["app"] == "a"
    assert rollouts.status_of(item, None)["phase"] == "Progressing"
    assert rollouts.status_of(item, {"status": {"availableReplicas": 3}})["phase"] == "Healthy"
