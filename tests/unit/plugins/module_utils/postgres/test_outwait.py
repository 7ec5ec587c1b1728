# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the lease of a leader that nobody reaches has surely run out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.outwait import Looked, judge

LEASE: dict[str, Any] = {"leader": "prod", "epoch": 1, "seconds": 15, "enabled": True, "given": True}


@pytest.mark.parametrize(
    ("lease", "replica", "looked", "guaranteed", "over"),
    [
        # The witness has named dr, and nothing was heard since: the lease and the margin from there.
        (LEASE, True, Looked(119.9, 100, 90), False, False),
        (LEASE, True, Looked(120.0, 100, 90), True, True),
        # The standby heard from the leader later than that.
        (LEASE, True, Looked(120.0, 100, 110), False, False),
        (LEASE, True, Looked(130.0, 100, 110), True, True),
        # A leader that goes on sending never proves anything by time.
        (LEASE, True, Looked(500.0, 100, 499.5), False, False),
        # It has said that it is closed; what slipped in is ended in the next second.
        ({**LEASE, "leader": "dr", "given": False}, True, Looked(104.0, 100, 103, 103.0), False, False),
        ({**LEASE, "leader": "dr", "given": False}, True, Looked(105.6, 100, 105, 103.0), True, True),
        (None, True, Looked(100, 100, 100), False, True),
        ({**LEASE, "enabled": False}, True, Looked(500, 100, 90), False, True),
        (LEASE, False, Looked(100, 100, 100), True, True),
    ],
)
def test_the_verdict(lease: Any, replica: bool, looked: Looked, guaranteed: bool, over: bool) -> None:
    found = judge(lease, "dr", replica, looked, margin=5)
    assert (found["guaranteed"], found["over"]) == (guaranteed, over)
    assert found["reason"]
