# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.preflight.sleep import Sleep

SINCE = "2026-11-27T20:00:00+00:00"


@pytest.mark.parametrize(
    ("sleep", "told"),
    [
        (Sleep("pipeops-dev"), ""),
        (Sleep("pipeops-dev", database="available"), ""),
        (Sleep("pipeops-dev", database="starting"), ""),
        (Sleep("pipeops-dev", "hibernated", SINCE, "stopped"), f"pipeops-dev is hibernated, since {SINCE}."),
        (Sleep("pipeops-dev", "hibernated", SINCE, "available"), f"pipeops-dev is hibernated, since {SINCE}."),
        (
            Sleep("pipeops-dev", "waking", SINCE, "starting"),
            "pipeops-dev is being woken, or its waking was interrupted.",
        ),
        (
            Sleep("pipeops-dev", database="stopped"),
            "The database of pipeops-dev is stopped, by its schedule or by hand.",
        ),
        (
            Sleep("pipeops-dev", database="stopping"),
            "The database of pipeops-dev is stopping, by its schedule or by hand.",
        ),
    ],
)
def test_what_is_told_of_one_that_sleeps(sleep: Sleep, told: str) -> None:
    assert (sleep.told, sleep.asleep) == (told, bool(told))
    assert sleep.as_dict()["told"] == told
