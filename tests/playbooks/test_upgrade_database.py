# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A database goes to another version: announced, in RDS's order, carried on, refused. Without servers behind it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform_runs import Platform, Run

UPGRADE = "playbooks/upgrade_database.yml"
WEST, EAST = "us-west-2", "us-east-1"
BOTH = ("prod", "dr")
MINOR, MAJOR = "17.7", "18.3"
MEMBERS = ((WEST, "pipeops-prod-a"), (WEST, "pipeops-prod-c"), (EAST, "pipeops-dr"), (WEST, "pipeops-prod"))
MODIFY = "rds:ModifyDBInstance"


def upgrade(stand: Platform, *inventories: str, version: str, check: bool = False, **extra: Any) -> Run:
    # There are no servers to ask here; tests/recovery has them.
    given = {"rds_engine_version": version, "upgrade_postgresql": False, **extra}
    return stand.playbook(*inventories, check=check, playbook=UPGRADE, extra=given)


def show(stand: Platform, region: str, name: str) -> dict[str, Any]:
    found = stand.client("rds", region).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return dict(found[0])


def versions(stand: Platform) -> list[str]:
    return [show(stand, *where)["EngineVersion"] for where in MEMBERS]


def upgraded(run: Run) -> list[str]:
    """Return the instances that were asked to upgrade, in order."""
    return [one["parameters"]["DBInstanceIdentifier"] for one in run.calls if one["operation"] == "ModifyDBInstance"]


def text(run: Run) -> str:
    return " ".join(run.output.split())


def test_a_minor_one_is_announced_and_takes_every_replica_first(pair: Platform) -> None:
    announced = upgrade(pair, *BOTH, version=MINOR, check=True)
    assert announced.status == 0, announced.output[-3000:]
    assert announced.mutations == []
    assert "Nothing can take over in another region for about 10 min" in text(announced)
    done = upgrade(pair, *BOTH, version=MINOR)
    assert done.status == 0, done.output[-3000:]
    assert versions(pair) == [MINOR] * 4
    assert done.actions("prod") == announced.actions("prod")
    assert "Nothing could take over in another region for" in text(done)
    again = upgrade(pair, *BOTH, version=MINOR)
    assert again.status == 0, again.output[-3000:]
    assert again.mutations == []
    whole = pair.playbook(*BOTH, extra={"rds_engine_version": MINOR})
    assert whole.status == 0, whole.output[-3000:]
    assert whole.mutations == []
