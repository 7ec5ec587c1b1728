# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removing a database and its replicas, in the order in which none of them becomes a primary on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.aws import Aws
from ..engine.errors import EngineError
from ..engine.waiting import wait_until
from ..resources import rds_calls
from ..resources.rds_describe import Instance, all_instances, describe
from ..resources.rds_instance import final_snapshot_name

#: How long a removal usually takes, with its final snapshot.
TYPICAL = 420


def apply(aws: Aws, identifier: str, *, keep: bool, check_mode: bool) -> dict[str, Any]:
    """Remove an instance after its replicas.

    Args:
        keep: whether a final snapshot is taken.

    Raises:
        EngineError: if a replica in another region follows it.
    """
    found = {one["DBInstanceIdentifier"]: one for one in all_instances(aws)}
    order = removal_order(identifier, list(found.values()))
    _require_no_follower_elsewhere(aws, [found[name] for name in order])
    header = f"DB instances of {identifier} in {aws.region}"
    diff = {"before_header": header, "after_header": header, "before": {"instances": order}, "after": {"instances": []}}
    result: dict[str, Any] = {"changed": bool(order), "removed": order, "final_snapshot": None, "diff": diff}
    if check_mode:
        return result
    replicas = [name for name in order if found[name].get("ReadReplicaSourceDBInstanceIdentifier")]
    for name in replicas:
        rds_calls.delete(aws, name, final_snapshot=None)
    _await_gone(aws, replicas)
    for name in [name for name in order if name not in replicas]:
        snapshot = final_snapshot_name(name) if keep else None
        rds_calls.delete(aws, name, final_snapshot=snapshot)
        result["final_snapshot"] = snapshot
    _await_gone(aws, order)
    return result


def removal_order(identifier: str, instances: Sequence[Instance]) -> list[str]:
    """Return an instance and all that follow it in its region: who follows goes before whom it follows."""
    by_source: dict[str, list[str]] = {}
    for one in instances:
        by_source.setdefault(one.get("ReadReplicaSourceDBInstanceIdentifier") or "", []).append(
            one["DBInstanceIdentifier"]
        )

    def below(name: str) -> list[str]:
        return [*(lower for follower in sorted(by_source.get(name, ())) for lower in below(follower)), name]

    there = any(one["DBInstanceIdentifier"] == identifier for one in instances)
    return below(identifier) if there else []


def _require_no_follower_elsewhere(aws: Aws, instances: Sequence[Instance]) -> None:
    for one in instances:
        remote = [arn for arn in one.get("ReadReplicaDBInstanceIdentifiers") or () if arn.startswith("arn:")]
        if remote and one["DBInstanceStatus"] != "deleting":
            raise EngineError(
                f"DB instance {one['DBInstanceIdentifier']} in {aws.region} is followed by {', '.join(remote)}, so it "
                "still leads. Nothing was removed. Switch over with playbooks/dr_switchover.yml first."
            )


def _await_gone(aws: Aws, names: Sequence[str]) -> None:
    for name in names:

        def check(name: str = name) -> tuple[bool | None, str]:
            instance = describe(aws, name)
            return (True, "") if instance is None else (None, str(instance["DBInstanceStatus"]))

        what = f"the removal of DB instance {name} in {aws.region}"
        wait_until(check, what, TYPICAL, aws.patience, aws.progress)
