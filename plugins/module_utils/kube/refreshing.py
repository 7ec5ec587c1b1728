# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has External Secrets read a secret again, and sees that what pods get is what the secret holds now."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..engine.waiting import Patience, Progress, wait_until
from .api import Api
from .manifests import Name
from .objects import Outcome

API_VERSION, KIND = "external-secrets.io/v1", "ExternalSecret"
LISTED = f"/apis/{API_VERSION}/externalsecrets"
#: The annotation whose change has the operator read the secret at once (External Secrets, FAQ).
FORCE = "force-sync"
#: The policy of those that are read once and never again.
ONCE = "CreatedOnce"


@dataclass(frozen=True)
class Follower:
    """An ExternalSecret that draws on a secret.

    Attributes:
        target: the Secret that it keeps.
        trouble: what the operator says that is wrong; empty if nothing is.
    """

    namespace: str
    name: str
    target: str
    trouble: str = ""

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return f"/apis/{API_VERSION}/namespaces/{self.namespace}/externalsecrets/{self.name}"

    @property
    def place(self) -> str:
        """What people call it."""
        return f"{self.namespace}/{self.name}"


def followers_of(items: Sequence[Mapping[str, Any]], secret: str) -> list[Follower]:
    """Return those that follow a secret of Secrets Manager."""
    return [_follower(item) for item in items if secret in _keys(item["spec"])]


def _keys(spec: Mapping[str, Any]) -> set[str]:
    if spec.get("refreshPolicy") == ONCE:
        return set()
    whole = [source.get("extract", {}).get("key") for source in spec.get("dataFrom") or ()]
    return {*whole, *(one.get("remoteRef", {}).get("key") for one in spec.get("data") or ())}


def _follower(item: Mapping[str, Any]) -> Follower:
    metadata, target = item["metadata"], (item["spec"].get("target") or {}).get("name")
    conditions = (item.get("status") or {}).get("conditions") or ()
    ready: Mapping[str, Any] = next((one for one in conditions if one["type"] == "Ready"), {})
    trouble = "" if ready.get("status", "True") == "True" else str(ready.get("message", ""))
    return Follower(metadata["namespace"], metadata["name"], str(target or metadata["name"]), trouble)


def holds(data: Mapping[str, str], password: str) -> bool:
    """Tell whether a Secret holds a password, by itself or as part of a text such as a URL."""
    return any(password.encode() in _bytes(value) for value in data.values())


def _bytes(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return b""


def look(api: Api, secret: str) -> list[Follower] | None:
    """Return those that follow a secret; None if the cluster has no External Secrets."""
    listed = api.get(LISTED)
    return None if listed is None else followers_of(listed["items"], secret)


def is_stale(api: Api, follower: Follower, password: str) -> bool:
    """Tell whether pods would get something else than the present password."""
    found = api.get(f"/api/v1/namespaces/{follower.namespace}/secrets/{follower.target}")
    return not holds((found or {}).get("data") or {}, password)


def refresh(api: Api, stale: Sequence[Follower], outcome: Outcome, *, check_mode: bool) -> None:
    """Have the operator read the secret again for these."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    for follower in stale:
        name = Name(API_VERSION, KIND, follower.namespace, follower.name)
        kind = {"apiVersion": API_VERSION, "kind": KIND}
        before = {**kind, **(api.get(follower.path) or {})}
        change = {"metadata": {"annotations": {FORCE: now}}}
        outcome.add("update", name, before, {**kind, **api.merge(follower.path, change, dry_run=check_mode)})


def await_refreshed(
    api: Api, secret: str, stale: Sequence[Follower], password: str, patience: Patience, progress: Progress
) -> None:
    """Wait until each of them has arrived.

    Raises:
        EngineError: if one has not in time, with what the operator says of it.
    """
    places = {follower.place for follower in stale}

    def check() -> tuple[bool | None, str]:
        left = [one for one in look(api, secret) or () if one.place in places and is_stale(api, one, password)]
        told = "; ".join(f"{one.place} has the former one{f' ({one.trouble})' if one.trouble else ''}" for one in left)
        return (None if left else True), told

    mend = (
        "Pods use the former credentials meanwhile, which are valid until the next rotation. Look at the operator "
        "(kubectl describe externalsecret; its pods in kube-system), then run again."
    )
    wait_until(check, f"External Secrets of {api.where} to bring the new credentials", 5, patience, progress, mend)
