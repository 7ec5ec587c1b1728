# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows a run as a plan, and a finished one as what stands where."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan
type: aggregate
short_description: Print the plan of a run and what stands after it
version_added: 1.0.0
description:
  - At the end of a run, prints for each environment what was (or with C(--check) would be) created, changed and
    deleted, what that interrupts, whether it can be undone, how long it usually takes and what is created costs a
    month, and then the totals.
  - After a real run, prints what stands where.
  - Writes the same as Markdown for pull requests, and as JSON for other programs.
requirements:
  - enabling in C(callbacks_enabled)
  - rich
options:
  json_path:
    description: The file to write; none if not set. Its folder is made if it does not exist.
    type: path
    env:
      - name: PIPEOPS_PLAN_JSON
    ini:
      - section: callback_plan
        key: json_path
  markdown_path:
    description: The file to write as Markdown; none if not set. Its folder is made if it does not exist.
    type: path
    env:
      - name: PIPEOPS_PLAN_MARKDOWN
    ini:
      - section: callback_plan
        key: markdown_path
  width:
    description: The width of the tables in characters; that of the terminal if not set.
    type: int
    env:
      - name: PIPEOPS_PLAN_WIDTH
    ini:
      - section: callback_plan
        key: width
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.pipeops.platform.plugins.plugin_utils import run_report
from ansible_collections.pipeops.platform.plugins.plugin_utils.cost.plan import price_of, sum_line
from ansible_collections.pipeops.platform.plugins.plugin_utils.plan_markdown import markdown


class CallbackModule(CallbackBase):
    """Collects the actions of our modules and prints them when the play has ended."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "pipeops.platform.plan"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._records: dict[str, run_report.HostRecord] = {}
        self._failed: set[str] = set()

    def _record(self, host: str) -> run_report.HostRecord:
        return self._records.setdefault(host, run_report.HostRecord(host))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        for host in play.get_variable_manager()._inventory.get_hosts(play.hosts):
            self._record(host.get_name())

    def v2_runner_on_ok(self, result: Any) -> None:
        # What a task foresees in a run that changes things is a question, and no change.
        foreseen = result.task.check_mode and not context.CLIARGS.get("check")
        if not result.task.loop and not foreseen:
            self._record(result.host.get_name()).add(result.task.get_name(), None, result.result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        label = self._get_item_label(result.result)
        self._record(result.host.get_name()).add(result.task.get_name(), str(label), result.result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            self._failed.add(result.host.get_name())
            self._record(result.host.get_name()).add(result.task.get_name(), None, result.result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        check_mode = bool(context.CLIARGS.get("check"))
        records = [record for record in self._records.values() if record.actions or record.document or record.later]
        self._write("json_path", lambda: self._json(check_mode, stats))
        self._write("markdown_path", lambda: markdown(self._records.values(), check_mode, self._failed))
        if records:
            self._print(records, check_mode)

    def _json(self, check_mode: bool, stats: Any) -> str:
        hosts = {name: {**record.as_dict(), "stats": stats.summarize(name)} for name, record in self._records.items()}
        return json.dumps({"check_mode": check_mode, "hosts": hosts}, indent=2, default=str) + "\n"

    def _write(self, option: str, text: Callable[[], str]) -> None:
        """Write a text into the file that an option names, if it names one."""
        path = self.get_option(option)
        if path:
            target = Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text(), "utf-8")

    def _print(self, records: list[run_report.HostRecord], check_mode: bool) -> None:
        from rich.console import Console  # noqa: PLC0415 - a tenth of a second that only this moment needs

        console = Console(width=self.get_option("width"), highlight=False)
        with console.capture() as capture:
            for record in records:
                _print_record(console, record, check_mode, record.name in self._failed)
        self._display.display(capture.get().rstrip())


def _print_record(console: Any, record: run_report.HostRecord, check_mode: bool, failed: bool) -> None:
    from rich.table import Table  # noqa: PLC0415 - as in _print

    console.print()
    console.rule(f"[bold]{record.name}[/] · {'plan' if check_mode else 'run'} · {record.seconds:.1f} s", align="left")
    if record.actions:
        console.print(_action_table(record.actions))
    console.print(
        f"[bold]{run_report.totals_line(record.counts(), check_mode)}[/]" + (" before it failed" if failed else "")
    )
    cost = sum_line(record.actions)
    if cost:
        console.print(cost)
    for item in record.unmanaged:
        console.print(f"[dim]not in the inventory, left alone: {item['kind']} {item['name']} ({item['id']})[/]")
    if record.later or record.left_alone:
        _print_takeover(console, record)
    if check_mode or failed or not record.document:
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for part, text in run_report.summary_rows(record.document):
        table.add_row(f"[bold]{part}[/]", text)
    if record.addons:
        table.add_row("[bold]add-ons[/]", run_report.addon_lines(record.addons))
    console.print(table)


def _print_takeover(console: Any, record: run_report.HostRecord) -> None:
    for item in record.left_alone:
        console.print(f"[dim]left alone: {item['kind']} {item['id']}: {item['reason']}[/]")
    if record.later:
        console.print("\n[bold]afterwards, site.yml would[/]")
        console.print(_action_table(record.later))


def _action_table(actions: list[dict[str, Any]]) -> Any:
    from rich.table import Table  # noqa: PLC0415 - as in _print
    from rich.text import Text  # noqa: PLC0415 - as in _print

    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("", "resource", "name", "what changes", "effect", "usually", "a month"):
        table.add_column(title, overflow="fold")
    for action in actions:
        style = run_report.STYLES[action["verb"]]
        table.add_row(
            Text(run_report.SIGNS[action["verb"]], style=style),
            action["label"],
            Text(action["name"], style=style),
            run_report.changed_attributes(action),
            run_report.effect(action),
            run_report.duration(action["typical_seconds"]),
            price_of(action),
        )
    return table
