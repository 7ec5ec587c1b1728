# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports the drift of all environments of a run side by side, and ends the run with a status of its own."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drift
type: aggregate
short_description: Report drift, and tell it by the exit status
version_added: 1.0.0
description:
  - At the end of a run with a play that has the variable C(drift), prints what M(pipeops.platform.drift_info) found in
    each environment, and writes C(drift-TIME.json) and C(drift-TIME.html).
  - Ends such a run with status V(3) if drift is left, so that a scheduler can tell it from a failure, which is
    Ansible's own V(2), or V(4) for a host that cannot be reached.
requirements:
  - enabling in C(callbacks_enabled), after all others
  - rich
options:
  directory:
    description: Where the files are written. It is made if it does not exist.
    type: path
    default: build/reports
    env:
      - name: PIPEOPS_REPORT_DIR
    ini:
      - section: callback_drift
        key: directory
  width:
    description: The width of the table in characters; that of the terminal if not set.
    type: int
    env:
      - name: PIPEOPS_PLAN_WIDTH
    ini:
      - section: callback_drift
        key: width
"""

import json
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.pipeops.platform.plugins.plugin_utils.drift_report import SIGNS, STYLES, DriftReport
from ansible_collections.pipeops.platform.plugins.plugin_utils.timeline import now

#: The status of a run that found drift.
DRIFTED = 3


class CallbackModule(CallbackBase):
    """Collects what was found in each environment."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "pipeops.platform.drift"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._report: DriftReport | None = None
        self._zero = time.monotonic()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        asked = play.get_vars().get("drift")
        if asked and self._report is None:
            self._zero = time.monotonic()
            self._report = DriftReport(now(), healed=False)

    def v2_runner_on_ok(self, result: Any) -> None:
        found = result.result.get("drift")
        if self._report and isinstance(found, dict) and "findings" in found:
            self._report.environments[result.host.get_name()] = found
            self._report.healed |= bool(found.get("healed"))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if self._report and not ignore_errors:
            self._report.failed[result.host.get_name()] = str(result.result.get("msg", "a task failed"))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self.v2_runner_on_failed(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        report = self._report
        if report is None:
            return
        report.seconds = time.monotonic() - self._zero
        self._print(report)
        self._display.display(f"\nReport: {self._write(report)}")
        if report.left and not report.failed:
            # Ansible has no status for it, and a failed task would be told by that of any other failure.
            raise SystemExit(DRIFTED)

    def _write(self, report: DriftReport) -> Path:
        folder = Path(self.get_option("directory"))
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report.as_dict(), indent=2, default=str) + "\n"
        (folder / f"{report.file_name}.json").write_text(text, "utf-8")
        page = folder / f"{report.file_name}.html"
        page.write_text(report.as_html(), "utf-8")
        return page

    def _print(self, report: DriftReport) -> None:
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second that only this moment needs
        from rich.table import Table  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        console = Console(width=self.get_option("width"), highlight=False)
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in ("", "environment", "resource", "name", "identifier", "what differs", "who"):
            table.add_column(title, overflow="fold")
        for category, *cells in report.rows():
            table.add_row(Text(SIGNS[category], style=STYLES[category]), *(Text(cell) for cell in cells))
        with console.capture() as capture:
            console.print()
            console.rule(f"[bold]drift[/] · {report.seconds:.1f} s", align="left")
            if table.row_count:
                console.print(table)
            for name, said in report.totals():
                console.print(f"[bold]{name}[/]: {said}", markup=True)
        self._display.display(capture.get().rstrip())
