# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a standby could take over now, what would be lost, and how long it would take. Pure: no AWS, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..resources.rds_describe import NEEDS_ACTION, SETTLED
from .addon_checks import addon_checks
from .checks import Check, Grade
from .lease_checks import lease_checks

#: Seconds of lag above which somebody should look, and above which a switchover would make applications wait.
LAG_WARNING, LAG_BAD = 60.0, 300.0
#: Bytes of log that the primary keeps for its slowest replica before somebody should look.
WAL_WARNING = 10 * 2**30
#: Part of the primary's storage that this log may fill before it endangers the primary itself.
WAL_BAD_PART = 0.2
#: Replicated backups are about five minutes old (RDS sends its log every five minutes).
BACKUP_AGE_WARNING = 900
#: Seconds that a client may keep the old address; more makes every failover longer.
TTL_WARNING = 60
#: Seconds from PromoteReadReplica to a primary that takes writes, where no drill has measured it. The RDS user guide
#: says minutes, longer for larger databases.
TYPICAL_PROMOTION = 300.0
#: Seconds of our own steps: looking, the end of the replication, name and secret, the proof by writing.
OWN_STEPS = 30.0
#: A backup of an instance is over within this time; RDS promotes nothing meanwhile.
TYPICAL_BACKUP = 300.0
#: Statuses in which an EKS cluster takes workloads; while it is UPDATING its nodes and its API go on.
CLUSTER_WORKS = frozenset({"ACTIVE", "UPDATING"})


