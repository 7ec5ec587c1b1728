# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disaster does not wait for a lock that is lost with its region, and pushes no deployment aside unasked."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.recovery.conftest import EAST, WEST, Recovery, done, refused, text


def hold(pair: Recovery, environment: str, region: str, seconds: float) -> None:
    """Let somebody hold a lock whose machine is lost, for as long as the lease goes."""
    values: dict[str, Any] = {
        ":run": {"S": "x"},
        ":holder": {"S": "carol@desk"},
        ":end": {"N": str(time.time() + seconds)},
        ":token": {"N": "1"},
    }
    pair.client("dynamodb", region).update_item(
        TableName=f"pipeops-{environment}-locks",
        Key={"lock_id": {"S": "deployment"}},
        UpdateExpression="SET #run = :run, holder = :holder, ends_at = :end, fencing_token = :token",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues=values,
    )


def test_a_failover_goes_on_without_the_lock_of_the_lost_region(pair: Recovery) -> None:
    hold(pair, "prod", WEST, 3600)
    pair.down(WEST)
    run = pair.dr("dr_failover", "dr", confirm="prod")
    done(run)
    report = pair.findings()
    assert (report["leader"], list(report["not_locked"])) == ("dr", ["prod"])
    assert "Could not reach the lock table pipeops-prod-locks" in report["not_locked"]["prod"]


@pytest.mark.thorough
def test_a_failover_asks_before_it_pushes_a_deployment_aside(pair: Recovery) -> None:
    hold(pair, "dr", EAST, 3600)
    pair.down(WEST)
    said = refused(pair.dr("dr_failover", "dr", confirm="prod"))
    assert "The deployment lock of dr in us-east-1 is held by carol@desk" in said
    hold(pair, "dr", EAST, 10)
    run = pair.dr("dr_failover", "dr", confirm="prod", deployment_lock_insist=True)
    done(run)
    assert pair.findings()["leader"] == "dr"


def test_a_switchover_needs_both_locks(pair: Recovery) -> None:
    hold(pair, "prod", WEST, 3600)
    run = pair.dr("dr_switchover", "dr", confirm="prod")
    assert "The deployment lock of prod in us-west-2 is held by carol@desk" in refused(run)
    pair.down(WEST)
    run = pair.dr("dr_switchover", "dr", confirm="prod")
    assert "Could not reach the lock table pipeops-prod-locks" in text(run)
    assert (run.status, run.mutations) == (2, [])
