# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks against a failover, thing by thing."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.readiness.verdict import verdict

GIB = 2**30
FACTS: dict[str, Any] = {
    "replica": {
        "reachable": True,
        "reason": "",
        "exists": True,
        "identifier": "pipeops-dr",
        "status": "available",
        "role": "replica",
        "replication": [{"Status": "replicating"}],
        "parameter_group": "pipeops-dr-postgres17",
        "parameter_status": "in-sync",
        "multi_az": True,
        "pending_modifications": [],
        "deletion_protection": True,
        "storage_operation": None,
        "storage_operation_percent": None,
        "in_backup_window": False,
    },
    "lag": {"reachable": True, "seconds": 12.0},
    "source": {"reachable": True, "exists": True, "storage_gib": 100},
    "source_metrics": {"reachable": True, "reason": "", "oldest_slot_lag_bytes": 1024},
    "backups": {"reachable": True, "exists": True, "age_seconds": 280},
    "quotas": {"reachable": True, "instances_left": 38},
    "secret": {"reachable": True, "exists": True},
    "secret_replication": {"reachable": True, "status": "InSync"},
    "key": {"reachable": True, "exists": True, "enabled": True, "state": "Enabled"},
    "cluster": {"reachable": True, "exists": True, "name": "pipeops-dr", "status": "ACTIVE", "version": "1.34"},
    "source_cluster": {"reachable": True, "exists": True, "name": "pipeops-prod", "version": "1.34"},
}
MORE: dict[str, Any] = {
    "heartbeat_lag_seconds": 0.2,
    "parameter_group": "pipeops-dr-postgres17",
    "record": {"ttl": 30, "values": ["pipeops-prod.c1.us-west-2.rds.amazonaws.com"]},
    "leader_endpoint": "pipeops-prod.c1.us-west-2.rds.amazonaws.com",
}


def graded(changes: dict[str, dict[str, Any]], more: dict[str, Any]) -> dict[str, Any]:
    facts = deepcopy(FACTS)
    for part, values in changes.items():
        facts[part].update(values)
    return verdict(facts, {**MORE, **more})


def test_a_healthy_standby_is_ready() -> None:
    found = graded({}, {})
    assert found["verdict"] == "ready"
    assert found["ready"]
    assert {check["grade"] for check in found["checks"]} == {"good"}
    assert found["lost_now_seconds"] == 0.2
    assert found["takes_seconds"] == 330


@pytest.mark.parametrize(
    ("changes", "more", "name", "grade"),
    [
        ({"replica": {"reachable": False, "reason": "no answer"}}, {}, "standby", "bad"),
        ({"replica": {"exists": False}}, {}, "standby", "bad"),
        ({"replica": {"status": "storage-full"}}, {}, "standby", "bad"),
        ({"replica": {"status": "backing-up"}}, {}, "standby", "warning"),
        ({"replica": {"role": "primary"}}, {}, "replication", "bad"),
        ({"replica": {"replication": [{"Status": "terminated"}]}}, {}, "replication", "bad"),
        ({"replica": {"replication": [{"Status": "error"}]}}, {}, "replication", "bad"),
        ({"replica": {"parameter_group": "default.postgres17"}}, {}, "parameters", "bad"),
        ({"replica": {"parameter_status": "pending-reboot"}}, {}, "parameters", "warning"),
        ({"replica": {"multi_az": False}}, {}, "zones", "warning"),
        ({"replica": {"pending_modifications": ["DBInstanceClass"]}}, {}, "modifications", "warning"),
        ({"replica": {"deletion_protection": False}}, {}, "protection", "warning"),
        ({"replica": {"storage_operation": "Initializing"}}, {}, "storage", "warning"),
        ({"replica": {"in_backup_window": True}}, {}, "backup window", "warning"),
        ({}, {"heartbeat_lag_seconds": 61}, "lag", "warning"),
        ({}, {"heartbeat_lag_seconds": 301}, "lag", "bad"),
        ({"lag": {"seconds": None}}, {"heartbeat_lag_seconds": None}, "lag", "warning"),
        ({"source_metrics": {"reachable": False, "reason": "no answer"}}, {}, "leader", "warning"),
        ({"source_metrics": {"oldest_slot_lag_bytes": 11 * GIB}}, {}, "log kept", "warning"),
        ({"source_metrics": {"oldest_slot_lag_bytes": 21 * GIB}}, {}, "log kept", "bad"),
        ({"backups": {"exists": False}}, {}, "backups", "warning"),
        ({"backups": {"age_seconds": 3600}}, {}, "backups", "warning"),
        ({"backups": {"age_seconds": None}}, {}, "backups", "warning"),
        ({"secret": {"exists": False}}, {}, "secret", "bad"),
        ({"secret_replication": {"status": "Failed", "message": "key"}}, {}, "secret", "warning"),
        ({"key": {"enabled": False, "state": "Disabled"}}, {}, "key", "bad"),
        ({"key": {"exists": False}}, {}, "key", "bad"),
        ({"quotas": {"instances_left": 0}}, {}, "quota", "warning"),
        ({}, {"record": None}, "name", "bad"),
        ({}, {"record": {"ttl": 300, "values": MORE["record"]["values"]}}, "name", "warning"),
        ({}, {"record": {"ttl": 30, "values": ["elsewhere"]}}, "name", "bad"),
        ({"quotas": {"storage_left_gib": 50}, "replica": {"storage_gib": 100}}, {}, "quota of storage", "warning"),
        ({"quotas": {"snapshots_left": 0}}, {}, "quota of snapshots", "warning"),
        ({"cluster": {"status": "FAILED"}}, {}, "cluster", "bad"),
        ({"cluster": {"exists": False}}, {}, "cluster", "bad"),
        ({"cluster": {"reachable": False, "reason": "no answer"}}, {}, "cluster", "warning"),
        ({"source_cluster": {"version": "1.35"}}, {}, "cluster", "warning"),
    ],
)
def test_each_thing_is_seen(changes: dict[str, dict[str, Any]], more: dict[str, Any], name: str, grade: str) -> None:
    found = graded(changes, more)
    checks = {check["name"]: check for check in found["checks"]}
    assert checks[name]["grade"] == grade
    assert checks[name]["mend"], "whoever reads it wants to know what to do"
    assert found["verdict"] == ("not ready" if grade == "bad" else "ready, with warnings")


def test_a_cluster_whose_pair_is_not_known_is_judged_by_itself() -> None:
    for pair in ({"reachable": False, "version": None}, {"exists": False, "version": None}):
        assert graded({"source_cluster": pair}, {})["verdict"] == "ready"
    assert graded({"cluster": {"status": "UPDATING"}}, {})["verdict"] == "ready"


def test_a_backup_under_way_takes_its_time() -> None:
    assert graded({"replica": {"status": "backing-up"}}, {})["takes_seconds"] == 630


def test_what_a_drill_measured_counts() -> None:
    assert graded({}, {"promotion_seconds": 95})["takes_seconds"] == 125


def test_without_a_heartbeat_the_metric_counts() -> None:
    assert graded({}, {"heartbeat_lag_seconds": None})["lost_now_seconds"] == 12
