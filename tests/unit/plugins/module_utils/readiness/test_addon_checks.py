# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether applications could begin in the standby's cluster."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.readiness.addon_checks import addon_checks

READY = [{"name": name, "ready": True, "status": "deployed"} for name in ("argo_cd", "external_secrets", "fluentd")]


def grades(**more: Any) -> dict[str, str]:
    """Return the grade of each check."""
    known = {
        "reachable": True, "reason": "", "addons": READY, "role": "standby", "leader_role": "active",
        "leader_told": "4 of 4 ready",
    }  # fmt: skip
    return {check.name: check.grade for check in addon_checks(known | more)}


def unready(name: str) -> list[dict[str, Any]]:
    return [{**addon, "ready": addon["name"] != name, "unready": ["0 of 1 ready"]} for addon in READY]


def test_all_is_good() -> None:
    assert grades() == {"add-ons": "good", "role of the cluster": "good", "applications": "good"}


def test_what_cannot_be_reached_is_a_warning_alone() -> None:
    assert grades(reachable=False, reason="it does not answer") == {"add-ons": "warning"}


@pytest.mark.parametrize(("name", "grade"), [("argo_cd", "bad"), ("external_secrets", "bad"), ("fluentd", "warning")])
def test_without_some_add_ons_no_application_comes(name: str, grade: str) -> None:
    assert grades(addons=unready(name))["add-ons"] == grade


@pytest.mark.parametrize(("role", "grade"), [("active", "warning"), ("", "bad")])
def test_a_standby_is_on_standby(role: str, grade: str) -> None:
    assert grades(role=role)["role of the cluster"] == grade


def test_a_leader_on_standby_serves_nobody() -> None:
    assert grades(leader_role="standby")["applications"] == "warning"
    assert "applications" not in grades(leader_role="")
