# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing a DB instance that AWS may be busy with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..engine.aws import Aws, error_code, is_aws_error
from ..engine.errors import EngineError
from ..engine.model import Readiness
from ..engine.waiting import wait_until
from .rds_describe import NEEDS_ACTION, SETTLED, TERMINAL, Instance, describe, parameter_status, readiness_of

#: Seconds for which a busy instance may still show an older, settled status.
LAG = 60.0
#: The status that only a restart ends, once the parameters are right (RDS user guide, "incompatible-parameters").
BAD_PARAMETERS = "incompatible-parameters"


def is_idle(instance: Instance) -> bool:
    """Tell whether an instance is busy with nothing, so that its status will not change by itself."""
    return readiness_of(instance["DBInstanceStatus"]) is not Readiness.WAIT


def is_settled(instance: Instance) -> bool:
    """Tell whether an instance works and takes changes."""
    return instance["DBInstanceStatus"] in SETTLED


def can_restart(instance: Instance) -> bool:
    """Tell whether an instance is done but for a restart, which also leads out of parameters that did not work."""
    return is_done(instance) or instance["DBInstanceStatus"] == BAD_PARAMETERS


def is_done(instance: Instance) -> bool:
    """Tell whether everything that was asked for holds; a stopped instance takes its changes when it starts."""
    if instance["DBInstanceStatus"] == "stopped":
        return True
    waiting = instance.get("PendingModifiedValues") or {}
    return instance["DBInstanceStatus"] in SETTLED and not waiting and parameter_status(instance) != "applying"


def until(
    aws: Aws,
    identifier: str,
    doing: str,
    typical: float,
    holds: Callable[[Instance], bool],
    *,
    region: str | None = None,
    changed: bool = False,
) -> Instance:
    """Wait until a description fulfils a condition, and return that.

    Args:
        changed: True if something was changed just now that may be the way out of the status that the instance has:
            AWS goes on showing that one for a while. Otherwise a status that only a person ends is not waited out.

    Raises:
        EngineError: if the instance is gone, in a state that somebody has to lead it out of, or the time is over.
    """
    what = f"DB instance {identifier} in {region or aws.region} ({doing})"
    began, first = time.monotonic(), ""

    def check() -> tuple[Instance | None, str]:
        nonlocal first
        instance = describe(aws, identifier, region=region)
        if instance is None:
            raise EngineError(f"{what} is gone. Look who deleted it, then run again.")
        status = instance["DBInstanceStatus"]
        first = first or status
        if holds(instance):
            return instance, status
        stale = changed and status == first and time.monotonic() - began < LAG
        if status in NEEDS_ACTION and (status in TERMINAL or not stale):
            raise EngineError(
                f"{what} is {status}, which does not pass by itself. {NEEDS_ACTION[status]} Then run again: it goes on "
                "where this run stopped."
            )
        return None, status

    return wait_until(check, what, typical, aws.patience, aws.progress)


def send(aws: Aws, identifier: str, doing: str, call: Callable[[], Any], *, region: str | None = None) -> None:
    """Send a change, again and again while the instance is too busy to take it.

    AWS answers InvalidDBInstanceState for what clears by itself and for what never does, so the status decides:
    an instance that goes on refusing while it is settled has another reason.

    Raises:
        EngineError: if it refuses in a state that somebody has to lead it out of.
    """
    refused_since: float | None = None
    while True:
        try:
            call()
        except Exception as error:
            if not is_aws_error(error) or error_code(error) != "InvalidDBInstanceState":
                raise
            now, instance = time.monotonic(), describe(aws, identifier, region=region)
            if instance is None or not is_idle(instance):
                refused_since = None
            elif refused_since is None:
                refused_since = now
            elif now - refused_since > min(LAG, aws.patience.timeout):
                raise
        else:
            return
        time.sleep(min(1.0, aws.patience.delay))
        until(aws, identifier, doing, 300, is_settled, region=region)


