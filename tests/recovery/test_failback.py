# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a disaster back to what the inventories say: the fence that is owed, the standby, and the way back."""

from __future__ import annotations

import psycopg
import pytest

from tests.recovery.conftest import BOTH, EAST, PROD_ARN, WEST, Recovery, done, refused


@pytest.mark.thorough
def test_a_disaster_and_the_way_back(pair: Recovery) -> None:
    pair.down(WEST)
    done(pair.dr("dr_failover", "dr", confirm="prod"))
    pair.rows("INSERT INTO orders VALUES (2)", region=EAST)
    assert "Both regions have to answer" in refused(pair.dr("dr_failback", check=True, confirm="prod"))
    # The real run needs the lock of that region, and does not come that far.
    assert "Run it again once the region answers" in refused(pair.dr("dr_failback", confirm="prod"))
    pair.up(WEST)

    assert refused(pair.dr("dr_status"))
    assert pair.findings()["fence_owed"] == PROD_ARN
    old = pair.endpoint(WEST, "pipeops-prod")
    pair.connect(old).close()
    done(pair.dr("dr_fence"))
    assert pair.findings()["fence_owed"] == "nothing"
    assert "pipeops:fenced" in pair.tags(WEST, "pipeops-prod")
    with pytest.raises(psycopg.OperationalError):
        pair.connect(old)
    again = pair.dr("dr_fence")
    done(again)
    assert again.mutations == []

    assert "Not confirmed" in refused(pair.dr("dr_failback"))
    pair.control(
        "POST", "faults", effect="kill_client", operation="PromoteReadReplica", nth=1, when="after",
        also="ansible-playbook",
    )  # fmt: skip
    assert pair.dr("dr_failback", confirm="prod").status < 0
    # Prod leads again, so by now it is dr's instances that are removed.
    done(pair.dr("dr_failback", confirm="dr"))
    stands_as_before(pair)


def stands_as_before(pair: Recovery) -> None:
    """Insist that nothing is left to do, nothing is lost, and everything streams."""
    check = pair.playbook(*BOTH, check=True)
    done(check)
    assert not any(check.tasks(host) for host in check.hosts), check.output[-4000:]
    assert pair.leads_to() == pair.endpoint(WEST, "pipeops-prod")
    assert pair.rows("SELECT number FROM orders ORDER BY 1") == [1, 2]
    streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    assert pair.rows(streaming, database="postgres") == [3]
    assert pair.tags(EAST, "pipeops-dr") == {}
    assert pair.tags(WEST, "pipeops-prod") == {}
    done(pair.dr("dr_status"))


@pytest.mark.thorough
def test_a_person_decides_where_neither_says_that_it_leads(pair: Recovery) -> None:
    """Somebody promoted the standby by hand: two databases take writes, and no tag tells which one counts."""
    pair.client("rds", EAST).promote_read_replica(DBInstanceIdentifier="pipeops-dr")
    pair.await_status(EAST, "pipeops-dr")
    for region, name in ((WEST, "pipeops-prod"), (EAST, "pipeops-dr")):
        assert pair.rows("INSERT INTO orders VALUES (2) RETURNING number", pair.endpoint(region, name)) == [2]
    for playbook in ("dr_status", "dr_fence", "dr_failover"):
        said = refused(pair.dr(playbook, confirm="prod"))
        assert "It cannot be told which database leads" in said
        assert "playbooks/dr_fence.yml -e leader=NAME" in said
    assert "leader=nobody names neither prod nor dr" in refused(pair.dr("dr_fence", leader="nobody"))
    done(pair.dr("dr_fence", leader="dr"))
    report = pair.findings()
    assert (report["leader"], report["fence_owed"]) == ("dr", "nothing")
    assert "pipeops:fenced" in pair.tags(WEST, "pipeops-prod")
    with pytest.raises(psycopg.OperationalError):
        pair.connect(pair.endpoint(WEST, "pipeops-prod"))
    # The name still leads to prod: the move that somebody began by hand is carried on.
    done(pair.dr("dr_failover"))
    assert pair.leads_to() == pair.endpoint(EAST, "pipeops-dr")
    assert pair.rows("SELECT number FROM orders ORDER BY 1", region=EAST) == [1, 2]


@pytest.mark.thorough
def test_the_roles_may_stay_reversed(pair: Recovery) -> None:
    done(pair.dr("dr_switchover", confirm="prod"))
    done(pair.dr("dr_failback", confirm="prod", topology="reversed"))
    assert pair.leads_to() == pair.endpoint(EAST, "pipeops-dr")
    followed = pair.instance(WEST, "pipeops-prod")["ReadReplicaSourceDBInstanceIdentifier"]
    assert followed == pair.instance(EAST, "pipeops-dr")["DBInstanceArn"]
    done(pair.dr("dr_status"))
    assert (pair.findings()["leader"], pair.findings()["standby"]) == ("dr", "prod")
