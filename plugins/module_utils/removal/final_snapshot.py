# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The snapshot by which a database outlives its removal: taken and seen to be there before the instance goes."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.aws import Aws, tag_list
from ..engine.errors import EngineError
from ..engine.model import Traits
from ..engine.planner import Action
from ..engine.waiting import wait_until
from ..resources import rds_calls
from ..resources.rds_describe import Instance, describe

#: Seconds for which the snapshot of a run that was killed counts for the next one.
GOOD_FOR = 3600
#: How long it usually takes: what has changed since the latest automated one is copied.
TAKES = Traits(seconds=300)
MEND = "Look at the database, then run again. To remove it without a snapshot, pass destroy_final_snapshot=false."
#: States in which AWS takes no snapshot.
IMPOSSIBLE = frozenset({"failed", "incompatible-restore", "incompatible-network"})


@dataclass(frozen=True)
class Purpose:
    """What a snapshot is taken for.

    Attributes:
        word: stands in its name, between the identifier and the time.
        label: for people.
        mend: what to do if it cannot be taken.
        good_for: seconds for which the snapshot of a run that was killed counts for the next one.
    """

    word: str
    label: str
    mend: str
    good_for: float = GOOD_FOR

    def name(self, identifier: str) -> str:
        """Return the name of a snapshot that is taken now, with the time in UTC."""
        return f"{identifier}-{self.word}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"


FINAL = Purpose("final", "final snapshot", MEND)


def apply(aws: Aws, identifier: str, *, check_mode: bool) -> dict[str, Any]:
    """Take the final snapshot of an instance and wait until it is available.

    A replica gets none, because its data are those of its source. What an earlier run began within the hour counts.

    Raises:
        EngineError: if AWS cannot take it, or it fails.
    """
    instance = describe(aws, identifier)
    if instance is None or instance["DBInstanceStatus"] == "deleting":
        known = _snapshots(aws, identifier, FINAL)
        latest = max(known, key=lambda one: str(one["DBSnapshotIdentifier"]), default=None)
        return _result(latest["DBSnapshotIdentifier"] if latest else None)
    if instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        return _result(None)
    return keep(aws, instance, FINAL, check_mode=check_mode)


def keep(aws: Aws, instance: Instance, purpose: Purpose, *, check_mode: bool) -> dict[str, Any]:
    """Take a snapshot of an instance and wait until it is available, unless an earlier run has begun one.

    Raises:
        EngineError: if AWS cannot take it, or it fails.
    """
    identifier = instance["DBInstanceIdentifier"]
    known = _snapshots(aws, identifier, purpose)
    name = recent(identifier, instance["DbiResourceId"], known, time.time(), purpose)
    action = Action("create", "rds_snapshot", identifier, purpose.label, TAKES, name)
    if check_mode:
        return _result(name, [] if name else [action.as_dict()])
    new = name or purpose.name(identifier)
    if name is None:
        _take(aws, instance, new, purpose)
    _await(aws, identifier, new, purpose)
    return _result(new, [] if name else [action.as_dict()])


def recent(
    identifier: str, resource_id: str, snapshots: list[Mapping[str, Any]], at: float, purpose: Purpose = FINAL
) -> str | None:
    """Return the name of a snapshot of this very instance that is not too old; None without one.

    Args:
        resource_id: what AWS tells instances of the same identifier apart by.
        at: now, in seconds since 1970.
    """
    named = {
        str(one["DBSnapshotIdentifier"]): one
        for one in snapshots
        if one["DbiResourceId"] == resource_id and one["Status"] in ("creating", "available")
    }
    fresh = [name for name in named if 0 <= at - _taken_at(identifier, name, purpose) < purpose.good_for]
    return max(fresh, default=None)


def _taken_at(identifier: str, name: str, purpose: Purpose) -> float:
    """Return the time that a name tells, in seconds since 1970; 0 for a name of another shape."""
    try:
        return timegm(time.strptime(name, f"{identifier}-{purpose.word}-%Y%m%d-%H%M%S"))
    except ValueError:
        return 0


def _snapshots(aws: Aws, identifier: str, purpose: Purpose) -> list[Mapping[str, Any]]:
    found = aws.pages(
        "rds", "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=identifier, SnapshotType="manual"
    )
    return [one for one in found if one["DBSnapshotIdentifier"].startswith(f"{identifier}-{purpose.word}-")]


def _take(aws: Aws, instance: Instance, name: str, purpose: Purpose) -> None:
    identifier, status = instance["DBInstanceIdentifier"], instance["DBInstanceStatus"]
    if status in IMPOSSIBLE:
        what = f"DB instance {identifier} in {aws.region}"
        raise EngineError(f"{what} is {status}, and AWS takes no snapshot then. {purpose.mend}")
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

    rds_calls.send(aws, identifier, f"taking its {purpose.label}", call)


def _await(aws: Aws, identifier: str, name: str, purpose: Purpose) -> None:
    client, what = aws.client("rds"), f"the {purpose.label} {name} of DB instance {identifier} in {aws.region}"

    def check() -> tuple[bool | None, str]:
        (snapshot,) = client.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
        status = str(snapshot["Status"])
        if status not in ("creating", "available"):
            raise EngineError(f"{what[:1].upper()}{what[1:]} is {status}, so the database stays. {purpose.mend}")
        return (True if status == "available" else None), f"{status}, {snapshot.get('PercentProgress', 0)} %"

    wait_until(check, what, TAKES.seconds, aws.patience, aws.progress, purpose.mend)


def _result(name: str | None, actions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"changed": bool(actions), "snapshot": name, "actions": actions or []}
