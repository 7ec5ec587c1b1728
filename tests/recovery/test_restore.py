# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups that are brought back beside what stands: in a drill, and to a point in time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.recovery.conftest import EAST, WEST, Recovery, done, refused


def instances(pair: Recovery, region: str) -> list[str]:
    """Return the identifiers of all DB instances of a region."""
    found = pair.client("rds", region).describe_db_instances()["DBInstances"]
    return sorted(one["DBInstanceIdentifier"] for one in found)


def test_a_drill_leaves_nothing_behind_and_touches_nothing(pair: Recovery) -> None:
    before = {region: instances(pair, region) for region in (WEST, EAST)}
    run = pair.dr("dr_drill")
    done(run)
    report = pair.findings()
    assert report["production_replication"] == "untouched"
    assert 0 < report["seconds_to_first_write"] < 120
    assert report["first_write_at"] and report["restored_to"]
    assert {region: instances(pair, region) for region in (WEST, EAST)} == before
    changed = [call for call in run.calls if call["mutating"]]
    assert {call["region"] for call in changed} == {EAST}
    assert "rds:PromoteReadReplica" not in run.mutations
    groups = pair.client("rds", EAST).describe_db_parameter_groups()["DBParameterGroups"]
    assert not [group for group in groups if "drill" in group["DBParameterGroupName"]]
    (info,) = pair.instance(EAST, "pipeops-dr")["StatusInfos"]
    assert info["Status"] == "replicating"


@pytest.mark.thorough
def test_a_killed_drill_is_carried_on(pair: Recovery) -> None:
    before = instances(pair, EAST)
    pair.control(
        "POST", "faults", effect="kill_client", operation="RestoreDBInstanceToPointInTime", nth=1, when="after",
        also="ansible-playbook",
    )  # fmt: skip
    killed = pair.dr("dr_drill")
    assert killed.status < 0
    assert instances(pair, EAST) == sorted([*before, "pipeops-dr-drill"])
    again = pair.dr("dr_drill")
    done(again)
    assert pair.findings()["first_write_at"]
    assert "rds:RestoreDBInstanceToPointInTime" not in again.mutations
    assert instances(pair, EAST) == before


@pytest.mark.thorough
def test_a_drill_without_backups_is_refused(pair: Recovery) -> None:
    arn = pair.instance(WEST, "pipeops-prod")["DBInstanceArn"]
    pair.client("rds", EAST).stop_db_instance_automated_backups_replication(SourceDBInstanceArn=arn)
    assert "No backups of pipeops-prod are replicated" in refused(pair.dr("dr_drill"))


def test_a_point_in_time_comes_back_and_goes(pair: Recovery) -> None:
    assert "Say what to restore" in refused(pair.dr("restore", "prod"))
    pair.rows("SELECT pg_sleep(1.2)")
    moment = datetime.fromtimestamp(pair.control("GET", "clock")["time"], UTC).isoformat(timespec="seconds")
    pair.rows("SELECT pg_sleep(1.2)")
    pair.rows("DELETE FROM orders")
    # A time can be restored once its log is archived, which RDS does every five minutes.
    pair.control("POST", "clock", advance=301)
    wanted = {"restore_to": "look", "restore_time": moment}
    first = pair.dr("restore", "prod", **wanted)
    done(first)
    endpoint = pair.endpoint(WEST, "pipeops-prod-look")
    assert pair.rows("SELECT number FROM orders", endpoint) == [1]
    assert pair.rows("SELECT number FROM orders") == []
    again = pair.dr("restore", "prod", **wanted)
    done(again)
    assert again.mutations == []
    done(pair.dr("restore", "prod", restore_to="look", restore_state="absent"))
    assert "pipeops-prod-look" not in instances(pair, WEST)


@pytest.mark.thorough
def test_the_pairs_backups_come_back_while_its_region_is_down(pair: Recovery) -> None:
    """The way out without a standby: what was replicated before the region was lost."""
    # RDS copies logs every five minutes. The sandbox archives them when somebody restores, which a lost region cannot;
    # the snapshot is a copy to begin with.
    pair.client("rds", WEST).create_db_snapshot(DBInstanceIdentifier="pipeops-prod", DBSnapshotIdentifier="copied")
    pair.await_status(WEST, "pipeops-prod")
    pair.control("POST", "clock", advance=301)
    pair.down(WEST)
    wanted = {"restore_to": "rescue", "restore_from": "replicated"}
    run = pair.dr("restore", "dr", **wanted)
    done(run)
    assert {call["region"] for call in run.calls if call["mutating"]} == {EAST}
    endpoint = pair.endpoint(EAST, "pipeops-dr-rescue")
    assert pair.rows("SELECT number FROM orders", endpoint, EAST) == [1]
    assert pair.rows("INSERT INTO orders VALUES (2) RETURNING number", endpoint, EAST) == [2]
    again = pair.dr("restore", "dr", **wanted)
    done(again)
    assert again.mutations == []


@pytest.mark.thorough
def test_a_snapshot_comes_back(pair: Recovery) -> None:
    rds = pair.client("rds", WEST)
    rds.create_db_snapshot(DBInstanceIdentifier="pipeops-prod", DBSnapshotIdentifier="before")
    pair.await_status(WEST, "pipeops-prod")
    pair.rows("DELETE FROM orders")
    done(pair.dr("restore", "prod", restore_to="look", restore_snapshot="before"))
    assert pair.rows("SELECT number FROM orders", pair.endpoint(WEST, "pipeops-prod-look")) == [1]
    assert "Say what to restore" in refused(pair.dr("restore", "prod", restore_to="look", restore_from="snapshot"))
