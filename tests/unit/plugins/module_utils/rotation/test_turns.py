# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When credentials are rotated, to whom they pass, and what is carried on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.rotation.turns import (
    MOVE,
    PROVE,
    SET,
    TIDY,
    WRITE,
    Plan,
    Version,
    Wish,
    actions,
    decide,
)

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
WHOLE = (WRITE, SET, PROVE, MOVE, TIDY)
MASTER, TWIN = "admin", "admin_clone"


def version(user: str = MASTER, days: float = 0, name: str = "v1") -> Version:
    return Version(name, user, NOW - timedelta(days=days))


def planned(current: Version, pending: Version | None = None, *, untidy: bool = False, **wish: int) -> Plan:
    return decide(current, pending, Wish(MASTER, **{"days": 30, **wish}), NOW, untidy=untidy)


@pytest.mark.parametrize(
    ("current", "pending", "wish", "user", "steps"),
    [
        (version(days=29.9), None, {}, MASTER, ()),
        (version(days=30), None, {}, TWIN, WHOLE),
        (version(TWIN, days=400), None, {}, MASTER, WHOLE),
        (version(days=2), None, {"days": 1}, TWIN, WHOLE),
        (version(), None, {"force": True}, TWIN, WHOLE),
        # A run was killed: its version is carried on with, due or not, and never replaced by another one.
        (version(), version(TWIN, name="v2"), {}, TWIN, WHOLE[1:]),
        (version(days=99), version(TWIN, name="v2"), {"force": True}, TWIN, WHOLE[1:]),
        (version(TWIN), version(MASTER, name="v2"), {}, MASTER, WHOLE[1:]),
        # A version of the user that everybody uses would end their credentials.
        (version(), version(MASTER, name="v2"), {}, MASTER, ()),
        (version(days=31), version(MASTER, name="v2"), {}, TWIN, WHOLE),
        (version(days=31), version("somebody", name="v2"), {}, TWIN, WHOLE),
    ],
)
def test_what_is_done(
    current: Version, pending: Version | None, wish: dict[str, int], user: str, steps: tuple[str, ...]
) -> None:
    plan = planned(current, pending, **wish)
    assert (plan.user, plan.steps) == (user, steps)


def test_a_run_that_was_killed_before_its_last_call_is_completed_by_that_call() -> None:
    plan = planned(version(TWIN), untidy=True)
    assert (plan.user, plan.steps) == (TWIN, (TIDY,))


def test_the_plan_says_how_old_credentials_are() -> None:
    assert planned(version(days=12.5)).reason == "not due: the credentials are 12.5 of 30 days old"
    assert planned(version(days=45)).reason == "the credentials are 45 days old, to be rotated after 30"
    assert planned(version(days=-1)).age_days == 0


def test_a_second_rotation_waits_until_the_first_one_has_been_read() -> None:
    with pytest.raises(EngineError, match=r"rotated 60 s ago.*That is safe from 900 s on \(overlap_seconds\)"):
        planned(version(days=60 / 86400), force=True, overlap=900)
    assert planned(version(days=901 / 86400), force=True, overlap=900).steps == WHOLE


def test_a_secret_of_somebody_else_is_left_alone() -> None:
    with pytest.raises(EngineError, match=r"of the user 'reporting'.* take turns are 'admin'.*'admin_clone'"):
        planned(version("reporting"))


def test_a_name_that_postgresql_would_cut_off_is_refused() -> None:
    long = "a" * 60
    with pytest.raises(EngineError, match="longer than the 63 characters"):
        decide(version(long), None, Wish(long, 30, force=True), NOW)


def test_the_report_names_each_change_and_no_password() -> None:
    wish = Wish(MASTER, 30)
    found = actions(planned(version(days=31)), "pipeops/prod/database", "pipeops-prod", wish)
    assert [one["action"] for one in found] == [
        "create/secret_version/pipeops/prod/database",
        "update/database_user/pipeops-prod/admin_clone",
        "update/secret/pipeops/prod/database",
        "delete/staging_label/pipeops/prod/database/AWSPENDING",
    ]
    assert found[2]["differences"] == [{"attribute": "user", "before": MASTER, "after": TWIN}]
    slow = actions(planned(version(TWIN, days=31)), "s", "i", wish)
    assert slow[1]["typical_seconds"] > found[1]["typical_seconds"], "RDS sets a master password in its own time"
