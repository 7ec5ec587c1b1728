"""What a kubelet tells the API of its pods: they run, jobs finish, and what is deleted goes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from .api import Object

HOLD = "pipeops.sandbox/hold"
"""Annotation of a pod: ``unready`` never turns ready, ``crash`` fails again and again, ``pull`` has no image."""


def now_text() -> str:
    """Return the time as the API writes it."""
    return datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def address_of(pod: Object) -> str:
    """Return an address for a pod: the same as long as it lives."""
    digest = hashlib.sha256(str(pod["metadata"]["uid"]).encode()).digest()
    return f"100.64.{digest[0]}.{1 + digest[1] % 254}"


def finishes(pod: Object) -> bool:
    """Tell whether a pod's work comes to an end by itself: that of a Job does here, at once."""
    owners = pod["metadata"].get("ownerReferences", [])
    return any(owner["kind"] == "Job" for owner in owners)


def due(pod: Object) -> bool:
    """Tell whether a kubelet would have something to tell."""
    if not pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
        return False
    begins = pod.get("status", {}).get("phase", "Pending") == "Pending" and not _held(pod)
    return begins or _unheld(pod)


def _held(pod: Object) -> bool:
    """Tell whether it is shown already as the annotation wants it."""
    return bool(_hold(pod)) and bool(pod.get("status", {}).get("containerStatuses"))


def _unheld(pod: Object) -> bool:
    """Tell whether it was held back and is no longer."""
    status = pod.get("status", {})
    if _hold(pod) or status.get("phase") not in ("Running", "Pending"):
        return False
    return any(not one.get("ready") for one in status.get("containerStatuses", []))


def _hold(pod: Object) -> str:
    return str(pod["metadata"].get("annotations", {}).get(HOLD, ""))


def status_of(pod: Object, host: str) -> Object:
    """Return the status that a pod on a node gets.

    Args:
        host: the node's address.
    """
    hold, ended = _hold(pod), finishes(pod)
    now = now_text()
    ready = not hold and not ended
    phase = "Pending" if hold == "pull" else "Succeeded" if ended and not hold else "Running"
    reason = {"reason": "PodCompleted"} if ended else {"reason": "ContainersNotReady"} if hold else {}
    conditions = [
        _condition("PodReadyToStartContainers", True, now),
        _condition("Initialized", True, now),
        _condition("Ready", ready, now, **reason),
        _condition("ContainersReady", ready, now, **reason),
        _condition("PodScheduled", True, now),
        *(_condition(gate["conditionType"], True, now) for gate in pod["spec"].get("readinessGates", [])),
    ]
    address = host if pod["spec"].get("hostNetwork") else address_of(pod)
    status: Object = {
        "phase": phase, "conditions": conditions, "hostIP": host, "hostIPs": [{"ip": host}], "podIP": address,
        "podIPs": [{"ip": address}], "startTime": now,
        "observedGeneration": pod["metadata"].get("generation", 1),
        "containerStatuses": [_container(one, pod, hold, now) for one in pod["spec"]["containers"]],
    }  # fmt: skip
    if pod["spec"].get("initContainers"):
        status["initContainerStatuses"] = [_initial(one, pod, now) for one in pod["spec"]["initContainers"]]
    return status


def _condition(kind: str, true: bool, now: str, **more: str) -> dict[str, Any]:
    return {"type": kind, "status": str(true), "lastTransitionTime": now, "lastProbeTime": None, **more}


def _container(container: Object, pod: Object, hold: str, now: str) -> Object:
    name = container["name"]
    base = {"name": name, "image": container["image"], "imageID": _image_id(container["image"]), "restartCount": 0}
    identifier = "containerd://" + hashlib.sha256(f"{pod['metadata']['uid']}/{name}".encode()).hexdigest()
    if hold == "pull":
        waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{container["image"]}"'}
        return {**base, "imageID": "", "ready": False, "started": False, "state": {"waiting": waiting}}
    if hold == "crash":
        waiting = {"reason": "CrashLoopBackOff", "message": f"back-off restarting failed container {name}"}
        return {**base, "restartCount": 3, "ready": False, "started": False, "state": {"waiting": waiting}}
    if finishes(pod) and not hold:
        ended = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now, "containerID": identifier}
        return {**base, "ready": False, "started": False, "containerID": identifier, "state": {"terminated": ended}}
    running = {"running": {"startedAt": now}}
    return {**base, "ready": not hold, "started": True, "containerID": identifier, "state": running}


def _initial(container: Object, pod: Object, now: str) -> Object:
    """Return an init container's status: done, or running beside the others if it is a sidecar."""
    if container.get("restartPolicy") == "Always" and not finishes(pod):
        return _container(container, pod, "", now)
    identifier = "containerd://" + hashlib.sha256(f"{pod['metadata']['uid']}/{container['name']}".encode()).hexdigest()
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now, "containerID": identifier}
    return {
        "name": container["name"], "image": container["image"], "imageID": _image_id(container["image"]),
        "restartCount": 0, "ready": True, "started": False, "containerID": identifier, "state": {"terminated": ended},
    }  # fmt: skip


def _image_id(image: str) -> str:
    return f"{image.partition('@')[0]}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"