def modify(aws: Aws, identifier: str, doing: str, typical: float, **values: Any) -> None:
    """Change an instance now, and wait until the change holds: AWS takes the next one only then."""
    client = aws.client("rds")
    send(
        aws,
        identifier,
        doing,
        lambda: client.modify_db_instance(DBInstanceIdentifier=identifier, ApplyImmediately=True, **values),
    )
    holds = can_restart if "DBParameterGroupName" in values else is_done
    until(aws, identifier, doing, typical, holds, changed=True)


def restart(aws: Aws, identifier: str, *, expected: bool) -> None:
    """Reboot an instance if parameters wait for that, and wait until they hold.

    Args:
        expected: True if a parameter that needs a restart was changed just now: AWS may take a moment to say so.
    """
    doing = "restarting"
    looks_until = time.monotonic() + min(LAG, 2 * aws.patience.delay)
    while True:
        instance = until(aws, identifier, doing, 60, can_restart)
        waiting = _waits_for_restart(instance)
        if waiting or not expected or time.monotonic() > looks_until:
            break
        time.sleep(min(1.0, aws.patience.delay))
    if not waiting or instance["DBInstanceStatus"] == "stopped":
        return
    client = aws.client("rds")
    send(aws, identifier, doing, lambda: client.reboot_db_instance(DBInstanceIdentifier=identifier))
    until(aws, identifier, doing, 90, lambda one: is_done(one) and not _waits_for_restart(one), changed=True)


def _waits_for_restart(instance: Instance) -> bool:
    return parameter_status(instance) == "pending-reboot" or instance["DBInstanceStatus"] == BAD_PARAMETERS


def free_identifier(aws: Aws, identifier: str) -> None:
    """Wait until a former instance of this identifier is gone, if it is on its way out."""
    what = f"the removal of the former DB instance {identifier} in {aws.region}"

    def check() -> tuple[bool | None, str]:
        instance = describe(aws, identifier)
        leaving = instance is not None and instance["DBInstanceStatus"] == "deleting"
        return (None, "deleting") if leaving else (True, "")

    wait_until(check, what, 300, aws.patience, aws.progress)


def delete(aws: Aws, identifier: str, *, final_snapshot: str | None) -> None:
    """Delete an instance and its automated backups; one that is gone or going is no error.

    Args:
        final_snapshot: the name of the snapshot to take before, None for none.

    Raises:
        EngineError: if AWS cannot take the snapshot in the instance's state.
    """
    instance = describe(aws, identifier)
    if instance is None or instance["DBInstanceStatus"] == "deleting":
        return
    if final_snapshot:
        _require_snapshot_possible(aws, identifier, instance["DBInstanceStatus"])
    if instance.get("DeletionProtection"):
        modify(aws, identifier, "lifting its deletion protection", 10, DeletionProtection=False)
    values = {"FinalDBSnapshotIdentifier": final_snapshot} if final_snapshot else {"SkipFinalSnapshot": True}
    client = aws.client("rds")

    def call() -> None:
        try:
            client.delete_db_instance(DBInstanceIdentifier=identifier, DeleteAutomatedBackups=True, **values)
        except (client.exceptions.InvalidDBInstanceStateFault, client.exceptions.DBInstanceNotFoundFault):
            # An earlier try whose answer was lost may have been carried out.
            left = describe(aws, identifier)
            if left is not None and left["DBInstanceStatus"] != "deleting":
                raise

    send(aws, identifier, "deleting", call)


def _require_snapshot_possible(aws: Aws, identifier: str, status: str) -> None:
    # The three statuses are DeleteDBInstance's own (RDS API reference, SkipFinalSnapshot).
    if status in {"failed", "incompatible-restore", "incompatible-network"}:
        raise EngineError(
            f"DB instance {identifier} in {aws.region} is {status}, and AWS takes no final snapshot then. "
            "Set final_snapshot: false to remove it without one."
        )
