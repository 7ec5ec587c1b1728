"""For tests of what goes wrong: put an instance into a state that no API call leads to.

The control interface offers this as ``POST /_sandbox/rds/REGION/IDENTIFIER``.
"""

from __future__ import annotations

from pipeops_sandbox.runtime import runtime

from .journal import tell
from .lifecycle import settle
from .store import store_of

STATES = frozenset(
    {
        "available", "storage-full", "failed", "incompatible-network", "incompatible-parameters", "restore-error",
        "insufficient-capacity", "inaccessible-encryption-credentials", "backing-up", "maintenance",
    }
)  # fmt: skip
REPLICATION_STATES = ("replicating", "error", "stopped", "terminated")


def set_status(account: str, region: str, identifier: str, status: str) -> None:
    """Make an instance show a status until it is set to ``available`` again, after what it is doing now.

    Raises:
        KeyError: if there is no such instance.
        ValueError: for a status that AWS does not have, or that an API call leads to.
    """
    if status not in STATES:
        raise ValueError(f"status is {status!r}, must be one of {', '.join(sorted(STATES))}")
    settle(account, runtime.clock.now())
    store_of(account, region).instances[identifier].resting = status


def set_replication(account: str, region: str, identifier: str, status: str, message: str = "") -> None:
    """Make a replica show a replication status: ``replicating``, ``error``, ``stopped`` or ``terminated``.

    Raises:
        KeyError: if there is no such instance.
        ValueError: if it is no replica, or for another status.
    """
    if status not in REPLICATION_STATES:
        raise ValueError(f"replication status is {status!r}, must be one of {', '.join(REPLICATION_STATES)}")
    now = runtime.clock.now()
    settle(account, now)
    instance = store_of(account, region).instances[identifier]
    if instance.replication is None:
        raise ValueError(f"{identifier} in {region} is not a read replica")
    instance.replication.status, instance.replication.message = status, message
    tell(instance, "RDS-EVENT-0046" if status == "replicating" else "RDS-EVENT-0045", now)
