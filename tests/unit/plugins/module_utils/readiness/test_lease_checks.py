# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the write lease would do its work in a failover."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.readiness.lease_checks import lease_checks

WELL: dict[str, Any] = {
    "leader": "prod",
    "standby": "dr",
    "witness": {
        "reachable": True,
        "leader": "prod",
        "epoch": 3,
        "guards": [
            {"environment": "prod", "seen_seconds_ago": 1.2},
            {"environment": "dr", "seen_seconds_ago": 2.5},
        ],
    },
    "held": {
        "enabled": True,
        "seconds": 15,
        "left_seconds": 13.2,
        "named_seconds_ago": 1.8,
        "followed_seconds_ago": 2.0,
    },
}


def grades(**changes: Any) -> dict[str, str]:
    found = deepcopy(WELL)
    for name, value in changes.items():
        part, _dot, key = name.partition("__")
        if key:
            found[part][key] = value
        else:
            found[part] = value
    return {check.name: check.grade for check in lease_checks(found)}


def test_all_is_well() -> None:
    assert set(grades().values()) == {"good"}
    assert set(grades()) == {"witness", "guard of prod", "guard of dr", "write lease"}


@pytest.mark.parametrize(
    ("changes", "name", "grade"),
    [
        ({"witness": {"reachable": False, "reason": "no route"}}, "witness", "warning"),
        ({"witness__leader": "dr"}, "witness", "bad"),
        ({"witness__leader": ""}, "witness", "bad"),
        ({"witness__guards": []}, "guard of prod", "warning"),
        ({"witness__guards": []}, "guard of dr", "bad"),
        ({"witness__guards": [], "held": None}, "guard of dr", "warning"),
        ({"held": None}, "write lease", "warning"),
        ({"held__enabled": False}, "write lease", "warning"),
        ({"held__left_seconds": -1.0}, "write lease", "bad"),
        ({"held__left_seconds": None}, "write lease", "bad"),
        ({"held__followed_seconds_ago": None}, "write lease", "good"),
    ],
)
def test_what_is_not(changes: dict[str, Any], name: str, grade: str) -> None:
    assert grades(**changes)[name] == grade
