# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who follows a secret of Secrets Manager inside a cluster, and whether it has arrived."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.kube.refreshing import followers_of, holds

SECRET = "pipeops/prod/database"


def external(name: str, condition: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", **condition}]} if condition else {}
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": spec, "status": status}


def test_whole_secrets_and_single_members_follow() -> None:
    items = [
        external("whole", dataFrom=[{"extract": {"key": SECRET}}], target={"name": "login"}),
        external("member", data=[{"secretKey": "p", "remoteRef": {"key": SECRET, "property": "password"}}]),
        external("other", dataFrom=[{"extract": {"key": "pipeops/prod/alerts"}}]),
        external("once", dataFrom=[{"extract": {"key": SECRET}}], refreshPolicy="CreatedOnce"),
        external("made", dataFrom=[{"sourceRef": {"generatorRef": {"kind": "Password"}}}]),
    ]
    found = followers_of(items, SECRET)
    assert [(one.place, one.target) for one in found] == [("shop/whole", "login"), ("shop/member", "member")]


def test_what_the_operator_says_is_wrong_is_kept() -> None:
    told = {"status": "False", "message": "no access"}
    bad, good = (
        external("a", condition, dataFrom=[{"extract": {"key": SECRET}}]) for condition in (told, {"status": "True"})
    )
    assert [one.trouble for one in followers_of([bad, good], SECRET)] == ["no access", ""]


@pytest.mark.parametrize(("text", "found"), [("s3cret", True), ("postgres://u:s3cret@db", True), ("former", False)])
def test_a_password_is_found_by_itself_and_in_a_text(text: str, found: bool) -> None:
    assert holds({"host": "ZGI=", "a": base64.b64encode(text.encode()).decode()}, "s3cret") is found


def test_what_is_no_base64_holds_nothing() -> None:
    assert not holds({"a": "%%%"}, "s3cret")
    assert not holds({}, "s3cret")
