# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every playbook."""

from __future__ import annotations

from pathlib import Path

import pytest

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
#: These change nothing in AWS but, where it is asked for, by another playbook; unlock.yml is about locks itself.
WITHOUT_LOCK = {
    "configure_awx.yml",
    "cost.yml",
    "dr_status.yml",
    "drift.yml",
    "github_protection.yml",
    "outputs.yml",
    "refresh_prices.yml",
    "unlock.yml",
}
LOCKS = ("import_tasks: tasks/lock.yml", "import_tasks: tasks/recovery/lock.yml")


@pytest.mark.parametrize("playbook", sorted(path.name for path in PLAYBOOKS.glob("*.yml")))
def test_whatever_changes_an_environment_takes_its_lock(playbook: str) -> None:
    text = (PLAYBOOKS / playbook).read_text("utf-8")
    assert any(lock in text for lock in LOCKS) is (playbook not in WITHOUT_LOCK)
