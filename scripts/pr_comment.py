# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps one comment of ours on a pull request: makes it, or writes over the one that is there.

Reads ``build/pr-report.md``, or the file that is named. What GitHub says where: ``GITHUB_API_URL``,
``GITHUB_REPOSITORY``, ``GITHUB_TOKEN`` (may write pull requests), and the number in ``PULL_REQUEST``.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parent.parent
MARK = re.compile(r"\A<!-- pipeops\.platform: [a-z ]+ -->")
NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
SECONDS = 30


class CommentError(Exception):
    """The comment could not be kept; the message says why, and what to do."""


class Comments:
    """The comments of one pull request.

    Args:
        variables: those that GitHub sets for a job.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        wanted = ("GITHUB_REPOSITORY", "GITHUB_TOKEN", "PULL_REQUEST")
        missing = [name for name in wanted if not variables.get(name)]
        if missing:
            raise CommentError(f"{', '.join(missing)} not set: which pull request is commented on, and as whom?")
        api = variables.get("GITHUB_API_URL") or "https://api.github.com"
        self._issues = f"{api}/repos/{variables['GITHUB_REPOSITORY']}/issues"
        self._own = f"{self._issues}/{int(variables['PULL_REQUEST'])}/comments"
        self._token = variables["GITHUB_TOKEN"]

    def keep(self, text: str) -> str:
        """Make the comment say this, and return what was done: ``created``, ``updated`` or ``unchanged``."""
        mark = MARK.match(text)
        if mark is None:
            raise CommentError("the text does not begin with a mark of ours, so it would not be found again")
        standing = next((one for one in self._all() if _is_ours(one, mark[0])), None)
        if standing is None:
            self._call("POST", self._own, {"body": text})
            return "created"
        if standing["body"].strip() == text.strip():
            return "unchanged"
        self._call("PATCH", f"{self._issues}/comments/{int(standing['id'])}", {"body": text})
        return "updated"

    def _all(self) -> Iterator[dict[str, Any]]:
        url = f"{self._own}?per_page=100"
        while url:
            link, page = self._call("GET", url)
            yield from page
            following = NEXT.search(link)
            url = following[1] if following else ""

    def _call(self, method: str, url: str, body: Mapping[str, str] | None = None) -> tuple[str, Any]:
        """Return the header with links to further pages, and the answer."""
        headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(url, data, headers, method=method), timeout=SECONDS) as answer:
                return answer.headers.get("Link") or "", json.loads(answer.read())
        except HTTPError as error:
            hint = " The job needs the permission pull-requests: write." if error.code in (401, 403) else ""
            said = error.read().decode(errors="replace")[:300]
            raise CommentError(f"{method} {url}: GitHub says {error.code} {said}.{hint}") from None
        except URLError as error:
            raise CommentError(f"{method} {url}: GitHub cannot be reached: {error.reason}") from None


def _is_ours(comment: Mapping[str, Any], mark: str) -> bool:
    # A person may quote the mark: only what a program wrote is written over.
    return comment["user"]["type"] == "Bot" and str(comment["body"]).startswith(mark)


def main(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Keep the comment, and say what was done."""
    path = Path(arguments[0]) if arguments else ROOT / "build" / "pr-report.md"
    try:
        sys.stdout.write(f"comment {Comments(variables).keep(path.read_text('utf-8'))}\n")
    except (CommentError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
