# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.pipeops.platform.plugins.plugin_utils.plan_markdown import OPEN_ROWS, escape, markdown
from ansible_collections.pipeops.platform.plugins.plugin_utils.run_report import HostRecord


def action(verb: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "verb": verb, "label": "DB instance", "name": name, "typical_seconds": 600, "interrupts": "",
        "reversible": True, "differences": [], **more,
    }  # fmt: skip


def record(*actions: dict[str, Any], **more: Any) -> HostRecord:
    return HostRecord("prod", actions=list(actions), **more)


RESIZE = action(
    "update", "pipeops-prod", interrupts="writers", differences=[{"attribute": "class", "before": "a", "after": "b"}]
)
CREATE = action("create", "x", monthly={"usd": 32.85, "note": ""})


def test_a_plan_says_what_hurts_before_the_table() -> None:
    text = markdown([record(RESIZE, CREATE, action("delete", "old", reversible=False))], check_mode=True)
    assert text.startswith("### prod: 1 to create, 1 to change, 1 to delete\n")
    warning, table = text.index("> [!WARNING]"), text.index("<details open>")
    assert warning < table
    assert "> - `~` DB instance pipeops-prod: interrupts writers" in text
    assert "> - `-` DB instance old: cannot be undone" in text
    assert "| `~` | DB instance | pipeops-prod | class a → b | interrupts writers | 10 min |  |" in text
    assert "| `+` | DB instance | x |  |  | 10 min | $32.85 |" in text
    assert "What is created costs $32.85 a month" in text


def test_nothing_to_do_is_one_line() -> None:
    assert markdown([record()], check_mode=True) == "### prod: no change\n"


def test_what_failed_and_what_is_left_alone_is_told() -> None:
    unmanaged = [{"kind": "route", "name": "a<b", "id": "r-1"}]
    text = markdown([record(CREATE, unmanaged=unmanaged)], check_mode=False, failed={"prod"})
    assert text.startswith("### prod: 1 created, 0 changed, 0 deleted before it failed\n")
    assert "> [!CAUTION]" in text
    assert "Not in the inventory, left alone: route `a&lt;b`." in text


def test_a_long_table_is_folded() -> None:
    text = markdown([record(*[CREATE] * (OPEN_ROWS + 1))], check_mode=True)
    assert f"<details><summary>{OPEN_ROWS + 1} actions</summary>" in text


def test_names_end_no_cell_and_make_no_tag_link_or_mention() -> None:
    assert escape("a|b\n<img src=x> [l](u) @all & c") == "a\\|b &lt;img src=x> \\[l](u) &#64;all &amp; c"
