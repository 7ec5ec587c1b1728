# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing one DB instance to another engine version, and seeing that it is well there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.model import Traits, Update
from ..engine.planner import Action, Difference
from ..engine.waiting import wait_until
from ..resources import rds_calls, rds_metrics
from ..resources.rds_calls import LAG
from ..resources.rds_describe import Instance, describe
from ..resources.rds_instance import PARAMETER_GROUP, version_of
from .rds_steps import MAJOR, MAJOR_REPLICA, MINOR, MINOR_REPLICA, MINOR_STANDBY

FAILED = (
    "See its events and the logs pg_upgrade_precheck.log and pg_upgrade_internal.log among the logs of the instance, "
    "mend what they name, then run again. The snapshot that was taken before is kept."
)


@dataclass(frozen=True)
class Order:
    """What an instance shall be like.

    Attributes:
        version: the engine version.
        group: the parameter group, for a major upgrade; None leaves it alone.
        lag_limit: seconds that a replica may be behind when it counts as well again; None if nobody asks CloudWatch.
    """

    identifier: str
    version: str
    group: str | None = None
    lag_limit: float | None = None


def apply(aws: Aws, order: Order, *, check_mode: bool) -> dict[str, Any]:
    """Upgrade an instance and wait until it is well; what is under way already is not asked for again.

    Raises:
        EngineError: if there is no such instance, RDS gives up the upgrade, or the time is over.
    """
    before = describe(aws, order.identifier)
    if before is None:
        raise EngineError(f"There is no DB instance {order.identifier} in {aws.region}. Correct the option identifier.")
    actions, started = planned(before, order), time.monotonic()
    lag = None
    if not check_mode:
        _send(aws, order)
        _reach(aws, order)
        _settle(aws, order)
        lag = _catch_up(aws, order) if _source(before) else None
    after = order.version if actions else before["EngineVersion"]
    header = f"DB instance {order.identifier} in {aws.region}"
    return {
        "changed": bool(actions),
        "actions": [action.as_dict() for action in actions],
        "before_version": before["EngineVersion"],
        "version": order.version,
        "seconds": 0.0 if check_mode else round(time.monotonic() - started, 1),
        "lag_seconds": lag,
        "diff": {
            "before_header": header,
            "after_header": header,
            "before": {"engine_version": before["EngineVersion"], "parameter_group": _group(before)},
            "after": {"engine_version": after, "parameter_group": order.group or _group(before)},
        },
    }


def planned(instance: Instance, order: Order) -> Sequence[Action]:
    """Return what has to be done to an instance; what RDS does to it along with its source is no action of its own."""
    identifier, version, major = order.identifier, instance["EngineVersion"], _is_major(instance, order)
    found = []
    if version_of(version) < version_of(order.version) and not (major and _source(instance)):
        difference = Difference("engine_version", version, order.version)
        found.append(_action(identifier, "engine_version", _traits(instance, major=major), difference))
    if order.group and _group(instance) != order.group and _follows_along(instance, order):
        difference = Difference("parameter_group", _group(instance), order.group)
        traits = MAJOR_REPLICA if _source(instance) else PARAMETER_GROUP.traits
        found.append(_action(identifier, "parameter_group", traits, difference))
    return found


def _action(identifier: str, attribute: str, traits: Traits, difference: Difference) -> Action:
    update = Update(attribute, (attribute,), traits)
    label = "DB instance"
    return Action("update", "rds_upgrade", identifier, label, traits, identifier, update, (difference,))


def _traits(instance: Instance, *, major: bool) -> Traits:
    if _source(instance):
        return MINOR_STANDBY if _source(instance).startswith("arn:") else MINOR_REPLICA
    return MAJOR if major else MINOR


def _source(instance: Instance) -> str:
    return str(instance.get("ReadReplicaSourceDBInstanceIdentifier") or "")


def _group(instance: Instance) -> str:
    return str((instance.get("DBParameterGroups") or [{}])[0].get("DBParameterGroupName", ""))


def _is_major(instance: Instance, order: Order) -> bool:
    return version_of(instance["EngineVersion"])[0] != version_of(order.version)[0]


def _follows_along(instance: Instance, order: Order) -> bool:
    """Tell whether the group is given afterwards: RDS takes none for a replica while it upgrades it along."""
    return bool(_source(instance)) or not _is_major(instance, order)


