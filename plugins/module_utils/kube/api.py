# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the API server of an EKS cluster: requests that are safe to repeat, and what a refusal means."""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.lease import insist
from ..engine.values import is_pending
from ..engine.waiting import Patience
from .token import eks_token

# It comes with botocore, and Aws refuses to begin without that.
with suppress(ImportError):
    import urllib3

#: Statuses that clear by themselves: too many requests, and those of a server that starts or a webhook that does.
PASSING = frozenset({429, 500, 502, 503, 504})
#: Seconds that a new access entry may take to be known, and a server to come back.
ENTRY_SPREADS_WITHIN, SERVER_RETURNS_WITHIN = 60, 180
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
MANAGER = "pipeops.platform"

#: The options by which a cluster is reached, described in the doc fragment pipeops.platform.cluster.
CLUSTER_ARGUMENT_SPEC: dict[str, Any] = {
    "cluster_name": {"type": "str", "required": True},
    "endpoint": {"type": "str", "required": True},
    "certificate_authority": {"type": "str", "required": True},
    "wait_timeout": {"type": "int", "default": 600},
    "wait_delay": {"type": "float", "default": 5.0},
}


@dataclass(frozen=True)
class Cluster:
    """A cluster as DescribeCluster tells of it.

    Attributes:
        endpoint: the URL of its API server; a placeholder while the cluster is only planned.
        authority: the certificates that the server is trusted by, base64 of PEM.
    """

    name: str
    endpoint: str
    authority: str

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Cluster:
        """Read the options of a module."""
        return cls(params["cluster_name"], params["endpoint"].rstrip("/"), params["certificate_authority"])

    @property
    def is_planned(self) -> bool:
        """Whether a dry run has yet to make it."""
        return is_pending([self.endpoint, self.authority])

    def insist_that_it_stands(self) -> None:
        """Refuse to go on with a placeholder, unless in a dry run.

        Raises:
            EngineError: if the cluster is only planned.
        """
        if self.is_planned:
            raise EngineError(
                f"The cluster {self.name} has no API server yet: endpoint is {self.endpoint!r}. Bring it up first, "
                "e.g. by playbooks/cluster.yml."
            )

    def pem(self) -> str:
        """Return the certificates that its server is trusted by.

        Raises:
            EngineError: if they are no base64 of PEM.
        """
        try:
            return base64.b64decode(self.authority, validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError) as error:
            message = f"certificate_authority of the cluster {self.name} is no base64 of PEM: {error}."
            raise EngineError(f"{message} Pass what DescribeCluster tells.") from error


class Refused(EngineError):
    """The API server answered with an error.

    Attributes:
        status: that of HTTP.
        details: the body of the answer.
    """

    def __init__(self, message: str, status: int, details: Mapping[str, Any]) -> None:
        self.status = status
        self.details = details
        super().__init__(message)


