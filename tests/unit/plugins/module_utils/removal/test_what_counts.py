# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from calendar import timegm

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.removal.final_snapshot import recent
from ansible_collections.pipeops.platform.plugins.module_utils.removal.keys import kept_for
from ansible_collections.pipeops.platform.plugins.module_utils.resources.leftovers import Maker

NOON = timegm((2026, 11, 25, 12, 0, 0))
KEY = "arn:aws:kms:us-west-2:123456789012:key/11111111-0000-4000-8000-000000000000"
OTHER = "arn:aws:kms:us-west-2:123456789012:key/22222222-0000-4000-8000-000000000000"


def snapshot(name: str, resource_id: str = "db-1", status: str = "available") -> dict[str, str]:
    return {"DBSnapshotIdentifier": name, "DbiResourceId": resource_id, "Status": status}


@pytest.mark.parametrize(
    ("snapshots", "counts"),
    [
        ([], None),
        ([snapshot("main-final-20261125-115900")], "main-final-20261125-115900"),
        ([snapshot("main-final-20261125-113000", status="creating")], "main-final-20261125-113000"),
        (
            [snapshot("main-final-20261125-113000"), snapshot("main-final-20261125-114000")],
            "main-final-20261125-114000",
        ),
        # Too old, failed, of an instance that had the name before, from another time zone, made by hand.
        ([snapshot("main-final-20261125-105900")], None),
        ([snapshot("main-final-20261125-115900", status="failed")], None),
        ([snapshot("main-final-20261125-115900", resource_id="db-0")], None),
        ([snapshot("main-final-20261125-130000")], None),
        ([snapshot("main-final-before-the-upgrade")], None),
    ],
)
def test_the_snapshot_of_a_killed_run_counts_for_an_hour(snapshots: list[dict[str, str]], counts: str | None) -> None:
    assert recent("main", "db-1", list(snapshots), NOON) == counts


def test_keys_are_kept_for_what_is_encrypted_with_them() -> None:
    uses = [(KEY, "DB snapshot one"), (KEY, "EBS snapshot two"), ("arn:aws:kms:us-west-2:1:key/else", "three")]
    assert kept_for({"rds": KEY, "eks": OTHER}, uses) == {"rds": ["DB snapshot one", "EBS snapshot two"]}


@pytest.mark.parametrize(
    ("tags", "made"),
    [
        ({"eks:eks-cluster-name": "pipeops-dev"}, True),
        ({"elbv2.k8s.aws/cluster": "pipeops-dev"}, True),
        ({"kubernetes.io/cluster/pipeops-dev": "owned"}, True),
        ({"kubernetes.io/cluster/pipeops-dev": "shared"}, False),
        ({"kubernetes.io/cluster/pipeops-dev2": "owned"}, False),
        ({"elbv2.k8s.aws/cluster": "pipeops-prod"}, False),
        ({}, False),
    ],
)
def test_what_a_cluster_made_is_known_by_its_tags(tags: dict[str, str], made: bool) -> None:
    assert Maker("pipeops-dev").made(tags) == made
