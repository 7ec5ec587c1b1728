# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of the runbooks, typed as they stand there, in the course of a bad year."""

from __future__ import annotations

import re

import pytest

from tests.platform_runs import ROOT, commands_of
from tests.recovery.conftest import EAST, WEST, Recovery

RUNBOOKS = ROOT / "docs" / "runbooks"


def commands(name: str) -> list[str]:
    """Return the commands of a runbook."""
    blocks = re.findall(r"```bash\n(.*?)```", (RUNBOOKS / f"{name}.md").read_text("utf-8"), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def follow(pair: Recovery, name: str) -> None:
    """Type the commands of a runbook, one after the other, without a terminal."""
    assert commands(name), name
    for command in commands(name):
        done = pair.shell(command)
        assert done.returncode == 0, f"{name}: {command}\n{(done.stdout + done.stderr)[-4000:]}"


@pytest.mark.thorough
def test_a_bad_year(pair: Recovery) -> None:
    # The sandbox restores from the copy that it made just now, and RDS names a time of every fifth minute.
    pair.control("POST", "clock", advance=301)
    for name in ("status", "drill", "restore", "switchover", "failback"):
        follow(pair, name)
    pair.rows("INSERT INTO orders VALUES (2)")
    pair.rows("SELECT pg_sleep(0.5)")
    pair.down(WEST)
    for name in ("failover", "activate"):
        follow(pair, name)
    assert pair.rows("SELECT number FROM orders ORDER BY 1", region=EAST) == [1, 2]
    pair.up(WEST)
    for name in ("fence", "failback", "status"):
        follow(pair, name)
    assert pair.rows("SELECT number FROM orders ORDER BY 1") == [1, 2]


@pytest.mark.thorough
@pytest.mark.parametrize("page", ["quick_start", "operations"])
def test_what_people_read_first_can_be_typed(calm: Recovery, page: str) -> None:
    typed = commands_of(ROOT / "docs" / f"{page}.md")
    assert len(typed) >= 3
    for command in typed:
        done = calm.shell(command)
        assert done.returncode == 0, f"{command}\n{(done.stdout + done.stderr)[-4000:]}"


def test_each_runbook_is_in_the_overview_and_has_what_a_tired_person_needs() -> None:
    overview = (ROOT / "docs" / "disaster_recovery.md").read_text("utf-8")
    pages = sorted(RUNBOOKS.glob("*.md"))
    assert len(pages) == 8
    for page in pages:
        text = page.read_text("utf-8")
        assert f"(runbooks/{page.name})" in overview
        for part in ("**When:**", "**Needs:**", "**Takes:**", "**Undo:**"):
            assert part in text, f"{page.name} lacks {part}"
