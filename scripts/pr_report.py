# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts the plan and the cost of a branch together into the one comment of its pull request, ``build/pr-report.md``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"
#: By this line the comment is found again, to be written over.
MARK = "<!-- pipeops.platform: pull request -->"
#: GitHub refuses comments above 65536 characters.
LIMIT = 60_000
FOLDED = re.compile(r"<details(?: open)?><summary>(?P<title>[^<]*)</summary>.*?</details>", re.DOTALL)
OWN_MARK = re.compile(r"\A<!--[^>]*-->\s*")
LEFT_OUT = "*{title}: too long for a comment; it is in the job's artifact.*"


def report(plan: str, cost: str, run: str) -> str:
    """Return the comment.

    Args:
        plan: the Markdown of the plan; empty if there is none.
        cost: the Markdown of the cost report; empty if there is none.
        run: a link to the run that made it, or words instead.
    """
    planned = plan.strip() or "> [!CAUTION]\n> There is no plan: the run has failed, and says why."
    priced = (
        OWN_MARK.sub("", cost).strip() or "> [!CAUTION]\n> There is no cost report: the run has failed, and says why."
    )
    end = (
        "The plan compares this branch with where it left its base, on a sandbox: no AWS account was asked, and what "
        f"runs inside clusters is not in it. {run}"
    )
    return shortened(f"{MARK}\n\n## Plan\n\n{planned}\n\n{priced}\n\n---\n\n{end}\n")


def shortened(text: str, limit: int = LIMIT) -> str:
    """Return a text that is short enough, by leaving out what is folded, the longest of it first."""
    while len(text) > limit:
        folded = max(FOLDED.finditer(text), key=lambda found: len(found[0]), default=None)
        if folded is None:
            return f"{text[: limit - 100]}\n\n*The rest is too long for a comment; it is in the job's artifact.*\n"
        text = text[: folded.start()] + LEFT_OUT.format(title=folded["title"]) + text[folded.end() :]
    return text


def run_link(variables: Mapping[str, str]) -> str:
    """Return a link to the run of the workflow, from the variables that GitHub sets."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    if not all(variables.get(name) for name in names):
        return "Made by hand."
    server, repository, run = (variables[name] for name in names)
    commit = variables.get("PULL_REQUEST_COMMIT", "")
    return f"[Run]({server}/{repository}/actions/runs/{run}){f' for {commit}' if commit else ''}."


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def main() -> int:
    """Write the comment and say where it is."""
    text = report(_read(BUILD / "plans" / "pr.md"), _read(BUILD / "cost" / "cost.md"), run_link(os.environ))
    BUILD.mkdir(exist_ok=True)
    path = BUILD / "pr-report.md"
    path.write_text(text, "utf-8")
    sys.stdout.write(f"{path.relative_to(ROOT)}: {len(text)} characters\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
