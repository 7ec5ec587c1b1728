"""Parameter groups: the catalogue, refusals, and what instances make of a change."""

from __future__ import annotations

from typing import Any

import pytest
from pipeops_sandbox.overlays.rds import catalog
from pipeops_sandbox.overlays.rds.store import store_of

ACCOUNT = "123456789012"


def group(west: Any, *settings: tuple[str, str, str]) -> None:
    west.rds.create_db_parameter_group(
        DBParameterGroupName="ours", DBParameterGroupFamily="postgres16", Description="ours"
    )
    if settings:
        change(west, *settings)


def change(west: Any, *settings: tuple[str, str, str]) -> None:
    rows = [{"ParameterName": name, "ParameterValue": value, "ApplyMethod": how} for name, value, how in settings]
    west.rds.modify_db_parameter_group(DBParameterGroupName="ours", Parameters=rows)


def status(west: Any) -> str:
    return str(west.show()["DBParameterGroups"][0]["ParameterApplyStatus"])


def values(west: Any, **filters: Any) -> dict[str, str | None]:
    pages = west.rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName="ours", **filters)
    return {row["ParameterName"]: row.get("ParameterValue") for one in pages for row in one["Parameters"]}


@pytest.mark.parametrize("family", catalog.families())
def test_every_default_is_allowed(family: str) -> None:
    rows = catalog.parameters(family).values()
    assert len(rows) > 200
    assert [one.name for one in rows if one.default and not one.accepts(one.default)] == []


def test_versions_have_their_own_parameters() -> None:
    assert catalog.parameters("postgres14")["rds.force_ssl"].default == "0"
    assert catalog.parameters("postgres15")["rds.force_ssl"].default == "1"
    assert "transaction_timeout" not in catalog.parameters("postgres16")
    assert "transaction_timeout" in catalog.parameters("postgres17")


def test_sources_and_pages(west: Any) -> None:
    group(west, ("log_min_duration_statement", "500", "immediate"))
    assert values(west, Source="user") == {"log_min_duration_statement": "500"}
    assert len(values(west)) == len(catalog.parameters("postgres16"))
    assert "archive_command" in values(west, Source="system")
    assert "log_min_duration_statement" not in values(west, Source="engine-default")


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        (("no_such_thing", "1", "immediate"), "InvalidParameterValue"),
        (("log_min_duration_statement", "soon", "immediate"), "InvalidParameterValue"),
        (("log_min_duration_statement", "-2", "immediate"), "InvalidParameterValue"),
        (("rds.force_ssl", "on", "immediate"), "InvalidParameterValue"),
        (("shared_preload_libraries", "pg_nothing", "pending-reboot"), "InvalidParameterValue"),
        (("archive_command", "true", "pending-reboot"), "InvalidParameterValue"),
        (("rds.logical_replication", "1", "immediate"), "InvalidParameterCombination"),
        (("log_min_duration_statement", "1", "now"), "InvalidParameterValue"),
    ],
)
def test_refused_settings_change_nothing(west: Any, setting: tuple[str, str, str], code: str) -> None:
    group(west, ("log_lock_waits", "1", "immediate"))
    good = ("log_temp_files", "0", "immediate")
    assert west.refusal(lambda: change(west, good, setting)) == code
    assert values(west, Source="user") == {"log_lock_waits": "1"}


def test_twenty_parameters_at_once(west: Any) -> None:
    names = [name for name, one in catalog.parameters("postgres16").items() if name.startswith("enable_")]
    names += [name for name in catalog.parameters("postgres16") if name.startswith("log_") and "_wait" in name]
    rows = [(name, "1", "immediate") for name in names[:21]]
    assert len(rows) == 21
    group(west, *rows[:20])
    assert west.refusal(lambda: change(west, *rows)) == "InvalidParameterValue"


def test_dynamic_at_once_static_after_reboot(west: Any) -> None:
    group(west, ("rds.force_ssl", "1", "immediate"))
    west.primary(DBParameterGroupName="ours")
    assert status(west) == "in-sync"
    change(west, ("log_min_duration_statement", "250", "immediate"))
    assert status(west) == "in-sync"
    assert store_of(ACCOUNT, "us-west-2").instances["main"].in_force["log_min_duration_statement"] == "250"
    change(west, ("rds.logical_replication", "1", "pending-reboot"))
    assert status(west) == "pending-reboot"
    assert "rds.logical_replication" not in store_of(ACCOUNT, "us-west-2").instances["main"].in_force
    west.rds.reboot_db_instance(DBInstanceIdentifier="main")
    assert status(west) == "in-sync"
    assert store_of(ACCOUNT, "us-west-2").instances["main"].in_force["rds.logical_replication"] == "1"


def test_another_group_wants_a_reboot(west: Any) -> None:
    group(west)
    west.primary()
    west.show()
    west.slow()
    west.rds.modify_db_instance(DBInstanceIdentifier="main", DBParameterGroupName="ours", ApplyImmediately=True)
    assert status(west) == "applying"
    west.pass_time(31)
    assert status(west) == "pending-reboot"
    west.rds.reboot_db_instance(DBInstanceIdentifier="main")
    assert west.show()["DBInstanceStatus"] == "rebooting"
    west.pass_time(61)
    assert (status(west), west.show()["DBInstanceStatus"]) == ("in-sync", "available")


def test_group_in_use_stays(west: Any) -> None:
    group(west)
    west.primary(DBParameterGroupName="ours")
    delete = west.rds.delete_db_parameter_group
    assert west.refusal(delete, DBParameterGroupName="ours") == "InvalidDBParameterGroupState"
    assert west.refusal(delete, DBParameterGroupName="default.postgres16") == "InvalidDBParameterGroupState"
    west.rds.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)
    assert west.rds.describe_db_instances()["DBInstances"] == []
    delete(DBParameterGroupName="ours")
    assert west.refusal(delete, DBParameterGroupName="ours") == "DBParameterGroupNotFound"


def test_reset(west: Any) -> None:
    group(west, ("log_lock_waits", "1", "immediate"), ("log_temp_files", "0", "immediate"))
    one = [{"ParameterName": "log_lock_waits", "ApplyMethod": "immediate"}]
    west.rds.reset_db_parameter_group(DBParameterGroupName="ours", Parameters=one)
    assert values(west, Source="user") == {"log_temp_files": "0"}
    west.rds.reset_db_parameter_group(DBParameterGroupName="ours", ResetAllParameters=True)
    assert values(west, Source="user") == {}
