# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.pipeops.platform.plugins.plugin_utils.outputs_text import FORMATS

ARGUMENT_SPEC: dict[str, Any] = {
    "documents": {"type": "dict", "required": True},
    "format": {"type": "str", "choices": ["table", "json", "dotenv"], "default": "table"},
    "path": {"type": "path"},
}

display = Display()


class ActionModule(ActionBase):
    """Runs M(pipeops.platform.outputs_text), where the screen is."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(dict(self._task.args))
        if checked.error_messages:
            return {**result, "failed": True, "msg": "; ".join(checked.error_messages)}
        options = checked.validated_parameters
        text = FORMATS[options["format"]](options["documents"])
        if options["path"] is None:
            display.display(text.rstrip())
            return {**result, "changed": False, "text": text}
        changed = _write(Path(options["path"]), text, check_mode=self._task.check_mode)
        return {**result, "changed": changed, "text": text}


def _write(path: Path, text: str, *, check_mode: bool) -> bool:
    """Write a file if it says something else, and tell whether it did."""
    if path.exists() and path.read_text("utf-8") == text:
        return False
    if not check_mode:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return True
