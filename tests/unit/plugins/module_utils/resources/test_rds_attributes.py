# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DB instances in our words, and the requests that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import (
    Key,
    Readiness,
    Update,
)
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_attributes import (
    AT_CREATION,
    OF_A_PRIMARY,
    SETTABLE,
    SHARED,
    attributes_of,
    modification,
    request,
)
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_describe import NEEDS_ACTION
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_instance import RdsInstance
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_replica import (
    RdsReplica,
    RdsReplicaSettings,
)
from botocore.validate import ParamValidator

from ..layers.rds_prod import (
    GIVEN_OUT,
    PRIMARY,
    PROD,
    REPLICA,
    SETTINGS,
    TYPES,
    built,
    state_of,
)


@pytest.mark.parametrize("resource_type", [RdsInstance(), RdsReplica(), RdsReplicaSettings()])
@pytest.mark.parametrize(
    ("status", "readiness"),
    [
        ("available", Readiness.READY),
        ("storage-optimization", Readiness.READY),
        *((status, Readiness.WAIT) for status in ("creating", "backing-up", "modifying", "rebooting", "upgrading")),
        *((status, Readiness.FAILED) for status in NEEDS_ACTION),
    ],
)
def test_readiness(resource_type: Any, status: str, readiness: Readiness) -> None:
    instance = {"DBInstanceStatus": status, "DBInstanceIdentifier": "x"}
    observed = resource_type.observed(instance, "x", None)
    assert resource_type.readiness(observed) is readiness
    assert bool(observed.get("failure")) == (readiness is Readiness.FAILED)


def test_what_is_about_to_hold_counts_as_holding() -> None:
    waiting = {
        "DBInstanceClass": "db.r6g.large",
        "AllocatedStorage": 200,
        "MultiAZ": True,
        "MasterUserPassword": "****",
        "PendingCloudwatchLogsExports": {"LogTypesToEnable": ["upgrade"], "LogTypesToDisable": ["postgresql"]},
    }
    attributes = attributes_of(
        {
            "DBInstanceStatus": "modifying",
            "DBInstanceClass": "db.r6g.xlarge",
            "AllocatedStorage": 100,
            "EnabledCloudwatchLogsExports": ["postgresql"],
            "PendingModifiedValues": waiting,
        }
    )
    assert (attributes["instance_class"], attributes["storage_gib"], attributes["multi_az"]) == (
        "db.r6g.large",
        200,
        True,
    )
    assert attributes["log_exports"] == ["upgrade"]
    assert "****" not in str(attributes)


@pytest.mark.parametrize(("actual", "shown"), [(100, 100), (150, 100), (500, 100), (501, 501), (50, 50)], ids=str)
def test_storage_that_grew_by_itself_is_left(actual: int, shown: int) -> None:
    instance = {"DBInstanceStatus": "available", "DBInstanceIdentifier": "x", "AllocatedStorage": actual}
    assert RdsInstance().observed(instance, "primary", built()[PRIMARY]).get("storage_gib") == shown


def test_an_instance_that_is_being_made_is_not_changed() -> None:
    state = state_of()
    instance = {"DBInstanceStatus": "creating", "DBInstanceIdentifier": "pipeops-prod"}
    shown = RdsInstance().observed(instance, "primary", state.wanted[PRIMARY])
    for name in ("port", "multi_az", "log_exports", "security_group_ids", "backup_retention_days"):
        assert shown.get(name) == state.wanted[PRIMARY].attributes[name]


def _validate(operation: str, params: Mapping[str, Any]) -> None:
    model = botocore.session.get_session().get_service_model("rds").operation_model(operation)
    assert model.input_shape is not None
    report = ParamValidator().validate(params, model.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_requests_are_what_aws_takes() -> None:
    state = state_of(iops=12000, throughput_mibps=500, storage_gib=400)
    primary, replica = (state.resolved(state.wanted[key]).attributes for key in (PRIMARY, REPLICA))
    create = request(primary, {**SETTABLE, **AT_CREATION, **OF_A_PRIMARY})
    _validate("CreateDBInstance", {"Engine": "postgres", "MasterUserPassword": "x", **create})
    _validate(
        "CreateDBInstanceReadReplica",
        {"SourceDBInstanceIdentifier": "x", **request(replica, {**SHARED, **AT_CREATION})},
    )
    assert "AllocatedStorage" not in request(replica, {**SHARED, **AT_CREATION})


UPDATES = [
    (key, update)
    for key in (PRIMARY, REPLICA, SETTINGS)
    for update in TYPES[key[0]].updates
    if update.name not in ("restart",)
]


@pytest.mark.parametrize(
    ("key", "update"), UPDATES, ids=lambda value: value.name if isinstance(value, Update) else value[0]
)
def test_modifications_are_what_aws_takes(key: Key, update: Update) -> None:
    state = state_of(iops=12000, throughput_mibps=500, storage_gib=400)
    wanted = state.resolved(state.wanted[key]).attributes
    names = [name for name in update.attributes if wanted.get(name) is not None]
    values = modification(update, wanted, {}, names)
    assert values
    _validate("ModifyDBInstance", {"DBInstanceIdentifier": "x", "ApplyImmediately": True, **values})


def _named(name: str) -> Update:
    return next(update for update in RdsInstance.updates if update.name == name)


@pytest.mark.parametrize(
    ("name", "changes", "observed", "different", "values"),
    [
        ("storage", {"storage_gib": 400, "iops": 14000}, {"storage_gib": 400}, ["iops"], {"Iops": 14000}),
        (
            "monitoring",
            {"monitoring_interval_seconds": 15},
            {},
            ["monitoring_interval_seconds"],
            {"MonitoringInterval": 15, "MonitoringRoleArn": GIVEN_OUT["iam_role"]["arn"]},
        ),
        (
            "monitoring",
            {"monitoring_interval_seconds": 0},
            {},
            ["monitoring_interval_seconds"],
            {"MonitoringInterval": 0},
        ),
        (
            "performance_insights",
            {},
            {"performance_insights": False},
            ["performance_insights"],
            {
                "EnablePerformanceInsights": True,
                "PerformanceInsightsRetentionPeriod": 7,
                "PerformanceInsightsKMSKeyId": PROD["kms_key_arn"],
            },
        ),
        (
            "performance_insights",
            {},
            {"performance_insights": True},
            ["performance_insights_retention_days"],
            {"EnablePerformanceInsights": True, "PerformanceInsightsRetentionPeriod": 7},
        ),
        (
            "log_exports",
            {"log_exports": ["upgrade"]},
            {"log_exports": ["postgresql"]},
            ["log_exports"],
            {"CloudwatchLogsExportConfiguration": {"EnableLogTypes": ["upgrade"], "DisableLogTypes": ["postgresql"]}},
        ),
    ],
)
def test_only_what_differs_is_sent(
    name: str, changes: dict[str, Any], observed: dict[str, Any], different: list[str], values: dict[str, Any]
) -> None:
    state = state_of(**changes)
    wanted = state.resolved(state.wanted[PRIMARY]).attributes
    assert modification(_named(name), wanted, observed, different) == values
