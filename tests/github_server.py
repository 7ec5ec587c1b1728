# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As much of GitHub's REST API as our delivery uses, in the shapes that GitHub publishes, on loopback.

Comments of issues, rulesets, environments with their policies and variables, users and teams. It keeps what it is told,
numbers it, adds what GitHub adds (defaults of rules, ids, links), and pages lists by two, whatever is asked for.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

REPOSITORY = "pipeops/platform"
TOKEN = "a token of this test"
PAGE = 2
#: What GitHub adds to rules that do not say it.
DEFAULTS = {"pull_request": {"allowed_merge_methods": ["merge", "squash", "rebase"], "required_reviewers": []}}


class Refusal(Exception):
    """What GitHub answers instead: a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Hub:
    """The state of one repository.

    Attributes:
        calls: each call that was made, e.g. ``PUT environments/prod``.
    """

    comments: list[dict[str, Any]] = field(default_factory=list)
    rulesets: dict[int, dict[str, Any]] = field(default_factory=dict)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    url: str = ""
    last: int = 100

    @property
    def changes(self) -> list[str]:
        """The calls that change something."""
        return [call for call in self.calls if not call.startswith("GET ")]

    def number(self) -> int:
        self.last += 1
        return self.last

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Return what GitHub answers."""
        if path.startswith("users/") or path.startswith("orgs/"):
            return self._who(path)
        prefix = f"repos/{REPOSITORY}/"
        if not path.startswith(prefix):
            raise Refusal(404, "Not Found")
        rest = path.removeprefix(prefix)
        self.calls.append(f"{method} {rest}")
        for pattern, serve in ROUTES:
            found = re.fullmatch(pattern, f"{method} {rest}")
            if found:
                return serve(self, *(unquote(part) for part in found.groups()), *([] if body is None else [body]))
        raise Refusal(404, "Not Found")

    def _who(self, path: str) -> dict[str, Any]:
        kind, *_between, name = path.split("/")
        if name == "nobody":
            raise Refusal(404, "Not Found")
        number = sum(name.encode())
        return {"id": number, "login": name, "type": "User"} if kind == "users" else {"id": number, "slug": name}

    def add_comment(self, _issue: str, body: dict[str, str]) -> dict[str, Any]:
        one = {"id": self.number(), "body": body["body"], "user": {"login": "github-actions[bot]", "type": "Bot"}}
        self.comments.append(one)
        return one

    def change_comment(self, number: str, body: dict[str, str]) -> dict[str, Any]:
        (one,) = (found for found in self.comments if found["id"] == int(number))
        one["body"] = body["body"]
        return one

    def keep_ruleset(self, number: int, body: dict[str, Any]) -> dict[str, Any]:
        rules = [
            {
                **rule,
                **(
                    {"parameters": {**DEFAULTS.get(rule["type"], {}), **rule["parameters"]}}
                    if "parameters" in rule
                    else {}
                ),
            }
            for rule in body["rules"]
        ]
        whole = {**body, "id": number, "source_type": "Repository", "source": REPOSITORY, "rules": rules}
        self.rulesets[number] = whole
        return whole

    def list_rulesets(self) -> list[dict[str, Any]]:
        return [{key: one[key] for key in ("id", "name", "target", "enforcement")} for one in self.rulesets.values()]

    def ruleset(self, number: str) -> dict[str, Any]:
        return self.rulesets[int(number)]

    def remove_ruleset(self, number: str) -> None:
        del self.rulesets[int(number)]

    def environment(self, name: str) -> dict[str, Any]:
        if name not in self.environments:
            raise Refusal(404, "Not Found")
        return self.environments[name]

    def keep_environment(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        rules: list[dict[str, Any]] = []
        if body.get("wait_timer"):
            rules.append({"id": self.number(), "type": "wait_timer", "wait_timer": body["wait_timer"]})
        if body.get("reviewers"):
            names = {self._who(f"users/{who}")["id"]: who for who in ("alice", "bob", "platform", "oncall")}
            told = [
                {
                    "type": one["type"],
                    "reviewer": {"id": one["id"], "login" if one["type"] == "User" else "slug": names[one["id"]]},
                }
                for one in body["reviewers"]
            ]
            approval = {
                "type": "required_reviewers",
                "prevent_self_review": body["prevent_self_review"],
                "reviewers": told,
            }
            rules.append({"id": self.number(), **approval})
        policy = body["deployment_branch_policy"]
        if policy and policy["protected_branches"] == policy["custom_branch_policies"]:
            raise Refusal(422, "protected_branches and custom_branch_policies cannot have the same value")
        if policy:
            rules.append({"id": self.number(), "type": "branch_policy"})
        if not (policy and policy["custom_branch_policies"]):
            self.policies[name] = []
        self.environments[name] = {"name": name, "protection_rules": rules, "deployment_branch_policy": policy}
        return self.environments[name]

    def remove_environment(self, name: str) -> None:
        del self.environments[name]
        self.policies.pop(name, None)
        self.variables.pop(name, None)

    def list_policies(self, name: str) -> dict[str, Any]:
        return {"total_count": len(self.policies.get(name, [])), "branch_policies": self.policies.get(name, [])}

    def add_policy(self, name: str, body: dict[str, str]) -> dict[str, Any]:
        if not (self.environment(name)["deployment_branch_policy"] or {}).get("custom_branch_policies"):
            raise Refusal(404, "Not Found")
        one = {"id": self.number(), "name": body["name"], "type": body.get("type", "branch")}
        self.policies.setdefault(name, []).append(one)
        return one

    def remove_policy(self, name: str, number: str) -> None:
        self.policies[name] = [one for one in self.policies[name] if one["id"] != int(number)]

    def list_variables(self, name: str) -> dict[str, Any]:
        found = [{"name": key, "value": value} for key, value in self.variables.get(name, {}).items()]
        return {"total_count": len(found), "variables": found}

    def add_variable(self, name: str, body: dict[str, str]) -> dict[str, Any]:
        if body["name"] in self.variables.setdefault(name, {}):
            raise Refusal(409, "Already exists")
        self.variables[name][body["name"]] = body["value"]
        return {}

    def change_variable(self, name: str, key: str, body: dict[str, str]) -> None:
        self.variables[name][key] = body["value"]


ROUTES: tuple[tuple[str, Callable[..., Any]], ...] = (
    (r"GET issues/\d+/comments", lambda hub: hub.comments),
    (r"POST issues/(\d+)/comments", Hub.add_comment),
    (r"PATCH issues/comments/(\d+)", Hub.change_comment),
    (r"GET rulesets", Hub.list_rulesets),
    (r"POST rulesets", lambda hub, body: hub.keep_ruleset(hub.number(), body)),
    (r"GET rulesets/(\d+)", Hub.ruleset),
    (r"PUT rulesets/(\d+)", lambda hub, number, body: hub.keep_ruleset(int(number), body)),
    (r"DELETE rulesets/(\d+)", Hub.remove_ruleset),
    (r"GET environments/([^/]+)", Hub.environment),
    (r"PUT environments/([^/]+)", Hub.keep_environment),
    (r"DELETE environments/([^/]+)", Hub.remove_environment),
    (r"GET environments/([^/]+)/deployment-branch-policies", Hub.list_policies),
    (r"POST environments/([^/]+)/deployment-branch-policies", Hub.add_policy),
    (r"DELETE environments/([^/]+)/deployment-branch-policies/(\d+)", Hub.remove_policy),
    (r"GET environments/([^/]+)/variables", Hub.list_variables),
    (r"POST environments/([^/]+)/variables", Hub.add_variable),
    (r"PATCH environments/([^/]+)/variables/([^/]+)", Hub.change_variable),
)


class Handler(BaseHTTPRequestHandler):
    """Answers for the hub of its server."""

    hub: Hub

    def _serve(self) -> None:
        place = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        try:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise Refusal(401, "Bad credentials")
            found = self.hub.answer(self.command, place.path.lstrip("/"), body)
        except Refusal as refusal:
            self._send(refusal.status, {"message": str(refusal)}, "")
            return
        shown, link = self._page(found, int(parse_qs(place.query).get("page", ["1"])[0]), place.path)
        self._send(204 if found is None else 200, shown, link)

    def _page(self, found: Any, page: int, path: str) -> tuple[Any, str]:
        key = next((name for name in ("branch_policies", "variables") if isinstance(found, dict) and name in found), "")
        whole = found[key] if key else found
        if not isinstance(whole, list):
            return found, ""
        part = whole[(page - 1) * PAGE : page * PAGE]
        more = f'<{self.hub.url}{path}?page={page + 1}>; rel="next"' if len(whole) > page * PAGE else ""
        return ({**found, key: part} if key else part), more

    def _send(self, status: int, body: Any, link: str) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the hub keeps the calls."""


@contextmanager
def github() -> Iterator[Hub]:
    """Serve a repository for as long as the block runs."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
