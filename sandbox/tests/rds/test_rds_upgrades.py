"""Engine upgrades: who goes first, who goes along, what RDS keeps, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

ACCOUNT = "123456789012"
MAIN = f"arn:aws:rds:us-west-2:{ACCOUNT}:db:main"
MAJOR = {"EngineVersion": "18.3", "AllowMajorVersionUpgrade": True, "ApplyImmediately": True}
#: Model seconds after which a step of ModifyDBInstance shows.
LAG = 11


@pytest.fixture
def pair(west: Any, east: Any) -> Any:
    """A primary with a group of its own, a replica beside it, and one in the other region."""
    for site, family in ((west, "16"), (west, "18"), (east, "16")):
        site.rds.create_db_parameter_group(
            DBParameterGroupName=f"main-{family}", DBParameterGroupFamily=f"postgres{family}", Description="x"
        )
    west.primary(EngineVersion="16.12", DBParameterGroupName="main-16")
    west.replica("copy", "main")
    east.replica("dr", MAIN)
    for site, name in ((west, "main"), (west, "copy"), (east, "dr")):
        site.show(name)
    return west


def upgrade(site: Any, name: str = "main", **values: Any) -> Any:
    return site.rds.modify_db_instance(DBInstanceIdentifier=name, **values)


def versions(west: Any, east: Any) -> list[str]:
    return [site.show(name)["EngineVersion"] for site, name in ((west, "main"), (west, "copy"), (east, "dr"))]


def test_a_minor_one_takes_all_replicas_first(pair: Any, east: Any) -> None:
    minor = {"EngineVersion": "16.13", "ApplyImmediately": True}
    code, message = pair.refused(pair.rds.modify_db_instance, DBInstanceIdentifier="main", **minor)
    assert code == "DBUpgradeDependencyFailure"
    assert message == f"One or more of the DB Instance's read replicas need to be upgraded: copy, {dr_arn()}"
    upgrade(pair, "copy", **minor)
    assert pair.refusal(pair.rds.modify_db_instance, DBInstanceIdentifier="main", **minor) == code
    upgrade(east, "dr", **minor)
    east.show("dr"), pair.show("copy")
    upgrade(pair, **minor)
    assert versions(pair, east) == ["16.13"] * 3


def dr_arn() -> str:
    return f"arn:aws:rds:us-east-1:{ACCOUNT}:db:dr"


def test_a_minor_one_shows_as_upgrading_and_interrupts(west: Any) -> None:
    west.primary(EngineVersion="16.12")
    west.show()
    west.slow()
    answer = upgrade(west, EngineVersion="16.13", ApplyImmediately=True)["DBInstance"]
    assert (answer["DBInstanceStatus"], answer["PendingModifiedValues"]) == ("available", {"EngineVersion": "16.13"})
    west.pass_time(LAG)
    assert west.show()["DBInstanceStatus"] == "upgrading"
    assert west.refusal(west.rds.modify_db_instance, DBInstanceIdentifier="main") == "InvalidDBInstanceState"
    west.pass_time(480)
    assert (west.show()["DBInstanceStatus"], west.show()["EngineVersion"]) == ("available", "16.13")
    events = west.rds.describe_events(SourceType="db-instance", EventCategories=["maintenance"])["Events"]
    assert [one["Message"].split()[-1] for one in events] == ["started.", "finished."]


def test_without_apply_immediately_it_waits_for_the_window(west: Any) -> None:
    west.primary(EngineVersion="16.12")
    upgrade(west, EngineVersion="16.13")
    shown = west.show()
    assert (shown["EngineVersion"], shown["PendingModifiedValues"]) == ("16.12", {"EngineVersion": "16.13"})
    west.pass_time(7 * 24 * 3600)
    west.show()
    assert west.show()["EngineVersion"] == "16.13"


def test_a_major_one_takes_the_replicas_of_its_region_along(pair: Any, east: Any) -> None:
    east.rds.delete_db_instance(DBInstanceIdentifier="dr", SkipFinalSnapshot=True)
    pair.show()
    other = {**MAJOR, "DBParameterGroupName": "main-16"}
    assert pair.refusal(upgrade, site=pair, **other) == "InvalidParameterCombination"
    pair.slow()
    upgrade(pair, DBParameterGroupName="main-18", **MAJOR)
    pair.pass_time(LAG)
    pair.pass_time(30)
    assert {pair.show(name)["DBInstanceStatus"] for name in ("main", "copy")} == {"upgrading"}
    kept = pair.rds.describe_db_snapshots(DBInstanceIdentifier="main", SnapshotType="automated")["DBSnapshots"]
    (before,) = [one for one in kept if one["DBSnapshotIdentifier"].startswith("rds:preupgrade-main-16-12-to-18-3-")]
    assert before["EngineVersion"] == "16.12"
    pair.pass_time(1200)
    assert pair.show()["DBInstanceStatus"] == "backing-up"
    pair.pass_time(200)
    main, copy = pair.show(), pair.show("copy")
    assert [one["DBInstanceStatus"] for one in (main, copy)] == ["available"] * 2
    assert [one["EngineVersion"] for one in (main, copy)] == ["18.3"] * 2
    groups = [one["DBParameterGroups"][0]["DBParameterGroupName"] for one in (main, copy)]
    # The group that was named is the primary's only.
    assert groups == ["main-18", "default.postgres18"]
    assert copy["StatusInfos"][0]["Status"] == "replicating"


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("main", {**MAJOR, "DBParameterGroupName": "main-18"}, "DBUpgradeDependencyFailure"),
        ("main", MAJOR, "InvalidParameterCombination"),
        ("main", {**MAJOR, "AllowMajorVersionUpgrade": False}, "InvalidParameterCombination"),
        ("main", {"EngineVersion": "16.11"}, "InvalidParameterCombination"),
        ("main", {"EngineVersion": "15.17"}, "InvalidParameterCombination"),
        ("copy", MAJOR, "InvalidParameterValue"),
    ],
)
def test_what_rds_refuses(pair: Any, name: str, values: dict[str, Any], code: str) -> None:
    assert pair.refusal(pair.rds.modify_db_instance, DBInstanceIdentifier=name, **values) == code
    assert pair.show(name)["EngineVersion"] == "16.12"
