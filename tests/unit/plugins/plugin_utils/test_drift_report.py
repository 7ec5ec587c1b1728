# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible_collections.pipeops.platform.plugins.plugin_utils.drift_report import (
    NOTHING,
    DriftReport,
    culprit,
    difference,
)

BEGAN = datetime(2026, 11, 25, 16, 39, 5, tzinfo=UTC)
WHO = {"by": "alice", "event": "ModifyDBInstance", "at": "2026-11-25T16:00:00+00:00", "sure": True}


def finding(category: str, name: str, *, heals: bool = True, **more: Any) -> dict[str, Any]:
    given = {"category": category, "kind": "thing", "name": name, "label": "Thing", "id": f"thing-{name}", "arn": ""}
    return {**given, "differences": [], "heals": heals, "interrupts": "", "who": {}, **more}


def drift(*findings: dict[str, Any]) -> dict[str, Any]:
    counts = {name: sum(item["category"] == name for item in findings) for name in NOTHING["counts"]}
    return {"found": len(findings), "counts": counts, "findings": list(findings), "note": ""}


def report(healed: bool = False) -> DriftReport:
    one = {"attribute": "multi_az", "wanted": True, "found": False}
    changed = finding("changed", "<b>", differences=[one], who=WHO)
    environments = {"prod": drift(changed, finding("unmanaged", "x", heals=False)), "dev": drift()}
    return DriftReport(BEGAN, healed, environments, {"dr": "Refused, nothing was changed."})


def test_what_heals_is_not_left_after_healing() -> None:
    assert report().left == 2
    assert report(healed=True).left == 1


def test_one_that_sleeps_is_told_and_counts_as_nothing() -> None:
    asleep = {**drift(), "note": "pipeops-dev is hibernated, since 20:00.", "hibernated": True}
    told = DriftReport(BEGAN, False, {"dev": asleep})
    assert dict(told.totals()) == {"dev": "not compared: pipeops-dev is hibernated, since 20:00."}
    assert (told.left, list(told.rows())) == (0, [])
    assert "pipeops-dev is hibernated" in told.as_html()


def test_rows_and_totals_name_everything() -> None:
    assert list(report().rows()) == [
        ("changed", "prod", "Thing", "<b>", "thing-<b>", "multi_az is false, not true",
         "alice, ModifyDBInstance at 2026-11-25T16:00:00+00:00"),
        ("unmanaged", "prod", "Thing", "x", "thing-x", "", ""),
    ]  # fmt: skip
    assert dict(report().totals()) == {
        "dev": "as the inventory says",
        "dr": "not compared to the end: Refused, nothing was changed.",
        "prod": "1 changed, 1 unmanaged",
    }


def test_the_page_needs_nothing_and_believes_nobody() -> None:
    page = report().as_html()
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert "<script" not in page and "src=" not in page and "http" not in page
    for part in ("multi_az is false, not true", "alice, ModifyDBInstance", "Refused, nothing was changed."):
        assert part in page


def test_data_sort_by_time() -> None:
    assert report().file_name == "drift-20261125T163905Z"
    assert report().as_dict()["left"] == 2


def test_long_values_are_cut_and_guesses_are_called_so() -> None:
    cut = difference({"attribute": "policy", "wanted": {"a": "x" * 100}, "found": None})
    assert cut.startswith("policy is null, not ") and cut.endswith("…") and len(cut) < 90
    assert culprit({**WHO, "sure": False}).startswith("probably alice")
    assert culprit({}) == ""
