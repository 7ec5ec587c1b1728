# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our modules, run inside the controller's own process.

An environment is a host with a local connection, so its modules would be packed, sent to the machine they are on
and started in an interpreter that loads boto3 anew: 0.8 s a task, most of it imports. Here the strategy plugin loads
this file before it forks its workers, so a worker has boto3 and the service models already, and a task costs what
its API calls cost. Over any other connection the module runs there, the ordinary way.
"""

from __future__ import annotations

import importlib
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ..module_utils.engine.aws import preload
from ..module_utils.engine.errors import EngineError
from ..module_utils.engine.layer import argument_spec, run_layer
from ..module_utils.engine.lease import bind
from .run_life import leases_folder

MODULES = "ansible_collections.pipeops.platform.plugins.modules"

display = Display()
preload(("ec2", "eks", "iam", "kms", "logs", "rds", "route53", "s3", "secretsmanager", "dynamodb"))


class LayerActionModule(ActionBase):
    """Runs the module of the same name."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        if self._connection.transport != "local" or self._task.async_val:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
            return result
        module = importlib.import_module(f"{MODULES}.{self._task.action.rpartition('.')[2]}")
        params, problem = self._validated(module.ARGUMENT_SPEC)
        if problem:
            return {**result, "failed": True, "msg": problem}
        bind(leases_folder())
        try:
            result.update(run_layer(module.LAYER, params, check_mode=self._task.check_mode, progress=self._report))
        except EngineError as error:
            done = list(error.done)
            result.update(failed=True, msg=str(error), changed=bool(done), actions=done, untouched=error.untouched)
        if not self._task.diff:
            result.pop("diff", None)
        return result

    def _validated(self, own_spec: dict[str, Any]) -> tuple[dict[str, Any], str]:
        spec = {**aws_argument_spec(), **argument_spec(own_spec)}
        checked = ArgumentSpecValidator(spec).validate(dict(self._task.args))
        return checked.validated_parameters, "; ".join(checked.error_messages)

    def _report(self, text: str) -> None:
        display.display(f"{self._task.get_name()}: {text}")
