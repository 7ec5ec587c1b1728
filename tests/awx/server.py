# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API over HTTP, on the loopback: `with serving(repositories) as server`."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.awx import rules
from tests.awx.kinds import KINDS, NEXT, Json, Kind
from tests.awx.rules import Refused
from tests.awx.store import Store

ROOT = "/api/v2/"
VERSION = "24.6.1"
PAGE, LARGEST_PAGE = 25, 200
USER = ("admin", "a password of the tests")
NOWHERE = {"detail": "The requested resource could not be found."}
Query = list[tuple[str, str]]


@dataclass
class Server:
    """One AWX. `journal` has every request that was made of it, and what became of it."""

    store: Store
    journal: list[Json] = field(default_factory=list)
    tokens: dict[str, Json] = field(default_factory=dict)
    url: str = ""

    def token(self, scope: str = "write") -> str:
        value = secrets.token_hex(16)
        self.tokens[value] = {"id": len(self.tokens) + 1, "scope": scope}
        return value

    def writes(self) -> list[str]:
        return [f"{entry['method']} {entry['path']}" for entry in self.journal if entry["method"] != "GET"]

    def environment(self) -> dict[str, str]:
        return {"CONTROLLER_HOST": self.url, "CONTROLLER_OAUTH_TOKEN": self.token(), "CONTROLLER_VERIFY_SSL": "false"}

    # Answers.

    def answer(self, method: str, path: str, query: Query, data: Any, login: str) -> tuple[int, Any]:
        parts = path.removeprefix(ROOT).strip("/").split("/")
        if not path.startswith(ROOT) or not path.endswith("/"):
            raise Refused(NOWHERE, 404)
        if parts == ["ping"]:
            return 200, {"ha": False, "version": VERSION, "active_node": "awx", "instances": []}
        if parts[0] == "tokens":
            return self._tokens(method, parts, login)
        self._authorize(method, login)
        if parts == ["config"]:
            return 200, {"version": VERSION, "license_info": {"license_type": "open"}}
        if method == "GET" and parts == ["unified_job_templates"]:
            return 200, self._page(path, query, self.store.unified())
        return self._object(method, path, query, parts, data)

    def _object(self, method: str, path: str, query: Query, parts: list[str], data: Any) -> tuple[int, Any]:
        if parts[0] not in KINDS or len(parts) > 3:
            raise Refused(NOWHERE, 404)
        if len(parts) == 1:
            return self._collection(method, path, query, parts[0], data)
        if not parts[1].isdigit():
            raise Refused({"detail": "Not found."}, 404)
        if len(parts) == 2:
            return self._detail(method, parts[0], int(parts[1]), data)
        return self._sub(method, path, query, parts, data)

    def _tokens(self, method: str, parts: list[str], login: str) -> tuple[int, Any]:
        expected = "Basic " + base64.b64encode(":".join(USER).encode()).decode()
        if login != expected:
            raise Refused({"detail": "Invalid username/password."}, 401)
        if method == "POST" and len(parts) == 1:
            value = self.token()
            return 201, {"id": self.tokens[value]["id"], "type": "o_auth2_access_token", "token": value}
        self.tokens = {value: token for value, token in self.tokens.items() if str(token["id"]) != parts[-1]}
        return 204, None

    def _authorize(self, method: str, login: str) -> None:
        token = self.tokens.get(login.removeprefix("Bearer "))
        if token is None:
            raise Refused({"detail": "Authentication credentials were not provided."}, 401)
        if method != "GET" and token["scope"] != "write":
            raise Refused({"detail": "You do not have permission to perform this action."}, 403)

    def _collection(self, method: str, path: str, query: Query, name: str, data: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, self._page(path, query, self.store.of(name))
        if method == "POST":
            return 201, self.show(self.store.create(name, data))
        raise Refused({"detail": f'Method "{method}" not allowed.'}, 405)

    def _detail(self, method: str, name: str, number: int, data: Any) -> tuple[int, Any]:
        item = self.store.get(name, number)
        if method == "GET":
            if name == "project_updates":
                self.store.advance(item)
            return 200, self.show(item)
        if method == "PATCH":
            return 200, self.show(self.store.change(name, number, data))
        if method == "DELETE":
            self.store.remove(name, number)
            return 204, None
        raise Refused({"detail": f'Method "{method}" not allowed.'}, 405)

    def _sub(self, method: str, path: str, query: Query, parts: list[str], data: Any) -> tuple[int, Any]:
        name, number, sub = parts[0], int(parts[1]), parts[2]
        kind, item = KINDS[name], self.store.get(name, number)
        if sub in kind.relations:
            if method == "POST":
                self.store.relate(name, number, sub, data)
                return 204, None
            ids = self.store.related.get((number, sub), [])
            return 200, self._page(path, query, [self.store.objects[one] for one in ids])
        special: dict[tuple[str, str], Callable[[], tuple[int, Any]]] = {
            ("GET", "survey_spec"): lambda: (200, self.store.surveys.get(number, {})),
            ("POST", "survey_spec"): lambda: self._survey(number, data),
            ("DELETE", "survey_spec"): lambda: self._survey(number, None),
            ("GET", "playbooks"): lambda: (200, self.store.playbooks.get(number, [])),
            ("POST", "update"): lambda: (202, self.show(self.store.update_project(item))),
            ("POST", "create_approval_template"): lambda: (201, self.show(self.store.approve(number, data))),
        }
        if sub in kind.links and (method, sub) in special:
            return special[method, sub]()
        raise Refused(NOWHERE, 404)

    def _survey(self, number: int, spec: Any) -> tuple[int, Any]:
        if spec is not None:
            rules.survey(spec)
        self.store.surveys[number] = spec or {}
        return 200, None

    # Lists.

    def _page(self, path: str, query: Query, items: list[Json]) -> Json:
        options = dict(query)
        page, size = int(options.pop("page", 1)), min(int(options.pop("page_size", PAGE)), LARGEST_PAGE)
        options.pop("order_by", None)
        found = [item for item in items if self._matches(item, options)]
        last = page * size >= len(found)
        onward = "" if last else f"{path}?{urlencode({**dict(query), 'page': page + 1})}"
        results = [self.show(item) for item in found[(page - 1) * size : page * size]]
        return {"count": len(found), "next": onward or None, "previous": None, "results": results}

    def _matches(self, item: Json, options: dict[str, str]) -> bool:
        either = {name.removeprefix("or__"): value for name, value in options.items() if name.startswith("or__")}
        every = {name: value for name, value in options.items() if not name.startswith("or__")}
        if either and not any(self._equals(item, name, value) for name, value in either.items()):
            return False
        return all(self._equals(item, name, value) for name, value in every.items())

    def _equals(self, item: Json, name: str, value: str) -> bool:
        *way, last = name.split("__")
        found: Json | None = item
        for step in way:
            found = self.store.objects.get(self._of(found, step)) if found else None
        return found is not None and str(self._of(found, last)) == value

    def _of(self, item: Json, name: str) -> Any:
        fields = self.store.kind_of[item["id"]].fields
        if name != "id" and name not in fields:
            # Lists of several kinds are asked for what some of them have.
            if name not in {one for kind in KINDS.values() for one in kind.fields}:
                raise Refused({"detail": f"{self.store.kind_of[item['id']].type} has no field named '{name}'"})
            return None
        return item[name]

    # Objects.

    def show(self, item: Json) -> Json:
        kind = self.store.kind_of[item["id"]]
        url = f"{ROOT}{kind.name}/{item['id']}/"
        shown = {"id": item["id"], "type": kind.type, "url": url, "created": "2026-01-05T00:00:00Z"}
        shown |= {name: item[name] for name in kind.fields}
        related = {name: f"{url}{name}/" for name in (*kind.relations, *kind.links)}
        summary: Json = {}
        for name, one in kind.fields.items():
            other = self.store.objects.get(item[name]) if one.fk and item[name] is not None else None
            if other is not None:
                related[name] = f"{ROOT}{self.store.kind_of[other['id']].name}/{other['id']}/"
                summary[name] = {key: other[key] for key in ("id", "name", "description") if key in other}
        if "current_update" in item:
            summary["current_update"] = {"id": item["current_update"]}
        for name in NEXT:
            if name in kind.relations:
                shown[name] = self.store.related.get((item["id"], name), [])
        self._conceal(kind, shown)
        return {**shown, "related": related, "summary_fields": summary}

    def _conceal(self, kind: Kind, shown: Json) -> None:
        if kind.name == "credentials":
            fields = self.store.objects[shown["credential_type"]]["inputs"].get("fields", [])
            shown["inputs"] = rules.shown(shown["inputs"], {one["id"] for one in fields if one.get("secret")})
        if kind.name == "notification_templates":
            hidden = rules.SECRET_PARAMETERS[shown["notification_type"]]
            shown["notification_configuration"] = rules.shown(shown["notification_configuration"], hidden)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                try:
                    data = json.loads(body) if body else {}
                    login = self.headers.get("Authorization", "")
                    query = parse_qsl(address.query, keep_blank_values=True)
                    status, answer = server.answer(self.command, address.path, query, data, login)
                except Refused as refused:
                    status, answer = refused.status, refused.body
                except json.JSONDecodeError as error:
                    status, answer = 400, {"detail": f"JSON parse error - {error}"}
                server.journal.append({"method": self.command, "path": address.path, "status": status})
            self._send(status, b"" if answer is None else json.dumps(answer).encode())

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", VERSION)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the journal has it."""

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

    return Handler


@contextlib.contextmanager
def serving(repositories: dict[str, Path]) -> Iterator[Server]:
    """An empty AWX, whose projects come from these checkouts by their URLs."""
    server = Server(Store(repositories))
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
