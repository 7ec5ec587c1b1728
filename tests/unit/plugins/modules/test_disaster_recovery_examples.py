# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of the modules of disaster recovery are what they say: tasks that the modules take."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Context, argument_spec
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity

MODULES = "ansible_collections.pipeops.platform.plugins.modules"
LAYERS = ("rds_cross_region_replica", "secret_replica", "rds_backup_replication", "rds_restore", "environment_alarms")


def examples(name: str) -> list[Any]:
    module = importlib.import_module(f"{MODULES}.{name}")
    tasks = yaml.safe_load(module.EXAMPLES)
    return [pytest.param(module, task[f"pipeops.platform.{name}"], id=task["name"]) for task in tasks]


@pytest.mark.parametrize(("module", "args"), [case for name in LAYERS for case in examples(name)])
def test_an_example_of_a_layer_can_be_built(module: Any, args: dict[str, Any]) -> None:
    spec = {**aws_argument_spec(), **argument_spec(module.ARGUMENT_SPEC)}
    checked = ArgumentSpecValidator(spec).validate(dict(args))
    assert not checked.error_messages
    aws: Any = SimpleNamespace(region=args["region"], account_id="123456789012", partition="aws")
    params = checked.validated_parameters
    context = Context(module.LAYER.name, Identity(params["platform"], params["environment"]), aws)
    assert module.LAYER.build(params, context)


@pytest.mark.parametrize(("module", "args"), examples("rds_cross_region_replica_info"))
def test_an_example_of_a_reader_is_taken(module: Any, args: dict[str, Any]) -> None:
    checked = ArgumentSpecValidator({**aws_argument_spec(), **module.ARGUMENT_SPEC}).validate(dict(args))
    assert not checked.error_messages
