# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How applications stand, when the first was ready, and what must stay when a cluster goes to standby."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.kube.activation import (
    ACTIVE,
    STANDBY,
    Application,
    Stand,
    change_of_role,
    change_to_stay,
    moments,
    must_stay,
    of_platform,
    trouble_of,
)

BEGUN = "2026-11-25T20:00:00Z"


def item(name: str, health: str = "Healthy", sync: str = "Synced", **status: Any) -> dict[str, Any]:
    """Return an Application as Argo CD keeps it."""
    owner = {"kind": "ApplicationSet", "name": "applications"}
    told = {"health": {"status": health, "lastTransitionTime": "2026-11-25T20:00:12Z"}, "sync": {"status": sync}}
    return {
        "metadata": {"name": name, "ownerReferences": [owner]},
        "spec": {"destination": {"namespace": name}},
        "status": {**told, **status},
    }


def stand(
    *items: dict[str, Any], sets: tuple[str, ...] = ("applications",), trouble: str = "", since: str = BEGUN
) -> Stand:
    return Stand("active", since, sets, trouble, of_platform(items, sets), nodes=3, waiting=0)


@pytest.mark.parametrize(
    ("found", "ready"),
    [
        (item("a"), True),
        (item("a", health="Progressing"), False),
        (item("a", sync="OutOfSync"), False),
        (item("a", sync="OutOfSync", operationState={"phase": "Succeeded"}), True),
        (item("a", sync="OutOfSync", operationState={"phase": "Failed"}), False),
        ({"metadata": {"name": "a"}}, False),
    ],
)
def test_an_application_is_ready_once_all_of_it_is_deployed_and_healthy(found: dict[str, Any], ready: bool) -> None:
    assert Application.of(found).ready is ready


def test_one_that_is_leaving_is_not_ready() -> None:
    found = item("a")
    found["metadata"]["deletionTimestamp"] = BEGUN
    assert not Application.of(found).ready
    assert str(Application.of(found)) == "a is leaving"


def test_what_argo_cd_complains_of_is_told() -> None:
    found = item("a", health="Missing", operationState={"phase": "Failed", "message": "no such image"})
    assert str(Application.of(found)) == "a is Missing (no such image)"


def test_only_applications_of_the_platform_count() -> None:
    other = item("other")
    other["metadata"]["ownerReferences"] = [{"kind": "ApplicationSet", "name": "of-somebody"}]
    assert [
        one.name for one in of_platform([other, item("a"), {"metadata": {"name": "by-hand"}}], ["applications"])
    ] == ["a"]


@pytest.mark.parametrize(
    ("found", "role", "settled"),
    [
        (stand(item("a"), item("b")), ACTIVE, True),
        (stand(item("a"), item("b", health="Progressing")), ACTIVE, False),
        (stand(), ACTIVE, False),
        (stand(item("a"), trouble="repository not found"), ACTIVE, False),
        (stand(sets=()), ACTIVE, True),
        (stand(), STANDBY, True),
        (stand(item("a")), STANDBY, False),
    ],
)
def test_a_cluster_is_settled(found: Stand, role: str, settled: bool) -> None:
    assert found.settled(role) is settled


def test_how_applications_stand_is_said_in_a_line() -> None:
    assert stand(item("a"), item("b", health="Progressing")).told() == "1 of 2 ready, 3 nodes; b is Progressing"
    assert "cluster_addons_gitops_repository" in stand(sets=()).told()
    assert stand(trouble="repository not found").told() == "there are none: repository not found"


def test_the_first_and_the_last_are_counted_from_the_change_of_the_role() -> None:
    late = item("b", health="Healthy")
    late["status"]["health"]["lastTransitionTime"] = "2026-11-25T20:00:40Z"
    assert moments(stand(item("a"), late)) == {
        "first_ready_at": "2026-11-25T20:00:12Z",
        "seconds_to_first_ready": 12.0,
        "seconds_to_all_ready": 40.0,
    }


def test_what_was_ready_before_took_no_time_and_what_is_not_ready_has_none() -> None:
    found = moments(stand(item("a"), item("b", health="Degraded"), since="2026-11-25T21:00:00Z"))
    assert (found["seconds_to_first_ready"], found["seconds_to_all_ready"]) == (0.0, None)
    assert moments(stand(since=""))["first_ready_at"] is None


def test_the_change_of_a_role_says_since_when() -> None:
    change = change_of_role("active", datetime(2026, 11, 25, 20, tzinfo=UTC))["metadata"]
    assert change == {"labels": {"role": "active"}, "annotations": {"pipeops.platform/role-since": BEGUN}}


def claim(tracking: str, options: str = "") -> dict[str, Any]:
    annotations = {"argocd.argoproj.io/tracking-id": tracking, "argocd.argoproj.io/sync-options": options}
    return {"metadata": {"name": "data", "namespace": "a", "annotations": annotations}}


def test_claims_of_applications_are_marked_to_stay() -> None:
    applications = of_platform([item("a")], ["applications"])
    own, said = (
        claim("a:/PersistentVolumeClaim:a/data", "Prune=false"),
        claim("a:/x:a/data", "Prune=false, Delete=false"),
    )
    assert must_stay([own, said, claim("other:/x:a/data"), {"metadata": {"name": "by-hand"}}], applications) == [own]
    assert change_to_stay(own)["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false"
    }


def test_what_sets_complain_of_is_said_once() -> None:
    bad = {"type": "ErrorOccurred", "status": "True", "message": "repository not found"}
    assert (
        trouble_of([{"status": {"conditions": [bad]}}, {"status": {"conditions": [bad]}}, {}]) == "repository not found"
    )
