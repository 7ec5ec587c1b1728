# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failover that is killed after any of its calls is carried on by the next run, and promotes once."""

from __future__ import annotations

import pytest

from tests.recovery.conftest import EAST, WEST, Recovery, done
from tests.recovery.test_failover import CALLS

pytestmark = pytest.mark.thorough

#: Taking the lock is no step of the failover.
STEP = "(?!UpdateItem).*"


@pytest.mark.parametrize("nth", range(1, 6), ids=lambda nth: CALLS[nth - 1])
def test_a_killed_run_is_carried_on(pair: Recovery, nth: int) -> None:
    pair.down(WEST)
    rule = {"effect": "kill_client", "mutating": True, "operation": STEP, "nth": nth, "when": "after"}
    pair.control("POST", "faults", **rule, also="ansible-playbook")
    killed = pair.dr("dr_failover", "dr", confirm="prod")
    assert killed.status < 0
    assert killed.mutations == CALLS[:nth]
    again = pair.dr("dr_failover", "dr")
    done(again)
    both = killed.mutations + again.mutations
    assert both.count("rds:PromoteReadReplica") == 1
    assert pair.leads_to() == pair.endpoint(EAST, "pipeops-dr")
    assert pair.rows("SELECT number FROM orders", region=EAST) == [1]
