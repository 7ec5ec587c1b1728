# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.plugin_utils.run_report import (
    HostRecord,
    changed_attributes,
    duration,
    effect,
    summary_rows,
    totals_line,
)


def action(verb: str = "update", **more: Any) -> dict[str, Any]:
    return {"verb": verb, "interrupts": "", "reversible": True, "differences": [], **more}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (45, "45 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (30 * 86400, "30 days")],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("interrupts", "reversible", "text"),
    [
        ("", True, ""),
        ("readers", True, "interrupts readers"),
        ("", False, "cannot be undone"),
        ("readers", False, "interrupts readers; cannot be undone"),
    ],
)
def test_an_effect_says_what_hurts(interrupts: str, reversible: bool, text: str) -> None:
    assert effect(action(interrupts=interrupts, reversible=reversible)) == text


def test_short_values_are_shown_and_long_ones_are_named() -> None:
    differences = [
        {"attribute": "size", "before": 1, "after": 2},
        {"attribute": "policy", "before": {"a": 1}, "after": {"a": 2}},
    ]
    assert changed_attributes(action(differences=differences)) == "size 1 → 2, policy"
    assert changed_attributes(action("create", differences=differences)) == ""


def test_totals_tell_a_plan_from_what_was_done() -> None:
    counts = {"create": 2, "update": 1, "replace": 0, "delete": 0}
    assert totals_line(counts, check_mode=True) == "2 to create, 1 to change, 0 to delete"
    assert totals_line({**counts, "replace": 1}, check_mode=False) == "2 created, 1 changed, 1 replaced, 0 deleted"


def test_a_record_collects_tasks_items_actions_and_the_document() -> None:
    record = HostRecord("prod")
    record.add("first", None, {"changed": True, "actions": [action("create", action="create/x/y")]})
    record.add("second", "item", {"changed": True})
    record.add("third", None, {"changed": False, "outputs": {"document": {"outputs": {}}}, "actions": "not ours"[:0]})
    assert record.tasks == [{"task": "first", "item": None}, {"task": "second", "item": "item"}]
    assert record.counts() == {"create": 1, "update": 0, "replace": 0, "delete": 0}
    assert record.actions[0]["task"] == "first"
    assert record.document == {"outputs": {}}


def test_the_summary_names_what_stands() -> None:
    primary = {
        "identifier": "pipeops-prod",
        "engine_version": "17.6",
        "instance_class": "db.r6g.xlarge",
        "multi_az": True,
        "endpoint": "db.example",
        "port": 5432,
    }
    document = {
        "outputs": {
            "network": {"vpc_id": "vpc-1", "vpc_cidr": "10.0.0.0/16", "zones": [1, 2, 3], "nat": "none"},
            "cluster": {
                "cluster_name": "pipeops-prod",
                "version": "1.36",
                "endpoint": "https://api",
                "nodes": {"minimum": 3, "maximum": 10, "instance_types": ["m5.large"]},
            },
            "database": {
                "primary": primary,
                "replicas": [{"availability_zone": "us-west-2a", "endpoint": "a.example"}],
            },
        }
    }
    rows = dict(summary_rows(document))
    assert list(rows) == ["network", "cluster", "database"]
    assert "3-10 nodes (m5.large)" in rows["cluster"]
    assert "db.example:5432\nread replica in us-west-2a: a.example" in rows["database"]


def test_the_summary_names_a_replica_and_what_it_follows() -> None:
    replica = {
        "identifier": "pipeops-dr",
        "engine_version": "17.6",
        "instance_class": "db.r6g.xlarge",
        "multi_az": True,
        "endpoint": "dr.example",
        "port": 5432,
        "source_arn": "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod",
    }
    names = {"zone_name": "dr.internal", "records": {}, "service": {"zone_name": "prod.internal"}}
    outputs = {"database": {"role": "replica", "replica": replica}, "dns": names}
    rows = dict(summary_rows({"outputs": outputs}))
    assert rows["database"].splitlines() == [
        "pipeops-dr  PostgreSQL 17.6, db.r6g.xlarge, Multi-AZ",
        "dr.example:5432",
        "replica of pipeops-prod in us-west-2",
    ]
    assert rows["dns"] == "dr.internal\nresolves prod.internal too"


def test_a_replica_that_has_nothing_to_follow_yet_is_said_to_be_missing() -> None:
    (row,) = summary_rows({"outputs": {"database": {"role": "replica"}}})
    assert row == ("database", "none yet: its pair has published no primary")


def test_an_environment_without_a_database_shows_none() -> None:
    assert not list(summary_rows({"outputs": {"database": {}}}))
