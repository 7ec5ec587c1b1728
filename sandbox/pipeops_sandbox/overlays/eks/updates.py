"""Updates: one at a time for each target, polled by their id; DescribeUpdate, ListUpdates, CancelUpdate."""

from __future__ import annotations

import json
from typing import Any

from moto.moto_api._internal import mock_random

from ...clock import Timeline
from ...errors import AwsError
from ...runtime import runtime
from .call import Answer, Call, in_use, invalid_request, not_found, operation, page
from .state import Cluster, Update, find_cluster


def require_idle(cluster: Cluster, kind: str, now: float) -> None:
    """Refuse to change a cluster that is not up, or has an update running.

    Raises:
        AwsError: ResourceInUseException for a running update; InvalidRequestException for a cluster
            that is being created or deleted (which of the two codes AWS uses there is unconfirmed).
    """
    name = cluster.name
    running = cluster.running_update(now)
    if running is not None:
        raise in_use(
            f"Cannot {kind} because cluster {name} currently has update {running.id} in progress", clusterName=name
        )
    status = cluster.status(now)
    if status != "ACTIVE":
        raise invalid_request(
            f"Cannot {kind} because cluster {name} is in status {status}, not ACTIVE", clusterName=name
        )


def require_active(cluster: Cluster, now: float) -> None:
    """Refuse to work in a cluster that is being created or deleted; one that is updating is fine.

    Raises:
        AwsError: InvalidRequestException.
    """
    status = cluster.status(now)
    if status not in ("ACTIVE", "UPDATING"):
        raise invalid_request(f"Cluster {cluster.name} is in status {status}, not ACTIVE", clusterName=cluster.name)


def start_update(
    cluster: Cluster,
    kind: str,
    step: str,
    now: float,
    changes: dict[str, Any],
    params: dict[str, Any],
    addon: str | None = None,
    nodegroup: str | None = None,
) -> Answer:
    """Begin an update of a cluster, or of the add-on or node group named, and return the answer that says so.

    ``step`` is the duration's name in ``data/durations.yml``; ``changes`` replace members of the target's
    document once the update succeeds; ``params`` is what DescribeUpdate shows of the request.
    """
    clock = runtime.clock
    update = Update(
        id=str(mock_random.uuid4()),
        type=kind,
        params={name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()},
        created_at=now,
        timeline=Timeline.start(now, ("InProgress", clock.duration(step)), last="Successful"),
        visible_at=now + clock.duration("eks:update_visible"),
        changes=changes,
        addon=addon,
        nodegroup=nodegroup,
    )
    cluster.updates[update.id] = update
    return {"update": describe(update, update.timeline.first)}


def describe(update: Update, status: str) -> dict[str, Any]:
    """Return an update as the API gives it."""
    answer: dict[str, Any] = {
        "id": update.id,
        "type": update.type,
        "status": status,
        "params": [{"type": name, "value": value} for name, value in update.params.items()],
        "createdAt": update.created_at,
        "errors": [],
    }
    if update.cancelled:
        answer["cancellation"] = {"status": "Successful", "reason": "Cancelled by the caller"}
    return answer


def _find(call: Call, cluster: Cluster) -> Update:
    update = cluster.updates.get(call["updateId"])
    if update is None or update.target != (call.get("addonName"), call.get("nodegroupName")):
        raise not_found(f"No update found for ID: {call['updateId']}", clusterName=cluster.name)
    return update


@operation("DescribeUpdate")
def describe_update(call: Call) -> Answer:
    """Return an update of a cluster, or of the add-on or node group that is named along."""
    update = _find(call, find_cluster(call, call["name"]))
    return {"update": describe(update, update.status(call.now))}


@operation("ListUpdates")
def list_updates(call: Call) -> Answer:
    """Return the ids of a target's updates, newest first."""
    cluster = find_cluster(call, call["name"])
    wanted = (call.get("addonName"), call.get("nodegroupName"))
    ids = [update.id for update in cluster.updates.values() if update.target == wanted]
    return page(call, ids[::-1], "updateIds")


@operation("CancelUpdate")
def cancel_update(call: Call) -> Answer:
    """Cancel a rollback that is running: the only kind of update that can be."""
    cluster = find_cluster(call, call["name"])
    update = _find(call, cluster)
    status = update.status(call.now)
    if update.type != "VersionRollback" or status != "InProgress":
        raise AwsError(
            "InvalidStateException",
            f"Update {update.id} of type {update.type} in status {status} cannot be cancelled",
            clusterName=cluster.name,
        )
    update.cancelled = True
    return {"update": describe(update, "Cancelled")}
