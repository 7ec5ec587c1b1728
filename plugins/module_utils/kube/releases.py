# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases of Helm as their Secrets tell of them: which revisions a run that was killed has left behind."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .api import Api
from .charts import Chart

#: A state in which Helm refuses every further operation.
BROKEN_OFF = frozenset({"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"})
#: A state that kubernetes.core.helm takes for a good one, if chart and values are the wanted ones.
FAILED = "failed"
DEPLOYED = "deployed"
#: The first bytes of what gzip wrote.
GZIP = b"\x1f\x8b"
#: Pods and events that a message shows.
SHOWN = 8


@dataclass(frozen=True)
class Revision:
    """One revision of a release.

    Attributes:
        number: counts up from 1.
        status: Helm's word for it.
        secret: the name of the Secret that holds it.
    """

    number: int
    status: str
    secret: str


def revisions(api: Api, namespace: str, release: str) -> list[Revision]:
    """Return all revisions of a release that Helm keeps, the latest one last."""
    selector = f"owner=helm,name={release}"
    listed = api.get(f"/api/v1/namespaces/{namespace}/secrets", labelSelector=selector) or {}
    return sorted((_revision(item["metadata"]) for item in listed.get("items", [])), key=lambda found: found.number)


def _revision(metadata: Mapping[str, Any]) -> Revision:
    labels = metadata["labels"]
    return Revision(int(labels["version"]), str(labels.get("status", "")), str(metadata["name"]))


def stale(found: list[Revision]) -> list[Revision]:
    """Return the latest revisions that stand in the way: begun and never finished, or failed.

    Without them the release is as it was before. What they have brought about already is taken over by the next one,
    because it carries the release's name.
    """
    left = []
    for revision in reversed(found):
        if revision.status not in BROKEN_OFF | {FAILED}:
            break
        left.append(revision)
    return left


def is_installed(found: list[Revision]) -> bool:
    """Tell whether any revision was brought about."""
    return any(revision.status not in BROKEN_OFF | {FAILED, "uninstalled"} for revision in found)


def forget(api: Api, namespace: str, left: list[Revision]) -> None:
    """Delete the record of revisions, and nothing that they have made."""
    for revision in left:
        api.delete(f"/api/v1/namespaces/{namespace}/secrets/{revision.secret}")


def unready(api: Api, namespace: str) -> list[str]:
    """Return a line for each pod of a namespace that is not ready, and for its latest warnings."""
    pods = (api.get(f"/api/v1/namespaces/{namespace}/pods") or {}).get("items", [])
    events = (api.get(f"/api/v1/namespaces/{namespace}/events", fieldSelector="type=Warning", limit="100") or {}).get(
        "items", []
    )
    lines = [line for pod in pods for line in _pod(pod)]
    warnings = [
        f"{event['involvedObject'].get('kind')} {event['involvedObject'].get('name')}: {event.get('reason')}, "
        f"{event.get('message')}"
        for event in events
    ]
    return lines[:SHOWN] + list(dict.fromkeys(warnings))[-SHOWN:]


def _pod(pod: Mapping[str, Any]) -> list[str]:
    status = pod.get("status", {})
    conditions = status.get("conditions") or []
    if status.get("phase") == "Succeeded" or any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
        return []
    waiting = [
        str(container["state"]["waiting"].get("reason"))
        for container in status.get("containerStatuses") or []
        if "waiting" in (container.get("state") or {})
    ]
    unmet = [str(c.get("message") or c.get("reason") or c["type"]) for c in conditions if c["status"] != "True"]
    return [f"Pod {pod['metadata']['name']}: {status.get('phase')}, {'; '.join(waiting or unmet[:1])}"]


def payload(secret: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Helm keeps of a revision: JSON, compressed, and encoded twice."""
    raw = base64.b64decode(base64.b64decode(secret["data"]["release"]))
    found: dict[str, Any] = json.loads(gzip.decompress(raw) if raw[:2] == GZIP else raw)
    return found


def stands(api: Api, namespace: str, latest: Revision, chart: Chart, values: Mapping[str, Any]) -> bool:
    """Tell whether the latest revision of a release was made of a chart with these values, and came about."""
    if latest.status != DEPLOYED:
        return False
    secret = api.get(f"/api/v1/namespaces/{namespace}/secrets/{latest.secret}")
    kept = payload(secret) if secret else {}
    return bool(kept) and chart.made(kept["chart"]["metadata"]) and (kept.get("config") or {}) == values


def describe(api: Api, namespace: str, release: str) -> dict[str, Any]:
    """Return how a release stands: its chart, versions, status, and which of its workloads are not ready."""
    found = revisions(api, namespace, release)
    if not found:
        return {"status": "not installed", "ready": False, "chart": "", "version": "", "app_version": "", "unready": []}
    latest = found[-1]
    secret = api.get(f"/api/v1/namespaces/{namespace}/secrets/{latest.secret}")
    metadata = payload(secret)["chart"]["metadata"] if secret else {}
    waiting = _unready_workloads(api, namespace, release)
    return {
        "status": latest.status,
        "ready": latest.status == DEPLOYED and not waiting,
        "chart": str(metadata.get("name", "")),
        "version": str(metadata.get("version", "")),
        "app_version": str(metadata.get("appVersion", "")),
        "unready": waiting,
    }


def _unready_workloads(api: Api, namespace: str, release: str) -> list[str]:
    lines = []
    for kind, plural in (("Deployment", "deployments"), ("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")):
        for item in (api.get(f"/apis/apps/v1/namespaces/{namespace}/{plural}") or {}).get("items", []):
            annotations = item["metadata"].get("annotations") or {}
            ready, wanted = _counts(kind, item)
            if annotations.get("meta.helm.sh/release-name") == release and ready < wanted:
                lines.append(f"{kind} {item['metadata']['name']}: {ready} of {wanted} ready")
    return lines


def _counts(kind: str, item: Mapping[str, Any]) -> tuple[int, int]:
    status = item.get("status") or {}
    if kind == "DaemonSet":
        return int(status.get("numberReady") or 0), int(status.get("desiredNumberScheduled") or 0)
    return int(status.get("readyReplicas") or 0), int(item["spec"].get("replicas", 1))