class Api:
    """Requests to one cluster, in the name of the identity that runs the play.

    All of them may be sent twice: what is changed is applied, not added to. So a server that restarts, a webhook whose
    pods are not there yet, a token that ran out and an access entry that is not known everywhere are waited out.
    """

    def __init__(self, aws: Aws, cluster: Cluster) -> None:
        self.cluster = cluster
        self._aws = aws
        self._token = ""
        self._kinds: dict[str, dict[str, dict[str, Any]]] = {}
        context = ssl.create_default_context(cadata=cluster.pem())
        # Certificates of EKS lack the key identifiers that Python 3.13 insists on; all else stays checked.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        # A server that takes a request and says nothing is not waited for longer than the task waits for anything.
        timeout = urllib3.Timeout(connect=5, read=min(60, max(5, self.patience.timeout)))
        self._pool = urllib3.PoolManager(ssl_context=context, retries=False, timeout=timeout, maxsize=4)

    @property
    def patience(self) -> Patience:
        return self._aws.patience

    @property
    def token(self) -> str:
        """A token that is good for the time of a task."""
        self._token = self._token or eks_token(self._aws, self.cluster.name)
        return self._token

    def fresh_token(self) -> str:
        """A token that is good for as long as a token can be: for a program that takes one and keeps it."""
        self._token = ""
        return self.token

    @property
    def where(self) -> str:
        """The cluster, for messages."""
        return f"the cluster {self.cluster.name} in {self._aws.region}"

    def get(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return an object or a list; None if there is no such."""
        try:
            return self._send("GET", path, query)
        except Refused as error:
            if error.status == 404:
                return None
            raise

    def text(self, path: str) -> str:
        """Return what the server answers in plain text, e.g. its metrics."""
        return str(self._send("GET", path, {}, accept="text/plain")["text"])

    def apply(self, path: str, body: Mapping[str, Any], *, dry_run: bool) -> dict[str, Any]:
        """Apply an object on the server's side and return it. Fields that its kind does not have are refused."""
        query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        query |= {"dryRun": "All"} if dry_run else {}
        return self._send("PATCH", path, query, json.dumps(body), APPLY)

    def merge(self, path: str, change: Mapping[str, Any], *, dry_run: bool) -> dict[str, Any]:
        """Change some fields of an object that stands, leave the others to whoever owns them, and return it."""
        query = {"fieldManager": MANAGER} | ({"dryRun": "All"} if dry_run else {})
        return self._send("PATCH", path, query, json.dumps(change), MERGE)

    def delete(self, path: str) -> None:
        """Delete an object with what it owns. One that is gone is no error."""
        try:
            self._send("DELETE", path, {"propagationPolicy": "Background"})
        except Refused as error:
            if error.status != 404:
                raise

    def kind(self, api_version: str, kind: str) -> dict[str, Any] | None:
        """Return how the server serves a kind (``name``: its plural, ``namespaced``); None if it does not."""
        if kind not in self._kinds.get(api_version, {}):
            listed = self.get(f"/{'apis' if '/' in api_version else 'api'}/{api_version}") or {}
            served = [item for item in listed.get("resources", []) if "/" not in item["name"]]
            self._kinds[api_version] = {item["kind"]: item for item in served}
        return self._kinds[api_version].get(kind)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: str | None = None,
        content: str = "",
        accept: str = "application/json",
    ) -> dict[str, Any]:
        started, pause = time.monotonic(), 0.2
        while True:
            try:
                return self._once(method, path, query, body, content, accept)
            except Refused as error:
                limit = self._forbearance(error)
                if time.monotonic() - started + pause > limit:
                    raise
                problem: EngineError = error
            except urllib3.exceptions.HTTPError as error:
                problem = self._unreachable(error)
                if time.monotonic() - started + pause > min(self.patience.timeout, SERVER_RETURNS_WITHIN):
                    raise problem from error
            if pause > 5:
                self._aws.progress(f"Trying again: {problem}")
            time.sleep(pause)
            pause = min(pause * 2, 10)

    def _forbearance(self, error: Refused) -> float:
        """Return the seconds within which a refusal may clear by itself."""
        if error.status in (401, 403):
            self._token = ""
            return min(self.patience.timeout, ENTRY_SPREADS_WITHIN)
        return min(self.patience.timeout, SERVER_RETURNS_WITHIN) if error.status in PASSING else 0

    def _once(
        self, method: str, path: str, query: Mapping[str, str], body: str | None, content: str, accept: str
    ) -> dict[str, Any]:
        url = f"{self.cluster.endpoint}{path}?{urlencode(query)}"
        headers = {"Authorization": f"Bearer {self.token}", "Accept": accept}
        headers |= {"Content-Type": content} if content else {}
        if method != "GET" and "dryRun" not in query:
            insist(f"{method} {path} in {self.where}")
        answer = self._pool.request(method, url, body=body, headers=headers)
        if accept == "text/plain" and answer.status < 400:
            return {"text": answer.data.decode("utf-8", "replace")}
        try:
            found = json.loads(answer.data or b"{}")
        except ValueError:
            found = {"message": answer.data.decode("utf-8", "replace")[:300]}
        if answer.status >= 400:
            raise Refused(self._complaint(answer.status, method, path, found), answer.status, found)
        return dict(found)

    def _complaint(self, status: int, method: str, path: str, found: Mapping[str, Any]) -> str:
        said = str(found.get("message", "")).rstrip(".")
        if status == 401:
            return (
                f"{self.where[:1].upper()}{self.where[1:]} does not know who runs the play ({said or status}). Give "
                "that IAM role or user an access entry (eks_access_entries), or sign in as one that has one."
            )
        if status == 403:
            return (
                f"{said} in {self.where}. Give the access entry of that role or user a policy that allows it, "
                "e.g. AmazonEKSClusterAdminPolicy (eks_access_entries)."
            )
        return f"{method} {path} in {self.where}: {said or status}."

    def _unreachable(self, error: Exception) -> EngineError:
        return EngineError(
            f"The API server of {self.where}, {self.cluster.endpoint}, does not answer: {error}. A private endpoint is "
            "reached from inside its VPC only (eks_endpoint_public_access, eks_public_access_cidrs). Run this from "
            "where it is reached, or leave out what is inside clusters: platform_kubernetes_enabled=false."
        )


def object_path(served: Mapping[str, Any], api_version: str, namespace: str, name: str = "") -> str:
    """Return the path of an object, or of all of its kind."""
    place = [f"namespaces/{namespace}"] if served["namespaced"] and namespace else []
    parts = ["apis" if "/" in api_version else "api", api_version, *place, served["name"], *([name] if name else [])]
    return "/" + "/".join(parts)
