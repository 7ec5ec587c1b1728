# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import now
from ansible_collections.pipeops.platform.plugins.module_utils.locking.item import Claim, standing
from ansible_collections.pipeops.platform.plugins.module_utils.locking.table import Clock
from ansible_collections.pipeops.platform.plugins.plugin_utils.run_claim import purpose, run_url

CLAIM = Claim("1f", "alice@laptop", 4711, "site.yml --limit prod")
ITEM = {
    **CLAIM.attributes(),
    "lock_id": {"S": "deployment"},
    "fencing_token": {"N": "1795624745"},
    "ends_at": {"N": "1795624805.25"},
    "since": {"S": "2026-11-25T16:39:05+00:00"},
    "renewed_at": {"S": "2026-11-25T16:39:05+00:00"},
}


def test_an_item_says_who_holds_the_lock() -> None:
    found = standing(ITEM)
    assert found
    assert (found.claim, found.held, found.token, found.ends_at) == (CLAIM, True, 1795624745, 1795624805.25)
    assert str(found).startswith("alice@laptop (process 4711) for site.yml --limit prod, since 2026-11-25T16:39:05")
    assert found.as_dict()["ends_at"] == "2026-11-25T16:40:05+00:00"


def test_a_freed_lock_keeps_its_number() -> None:
    found = standing({name: value for name, value in ITEM.items() if name != "run"})
    assert found
    assert (found.held, found.token) == (False, 1795624745)


def test_nothing_stands_where_nobody_was() -> None:
    assert standing({}) is None


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, ""),
        ({"CI_JOB_URL": "https://gitlab.example.com/a/-/jobs/1"}, "https://gitlab.example.com/a/-/jobs/1"),
        ({"BUILD_URL": "https://jenkins.example.com/job/a/1/"}, "https://jenkins.example.com/job/a/1/"),
        (
            {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"},
            "https://github.com/a/b/actions/runs/7",
        ),
        ({"GITHUB_SERVER_URL": "https://github.com"}, ""),
        (
            {"PIPEOPS_RUN_URL": "https://awx.example.com/#/jobs/5", "CI_JOB_URL": "x"},
            "https://awx.example.com/#/jobs/5",
        ),
    ],
)
def test_a_run_of_a_ci_system_says_where_it_is_shown(environment: dict[str, str], url: str) -> None:
    assert run_url(environment) == url


@pytest.mark.parametrize(
    ("playbooks", "limit", "said"),
    [
        (["site.yml"], "", "site.yml"),
        (["/work/playbooks/dr_failover.yml"], "dr", "dr_failover.yml --limit dr"),
        (["site.yml"], "prod,dr !dev", "site.yml --limit 'prod,dr !dev'"),
        ([], "", "ansible"),
    ],
)
def test_the_purpose_is_the_playbook_and_its_limit(playbooks: list[str], limit: str, said: str) -> None:
    assert purpose(playbooks, limit) == said


def metadata(date: str) -> dict[str, Any]:
    return {"HTTPHeaders": {"date": date}}


def test_the_clock_takes_aws_time_and_keeps_the_nearest() -> None:
    clock = Clock()
    assert clock.learn(metadata("Wed, 25 Nov 2026 16:39:05 GMT")) > 2, "a machine with another time"
    assert clock.time() == pytest.approx(1795624745, abs=1)
    # An answer of long ago says little; a later one is nearer to the truth.
    assert clock.learn(metadata("Wed, 25 Nov 2026 16:39:00 GMT")) == 0
    assert clock.learn(metadata("Wed, 25 Nov 2026 16:39:06 GMT")) == pytest.approx(1, abs=0.5)
    assert clock.time() == pytest.approx(1795624746, abs=1)
    assert clock.time() - now() == pytest.approx(clock._offset)


@pytest.mark.parametrize("told", [{}, {"HTTPHeaders": {}}, metadata("yesterday")])
def test_an_answer_without_a_time_changes_nothing(told: dict[str, Any]) -> None:
    clock = Clock()
    before = clock._offset
    assert clock.learn(told) == 0
    assert clock._offset == before