def _under_way(instance: Instance, version: str) -> bool:
    waiting = (instance.get("PendingModifiedValues") or {}).get("EngineVersion")
    return bool(instance["DBInstanceStatus"] == "upgrading" or waiting == version)


def _send(aws: Aws, order: Order) -> None:
    """Ask for the upgrade, unless somebody has, or RDS does it along with the source."""
    client, asked = aws.client("rds"), {"EngineVersion": order.version, "ApplyImmediately": True}

    def call() -> None:
        instance = _standing(aws, order)
        major = _is_major(instance, order)
        if version_of(instance["EngineVersion"]) >= version_of(order.version) or _starts(aws, order, instance):
            return
        if major and _source(instance):
            return
        values: dict[str, Any] = {"AllowMajorVersionUpgrade": True} if major else {}
        if major and order.group:
            values["DBParameterGroupName"] = order.group
        client.modify_db_instance(DBInstanceIdentifier=order.identifier, **asked, **values)

    rds_calls.send(aws, order.identifier, f"upgrading to {order.version}", call)


def _starts(aws: Aws, order: Order, instance: Instance) -> bool:
    """Tell whether an upgrade that was asked for goes on by itself, and does not wait for the maintenance window."""
    if not _under_way(instance, order.version):
        return False
    deadline = time.monotonic() + min(LAG, aws.patience.timeout)
    while instance["DBInstanceStatus"] == "available" and _under_way(instance, order.version):
        if time.monotonic() > deadline:
            return False
        time.sleep(min(1.0, aws.patience.delay))
        instance = _standing(aws, order)
    return True


def _standing(aws: Aws, order: Order) -> Instance:
    instance = describe(aws, order.identifier)
    if instance is None:
        raise EngineError(f"DB instance {order.identifier} in {aws.region} is gone. Look who deleted it.")
    return instance


def _reach(aws: Aws, order: Order) -> None:
    """Wait for the version.

    Raises:
        EngineError: if RDS has given the upgrade up: the instance is at rest with its old version.
    """
    rests: float | None = None

    def holds(instance: Instance) -> bool:
        nonlocal rests
        if version_of(instance["EngineVersion"]) >= version_of(order.version):
            return rds_calls.can_restart(instance)
        busy = not rds_calls.is_settled(instance) or _under_way(instance, order.version)
        rests = None if busy else rests or time.monotonic()
        if rests is not None and time.monotonic() - rests > min(LAG, aws.patience.timeout):
            what = f"RDS has not upgraded DB instance {order.identifier} in {aws.region} to {order.version}"
            raise EngineError(
                f"{what}: it is {instance['DBInstanceStatus']} with {instance['EngineVersion']}. {FAILED}"
            )
        return False

    typical = MAJOR.seconds if order.group else MINOR.seconds
    rds_calls.until(aws, order.identifier, f"upgrading to {order.version}", typical, holds, changed=True)


def _settle(aws: Aws, order: Order) -> None:
    """Give it its parameter group, and restart it if parameters wait for that."""
    if order.group is None:
        return
    if _group(_standing(aws, order)) != order.group:
        doing = "getting its parameter group"
        rds_calls.modify(aws, order.identifier, doing, 180, DBParameterGroupName=order.group)
        rds_calls.restart(aws, order.identifier, expected=True)
    else:
        rds_calls.restart(aws, order.identifier, expected=False)


def _catch_up(aws: Aws, order: Order) -> float | None:
    """Wait until a replica replicates again and is not behind, and return its lag; None if nobody knows."""

    def check() -> tuple[tuple[float | None] | None, str]:
        return _caught_up(aws, order)

    what = f"the replication of DB instance {order.identifier} in {aws.region}"
    return wait_until(check, what, 60, aws.patience, aws.progress)[0]


def _caught_up(aws: Aws, order: Order) -> tuple[tuple[float | None] | None, str]:
    instance = _standing(aws, order)
    bad = [str(info.get("Status")) for info in instance.get("StatusInfos") or () if not info.get("Normal", True)]
    lag = None if order.lag_limit is None else rds_metrics.replica_lag(aws, order.identifier)
    if bad or (lag is not None and order.lag_limit is not None and lag > order.lag_limit):
        return None, ", ".join(bad) or f"{lag:.0f} s behind"
    return (lag,), ""
