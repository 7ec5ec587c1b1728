# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.pipeops.platform.plugins.plugin_utils.timeline import Span, Timeline, marks, rows

BEGAN = datetime(2026, 11, 25, 3, 4, 5, tzinfo=UTC)


def timeline(*spans: Span, **findings: object) -> Timeline:
    return Timeline("failover", "Failover of <prod>", BEGAN, list(spans), dict(findings))


@pytest.mark.parametrize("seconds", [0.003, 0.9, 1, 7, 10, 12.5, 59, 100, 423, 3600, 86400])
def test_a_scale_has_few_round_marks(seconds: float) -> None:
    found = list(marks(seconds))
    assert 3 <= len(found) <= 11
    assert found[0] == 0
    assert found[-1] <= seconds < found[-1] + found[1]


def test_no_time_has_no_marks() -> None:
    assert list(marks(0)) == []


def test_findings_are_lines() -> None:
    checks = [{"name": "lag", "grade": "good", "finding": "0.1 s", "mend": ""}]
    found = {
        "lost_seconds": 0.4,
        "writes_lost": 0,
        "checks": checks,
        "evidence": {"replayed_lsn": "0/3"},
        "owed": [],
        "fenced": True,
        "lag": None,
    }
    assert list(rows(found)) == [
        ("lost seconds", "0.4"),
        ("writes lost", "0"),
        ("checks: lag", "good · 0.1 s"),
        ("evidence: replayed lsn", "0/3"),
        ("owed", "none"),
        ("fenced", "yes"),
        ("lag", "unknown"),
    ]


def test_files_are_named_in_the_order_of_time() -> None:
    assert timeline().file_name == "failover-20261125T030405Z"


def test_a_page_draws_what_took_time_and_what_failed() -> None:
    spans = (Span("dr", "Promote", 0, 100), Span("dr", "Look", 100, 100.01), Span("prod", "Fence", 1, 1, "failed"))
    page = timeline(*spans, **{"lost seconds": "<4"}).as_html()
    assert "Failover of &lt;prod&gt;" in page
    assert "&lt;4" in page
    assert "width:99.990%" in page
    assert ">Promote<" not in page
    assert "Look" not in page
    assert "1 steps that took no time" in page
    assert "Fence" in page
    assert "<script" not in page
    assert "http" not in page


def test_the_json_has_everything() -> None:
    found = timeline(Span("dr", "Promote", 0.5, 100), lost=0).as_dict()
    assert found["seconds"] == 100
    assert found["result"] == "done"
    assert found["findings"] == {"lost": 0}
    assert found["steps"] == [{"host": "dr", "task": "Promote", "start": 0.5, "end": 100, "status": "ok"}]
