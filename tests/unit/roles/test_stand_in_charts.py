# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox's charts stand in for those of the catalogue, and say so."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.addons.__main__ import EXPECTED
from tests.addons.rendering import ROOT

CHARTS = ROOT / "sandbox" / "charts"
CATALOGUE: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "roles/cluster_addons/vars/main/catalogue.yml").read_text("utf-8")
)["__cluster_addons_catalogue"]
#: What an operator makes of what its chart renders, under its own name.
OPERATED = ("Alertmanager", "Prometheus", "AmazonCloudWatchAgent", "CustomResourceDefinition")


@pytest.mark.parametrize("addon", CATALOGUE, ids=lambda addon: addon["name"])
def test_a_chart_is_that_of_the_catalogue_and_says_that_it_stands_in(addon: dict[str, Any]) -> None:
    chart = yaml.safe_load((CHARTS / addon["chart"] / "Chart.yaml").read_text("utf-8"))
    assert chart["version"] == f"{addon['version']}-standin"
    assert str(chart["appVersion"]) == str(addon["app"])
    assert "Stands in" in chart["description"]


@pytest.mark.parametrize("addon", CATALOGUE, ids=lambda addon: addon["name"])
def test_its_workloads_have_the_names_of_upstream(addon: dict[str, Any]) -> None:
    parts = yaml.safe_load((CHARTS / addon["chart"] / "components.yml").read_text("utf-8"))
    named = {(one["kind"], one["name"]) for one in parts.get("workloads", [])}
    named |= {("ServiceAccount", name) for name in parts.get("accounts", [])}
    named |= {("Service", name) for name in parts.get("services", {})}
    expected = {item for item in EXPECTED[addon["name"]] if item[0] not in OPERATED}
    assert expected <= named


def test_there_are_no_others() -> None:
    names = {path.name for path in CHARTS.iterdir() if not path.name.startswith("_")}
    assert names == {addon["chart"] for addon in CATALOGUE}
