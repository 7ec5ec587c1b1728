# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our modules that are one function, run inside the controller's own process, as those that manage a layer."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from ..module_utils.engine.errors import EngineError
from ..module_utils.engine.lease import bind
from .run_life import leases_folder

display = Display()


class FunctionActionModule(ActionBase):
    """Runs a module that has an ARGUMENT_SPEC and a function ``run``.

    Attributes:
        module: the module. It is imported with the action plugin, so before the strategy forks its workers, which then
            have its libraries already.
    """

    module: ModuleType

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        if self._connection.transport != "local" or self._task.async_val:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
            return result
        checked = ArgumentSpecValidator({**aws_argument_spec(), **self.module.ARGUMENT_SPEC}).validate(
            dict(self._task.args)
        )
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        bind(leases_folder())
        try:
            options, check_mode = checked.validated_parameters, self._task.check_mode
            found = self.module.run(options, check_mode=check_mode, progress=self._report)
        except EngineError as error:
            return {**result, "failed": True, "changed": False, "msg": str(error)}
        if not self._task.diff:
            found.pop("diff", None)
        return {**result, "changed": False, **found}

    def _report(self, text: str) -> None:
        display.display(f"{self._task.get_name()}: {text}")
