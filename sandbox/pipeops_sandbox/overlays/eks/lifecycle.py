"""Time passing over clusters and their parts: what is finished takes effect when somebody looks."""

from __future__ import annotations

from moto.logs.models import logs_backends

from ...runtime import runtime
from . import network
from .control_plane import data_plane
from .health import has_role
from .managed_entries import refresh_managed_entries
from .state import Cluster, EksState, Part, Update
from .tokens import forget_answers_about, forget_answers_in

HELD_SECONDS = 0.2
"""Real seconds after which a phase that waits for the data plane is looked at again."""


def settle(state: EksState, now: float) -> None:
    """Bring all clusters to a model time: finished updates apply, what was deleted goes."""
    for cluster in list(state.clusters.values()):
        _hold(cluster, now)
        _apply_updates(cluster, now)
        for parts, arn in ((cluster.addons, "addonArn"), (cluster.nodegroups, "nodegroupArn")):
            _drop_deleted(state, parts, arn, now)
        if cluster.deletion is not None and cluster.deletion.settled(now):
            _remove(state, cluster)


def _hold(cluster: Cluster, now: float) -> None:
    """Let a cluster stay CREATING until its API server is there, however short the clock's profile makes that."""
    if cluster.up or not cluster.timeline.settled(now):
        return
    cluster.up = data_plane().ready(cluster)
    if not cluster.up:
        state, _end = cluster.timeline.phases[-1]
        cluster.timeline.phases[-1] = (state, now + HELD_SECONDS * runtime.clock.scale)


def _apply_updates(cluster: Cluster, now: float) -> None:
    for update in cluster.updates.values():
        if update.applied or update.status(now) != "Successful":
            continue
        update.applied = True
        target = _target(cluster, update)
        if target is not None:
            target.update(update.changes)
            if update.addon or update.nodegroup:
                target["modifiedAt"] = now
        if update.type in _EFFECTS:
            _EFFECTS[update.type](cluster, update)


def _target(cluster: Cluster, update: Update) -> dict[str, object] | None:
    """Return the document that an update changes, or nothing if its target was deleted meanwhile."""
    if update.addon is None and update.nodegroup is None:
        return cluster.document
    part = cluster.addons.get(update.addon or "") or cluster.nodegroups.get(update.nodegroup or "")
    return part.document if part else None


def ensure_log_group(cluster: Cluster) -> None:
    """Make the control plane's log group where logging is on and nobody has made it; it never expires its logs."""
    if not any(setup["enabled"] for setup in cluster.document["logging"]["clusterLogging"]):
        return
    backend = logs_backends[cluster.account][cluster.region]
    name = f"/aws/eks/{cluster.name}/cluster"
    if name not in backend.groups:
        backend.create_log_group(name, {})


def _logging_changed(cluster: Cluster, update: Update) -> None:
    ensure_log_group(cluster)


def _access_changed(cluster: Cluster, update: Update) -> None:
    refresh_managed_entries(cluster, update.timeline.phases[-1][1])


def _version_changed(cluster: Cluster, update: Update) -> None:
    if update.target == (None, None):
        data_plane().upgraded(cluster)


def _subnets_changed(cluster: Cluster, update: Update) -> None:
    network.place_interfaces(
        cluster.account, cluster.region, cluster.name, cluster.network, cluster.document["resourcesVpcConfig"]
    )


_EFFECTS = {
    "LoggingUpdate": _logging_changed,
    "AccessConfigUpdate": _access_changed,
    "AutoModeUpdate": _access_changed,
    "VpcConfigUpdate": _subnets_changed,
    "VersionUpdate": _version_changed,
    "VersionRollback": _version_changed,
}


def _drop_deleted(state: EksState, parts: dict[str, Part], arn: str, now: float) -> None:
    for name in [name for name, part in parts.items() if part.gone(now)]:
        forget_answers_about(state, parts.pop(name).document[arn])


def _remove(state: EksState, cluster: Cluster) -> None:
    """Take a cluster out. Without its role EKS cannot tidy up the VPC, and leaves what it made there behind."""
    if has_role(cluster):
        network.release(cluster)
    data_plane().terminate(cluster)
    del state.clusters[cluster.name]
    forget_answers_in(state, cluster.name)
