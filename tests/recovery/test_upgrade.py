# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A database and all that follows it go to another version: announced, in RDS's order, carried on, refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pipeops_sandbox.postgres.binaries import nearest

from tests.platform_runs import Run
from tests.recovery.conftest import BOTH, EAST, WEST, Recovery, done, refused, text, why

MINOR, MAJOR = "17.7", "18.3"
MEMBERS = ((WEST, "pipeops-prod-a"), (WEST, "pipeops-prod-c"), (EAST, "pipeops-dr"), (WEST, "pipeops-prod"))
MODIFY = "rds:ModifyDBInstance"
#: What a minor one does: remembers, a snapshot, replicas, the standby in between two tags, the primary, two outputs.
OF_A_MINOR_ONE = [
    "rds:AddTagsToResource", "rds:CreateDBSnapshot", MODIFY, MODIFY, "rds:AddTagsToResource", MODIFY,
    "rds:RemoveTagsFromResource", MODIFY, "s3:PutObject", "s3:PutObject", "rds:RemoveTagsFromResource",
]  # fmt: skip


def upgrade(stand: Recovery, *inventories: str, version: str, check: bool = False, **extra: Any) -> Run:
    return stand.dr("upgrade_database", *inventories, check=check, rds_engine_version=version, confirm="prod", **extra)


def versions(stand: Recovery) -> list[str]:
    """Return the versions of all four, in the order in which a minor upgrade takes them."""
    return [str(stand.instance(*where)["EngineVersion"]) for where in MEMBERS]


def owed(stand: Recovery) -> list[str]:
    """Return what the primary still remembers of an upgrade."""
    keys = [tag["Key"] for tag in stand.instance(WEST, "pipeops-prod")["TagList"]]
    return [key for key in keys if key in ("pipeops:upgrades-to", "pipeops:uncovered-since")]


def is_well(stand: Recovery, version: str) -> None:
    """Insist that all four have the version and replicate, that one takes writes, and that nothing is owed."""
    assert versions(stand) == [version] * 4
    assert owed(stand) == []
    stand.await_streaming()
    assert stand.rows("SELECT number FROM orders") == [1]
    standby = stand.instance(EAST, "pipeops-dr")
    assert standby["ReadReplicaSourceDBInstanceIdentifier"].endswith(":db:pipeops-prod")
    groups = {stand.instance(*where)["DBParameterGroups"][0]["DBParameterGroupName"] for where in MEMBERS}
    family = f"postgres{version.split('.', maxsplit=1)[0]}"
    assert groups == {f"pipeops-prod-{family}", f"pipeops-dr-{family}"}


@pytest.mark.thorough
def test_a_minor_one_is_announced_and_takes_every_replica_first(pair: Recovery) -> None:
    announced = upgrade(pair, version=MINOR, check=True)
    done(announced)
    assert announced.mutations == []
    assert "Nothing can take over in another region for about 10 min" in text(announced)
    run = upgrade(pair, version=MINOR)
    done(run)
    assert run.mutations == OF_A_MINOR_ONE
    assert run.actions("prod") == announced.actions("prod")
    assert list(run.actions("prod"))[1:5] == [f"update/rds_upgrade/{name}/engine_version" for _region, name in MEMBERS]
    is_well(pair, MINOR)
    found = pair.findings()
    assert 0 < found["uncovered_seconds"] < found["uncovered_seconds_foreseen"] == 600
    assert found["snapshot"].startswith("pipeops-prod-before-17-7-")


@pytest.mark.thorough
def test_after_a_minor_one_nothing_is_left_to_do(pair: Recovery) -> None:
    done(upgrade(pair, version=MINOR))
    again = upgrade(pair, version=MINOR)
    done(again)
    assert again.mutations == []
    whole = pair.playbook(*BOTH, extra={"rds_engine_version": MINOR})
    done(whole)
    assert whole.mutations == []


@pytest.mark.thorough
def test_a_major_one_makes_the_standby_again_and_counts_the_time_without_it(pair: Recovery) -> None:
    announced = upgrade(pair, version=MAJOR, check=True)
    done(announced)
    assert announced.mutations == []
    assert "Nothing can take over in another region for about 92 min" in text(announced)
    before = pair.instance(EAST, "pipeops-dr")["DbiResourceId"]
    run = upgrade(pair, version=MAJOR)
    done(run)
    assert run.mutations.count("rds:CreateDBInstanceReadReplica") == run.mutations.count("rds:DeleteDBInstance") == 1
    assert run.actions("prod") == announced.actions("prod")
    is_well(pair, MAJOR)
    assert pair.instance(EAST, "pipeops-dr")["DbiResourceId"] != before
    found = pair.findings()
    assert 0 < found["uncovered_seconds"] < found["uncovered_seconds_foreseen"]
    assert found["refreshed"] == ["app", "postgres"]
    assert pair.rows("SELECT 1 FROM pg_stats WHERE tablename = 'orders'") == [1]
    for region, name in ((WEST, "pipeops-prod"), (EAST, "pipeops-dr")):
        groups = pair.client("rds", region).describe_db_parameter_groups()["DBParameterGroups"]
        own = {one["DBParameterGroupName"] for one in groups if one["DBParameterGroupName"].startswith("pipeops")}
        assert own == {f"{name}-postgres18"}
    whole = pair.playbook(*BOTH, extra={"rds_engine_version": MAJOR})
    done(whole)
    assert whole.mutations == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("version", "nth"),
    [
        (MINOR, 1),
        (MINOR, 2),
        (MINOR, 3),
        (MINOR, 4),
        (MINOR, 6),
        (MINOR, 8),
        (MAJOR, 3),
        (MAJOR, 7),
        (MAJOR, 8),
        (MAJOR, 11),
    ],
)
def test_one_that_was_killed_is_carried_on_and_asks_for_nothing_twice(pair: Recovery, version: str, nth: int) -> None:
    rule = {"effect": "kill_client", "mutating": True, "service": "rds", "nth": nth, "when": "after"}
    pair.control("POST", "faults", **rule, also="ansible-playbook")
    killed = upgrade(pair, version=version)
    assert killed.status < 0
    again = upgrade(pair, version=version, deployment_lock_wait_seconds=120)
    done(again)
    is_well(pair, version)
    both = killed.mutations + again.mutations
    for once in ("rds:CreateDBSnapshot", "rds:DeleteDBInstance", "rds:CreateDBInstanceReadReplica"):
        assert both.count(once) <= 1
    if version == MINOR:
        assert both.count(MODIFY) == len(MEMBERS)
    found = pair.findings()
    assert "uncovered_seconds" in found


