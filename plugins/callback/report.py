# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leaves a report of a run that its plays ask for: what was found, and a drawn timeline."""

from __future__ import annotations

DOCUMENTATION = r"""
name: report
type: aggregate
short_description: Leave a report with a timeline
version_added: 1.0.0
description:
  - At the end of a run in which a play has the variable C(report), a dictionary with C(kind) and C(title), writes
    C(KIND-TIME.json) and C(KIND-TIME.html) with each task, when it began and ended, and how.
  - What tasks say with M(ansible.builtin.set_stats) stands in it as findings.
  - A run that fails leaves its report, too.
requirements:
  - enabling in C(callbacks_enabled)
options:
  directory:
    description: Where the files are written. It is made if it does not exist.
    type: path
    default: build/reports
    env:
      - name: PIPEOPS_REPORT_DIR
    ini:
      - section: callback_report
        key: directory
"""

import json
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.pipeops.platform.plugins.plugin_utils.timeline import Span, Timeline, now


class CallbackModule(CallbackBase):
    """Notes when each task begins and ends."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "pipeops.platform.report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._timeline: Timeline | None = None
        self._zero = time.monotonic()
        self._running: dict[tuple[str, str], Span] = {}

    def v2_playbook_on_play_start(self, play: Any) -> None:
        asked = play.get_vars().get("report")
        if asked and self._timeline is None:
            self._zero = time.monotonic()
            self._timeline = Timeline(str(asked["kind"]), str(asked["title"]), now())

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        if self._timeline:
            span = Span(host.get_name(), task.get_name(), time.monotonic() - self._zero)
            self._running[host.get_name(), task._uuid] = span

    def v2_runner_on_ok(self, result: Any) -> None:
        self._end(result, "changed" if result.result.get("changed") else "ok")
        stats = result.result.get("ansible_stats") or {}
        if self._timeline and stats:
            self._timeline.findings.update(stats.get("data") or {})

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._end(result, "rescued" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._end(result, "failed")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._running.pop((result.host.get_name(), result.task._uuid), None)

    def _end(self, result: Any, status: str) -> None:
        span = self._running.pop((result.host.get_name(), result.task._uuid), None)
        if self._timeline and span:
            span.end, span.status = time.monotonic() - self._zero, status
            self._timeline.spans.append(span)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        timeline = self._timeline
        if timeline is None:
            return
        for span in timeline.spans:
            # A host that failed and went on was rescued: its play has no failure at the end.
            if span.status == "failed" and not stats.summarize(span.host)["failures"]:
                span.status = "rescued"
        folder = Path(self.get_option("directory"))
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(timeline.as_dict(), indent=2, default=str) + "\n"
        (folder / f"{timeline.file_name}.json").write_text(text, "utf-8")
        page = folder / f"{timeline.file_name}.html"
        page.write_text(timeline.as_html(), "utf-8")
        self._display.display(f"\nReport: {page}")
