# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Observed, Readiness, Wanted
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_power import RdsPower

KEY = ("rds_power", "database")


def wanted(power: str) -> Wanted:
    return Wanted(*KEY, {"identifier": "pipeops-dev", "region": "us-west-2", "power": power})


def standing(status: str = "available", power: str = "up", **more: Any) -> Observed:
    return Observed(*KEY, "pipeops-dev", {"power": power, "source": "", "replicas": [], **more}, status=status)


@pytest.mark.parametrize(
    ("power", "observed", "words"),
    [
        ("down", None, "There is no DB instance pipeops-dev in us-west-2"),
        ("up", None, "Run site.yml"),
        ("down", standing(source="arn:aws:rds:us-east-1:1:db:x"), "is a replica of arn:aws:rds:us-east-1:1:db:x"),
        ("down", standing(replicas=["a", "c"]), "has replicas (a, c)"),
        ("down", standing("failed"), "is failed, and RDS stops none that is. Restore it"),
    ],
)
def test_what_is_not_stopped(power: str, observed: Observed | None, words: str) -> None:
    (said,) = RdsPower().objections(wanted(power), {KEY: observed} if observed else {})
    assert words in said


@pytest.mark.parametrize(
    ("power", "observed"),
    [
        ("down", standing()),
        ("down", standing("backing-up")),
        ("down", standing("stopping", "down", replicas=["a"])),
        ("up", standing("stopped", "down")),
        ("up", standing("storage-full")),
    ],
)
def test_what_is_not_objected_to(power: str, observed: Observed) -> None:
    assert list(RdsPower().objections(wanted(power), {KEY: observed})) == []


@pytest.mark.parametrize(
    ("status", "readiness"),
    [
        ("available", Readiness.READY),
        ("stopped", Readiness.READY),
        ("stopping", Readiness.WAIT),
        ("starting", Readiness.WAIT),
        ("backing-up", Readiness.WAIT),
        ("storage-full", Readiness.FAILED),
    ],
)
def test_when_it_is_done(status: str, readiness: Readiness) -> None:
    assert RdsPower().readiness(standing(status)) is readiness
