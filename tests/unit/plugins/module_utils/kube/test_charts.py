# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a chart without Helm, and of a release that was made of it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.kube.charts import Chart, chart_of
from ansible_collections.pipeops.platform.plugins.module_utils.kube.releases import Revision, stands

ABOUT = "apiVersion: v2\nname: argo-cd\nversion: 10.1.1\nappVersion: 3.5.0\n"
ARGO = Chart("argo-cd", "10.1.1", "3.5.0")


@pytest.mark.parametrize(
    ("reference", "version", "chart"),
    [
        ("argo-cd", "10.1.1", Chart("argo-cd", "10.1.1")),
        ("oci://registry.example.com/charts/argo-cd/", "10.1.1-rc.1", Chart("argo-cd", "10.1.1-rc.1")),
        ("argo-cd", "^10.1", None),
        ("argo-cd", "10", None),
        ("argo-cd", None, None),
    ],
)
def test_an_exact_version_names_the_chart(reference: str, version: str | None, chart: Chart | None) -> None:
    assert chart_of(reference, version) == chart


def test_a_directory_says_what_it_is(tmp_path: Path) -> None:
    assert chart_of(str(tmp_path), "10.1.1") is None
    about = tmp_path / "Chart.yaml"
    about.write_text(ABOUT)
    assert chart_of(str(tmp_path), None) == ARGO
    about.write_text(ABOUT.replace("appVersion: 3.5.0\n", ""))
    assert chart_of(str(tmp_path), None) == Chart("argo-cd", "10.1.1", "")
    for broken in ("", "name: argo-cd", "[", "text"):
        about.write_text(broken)
        assert chart_of(str(tmp_path), None) is None


def test_an_archive_says_what_it_is_and_not_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "argo-cd-10.1.1.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (
            ("argo-cd/charts/redis-ha/Chart.yaml", "name: redis-ha\nversion: 1.0.0\n"),
            ("argo-cd/Chart.yaml", ABOUT),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    assert chart_of(str(path), None) == ARGO
    path.write_bytes(b"no archive")
    assert chart_of(str(path), None) is None


class Kept:
    """An API server that has one Secret of Helm."""

    def __init__(self, kept: dict[str, Any] | None) -> None:
        packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(kept).encode()))).decode()
        self.secret = {"data": {"release": packed}} if kept else None

    def get(self, path: str) -> dict[str, Any] | None:
        assert path == "/api/v1/namespaces/argocd/secrets/sh.helm.release.v1.argocd.v3"
        return self.secret


def kept(config: dict[str, Any] | None, **metadata: str) -> dict[str, Any]:
    about = {"name": "argo-cd", "version": "10.1.1", "appVersion": "3.5.0", **metadata}
    return {"chart": {"metadata": about}, "config": config}


@pytest.mark.parametrize(
    ("record", "chart", "values", "holds"),
    [
        (kept({"a": {"b": 1}}), ARGO, {"a": {"b": 1}}, True),
        (kept(None), Chart("argo-cd", "10.1.1"), {}, True),
        (kept({"a": {"b": 1}}), ARGO, {"a": {"b": 2}}, False),
        (kept({"a": 1}), ARGO, {}, False),
        (kept({}, version="10.1.0"), ARGO, {}, False),
        (kept({}, name="argo"), ARGO, {}, False),
        (kept({}, appVersion="3.4.9"), ARGO, {}, False),
        (kept({}, appVersion="3.4.9"), Chart("argo-cd", "10.1.1"), {}, True),
        (None, ARGO, {}, False),
    ],
)
def test_a_release_stands_if_chart_and_values_are_the_same(
    record: dict[str, Any] | None, chart: Chart, values: dict[str, Any], holds: bool
) -> None:
    api: Any = Kept(record)
    for status, expected in (("deployed", holds), ("superseded", False), ("failed", False)):
        latest = Revision(3, status, "sh.helm.release.v1.argocd.v3")
        assert stands(api, "argocd", latest, chart, values) is expected
