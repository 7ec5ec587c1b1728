"""How healthy a resource is, in Argo CD's words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .api import Object

HEALTHY, PROGRESSING, DEGRADED, SUSPENDED, MISSING = "Healthy", "Progressing", "Degraded", "Suspended", "Missing"
#: From the best to the worst: an application is as its worst resource.
ORDER = (HEALTHY, SUSPENDED, PROGRESSING, MISSING, DEGRADED)


def health(live: Object | None) -> str:
    """Return how a resource is that is wanted; without a live one it is missing."""
    if live is None:
        return MISSING
    judge = JUDGES.get(str(live["kind"]))
    return judge(live) if judge else HEALTHY


def worst(found: Iterable[str]) -> str:
    """Return the health of an application by that of its resources."""
    return max(found, key=ORDER.index, default=HEALTHY)


def _status(live: Object) -> Mapping[str, object]:
    status: Mapping[str, object] = live.get("status") or {}
    return status


def _workload(live: Object) -> str:
    status, wanted = _status(live), live["spec"].get("replicas", 1)
    if status.get("observedGeneration") != live["metadata"].get("generation"):
        return PROGRESSING
    ready = status.get("availableReplicas" if live["kind"] == "Deployment" else "readyReplicas") or 0
    return HEALTHY if ready == wanted and (status.get("updatedReplicas") or 0) == wanted else PROGRESSING


def _daemons(live: Object) -> str:
    status = _status(live)
    return HEALTHY if status.get("numberAvailable", 0) == status.get("desiredNumberScheduled", 0) else PROGRESSING


def _rollout(live: Object) -> str:
    phases = {"Healthy": HEALTHY, "Degraded": DEGRADED, "Paused": SUSPENDED}
    return phases.get(str(_status(live).get("phase", "")), PROGRESSING)


def _balanced(live: Object) -> str:
    if live["kind"] == "Service" and live["spec"].get("type") != "LoadBalancer":
        return HEALTHY
    balancer: Mapping[str, object] = live.get("status", {}).get("loadBalancer") or {}
    return HEALTHY if balancer.get("ingress") else PROGRESSING


def _claim(live: Object) -> str:
    return {"Bound": HEALTHY, "Lost": DEGRADED}.get(str(_status(live).get("phase", "")), PROGRESSING)


def _job(live: Object) -> str:
    return HEALTHY if _status(live).get("succeeded") else PROGRESSING


def _repeated(live: Object) -> str:
    return SUSPENDED if live["spec"].get("suspend") else HEALTHY


JUDGES: dict[str, Callable[[Object], str]] = {
    "Deployment": _workload, "StatefulSet": _workload, "DaemonSet": _daemons, "Rollout": _rollout, "Job": _job,
    "Service": _balanced, "Ingress": _balanced, "PersistentVolumeClaim": _claim, "CronJob": _repeated,
}  # fmt: skip
