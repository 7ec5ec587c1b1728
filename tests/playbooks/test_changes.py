# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One value of an inventory changes exactly what it stands for."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import pytest

from tests.platform_runs import Platform, Run

#: What the platform stands or falls with: never made anew, never removed.
HOLDS_SOMETHING = (
    "ec2_vpc",
    "ec2_subnet",
    "eks_cluster",
    "rds_instance",
    "rds_replica",
    "s3_bucket",
    "kms_key",
    "secret",
)

#: Values by name, each with the only action that a change of it takes.
VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "node maximum": ({"eks_node_maximum": 12}, "update/s3_document/outputs/document"),
    "backup retention": ({"rds_backup_retention_days": 35}, "update/rds_instance/primary/backups"),
    "log retention": ({"eks_log_retention_days": 30}, "update/log_group/cluster/retention_days"),
    "cluster logs": ({"eks_log_types": ["audit", "authenticator"]}, "update/eks_cluster/main/logging"),
}


def apply(stand: Platform, extra: dict[str, Any]) -> Run:
    """Plan a change, make it, and insist that both agree and that nothing is left to do."""
    predicted = stand.playbook("prod", check=True, extra=extra)
    assert predicted.status == 0, predicted.output[-3000:]
    assert predicted.mutations == []
    applied = stand.playbook("prod", extra=extra)
    assert applied.status == 0, applied.output[-3000:]
    assert applied.actions("prod") == predicted.actions("prod")
    assert applied.tasks("prod") == predicted.tasks("prod")
    again = stand.playbook("prod", extra=extra)
    assert again.mutations == []
    assert not again.tasks("prod")
    for action in applied.hosts["prod"]["actions"]:
        assert action["verb"] == "update" or action["kind"] not in HOLDS_SOMETHING, action["action"]
    return applied


@pytest.mark.parametrize(
    ("extra", "actions"),
    [
        pytest.param(
            reduce(or_, (extra for extra, _one in VALUES.values())), {one for _extra, one in VALUES.values()}, id="all"
        ),
        *(pytest.param(extra, {one}, id=name, marks=pytest.mark.thorough) for name, (extra, one) in VALUES.items()),
    ],
)
def test_a_value_changes_what_it_stands_for(prod: Platform, extra: dict[str, Any], actions: set[str]) -> None:
    assert set(apply(prod, extra).actions("prod")) == actions


def test_a_class_is_changed_in_place(prod: Platform) -> None:
    done = apply(prod, {"rds_instance_class": "db.r6g.2xlarge"})
    changed = [action for action in done.hosts["prod"]["actions"] if action["kind"].startswith("rds")]
    assert len(changed) == 3, "the primary and both replicas"
    for action in changed:
        assert [d["after"] for d in action["differences"]] == ["db.r6g.2xlarge"]
        assert action["interrupts"], "a new class means a new host"


@pytest.mark.thorough
def test_a_further_range_is_added_to_the_network(prod: Platform) -> None:
    done = apply(prod, {"vpc_secondary_cidrs": ["100.64.0.0/16"]})
    (vpc,) = prod.client("ec2").describe_vpcs(Filters=[{"Name": "tag:pipeops:environment", "Values": ["prod"]}])["Vpcs"]
    assert "100.64.0.0/16" in [block["CidrBlock"] for block in vpc["CidrBlockAssociationSet"]]
    assert {action["verb"] for action in done.hosts["prod"]["actions"]} == {"update"}


@pytest.mark.thorough
def test_a_tag_changes_tags_only(prod: Platform) -> None:
    done = apply(prod, {"platform_tags": {"cost-center": "42"}})
    assert {action["change"] for action in done.hosts["prod"]["actions"]} == {"tags"}
    assert len(done.hosts["prod"]["actions"]) > 40


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        pytest.param({"vpc_cidr": "10.7.0.0/16"}, "cidr of VPC", id="the network's range"),
        pytest.param(
            {"eks_service_ipv4_cidr": "172.21.0.0/16"},
            "service_ipv4_cidr of EKS cluster",
            id="service range",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            {"rds_database_name": "other"}, "database_name of", id="the first database", marks=pytest.mark.thorough
        ),
        # With a maximum above what stands, storage may have grown by itself, and is left as it is.
        pytest.param(
            {"rds_storage_gib": 50, "rds_storage_max_gib": 90},
            "storage_gib of",
            id="less storage",
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            {"eks_version": "1.37"}, "upgrade_cluster", id="another Kubernetes version", marks=pytest.mark.thorough
        ),
        pytest.param({"rds_engine_version": "17.7"}, "upgrade_database", id="another PostgreSQL version"),
    ],
)
def test_what_cannot_change_is_refused_with_the_reason(prod: Platform, extra: dict[str, Any], reason: str) -> None:
    for check in (True, False):
        refused = prod.playbook("prod", check=check, extra=extra)
        assert refused.status != 0
        assert reason in refused.output
        assert "nothing was changed" in refused.output
        verbs = {action["verb"] for action in refused.hosts["prod"]["actions"]}
        assert verbs <= {"update"}, "what comes before the refusal is harmless"
