"""The phases of a DB instance: how they begin, how long they take, and when AWS takes further changes."""

from __future__ import annotations

from pipeops_sandbox.errors import AwsError
from pipeops_sandbox.runtime import runtime

from .store import DbInstance, Phase

SETTLED = frozenset({"available", "storage-optimization"})
"""Statuses in which AWS takes further changes; the second is fully operational and may last for a day."""


def duration(step: str) -> float:
    """Return the model seconds of a step of RDS, e.g. ``create_instance``."""
    return runtime.clock.duration(f"rds:{step}")


def begin(instance: DbInstance, now: float, *phases: Phase) -> None:
    """Put phases after whatever the instance is doing."""
    if not instance.phases:
        instance.since, instance.held = now, False
    instance.phases.extend(phases)


def restart(instance: DbInstance, now: float, *phases: Phase) -> None:
    """Put phases in place of whatever the instance is doing."""
    instance.phases.clear()
    begin(instance, now, *phases)


def require_available(instance: DbInstance, doing: str) -> None:
    """Refuse an operation on a busy instance.

    Raises:
        AwsError: ``InvalidDBInstanceState``.
    """
    if instance.status not in SETTLED:
        raise AwsError(
            "InvalidDBInstanceState",
            f"Instance {instance.identifier} in {instance.region} is currently {instance.status}: {doing} needs a "
            "DB instance that is in the available state. Wait until it is available and try again.",
        )
