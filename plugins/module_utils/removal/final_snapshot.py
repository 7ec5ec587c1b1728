# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The snapshot by which a database outlives its removal: taken and seen to be there before the instance goes."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Mapping
from typing import Any

from ..engine.aws import Aws, tag_list
from ..engine.errors import EngineError
from ..engine.model import Traits
from ..engine.planner import Action
from ..engine.waiting import wait_until
from ..resources import rds_calls
from ..resources.rds_describe import Instance, describe
from ..resources.rds_instance import final_snapshot_name

#: Seconds for which the snapshot of a run that was killed counts for the next one.
GOOD_FOR = 3600
#: How long it usually takes: what has changed since the latest automated one is copied.
TAKES = Traits(seconds=300)
MEND = "Look at the database, then run again. To remove it without a snapshot, pass destroy_final_snapshot=false."
#: States in which AWS takes no snapshot.
IMPOSSIBLE = frozenset({"failed", "incompatible-restore", "incompatible-network"})


def apply(aws: Aws, identifier: str, *, check_mode: bool) -> dict[str, Any]:
    """Take the final snapshot of an instance and wait until it is available.

    A replica gets none, because its data are those of its source. What an earlier run began within the hour counts.

    Raises:
        EngineError: if AWS cannot take it, or it fails.
    """
    instance, known = describe(aws, identifier), _snapshots(aws, identifier)
    if instance is None or instance["DBInstanceStatus"] == "deleting":
        latest = max(known, key=lambda one: str(one["DBSnapshotIdentifier"]), default=None)
        return _result(latest["DBSnapshotIdentifier"] if latest else None)
    if instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        return _result(None)
    name = recent(identifier, instance["DbiResourceId"], known, time.time())
    action = Action("create", "rds_snapshot", identifier, "final snapshot", TAKES, name)
    if check_mode:
        return _result(name, [] if name else [action.as_dict()])
    new = name or final_snapshot_name(identifier)
    if name is None:
        _take(aws, instance, new)
    _await(aws, identifier, new)
    return _result(new, [] if name else [action.as_dict()])


def recent(identifier: str, resource_id: str, snapshots: list[Mapping[str, Any]], at: float) -> str | None:
    """Return the name of a final snapshot of this very instance that is not older than an hour; None without one.

    Args:
        resource_id: what AWS tells instances of the same identifier apart by.
        at: now, in seconds since 1970.
    """
    named = {
        str(one["DBSnapshotIdentifier"]): one
        for one in snapshots
        if one["DbiResourceId"] == resource_id and one["Status"] in ("creating", "available")
    }
    fresh = [name for name in named if 0 <= at - _taken_at(identifier, name) < GOOD_FOR]
    return max(fresh, default=None)


def _taken_at(identifier: str, name: str) -> float:
    """Return the time that a name tells, in seconds since 1970; 0 for a name of another shape."""
    try:
        return timegm(time.strptime(name, f"{identifier}-final-%Y%m%d-%H%M%S"))
    except ValueError:
        return 0


def _snapshots(aws: Aws, identifier: str) -> list[Mapping[str, Any]]:
    found = aws.pages(
        "rds", "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=identifier, SnapshotType="manual"
    )
    return [one for one in found if one["DBSnapshotIdentifier"].startswith(f"{identifier}-final-")]


def _take(aws: Aws, instance: Instance, name: str) -> None:
    identifier, status = instance["DBInstanceIdentifier"], instance["DBInstanceStatus"]
    if status in IMPOSSIBLE:
        what = f"DB instance {identifier} in {aws.region}"
        raise EngineError(f"{what} is {status}, and AWS takes no snapshot then. {MEND}")
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("TagList", []) if not tag["Key"].startswith("aws:")}
    client = aws.client("rds")

    def call() -> None:
        try:
            client.create_db_snapshot(
                DBSnapshotIdentifier=name, DBInstanceIdentifier=identifier, Tags=tag_list({**tags, "Name": name})
            )
        except client.exceptions.DBSnapshotAlreadyExistsFault:
            # An earlier try whose answer was lost.
            return

    rds_calls.send(aws, identifier, "taking its final snapshot", call)


def _await(aws: Aws, identifier: str, name: str) -> None:
    client, what = aws.client("rds"), f"the final snapshot {name} of DB instance {identifier} in {aws.region}"

    def check() -> tuple[bool | None, str]:
        (snapshot,) = client.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
        status = str(snapshot["Status"])
        if status not in ("creating", "available"):
            raise EngineError(f"{what[:1].upper()}{what[1:]} is {status}, so the database stays. {MEND}")
        return (True if status == "available" else None), f"{status}, {snapshot.get('PercentProgress', 0)} %"

    wait_until(check, what, TAKES.seconds, aws.patience, aws.progress, MEND)


def _result(name: str | None, actions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"changed": bool(actions), "snapshot": name, "actions": actions or []}
