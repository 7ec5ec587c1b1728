# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls to GitHub's REST API: one function a verb, errors that say what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible.module_utils.urls import open_url

VERSION = "2022-11-28"
REPOSITORY = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")
NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
#: What helps against a refusal.
HINTS: Mapping[int, str] = {
    401: "The token is not valid (any more): give another one as token, or in GITHUB_TOKEN.",
    403: "The token may not do that: it needs Administration and Environments (write) of this repository, and for "
    "teams Members (read) of the organization; or too many calls were made.",
    404: "Either it is not there, or the token may not see it: check repository, and what the token is for.",
    422: "GitHub does not take these values.",
}


class GithubError(Exception):
    """GitHub refused, or could not be asked; the message says what, and what to do."""


@dataclass(frozen=True)
class Github:
    """One repository.

    Attributes:
        repository: ``OWNER/NAME``.
        url: that of the API.
        seconds: patience with one answer.
    """

    repository: str
    token: str
    url: str = "https://api.github.com"
    seconds: int = 30

    def get(self, path: str) -> dict[str, Any] | None:
        """Return what is at a path of the repository; None if nothing is."""
        _status, answer = self._call("GET", self._at(path), missing=True)
        return answer if isinstance(answer, dict) else None

    def find(self, path: str) -> dict[str, Any] | None:
        """Return what is at a path of the API itself; None if nothing is."""
        _status, answer = self._call("GET", f"{self.url}/{path}", missing=True)
        return answer if isinstance(answer, dict) else None

    def pages(self, path: str, key: str = "") -> list[dict[str, Any]]:
        """Return a list, all pages of it.

        Args:
            key: under which the list is, if it is not the whole answer.
        """
        found: list[dict[str, Any]] = []
        url = f"{self._at(path)}{'&' if '?' in path else '?'}per_page=100"
        while url:
            link, answer = self._call("GET", url)
            found.extend(answer[key] if key else answer)
            following = NEXT.search(link)
            url = following[1] if following else ""
        return found

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Change something, and return the answer, empty if there is none."""
        _status, answer = self._call(method, self._at(path), body)
        return answer or {}

    def _at(self, path: str) -> str:
        owner, _slash, name = self.repository.partition("/")
        return f"{self.url}/repos/{quote(owner)}/{quote(name)}/{path}"

    def _call(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, *, missing: bool = False
    ) -> tuple[str, Any]:
        """Return the header with links to further pages, and the answer; None if nothing is there and that is fine."""
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": VERSION,
        }
        data = None if body is None else json.dumps(body)
        try:
            answer = open_url(
                url, data, headers=headers, method=method, timeout=self.seconds, http_agent="pipeops.platform"
            )
            text = answer.read()
        except HTTPError as error:
            if missing and error.code == 404:
                return "", None
            raise GithubError(self._told(method, url, error)) from None
        except (URLError, OSError) as error:
            raise GithubError(
                f"{method} {url}: GitHub cannot be reached ({error}). Check api_url and the network."
            ) from None
        return answer.headers.get("Link", ""), json.loads(text) if text else None

    def _told(self, method: str, url: str, error: HTTPError) -> str:
        try:
            answer = json.loads(error.read())
        except ValueError:
            answer = {}
        details = "; ".join(str(one) for one in answer.get("errors", []))
        said = f"{answer.get('message', error.reason)}{f' ({details})' if details else ''}"
        hint = HINTS.get(error.code, "Try again later." if error.code >= 500 else "")
        return f"{method} {url}: GitHub says {error.code}, {said}. {hint}".strip()


def argument_spec() -> dict[str, Any]:
    """Return the options that say which repository, and as whom."""
    return {
        "repository": {"type": "str", "required": True},
        "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["GITHUB_TOKEN"])},
        "api_url": {
            "type": "str",
            "default": "https://api.github.com",
            "fallback": (env_fallback, ["GITHUB_API_URL"]),
        },
        "timeout": {"type": "int", "default": 30},
    }


def github_of(params: Mapping[str, Any]) -> Github:
    """Return the repository that a task names.

    Raises:
        GithubError: if that is no name of one, or there is no token for it.
    """
    if not params["token"]:
        raise GithubError(f"There is no token for {params['repository']}. Give one as token, or in GITHUB_TOKEN.")
    if not REPOSITORY.fullmatch(params["repository"]):
        raise GithubError(f"repository is {params['repository']!r}, and has to be OWNER/NAME.")
    return Github(params["repository"], params["token"], params["api_url"].rstrip("/"), params["timeout"])


def run_on_github(
    run: Callable[[dict[str, Any], Github, bool], dict[str, Any]], spec: Mapping[str, Any], **more: Any
) -> None:
    """Run a module on the repository that its task names, and end it: what GitHub refuses is its failure.

    Args:
        run: takes the options, the repository, and whether nothing may be changed, and returns the result.
        spec: the options that the module has beside those of the repository.
        more: further arguments of AnsibleModule, e.g. ``required_if``.
    """
    module = AnsibleModule({**argument_spec(), **spec}, supports_check_mode=True, **more)
    try:
        module.exit_json(**run(module.params, github_of(module.params), module.check_mode))
    except GithubError as error:
        module.fail_json(msg=str(error))
