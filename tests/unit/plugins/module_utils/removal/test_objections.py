# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.removal.objections import objections

ARN = "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod"
REPLICA = "arn:aws:rds:us-east-1:123456789012:db:pipeops-dr"
COPIES = "arn:aws:rds:us-east-1:123456789012:auto-backup:ab-1"


def instance(**more: Any) -> dict[str, Any]:
    own = {"identifier": "pipeops-prod", "arn": ARN, "status": "available", "owned": True, "protected": False}
    return {**own, "source": "", "followers": [], "backup_copies": [], **more}


def facts(*instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"vpc_id": "vpc-1", "cluster": {}, "secret": {}, "zone": {}, "published_source": ""}
    return {**nothing, "instances": list(instances), **more}


def cluster(**more: Any) -> dict[str, Any]:
    return {"name": "pipeops-prod", "protected": False, "foreign_node_groups": [], **more}


def zone(*vpcs: str) -> dict[str, Any]:
    rows = [{"vpc_id": vpc, "region": "us-east-1"} for vpc in vpcs]
    return {"id": "Z1", "name": "prod.pipeops.internal", "vpcs": rows}


def reasons(found: dict[str, Any], *, role: str = "primary", protected: bool = False) -> list[str]:
    return objections(found, "prod", "us-west-2", role=role, protected=protected)


@pytest.mark.parametrize(
    "found",
    [
        facts(),
        facts(instance()),
        facts(instance(), instance(identifier="pipeops-prod-a", source="pipeops-prod")),
        facts(zone=zone("vpc-1"), secret={"name": "pipeops/prod/database", "copied_to": []}),
        facts(cluster=cluster()),
        # Published once, and gone since.
        facts(published_source=REPLICA),
    ],
)
def test_what_stands_alone_may_go(found: dict[str, Any]) -> None:
    assert reasons(found) == []


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (facts(instance(followers=[REPLICA])), f"is followed by {REPLICA}"),
        (facts(instance(backup_copies=[COPIES])), f"are replicated to us-east-1 ({COPIES})"),
        (facts(instance(), published_source=ARN), "has published that it follows"),
        (facts(instance(identifier="reports", owned=False, source="pipeops-prod")), "is not of this environment"),
        (facts(secret={"name": "pipeops/prod/database", "copied_to": ["us-east-1"]}), "is copied to us-east-1"),
        (facts(zone=zone("vpc-1", "vpc-2")), "is resolved in vpc-2 in us-east-1"),
        (facts(instance(source=REPLICA)), "says that prod has the primary"),
        (facts(cluster=cluster(foreign_node_groups=["gpu"])), "did not make: gpu"),
    ],
)
def test_what_others_depend_on_stays_whatever_the_operator_says(found: dict[str, Any], reason: str) -> None:
    (told,) = reasons(found, protected=True)
    assert reason in told


def test_a_standby_that_leads_stays() -> None:
    (told,) = reasons(facts(instance()), role="replica")
    assert "follows none and may lead" in told
    assert reasons(facts(instance(status="deleting")), role="replica") == []


def test_protections_are_one_reason_that_the_operator_lifts() -> None:
    found = facts(
        instance(protected=True), instance(identifier="x", owned=False, protected=True, source="y"),
        cluster=cluster(protected=True),
    )  # fmt: skip
    told = reasons(found)[-1]
    assert "Protected from deletion in us-west-2: DB instance pipeops-prod, EKS cluster pipeops-prod." in told
    assert "destroy_protected=true" in told
    assert not any("Protected" in reason for reason in reasons(found, protected=True))
