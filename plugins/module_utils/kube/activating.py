# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a cluster active or puts it on standby, and sees its applications come or go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..engine.aws import Aws, error_code
from ..engine.errors import EngineError
from ..engine.waiting import Patience, Progress, wait_until
from .activation import (
    ACTIVE,
    ROLE_LABEL,
    SINCE,
    STANDBY,
    Stand,
    change_of_role,
    change_to_stay,
    must_stay,
    of_platform,
    trouble_of,
)
from .api import Api, Cluster
from .manifests import SET_LABEL, Name
from .objects import Outcome
from .releases import unready

CLUSTER = "/api/v1/namespaces/argocd/secrets/in-cluster"
SETS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets"
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
CLAIMS = "/api/v1/persistentvolumeclaims"
#: What a change of role does to those who use the applications.
INTERRUPTS = {ACTIVE: "", STANDBY: "the applications of this cluster"}
#: Seconds from a change of role until applications are ready, or gone, if nodes are there.
TYPICAL = {ACTIVE: 120.0, STANDBY: 60.0}
REPORT_EVERY = 10.0
#: Why an application is not ready: lines that a message shows.
SHOWN = 4


def find_cluster(aws: Aws, name: str) -> Cluster | None:
    """Return a cluster as EKS tells of it, within seconds also if the region is down; None if there is none.

    Raises:
        EngineError: if it has no API server yet.
    """
    try:
        found = aws.client("eks", probe=True).describe_cluster(name=name)["cluster"]
    except Exception as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return None
    if not found.get("endpoint"):
        raise EngineError(f"The cluster {name} in {aws.region} has no API server yet: it is {found['status']}.")
    return Cluster(name, str(found["endpoint"]).rstrip("/"), str(found["certificateAuthority"]["data"]))


def look(api: Api) -> Stand | None:
    """Return how a cluster stands; None if Argo CD does not know it, because the add-ons are not installed."""
    secret = api.get(CLUSTER)
    if secret is None:
        return None
    sets = (api.get(SETS, labelSelector=f"{SET_LABEL}=gitops") or {}).get("items", [])
    names = tuple(str(item["metadata"]["name"]) for item in sets)
    applications = of_platform((api.get(APPLICATIONS) or {}).get("items", []), names)
    pods = (api.get("/api/v1/pods", fieldSelector="status.phase=Pending") or {}).get("items", [])
    metadata = secret["metadata"]
    return Stand(
        role=str((metadata.get("labels") or {}).get(ROLE_LABEL) or ""),
        since=str((metadata.get("annotations") or {}).get(SINCE) or ""),
        sets=names,
        trouble=trouble_of(sets),
        applications=applications,
        nodes=sum(_is_ready(node) for node in (api.get("/api/v1/nodes") or {}).get("items", [])),
        waiting=sum(_waits(pod) for pod in pods),
    )


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _waits(pod: Mapping[str, Any]) -> bool:
    return any(one.get("reason") == "Unschedulable" for one in (pod.get("status") or {}).get("conditions") or ())


def change_over(api: Api, stand: Stand, role: str, outcome: Outcome, *, check_mode: bool) -> None:
    """Give a cluster its role. One that goes to standby keeps the volumes of its applications."""
    if stand.role == role:
        return
    if role == STANDBY:
        listed = (api.get(CLAIMS) or {}).get("items", [])
        for claim in must_stay(listed, stand.applications):
            name = Name("v1", "PersistentVolumeClaim", claim["metadata"]["namespace"], claim["metadata"]["name"])
            path = f"/api/v1/namespaces/{name.namespace}/persistentvolumeclaims/{name.name}"
            _change(api, path, name, change_to_stay(claim), outcome, check_mode)
    name = Name("v1", "Secret", "argocd", "in-cluster")
    _change(api, CLUSTER, name, change_of_role(role, datetime.now(UTC)), outcome, check_mode)
    outcome.actions[-1] |= {
        "differences": [{"attribute": ROLE_LABEL, "before": stand.role, "after": role}],
        "interrupts": INTERRUPTS[role],
        "typical_seconds": TYPICAL[role],
    }


def _change(api: Api, path: str, name: Name, change: Mapping[str, Any], outcome: Outcome, check_mode: bool) -> None:
    kind = {"apiVersion": name.api_version, "kind": name.kind}
    before = {**kind, **(api.get(path) or {})}
    outcome.add("update", name, before, {**kind, **api.merge(path, change, dry_run=check_mode)})


def await_applications(api: Api, role: str, patience: Patience, progress: Progress) -> tuple[Stand, str]:
    """Wait until all applications are ready, or gone; return how they stand, and why they are not, empty if they are.

    Raises:
        EngineError: if the API server is lost meanwhile.
    """
    latest: list[Stand] = []

    def check() -> tuple[Stand | None, str]:
        found = look(api)
        if found is None:
            raise EngineError(f"Argo CD's object of {api.where} is gone. Run playbooks/addons.yml for it.")
        first = found.ready_count and not (latest and latest[-1].ready_count)
        # Argo CD makes applications one by one: all there are have to be ready in two looks in a row.
        same = bool(latest) and len(latest[-1].applications) == len(found.applications)
        latest.append(found)
        if first:
            progress(f"The first application of {api.where} is ready: {found.told()}.")
        return (found if found.settled(role) and same else None), found.told()

    goal = "ready" if role == ACTIVE else "gone"
    patience = Patience(patience.timeout, patience.delay, REPORT_EVERY)
    try:
        what = f"applications of {api.where} to be {goal}"
        return wait_until(check, what, TYPICAL[role], patience, progress, ""), ""
    except EngineError as error:
        if not latest:
            raise
        return latest[-1], " ".join([str(error).strip(), *_reasons(api, latest[-1])])


def _reasons(api: Api, stand: Stand) -> list[str]:
    """Return what keeps applications from being ready, as their pods tell it."""
    spaces = dict.fromkeys(one.namespace for one in stand.applications if not one.ready and one.namespace)
    lines = [f"{space}: {line}" for space in spaces for line in unready(api, space)]
    return [f"{line}." for line in lines[:SHOWN]]
