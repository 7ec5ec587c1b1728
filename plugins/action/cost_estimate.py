# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.pipeops.platform.plugins.module_utils.cost.money import CostError
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.pricing import PRICES, price_list, priced
from ansible_collections.pipeops.platform.plugins.plugin_utils.environments import (
    COLLECTION,
    Environment,
    defaults_of,
    filled,
    specs_of,
)

ARGUMENT_SPEC: dict[str, Any] = {"prices_file": {"type": "path"}}


class ActionModule(ActionBase):
    """Runs M(pipeops.platform.cost_estimate), in the controller's process, where the variables are."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        variables = task_vars or {}
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(dict(self._task.args))
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        specs = specs_of(COLLECTION)
        host = Environment(str(variables["inventory_hostname"]), *filled(variables, self._templar.template, specs))
        try:
            prices = price_list(Path(checked.validated_parameters.get("prices_file") or PRICES))
            found = priced(host, defaults_of(COLLECTION), specs, prices)
        except CostError as error:
            return {**result, "changed": False, "failed": True, "msg": str(error)}
        return {**result, "changed": False, "estimate": found.as_dict()}
