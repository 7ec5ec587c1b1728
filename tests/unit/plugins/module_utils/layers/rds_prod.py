# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database of prod as its inventory has it, and as it stands, without AWS."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Context, argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import (
    Identity,
    Key,
    Observed,
    Wanted,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import (
    State,
)
from ansible_collections.pipeops.platform.plugins.module_utils.layers.rds_instance_set import LAYER
from ansible_collections.pipeops.platform.plugins.modules.rds_instance_set import ARGUMENT_SPEC

PRIMARY: Key = ("rds_instance", "primary")
REPLICA: Key = ("rds_replica", "a")
SETTINGS: Key = ("rds_replica_settings", "a")
TYPES = {resource_type.kind: resource_type for resource_type in LAYER.types}
PROD: dict[str, Any] = {
    "environment": "prod",
    "engine_version": "17.6",
    "instance_class": "db.r6g.xlarge",
    "storage_gib": 100,
    "storage_max_gib": 500,
    "multi_az": True,
    "kms_key_arn": "arn:aws:kms:us-west-2:123456789012:key/1",
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2", "subnet-3"],
    "security_group_ids": ["sg-1"],
    "backup_retention_days": 30,
    "backup_window": "08:00-08:30",
    "maintenance_window": "sun:09:30-sun:10:30",
    "parameters": {"max_connections": 500, "log_lock_waits": False},
    "replicas": [{"name": "a", "availability_zone": "us-west-2a"}],
}
#: What AWS alone tells, by kind.
GIVEN_OUT = {
    "secretsmanager_secret": {"arn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:pipeops/prod/database-a1"},
    "iam_role": {"arn": "arn:aws:iam::123456789012:role/pipeops-prod-rds-monitoring"},
}


def params_of(**changes: Any) -> dict[str, Any]:
    checked = ArgumentSpecValidator(argument_spec(ARGUMENT_SPEC)).validate({**PROD, **changes})
    assert not checked.error_messages, checked.error_messages
    return dict(checked.validated_parameters)


def built(**changes: Any) -> dict[Key, Wanted]:
    aws: Any = SimpleNamespace(region="us-west-2", account_id="123456789012", partition="aws")
    context = Context("database", Identity("pipeops", "prod"), aws)
    return {item.key: item for item in LAYER.build(params_of(**changes), context)}


def state_of(**changes: Any) -> State:
    """Return a state in which everything stands exactly as the inventory of prod has it, and ``changes`` are wanted."""
    before = State(TYPES, built())
    for kind, name in (key for level in (before.wanted,) for key in level):
        item = before.wanted[kind, name]
        status = "available" if kind.startswith("rds_") else ""
        made = Observed(kind, name, f"{kind}-{name}", GIVEN_OUT.get(kind, {}), {}, status)
        before.observed[kind, name] = made
        resolved = before.resolved(item)
        before.observed[kind, name] = replace(
            made, attributes={**resolved.attributes, **made.attributes}, tags=resolved.tags or {}
        )
    return State(TYPES, built(**changes), before.observed)


def drifted(key: Key, **attributes: Any) -> State:
    """Return the same with some observed attributes other than wanted."""
    state = state_of()
    standing = state.observed[key]
    state.observed[key] = replace(standing, attributes={**standing.attributes, **attributes})
    return state
