# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where charts come from, what releases a killed run leaves, and what Helm keeps of a release."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.kube.addons import Unusable, addon_plan
from ansible_collections.pipeops.platform.plugins.module_utils.kube.releases import (
    Revision,
    is_installed,
    payload,
    stale,
)

ARGO = {
    "name": "argo_cd",
    "chart": "argo-cd",
    "version": "10.1.1",
    "repository": "https://argoproj.github.io/argo-helm",
    "oci": "oci://ghcr.io/argoproj/argo-helm",
    "standard": True,
}
FLUENTD = {**ARGO, "name": "fluentd", "chart": "fluentd", "oci": "", "standard": False}


def plan(source: str = "upstream", shipper: str = "fluent-bit", **settings: Any) -> list[dict[str, Any]]:
    return addon_plan([ARGO, FLUENTD], settings, source, shipper)


@pytest.mark.parametrize(
    ("source", "chart", "repo_url"),
    [
        ("upstream", "argo-cd", "https://argoproj.github.io/argo-helm"),
        ("oci", "oci://ghcr.io/argoproj/argo-helm/argo-cd", None),
        ("oci://registry.example.com/charts/", "oci://registry.example.com/charts/argo-cd", None),
        ("https://charts.example.com", "argo-cd", "https://charts.example.com"),
    ],
)
def test_charts_come_from_where_the_source_says(source: str, chart: str, repo_url: str | None) -> None:
    (found,) = plan(source)
    assert (found["chart"], found["repo_url"], found["version"]) == (chart, repo_url, "10.1.1")


def test_a_chart_that_upstream_has_in_no_registry_comes_from_its_repository() -> None:
    found = plan("oci", "fluentd")[1]
    assert (found["chart"], found["repo_url"]) == ("fluentd", FLUENTD["repository"])


def test_a_directory_holds_archives_or_folders(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"neither argo-cd-10.1.1.tgz nor argo-cd/Chart.yaml"):
        plan(str(tmp_path))
    (tmp_path / "argo-cd").mkdir()
    (tmp_path / "argo-cd" / "Chart.yaml").write_text("name: argo-cd\n")
    assert plan(str(tmp_path))[0]["chart"] == str(tmp_path / "argo-cd")
    (tmp_path / "argo-cd-10.1.1.tgz").write_bytes(b"")
    found = plan(str(tmp_path))[0]
    assert (found["chart"], found["version"]) == (str(tmp_path / "argo-cd-10.1.1.tgz"), None)


def test_settings_switch_add_ons_and_their_versions() -> None:
    assert [addon["name"] for addon in plan(argo_cd={"enabled": False}, fluentd={"enabled": True})] == ["fluentd"]
    (found,) = plan(argo_cd={"version": "10.2.0", "values": {"a": 1}})
    assert (found["version"], found["values"]) == ("10.2.0", {"a": 1})


def test_the_log_shipper_switches_its_add_on() -> None:
    assert [addon["name"] for addon in plan(shipper="fluentd")] == ["argo_cd", "fluentd"]


def test_wrong_settings_are_named() -> None:
    with pytest.raises(Unusable, match=r"has argo, which is no add-on. Did you mean argo_cd\?"):
        plan(argo={"enabled": True})
    with pytest.raises(Unusable, match=r"cluster_addons_settings.argo_cd has replicas. It takes enabled"):
        plan(argo_cd={"replicas": 2})


def revision(number: int, status: str) -> Revision:
    return Revision(number, status, f"sh.helm.release.v1.x.v{number}")


@pytest.mark.parametrize(
    ("history", "left", "installed"),
    [
        ([], [], False),
        (["deployed"], [], True),
        (["pending-install"], [1], False),
        (["failed"], [1], False),
        (["superseded", "deployed", "pending-upgrade"], [3], True),
        (["deployed", "failed", "pending-rollback"], [3, 2], True),
        (["uninstalled"], [], False),
    ],
)
def test_revisions_that_stand_in_the_way_are_the_last_ones(
    history: list[str], left: list[int], installed: bool
) -> None:
    found = [revision(number, status) for number, status in enumerate(history, 1)]
    assert [item.number for item in stale(found)] == left
    assert is_installed(found) is installed


@pytest.mark.parametrize("compress", [gzip.compress, bytes])
def test_what_helm_keeps_of_a_release_is_read(compress: Any) -> None:
    raw = compress(json.dumps({"chart": {"metadata": {"version": "1.0.0"}}}).encode())
    secret = {"data": {"release": base64.b64encode(base64.b64encode(raw)).decode()}}
    assert payload(secret)["chart"]["metadata"]["version"] == "1.0.0"
