# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pr_comment
import pr_report
import pytest

from tests.github_server import REPOSITORY, TOKEN, Hub, github

TEXT = f"{pr_report.MARK}\n\n## Plan\n"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with github() as found:
        yield found


def keep(hub: Hub, folder: Path, text: str, **more: str) -> int:
    page = folder / "report.md"
    page.write_text(text, "utf-8")
    variables = {"GITHUB_API_URL": hub.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN, "PULL_REQUEST": "7"}
    return pr_comment.main([str(page)], {**variables, **more})


def test_one_comment_is_made_then_written_over_then_left(hub: Hub, tmp_path: Path) -> None:
    assert keep(hub, tmp_path, TEXT) == 0
    assert keep(hub, tmp_path, f"{TEXT}more\n") == 0
    assert keep(hub, tmp_path, f"{TEXT}more\n") == 0
    assert [one["body"] for one in hub.comments] == [f"{TEXT}more\n"]
    assert hub.changes == ["POST issues/7/comments", f"PATCH issues/comments/{hub.comments[0]['id']}"]


def test_it_is_found_behind_those_of_others_on_a_later_page(hub: Hub, tmp_path: Path) -> None:
    people = [{"id": number, "body": "hello", "user": {"type": "User"}} for number in range(4)]
    quoting = {"id": 4, "body": f"{TEXT}quoted", "user": {"type": "User"}}
    hub.comments += [*people, quoting, {"id": 5, "body": TEXT, "user": {"type": "Bot"}}]
    assert keep(hub, tmp_path, f"{TEXT}new\n") == 0
    assert hub.changes == ["PATCH issues/comments/5"]
    assert hub.comments[4] == quoting


def test_a_refusal_says_which_permission_is_missing(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keep(hub, tmp_path, TEXT, GITHUB_TOKEN="another") == 1
    said = capsys.readouterr().err
    assert "GitHub says 401" in said
    assert "pull-requests: write" in said


def test_nothing_is_asked_without_what_says_where(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert keep(hub, tmp_path, TEXT, PULL_REQUEST="", GITHUB_TOKEN="") == 1
    assert "GITHUB_TOKEN, PULL_REQUEST not set" in capsys.readouterr().err
    assert keep(hub, tmp_path, "no mark") == 1
    assert "does not begin with a mark" in capsys.readouterr().err
    assert hub.calls == []


def test_the_report_has_plan_cost_and_run() -> None:
    text = pr_report.report(
        "### prod: no change\n", "<!-- pipeops.platform: cost -->\n\n## Cost: no change\n", "Run 1."
    )
    assert text.startswith(TEXT)
    assert text.index("### prod: no change") < text.index("## Cost: no change") < text.index("Run 1.")
    assert "pipeops.platform: cost" not in text


def test_a_report_without_a_plan_says_so() -> None:
    text = pr_report.report("", "", "")
    assert "There is no plan" in text
    assert "There is no cost report" in text


def test_what_is_folded_goes_first_when_it_is_too_long() -> None:
    def folded(title: str, size: int) -> str:
        return f"<details><summary>{title}</summary>\n\n{'x' * size}\n\n</details>"

    text = f"begin\n{folded('short', 100)}\n{folded('long', 900)}\nend"
    assert pr_report.shortened(text, 2000) == text
    cut = pr_report.shortened(text, 600)
    assert "*long: too long for a comment" in cut
    assert folded("short", 100) in cut
    assert cut.endswith("\nend")
    assert len(pr_report.shortened("y" * 5000, 600)) <= 600


def test_the_link_is_that_of_the_run() -> None:
    variables = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_RUN_ID": "5"}
    found = pr_report.run_link({**variables, "PULL_REQUEST_COMMIT": "abc"})
    assert found == f"[Run](https://github.com/{REPOSITORY}/actions/runs/5) for abc."
    assert pr_report.run_link({}) == "Made by hand."
