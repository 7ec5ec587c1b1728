# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our reading modules, run inside the controller's own process, as those that manage a layer."""

from __future__ import annotations

import importlib
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ..module_utils.engine.errors import EngineError

MODULES = "ansible_collections.pipeops.platform.plugins.modules"


class InfoActionModule(ActionBase):
    """Runs the module of the same name, which has an ARGUMENT_SPEC and a function ``read``."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        if self._connection.transport != "local" or self._task.async_val:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
            return result
        module = importlib.import_module(f"{MODULES}.{self._task.action.rpartition('.')[2]}")
        checked = ArgumentSpecValidator({**aws_argument_spec(), **module.ARGUMENT_SPEC}).validate(dict(self._task.args))
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        try:
            result.update(module.read(checked.validated_parameters), changed=False)
        except EngineError as error:
            result.update(failed=True, msg=str(error), changed=False)
        return result
