# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether applications are to run in a cluster, and how they stand: from Argo CD's own objects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

ACTIVE, STANDBY = "active", "standby"
ROLE_LABEL, SINCE = "role", "pipeops.platform/role-since"
TRACKING, OPTIONS, KEEP = "argocd.argoproj.io/tracking-id", "argocd.argoproj.io/sync-options", "Delete=false"
HEALTHY, SYNCED, SUCCEEDED = "Healthy", "Synced", "Succeeded"
#: Applications that are told of one by one while they are not ready.
SHOWN = 4


@dataclass(frozen=True)
class Application:
    """One application as Argo CD shows it.

    Attributes:
        message: what Argo CD complains of, empty if nothing.
        since: when it became as healthy as it is, as the API writes times; empty if it is not told.
    """

    name: str
    namespace: str
    health: str
    sync: str
    message: str
    since: str
    leaving: bool = False

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Application:
        """Read it from its object."""
        status, spec = item.get("status") or {}, item.get("spec") or {}
        health, state = status.get("health") or {}, status.get("operationState") or {}
        sync = str((status.get("sync") or {}).get("status") or "Unknown")
        # A field that something else has set keeps an application out of sync, although all of it was deployed.
        deployed = SYNCED if state.get("phase") == SUCCEEDED else sync
        complaints = [str(one.get("message") or "") for one in status.get("conditions") or ()]
        complaints += [str(state.get("message") or "")] if state.get("phase") in ("Failed", "Error") else []
        return cls(
            name=str(item["metadata"]["name"]),
            namespace=str((spec.get("destination") or {}).get("namespace") or ""),
            health=str(health.get("status") or "Unknown"),
            sync=SYNCED if sync == SYNCED else deployed,
            message=next(filter(None, complaints), ""),
            since=str(health.get("lastTransitionTime") or ""),
            leaving="deletionTimestamp" in item["metadata"],
        )

    @property
    def ready(self) -> bool:
        """Whether it serves."""
        return self.health == HEALTHY and self.sync == SYNCED and not self.leaving

    def as_dict(self) -> dict[str, Any]:
        """Return it as a task's result."""
        return {**asdict(self), "ready": self.ready}

    def __str__(self) -> str:
        word = "leaving" if self.leaving else self.health if self.health != HEALTHY else self.sync
        return f"{self.name} is {word}{f' ({self.message})' if self.message else ''}"


@dataclass(frozen=True)
class Stand:
    """A cluster at one moment.

    Attributes:
        sets: names of the ApplicationSets of the platform; none if no repository is set.
        trouble: what the ApplicationSets complain of, empty if nothing.
        nodes: how many are ready.
        waiting: how many pods find no node.
    """

    role: str
    since: str
    sets: tuple[str, ...]
    trouble: str
    applications: tuple[Application, ...]
    nodes: int
    waiting: int

    @property
    def ready_count(self) -> int:
        return sum(one.ready for one in self.applications)

    def settled(self, role: str) -> bool:
        """Tell whether a cluster of that role is as it should be: all applications ready, or none there."""
        if role == STANDBY:
            return not self.applications
        if not self.sets:
            return True
        return not self.trouble and bool(self.applications) and all(one.ready for one in self.applications)

    def told(self) -> str:
        """Return how applications stand, for people."""
        if not self.sets:
            return "no repository is set (cluster_addons_gitops_repository), so there are none"
        if not self.applications:
            return f"there are none{f': {self.trouble}' if self.trouble else ''}"
        unready = [str(one) for one in self.applications if not one.ready]
        more = f", and {len(unready) - SHOWN} more" if len(unready) > SHOWN else ""
        parts = [f"{self.ready_count} of {len(self.applications)} ready, {self.nodes} nodes"]
        parts += [f"{self.waiting} pods wait for a node"] if self.waiting else []
        parts += [", ".join(unready[:SHOWN]) + more] if unready else []
        return "; ".join([*parts, *filter(None, [self.trouble])])


def of_platform(items: Iterable[Mapping[str, Any]], sets: Sequence[str]) -> tuple[Application, ...]:
    """Return the applications that the platform's ApplicationSets have made, by name."""
    own = [
        Application.of(item)
        for item in items
        for owner in item["metadata"].get("ownerReferences") or ()
        if owner.get("kind") == "ApplicationSet" and owner.get("name") in sets
    ]
    return tuple(sorted(own, key=lambda one: one.name))


def trouble_of(sets: Iterable[Mapping[str, Any]]) -> str:
    """Return what ApplicationSets complain of."""
    conditions = [one for item in sets for one in (item.get("status") or {}).get("conditions") or ()]
    told = [str(one.get("message")) for one in conditions if one["type"] == "ErrorOccurred" and one["status"] == "True"]
    return "; ".join(dict.fromkeys(told))


def change_of_role(role: str, now: datetime) -> dict[str, Any]:
    """Return the change of Argo CD's object of the cluster that gives it a role."""
    since = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"metadata": {"labels": {ROLE_LABEL: role}, "annotations": {SINCE: since}}}


def must_stay(claims: Iterable[Mapping[str, Any]], applications: Iterable[Application]) -> list[Mapping[str, Any]]:
    """Return the volume claims that would go with their application, and do not say yet that they stay."""
    names = {one.name for one in applications}
    return [
        claim
        for claim in claims
        if _annotations(claim).get(TRACKING, "").split(":")[0] in names
        and KEEP not in _annotations(claim).get(OPTIONS, "").replace(" ", "").split(",")
    ]


def change_to_stay(claim: Mapping[str, Any]) -> dict[str, Any]:
    """Return the change of a claim by which Argo CD leaves it."""
    options = ",".join(filter(None, (_annotations(claim).get(OPTIONS), KEEP)))
    return {"metadata": {"annotations": {OPTIONS: options}}}


def _annotations(item: Mapping[str, Any]) -> dict[str, str]:
    return dict(item["metadata"].get("annotations") or {})


def moments(stand: Stand) -> dict[str, Any]:
    """Return when the first application was ready, and the last one; None for what is not so, or is not told.

    An application that was ready before the role changed counts from then: it took no time.
    """
    begun = _moment(stand.since)
    ended = [max(at, begun) if begun else at for one in stand.applications if one.ready and (at := _moment(one.since))]
    first, last = min(ended, default=None), max(ended, default=None)
    whole = last if stand.settled(ACTIVE) and len(ended) == len(stand.applications) else None
    return {
        "first_ready_at": _text(first),
        "seconds_to_first_ready": (first - begun).total_seconds() if first and begun else None,
        "seconds_to_all_ready": (whole - begun).total_seconds() if whole and begun else None,
    }


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _text(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
