"""A small client of the Kubernetes API: JSON over one server's TLS, with the sandbox's own certificate."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import urllib3

from .pki import Pki

Object = dict[str, Any]
log = logging.getLogger(__name__)
SECONDS = 15.0
WATCH_SECONDS = 240
PATCHES = {"merge": "application/merge-patch+json", "strategic": "application/strategic-merge-patch+json"}


class ApiError(Exception):
    """The server refused; ``status`` is the HTTP status, or 0 if there was no answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status} {message}")
        self.status = status


class Api:
    """One API server."""

    def __init__(self, host: str, port: int, pki: Pki) -> None:
        self._pool = urllib3.HTTPSConnectionPool(
            host, port, maxsize=16, cert_file=str(pki.certificate("admin")), key_file=str(pki.key("admin")),
            ca_certs=str(pki.ca), timeout=SECONDS, retries=False,
        )  # fmt: skip

    def ready(self) -> bool:
        """Tell whether the server says that it is ready."""
        try:
            return self._pool.request("GET", "/readyz").status == 200
        except (urllib3.exceptions.HTTPError, OSError):
            return False

    def call(self, method: str, path: str, body: Object | None = None, kind: str = "application/json") -> Object:
        """Make a call and return the answer.

        Raises:
            ApiError: if it is refused, or not answered.
        """
        try:
            data = json.dumps(body).encode() if body is not None else None
            answer = self._pool.request(method, path, body=data, headers={"Content-Type": kind})
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, str(error)) from error
        found = json.loads(answer.data) if answer.data[:1] == b"{" else {}
        if answer.status >= 300:
            raise ApiError(answer.status, str(found.get("message", answer.data[:200])))
        return dict(found)

    def get(self, path: str) -> Object | None:
        """Return an object, or None if it is not there."""
        try:
            return self.call("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def create(self, path: str, body: Object) -> bool:
        """Create an object; False if there is one of that name."""
        try:
            self.call("POST", path, body)
        except ApiError as error:
            if error.status == 409:
                return False
            raise
        return True

    def patch(self, path: str, body: Object, kind: str = "merge") -> None:
        """Change an object; one that is gone meanwhile needs no change."""
        try:
            self.call("PATCH", path, body, PATCHES[kind])
        except ApiError as error:
            if error.status != 404:
                raise

    def apply(self, path: str, body: Object, manager: str = "pipeops-sandbox") -> None:
        """Create an object or bring it to what is wanted, as the owner of those fields."""
        query = f"?fieldManager={manager}&force=true"
        self.call("PATCH", path + query, body, "application/apply-patch+yaml")

    def delete(self, path: str, grace: int | None = None) -> None:
        """Delete an object; one that is gone is gone."""
        try:
            self.call("DELETE", path, {"gracePeriodSeconds": grace} if grace is not None else None)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def watch(self, path: str, version: str) -> Iterator[Object]:
        """Yield what happens to a collection after a version, until the server ends the watch.

        Raises:
            ApiError: if the server is gone or does not know the version any more.
        """
        query = f"?watch=1&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}&allowWatchBookmarks=true"
        timeout = urllib3.Timeout(connect=SECONDS, read=WATCH_SECONDS + SECONDS)
        try:
            answer = self._pool.request("GET", path + query, preload_content=False, timeout=timeout)
            if answer.status != 200:
                raise ApiError(answer.status, answer.reason or "")
            try:
                yield from _events(answer)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(0, str(error)) from error

    def close(self) -> None:
        """Hang up."""
        self._pool.close()


def _events(answer: urllib3.BaseHTTPResponse) -> Iterator[Object]:
    rest = b""
    for chunk in answer.stream(65536):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        for line in lines:
            if line:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(int(event["object"].get("code", 0)), str(event["object"].get("message", "")))
                yield event