def closed(stand: Recovery) -> None:
    stand.rows("ALTER DATABASE app WITH ALLOW_CONNECTIONS false", database="postgres")


def unportable(stand: Recovery) -> None:
    stand.rows("CREATE TABLE hooks (called regproc)")


def broken(stand: Recovery) -> None:
    stand.control("POST", f"rds/{EAST}/pipeops-dr", replication="error", message="the link is gone")


def full(stand: Recovery) -> None:
    stand.control("POST", f"rds/{WEST}/pipeops-prod-a", status="storage-full")


def waiting(stand: Recovery) -> None:
    rds = stand.client("rds", WEST)
    rds.modify_db_instance(DBInstanceIdentifier="pipeops-prod", DBInstanceClass="db.r6g.2xlarge")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("spoil", "version", "said"),
    [
        (closed, MINOR, "closed/app: The database app takes no connections"),
        (
            unportable,
            MAJOR,
            "types/app: app has columns of types that pg_upgrade cannot take along: public.hooks.called",
        ),
        (broken, MINOR, "replication/pipeops-dr: The replication of pipeops-dr in us-east-1 is error"),
        (full, MINOR, "instance/pipeops-prod-a: pipeops-prod-a in us-west-2 is storage-full. Raise storage_gib."),
        (waiting, MINOR, "pending/pipeops-prod: pipeops-prod in us-west-2 waits for its maintenance window"),
    ],
)
def test_what_is_not_well_is_not_upgraded(
    pair: Recovery, spoil: Callable[[Recovery], None], version: str, said: str
) -> None:
    spoil(pair)
    for check in (True, False):
        assert said in refused(upgrade(pair, version=version, check=check))
    assert versions(pair) == ["17.6"] * 4


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("inventories", "extra", "said"),
    [
        (("prod",), {"version": MINOR}, "has a standby in another region, which goes with it. Name both inventories"),
        (("dr",), {"version": MINOR}, "none of them with platform_database_role primary"),
        (BOTH, {"version": "17.5"}, "RDS never goes back to 17.5"),
        (BOTH, {"version": MAJOR, "confirm": "dr"}, "Not confirmed, nothing was changed. pipeops-prod goes from"),
    ],
)
def test_what_cannot_be_is_refused(
    calm: Recovery, inventories: tuple[str, ...], extra: dict[str, Any], said: str
) -> None:
    given = {"rds_engine_version": extra["version"], "confirm": extra.get("confirm", "prod")}
    run = calm.dr("upgrade_database", *inventories, **given)
    assert said in refused(run), why(run)
    assert versions(calm) == ["17.6"] * 4


@pytest.mark.thorough
def test_the_main_playbook_upgrades_nothing_and_names_the_command(calm: Recovery) -> None:
    for environments in (BOTH, ("dr",)):
        run = calm.playbook(*environments, extra={"rds_engine_version": MINOR})
        assert "ansible-playbook playbooks/upgrade_database.yml -i inventories/ENV" in text(run)
        assert MODIFY not in run.mutations
    assert versions(calm) == ["17.6"] * 4


@pytest.mark.thorough
def test_a_database_alone_goes_from_16_to_18_with_its_data(pair: Recovery) -> None:
    done(pair.playbook("dev", extra={"rds_engine_version": "16.13"}))
    dev = {"name": pair.endpoint(WEST, "pipeops-dev"), "secret": "pipeops/dev/database"}
    pair.rows("CREATE TABLE kept AS SELECT 7 AS number", **dev)
    announced = pair.dr("upgrade_database", "dev", check=True, rds_engine_version=MAJOR)
    done(announced)
    assert announced.mutations == []
    run = pair.dr("upgrade_database", "dev", rds_engine_version=MAJOR, confirm="dev")
    done(run)
    assert run.mutations.count(MODIFY) == 1
    assert run.actions("dev") == announced.actions("dev")
    assert pair.rows("SELECT number FROM kept", **dev) == [7]
    assert pair.rows("SELECT 1 FROM pg_stats WHERE tablename = 'kept'", **dev) == [1]
    if nearest("16.13").major != nearest(MAJOR).major:
        assert pair.rows("SELECT current_setting('server_version_num')::int / 10000", **dev) == [18]
    whole = pair.playbook("dev", extra={"rds_engine_version": MAJOR})
    done(whole)
    assert whole.mutations == []
