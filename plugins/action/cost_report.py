# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.pipeops.platform.plugins.module_utils.cost.difference import compare
from ansible_collections.pipeops.platform.plugins.module_utils.cost.estimate import Estimate
from ansible_collections.pipeops.platform.plugins.module_utils.cost.money import CostError
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.baseline import Run, baseline
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.pricing import PRICES, price_list
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.report import PriceFacts, Report

ARGUMENT_SPEC: dict[str, Any] = {
    "estimates": {"type": "list", "elements": "dict", "required": True},
    "base": {"type": "str"},
    "prices_file": {"type": "path"},
    "directory": {"type": "path", "default": "build/cost"},
    "details": {"type": "bool", "default": True},
    "price_age_limit_days": {"type": "int", "default": 180},
}

#: What the report is made with.
LIBRARIES = ("rich", "jinja2", "matplotlib")

display = Display()


class ActionModule(ActionBase):
    """Runs M(pipeops.platform.cost_report), in the controller's process."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(dict(self._task.args))
        faults = [*checked.error_messages, *(missing_required_lib(name) for name in LIBRARIES if not find_spec(name))]
        if faults:
            return {**result, "failed": True, "msg": "; ".join(faults)}
        options = checked.validated_parameters
        try:
            sources = [Path(str(source)) for source in (task_vars or {}).get("ansible_inventory_sources") or ()]
            report = _report(options, sources, self._loader)
            found = report.as_dict()
            files = _write(Path(options["directory"]), report, found)
        except CostError as error:
            return {**result, "changed": False, "failed": True, "msg": str(error)}
        # Imported here because tables take a tenth of a second to load, which other tasks need not wait for.
        from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.tables import text  # noqa: PLC0415 - slow to load

        display.display(text(report, details=options["details"]))
        return {**result, "changed": False, "report": _result(report, found, files)}


def _report(options: Mapping[str, Any], sources: Sequence[Path], loader: Any) -> Report:
    estimates = [Estimate.from_dict(one) for one in options["estimates"]]
    prices = price_list(Path(options["prices_file"] or PRICES))
    facts = PriceFacts(prices.as_of, datetime.now(UTC).date(), options["price_age_limit_days"])
    if not options["base"]:
        return Report(estimates, facts)
    before = baseline(options["base"], Run(sources, prices, loader))
    names = {one.environment for one in estimates}
    # A run of some environments says nothing of the others that an earlier report may have.
    return Report(
        estimates, facts, compare([one for one in before if one.environment in names], estimates), options["base"]
    )


def _write(folder: Path, report: Report, found: Mapping[str, Any]) -> list[str]:
    """Write the report in all forms, and return the files."""
    from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.markdown import markdown  # noqa: PLC0415 - as above
    from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.page import page  # noqa: PLC0415 - as above

    contents = {
        "cost.json": json.dumps(found, indent=2) + "\n",
        "cost.html": page(report),
        "cost.md": markdown(report),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(content, "utf-8")
    return [str(folder / name) for name in contents]


def _result(report: Report, found: Mapping[str, Any], files: list[str]) -> dict[str, Any]:
    return {
        "over_budget": report.over_budget,
        "unpriced": [f"{one.environment}: {line.name}" for one in report.estimates for line in one.unpriced],
        "warnings": report.warnings,
        "monthly": found["monthly"],
        "change": (found["difference"] or {}).get("change"),
        "files": files,
    }
