# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DB instances as AWS describes them, and what their statuses mean. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.aws import Aws
from ..engine.model import Readiness

Instance = Mapping[str, Any]

#: Statuses in which an instance works and takes changes; storage-optimization may last for more than a day.
SETTLED = frozenset({"available", "storage-optimization"})
#: Statuses that last until somebody does something, with what that is (RDS user guide, "Viewing DB instance status").
NEEDS_ACTION = {
    "stopped": "Start it, e.g. with playbooks/wake.yml.",
    "storage-full": "Raise storage_gib.",
    "incompatible-parameters": "Correct the option parameters, or reset them, and reboot it.",
    "incompatible-option-group": "Move it to another option group.",
    "incompatible-network": "Make room in its subnets, or restore it elsewhere.",
    "insufficient-capacity": "Choose another instance_class, or wait until AWS has capacity.",
    "inaccessible-encryption-credentials-recoverable": "Enable its KMS key again within seven days.",
    "failed": "Restore it to a point in time with playbooks/restore.yml.",
    "incompatible-restore": "Restore it to another point in time with playbooks/restore.yml.",
    "restore-error": "Restore it to another point in time with playbooks/restore.yml.",
    "inaccessible-encryption-credentials": "Its KMS key is gone for good: restore it from a copy under another key.",
}
#: Those of the above that no change leads out of.
TERMINAL = frozenset({"failed", "incompatible-restore", "restore-error", "inaccessible-encryption-credentials"})


def readiness_of(status: str) -> Readiness:
    """Tell whether an instance of this status can be used."""
    if status in NEEDS_ACTION:
        return Readiness.FAILED
    return Readiness.READY if status in SETTLED else Readiness.WAIT


def describe(aws: Aws, identifier: str, *, region: str | None = None, probe: bool = False) -> Instance | None:
    """Return an instance as AWS describes it, None if there is none.

    Args:
        region: where to look, if not in the region of the module.
        probe: whether that region may be down.
    """
    client = aws.client("rds", region=region, probe=probe)
    try:
        instance: Instance = client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    except client.exceptions.DBInstanceNotFoundFault:
        return None
    return instance


def all_instances(aws: Aws) -> list[Instance]:
    """Return all instances of the region: one call for a hundred of them, tags included."""
    return aws.pages("rds", "describe_db_instances", "DBInstances")


def parameter_status(instance: Instance) -> str:
    """Return how an instance stands to its parameter group, e.g. ``in-sync`` or ``pending-reboot``."""
    groups = instance.get("DBParameterGroups") or [{}]
    return str(groups[0].get("ParameterApplyStatus", ""))