def verdict(facts: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return all checks, and what follows from them.

    Args:
        facts: the answer of M(pipeops.platform.rds_cross_region_replica_info) for the standby.
        more: ``heartbeat_lag_seconds`` (measured just now, or None), ``parameter_group`` (the standby's as wanted),
            ``record`` (``ttl`` and ``values`` of the name, or None), ``leader_endpoint``, ``promotion_seconds`` (as
            measured by a drill, or None), ``lease`` (as ``lease_checks`` takes it, or None for a database without a
            write lease), ``addons`` (as ``addon_checks`` takes it, or None if clusters are left alone).
    """
    checks = [check for part in PARTS for check in part(facts, more)]
    grades = {check.grade for check in checks}
    word = "not ready" if "bad" in grades else "ready, with warnings" if "warning" in grades else "ready"
    return {
        "verdict": word,
        "ready": "bad" not in grades,
        "checks": [check.as_dict() for check in checks],
        "lost_now_seconds": _lost(facts, more),
        "takes_seconds": _takes(facts, more),
    }


def _lost(facts: Mapping[str, Any], more: Mapping[str, Any]) -> float | None:
    measured = more.get("heartbeat_lag_seconds")
    seconds = measured if measured is not None else facts["lag"].get("seconds")
    return None if seconds is None else float(seconds)


def _takes(facts: Mapping[str, Any], more: Mapping[str, Any]) -> float:
    waits = TYPICAL_BACKUP if facts["replica"].get("status") == "backing-up" else 0.0
    return OWN_STEPS + waits + float(more.get("promotion_seconds") or TYPICAL_PROMOTION)


def _replica(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    replica = facts["replica"]
    if not replica["reachable"]:
        yield Check(
            "standby", "bad", f"its region does not answer: {replica['reason']}", "Look at the region's health."
        )
        return
    if not replica["exists"]:
        yield Check("standby", "bad", "there is no instance", "Run site.yml for the standby environment.")
        return
    status = str(replica["status"])
    if status in NEEDS_ACTION:
        yield Check("standby", "bad", f"it is {status}", NEEDS_ACTION[status])
    elif status not in SETTLED:
        yield Check(
            "standby", "warning", f"it is {status}, and is promoted only after that", "Wait until it is available."
        )
    else:
        yield Check("standby", "good", f"{replica['identifier']} is {status}")
    yield from _settings(replica, more)


def _settings(replica: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    converge = "Run site.yml for the standby environment."
    group, wanted = replica.get("parameter_group"), more.get("parameter_group")
    if wanted and group != wanted:
        yield Check("parameters", "bad", f"its parameter group is {group}, not {wanted}", converge)
    elif replica.get("parameter_status") != "in-sync":
        yield Check("parameters", "warning", f"{group} is {replica.get('parameter_status')}", "Reboot the standby.")
    else:
        yield Check("parameters", "good", f"{group} is in sync")
    if not replica.get("multi_az"):
        yield Check("zones", "warning", "it is in one zone, so that zone's loss takes it, too", "Set rds_multi_az.")
    if replica.get("pending_modifications"):
        waiting = ", ".join(replica["pending_modifications"])
        yield Check("modifications", "warning", f"these wait to be put in force: {waiting}", converge)
    if not replica.get("deletion_protection"):
        yield Check("protection", "warning", "anybody may delete it", "Set rds_deletion_protection.")
    if replica.get("storage_operation"):
        done = replica.get("storage_operation_percent")
        yield Check("storage", "warning", f"its storage is still loaded ({done} %), and slow until then", "Wait.")
    if replica.get("in_backup_window"):
        yield Check("backup window", "warning", "it is now, and a backup holds a promotion up", "Wait, if you can.")


def _replication(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    replica = facts["replica"]
    if not replica.get("exists"):
        return
    if replica.get("role") != "replica":
        yield Check("replication", "bad", "it replicates nothing: nothing protects the leader", "Run dr_failback.yml.")
        return
    states = [str(info.get("Status")) for info in replica.get("replication") or ()]
    broken = [state for state in states if state not in ("replicating", "connecting")]
    if broken:
        mend = "A replication that is terminated never comes back: remove the standby and run site.yml for it."
        yield Check("replication", "bad", f"it is {', '.join(broken)}", mend)
    else:
        yield Check("replication", "good", ", ".join(states) or "AWS says nothing against it")
    yield _lag(facts, more)


def _lag(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Check:
    seconds = _lost(facts, more)
    measured = more.get("heartbeat_lag_seconds") is not None
    how = "a heartbeat took" if measured else "CloudWatch says"
    if seconds is None:
        return Check(
            "lag", "warning", "nobody knows: no heartbeat arrived, and CloudWatch has no figure", "Look at it."
        )
    # On an idle primary, CloudWatch's figure rises to 300 s and falls again, though nothing is missing.
    grade: Grade = "bad" if seconds > LAG_BAD else "warning" if seconds > LAG_WARNING else "good"
    return Check("lag", grade, f"{how} {seconds:g} s", "Look at load, class and storage of the standby.")


def _log(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    del more
    metrics, source = facts["source_metrics"], facts["source"]
    kept = metrics.get("oldest_slot_lag_bytes")
    if not metrics["reachable"]:
        yield Check("leader", "warning", f"its region does not answer: {metrics['reason']}", "Is this the disaster?")
        return
    if kept is None:
        return
    room = (source.get("storage_gib") or 0) * 2**30
    part = kept / room if room else 0.0
    grade: Grade = "bad" if part > WAL_BAD_PART else "warning" if kept > WAL_WARNING else "good"
    said = f"the leader keeps {kept / 2**30:.2f} GiB of log for its slowest replica, {part:.0%} of its storage"
    yield Check(
        "log kept", grade, said, "Mend the replica that is behind, or drop its slot, before the storage is full."
    )


def _backups(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    del more
    backups, age = facts["backups"], facts["backups"].get("age_seconds")
    if not backups["reachable"]:
        return
    if not backups["exists"]:
        yield Check("backups", "warning", "none are replicated here", "Run site.yml for the standby environment.")
    elif age is None or age > BACKUP_AGE_WARNING:
        known = "of unknown age" if age is None else f"{age:.0f} s old"
        yield Check("backups", "warning", f"the replicated ones are {known}", "Look at the leader's backups.")
    else:
        yield Check("backups", "good", f"replicated ones reach to {age:.0f} s ago")


def _access(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    del more
    secret, copy, key = (facts.get(name) or {} for name in ("secret", "secret_replication", "key"))
    if secret.get("reachable"):
        if not secret["exists"]:
            yield Check(
                "secret", "bad", "the password is not in this region", "Run site.yml for the standby environment."
            )
        elif copy.get("reachable") and copy.get("status") not in (None, "InSync"):
            yield Check(
                "secret", "warning", f"its copy is {copy['status']}: {copy.get('message') or ''}", "Run site.yml."
            )
        else:
            yield Check("secret", "good", "it can be read here")
    if key.get("reachable"):
        usable = key["exists"] and key.get("enabled")
        said = "it is enabled" if usable else f"it is {key.get('state') or 'gone'}, so nothing can be decrypted"
        yield Check("key", "good" if usable else "bad", said, "" if usable else "Enable it, or cancel its deletion.")


def _room(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    """Grade what a restore, or a replica of the new leader, needs beside what stands."""
    del more
    quotas, mend = facts["quotas"], "Raise the quota of {} in this region: restores and replicas need it."
    left, gib, snapshots = (quotas.get(name) for name in ("instances_left", "storage_left_gib", "snapshots_left"))
    if left is not None:
        grade: Grade = "good" if left >= 1 else "warning"
        yield Check("quota", grade, f"{left} more DB instances are allowed here", mend.format("DB instances"))
    needed = facts["replica"].get("storage_gib") or 0
    if gib is not None and gib < needed:
        said = f"{gib} GiB of storage more are allowed here, a copy of the standby has {needed}"
        yield Check("quota of storage", "warning", said, mend.format("storage of DB instances"))
    if snapshots is not None and snapshots < 1:
        said = "no manual snapshot more is allowed here, so a former leader could not leave one"
        yield Check("quota of snapshots", "warning", said, "Raise the quota of manual snapshots, or delete old ones.")


def _name(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    del facts
    record, leader = more.get("record"), more.get("leader_endpoint")
    if not record:
        yield Check(
            "name", "bad", "there is no record that could be moved", "Run site.yml for the leading environment."
        )
        return
    ttl = int(record["ttl"])
    if leader and leader not in [value.rstrip(".") for value in record["values"]]:
        found = ", ".join(record["values"])
        yield Check("name", "bad", f"it leads to {found}, not to the leader's {leader}", "Run dr_failover.yml again.")
    elif ttl > TTL_WARNING:
        yield Check("name", "warning", f"clients may keep it for {ttl} s", "Set its ttl to 30.")
    else:
        yield Check("name", "good", f"it leads to the leader, with a TTL of {ttl} s")


def _cluster(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    del more
    cluster, leading = facts.get("cluster"), facts.get("source_cluster") or {}
    if cluster is None:
        return
    converge = "Run site.yml for the standby environment."
    if not cluster["reachable"]:
        said = f"nobody knows how the standby cluster is: {cluster['reason']}"
        yield Check("cluster", "warning", said, "Look at EKS in the standby's region.")
    elif not cluster["exists"]:
        yield Check("cluster", "bad", f"there is no cluster {cluster['name']} for applications to run on", converge)
    elif cluster["status"] not in CLUSTER_WORKS:
        mend = f"Look at its health in EKS. {converge}"
        yield Check("cluster", "bad", f"the standby cluster {cluster['name']} is {cluster['status']}", mend)
    elif leading.get("version") and leading["version"] != cluster["version"]:
        said = f"the standby cluster runs Kubernetes {cluster['version']}, the leader's {leading['version']}"
        yield Check("cluster", "warning", said, "Give both the same eks_version, and run site.yml for both.")
    else:
        said = f"the standby cluster {cluster['name']} is {cluster['status']}, Kubernetes {cluster['version']}"
        yield Check("cluster", "good", said)


def _lease(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    del facts
    if more.get("lease"):
        yield from lease_checks(more["lease"])


def _addons(facts: Mapping[str, Any], more: Mapping[str, Any]) -> Iterator[Check]:
    if more.get("addons") and (facts.get("cluster") or {}).get("exists"):
        yield from addon_checks(more["addons"])


PARTS = (_replica, _replication, _log, _backups, _access, _room, _name, _cluster, _addons, _lease)
