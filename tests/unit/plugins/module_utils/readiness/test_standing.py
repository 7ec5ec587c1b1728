# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who leads, over all that two regions can say."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.readiness.standing import Side, Standing, standing

PROD = "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod"
DR = "arn:aws:rds:us-east-1:123456789012:db:pipeops-dr"
OTHER = "arn:aws:rds:us-west-2:123456789012:db:somebody"
TOOK_OVER = {"pipeops:takes-over-from": PROD, "pipeops:takes-over-mode": "disaster"}
OWED = {**TOOK_OVER, "pipeops:fence-owed": PROD}
FENCED = {"pipeops:fenced": "2026-11-25T03:00:00Z"}
DEAD: dict[str, Any] = {"reachable": False, "reason": "no answer"}
NONE: dict[str, Any] = {"reachable": True, "exists": False}


def primary(**tags: str) -> dict[str, Any]:
    return {"reachable": True, "exists": True, "role": "primary", "source_arn": None, "tags": tags}


def replica(of: str, **tags: str) -> dict[str, Any]:
    return {"reachable": True, "exists": True, "role": "replica", "source_arn": of, "tags": tags}


def stand(prod: dict[str, Any], dr: dict[str, Any]) -> Standing:
    found = standing(Side.parse("dr", DR, dr), Side.parse("prod", PROD, prod))
    mirrored = standing(Side.parse("prod", PROD, prod), Side.parse("dr", DR, dr))
    assert vars(found) == vars(mirrored), "both sides come to the same answer"
    return found


@pytest.mark.parametrize(
    ("prod", "dr", "leader", "standby", "protected"),
    [
        pytest.param(primary(), replica(PROD), "prod", "dr", True, id="as planned"),
        pytest.param(replica(DR), primary(), "dr", "prod", True, id="reversed"),
        pytest.param(DEAD, replica(PROD), "prod", "dr", True, id="the leader's region is down"),
        pytest.param(primary(), DEAD, "prod", "dr", False, id="the standby's region is down"),
        pytest.param(DEAD, primary(**OWED), "dr", "prod", False, id="after a failover"),
        pytest.param(primary(), primary(**OWED), "dr", "prod", False, id="the old region is back"),
        pytest.param(primary(**FENCED), primary(**TOOK_OVER), "dr", "prod", False, id="and fenced"),
        pytest.param(NONE, primary(**TOOK_OVER), "dr", "prod", False, id="the old one is removed"),
        pytest.param(primary(), NONE, "prod", "dr", False, id="no standby yet"),
        pytest.param(primary(), replica(OTHER), "prod", "dr", False, id="the standby follows another"),
        pytest.param(primary(), primary(), "", "", False, id="two primaries, and nobody says why"),
        pytest.param(NONE, NONE, "", "", False, id="nothing there"),
        pytest.param(DEAD, DEAD, "", "", False, id="nothing answers"),
        pytest.param(DEAD, NONE, "", "", False, id="nothing here, and no answer from there"),
    ],
)
def test_who_leads(prod: dict[str, Any], dr: dict[str, Any], leader: str, standby: str, protected: bool) -> None:
    found = stand(prod, dr)
    assert (found.leader, found.standby, found.protected) == (leader, standby, protected)
    assert found.reason


@pytest.mark.parametrize(
    ("prod", "dr", "owed"),
    [
        (DEAD, primary(**OWED), PROD),
        (primary(), primary(**OWED), PROD),
        (primary(), primary(**TOOK_OVER), PROD),
        (primary(**FENCED), primary(**TOOK_OVER), ""),
        (NONE, primary(**TOOK_OVER), ""),
        (primary(), replica(PROD), ""),
    ],
)
def test_what_is_still_to_be_fenced(prod: dict[str, Any], dr: dict[str, Any], owed: str) -> None:
    assert stand(prod, dr).fence_owed == owed


def test_a_move_that_was_begun_is_known() -> None:
    assert stand(primary(), replica(PROD, **TOOK_OVER)).unfinished == "disaster"
    assert stand(primary(), replica(PROD)).unfinished == ""
    # Tags of an earlier life: it took over from somebody else than it follows now.
    assert stand(primary(), replica(PROD, **{**TOOK_OVER, "pipeops:takes-over-from": OTHER})).unfinished == ""


def test_of_two_that_took_over_the_later_one_leads() -> None:
    first = {**TOOK_OVER, "pipeops:takes-over-since": "2026-11-25T03:00:00Z"}
    back = {"pipeops:takes-over-from": DR, "pipeops:takes-over-since": "2026-11-25T05:00:00Z"}
    assert stand(primary(**back), primary(**first)).leader == "prod"
    same = {**back, "pipeops:takes-over-since": first["pipeops:takes-over-since"]}
    assert stand(primary(**same), primary(**first)).leader == ""


def test_there_is_never_a_leader_that_follows() -> None:
    sides = [DEAD, NONE, primary(), primary(**OWED), primary(**FENCED), replica(PROD), replica(DR), replica(OTHER)]
    for prod, dr in product(sides, repeat=2):
        found = stand(prod, dr)
        roles = {"prod": prod.get("role"), "dr": dr.get("role")}
        assert not found.leader or roles[found.leader] != "replica" or found.protected is False
        assert found.leader == "" or found.leader != found.standby
