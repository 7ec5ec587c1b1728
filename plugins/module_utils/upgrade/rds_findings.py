# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What speaks for and against an upgrade of a database. Pure: from facts to findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from ..readiness.standing import TAG_FENCED, TAG_FROM
from ..resources.rds_describe import NEEDS_ACTION, SETTLED
from ..resources.rds_instance import version_of
from .findings import BLOCKER, NOTE, WARNING, Finding, settled
from .rds_facts import PRIMARY, STANDBY, Facts, Member
from .rds_inside import Inside, Slot

#: Percent of the storage that shall be left: pg_upgrade and the restart need room for a while.
ROOM = 10
#: The first major version whose logical slots outlive a major upgrade, if everything was taken from them.
SLOTS_STAY_SINCE = 17
#: Large objects from which RDS advises a larger instance class for the time of a major upgrade.
MANY_OBJECTS = 1_000_000
#: Bytes of log that a replica may have to replay: a segment of RDS's.
LEFT_TO_REPLAY = 64 * 2**20
INVENTORY = "Set rds_engine_version in the inventory"


def assess(facts: Facts, lag_limit: float, accepted: Collection[str] = ()) -> list[Finding]:
    """Return everything that was found; what somebody has accepted is a warning instead of a blocker.

    Args:
        lag_limit: seconds that a replica may be behind.
        accepted: ids of findings.
    """
    parts: list[Iterable[Finding]] = [_role(facts), _version(facts)]
    if facts.begins:
        parts += [_members(facts, lag_limit), _copies(facts)]
        if facts.inside is None:
            parts.append(_untold(facts))
        else:
            parts.append(_inside(facts, facts.inside))
    if facts.begins and facts.major:
        parts.append(_parameters(facts))
    return settled(chain.from_iterable(parts), accepted)


def _role(facts: Facts) -> Iterator[Finding]:
    primary, status = facts.primary, "See who leads with playbooks/dr_status.yml"
    source = primary.instance.get("ReadReplicaSourceDBInstanceIdentifier")
    if source:
        text = f"{primary.where} is a replica of {source}, and a database is upgraded where it is written to."
        yield Finding("role", BLOCKER, text, f"{status}, and correct platform_database_role in the inventories.")
    if TAG_FENCED in facts.tags:
        text = f"{primary.where} is fenced, because another one leads."
        yield Finding("role", BLOCKER, text, f"{status}, then run playbooks/dr_failback.yml.")
    if facts.pair is None:
        return
    name, follows = facts.pair["DBInstanceIdentifier"], facts.pair.get("ReadReplicaSourceDBInstanceIdentifier")
    if follows != primary.arn:
        what = f"follows {follows}" if follows else "is a database of its own"
        text = f"The pair's instance {name} {what}, so it would not be upgraded as the standby of {primary.name}."
        yield Finding("role", BLOCKER, text, f"{status}, then make one follow the other by playbooks/dr_failback.yml.")
    moves = {tag["Key"]: tag["Value"] for tag in facts.pair.get("TagList") or ()}
    if moves.get(TAG_FROM) == primary.arn:
        text = f"{name} was about to take over from {primary.name}, and nobody has finished that."
        yield Finding("role", BLOCKER, text, "Finish it with playbooks/dr_switchover.yml or dr_failover.yml.")


def _version(facts: Facts) -> Iterator[Finding]:
    primary, target, begun = facts.primary, facts.target, facts.unfinished
    if begun and begun[1] != target and any(version_of(one.version) > version_of(begun[0]) for one in facts.members):
        text = f"An upgrade from {begun[0]} to {begun[1]} was begun and is not finished."
        yield Finding("version", BLOCKER, text, f"{INVENTORY} to {begun[1]}, and run this playbook again.")
    for one in facts.members:
        if version_of(one.version) > version_of(target):
            mend = f"{INVENTORY} to {one.version}. The way back is a restore of a snapshot, playbooks/restore.yml."
            text = f"{one.where} runs PostgreSQL {one.version}, and RDS never goes back to {target}."
            yield Finding("version", BLOCKER, text, mend)
        elif one.version != target and target not in one.targets:
            others = ", ".join(one.targets) or "none"
            text = f"RDS does not upgrade {one.where} from {one.version} to {target}. It offers {others}."
            yield Finding("version", BLOCKER, text, f"{INVENTORY} to one of these; some majors take two steps.")
    if facts.begins:
        kind = "major" if facts.major else "minor"
        text = f"{primary.where} goes from PostgreSQL {facts.origin} to {target}, a {kind} upgrade."
        yield Finding("kind", NOTE, text)


def _members(facts: Facts, lag_limit: float) -> Iterator[Finding]:
    for one in facts.members:
        yield from _member(one, facts.target)
        if one.role != PRIMARY:
            yield from _replication(one, facts.inside, lag_limit)
    count = len(facts.replicas)
    yield Finding("replicas", NOTE, f"{facts.primary.name} has {count} replicas: {_listed(facts.replicas)}.")


def _listed(members: Iterable[Member]) -> str:
    return ", ".join(f"{one.where} ({one.version})" for one in members) or "none"


def _member(one: Member, target: str) -> Iterator[Finding]:
    if one.status in NEEDS_ACTION:
        yield Finding(f"instance/{one.name}", BLOCKER, f"{one.where} is {one.status}.", NEEDS_ACTION[one.status])
    elif one.status not in SETTLED:
        yield Finding(f"busy/{one.name}", NOTE, f"{one.where} is {one.status}, which is waited for.")
    pending = {
        name: value
        for name, value in (one.instance.get("PendingModifiedValues") or {}).items()
        if (name, value) != ("EngineVersion", target)
    }
    if pending:
        text = f"{one.where} waits for its maintenance window with {', '.join(sorted(pending))}."
        mend = "An upgrade at once brings that about too: let site.yml do it before, or accept it."
        yield Finding(f"pending/{one.name}", BLOCKER, text, mend)
    for action in one.maintenance:
        text = f"AWS wants to do this to {one.where}: {action}."
        yield Finding(f"maintenance/{one.name}", WARNING, text, "It may be done together with the upgrade.")
    if not one.orderable:
        text = f"The class {one.instance['DBInstanceClass']} of {one.where} cannot be had with PostgreSQL {target}."
        yield Finding(f"class/{one.name}", BLOCKER, text, "Move it to another class by rds_instance_class first.")
    total = int(one.instance.get("AllocatedStorage") or 0)
    if one.free_gib is not None and total and one.free_gib * 100 < total * ROOM:
        text = f"{one.where} has {one.free_gib:.1f} of {total} GiB left, and an upgrade takes room for a while."
        yield Finding(f"storage/{one.name}", WARNING, text, "Raise rds_storage_gib first.")
    if one.instance.get("ReadReplicaDBInstanceIdentifiers") and one.role != PRIMARY:
        text = f"{one.where} has replicas of its own, which would have to go before it."
        yield Finding(f"cascade/{one.name}", BLOCKER, text, "Upgrade those first by hand, or remove them.")


def _replication(one: Member, inside: Inside | None, lag_limit: float) -> Iterator[Finding]:
    for info in one.instance.get("StatusInfos") or ():
        if not info.get("Normal", True):
            text = f"The replication of {one.where} is {info.get('Status')}: {info.get('Message', 'no reason told')}."
            yield Finding(f"replication/{one.name}", BLOCKER, text, "Mend or remake the replica by site.yml first.")
    left = inside.left_to_replay(str(one.instance.get("DbiResourceId", ""))) if inside else None
    if left is not None:
        # The server counts better than CloudWatch, whose seconds rise while nothing is written.
        if left > LEFT_TO_REPLAY:
            text = f"{one.where} has {left / 2**20:.0f} MiB of log to replay."
            yield Finding(f"lag/{one.name}", BLOCKER, text, "Wait until it has caught up; see what is written so much.")
    elif one.lag is None:
        yield Finding(f"lag/{one.name}", WARNING, f"Nobody knows how far {one.where} is behind.")
    elif one.lag > lag_limit:
        text = f"{one.where} is {one.lag:.0f} s behind, more than {lag_limit:.0f} s."
        yield Finding(f"lag/{one.name}", BLOCKER, text, "Wait until it has caught up; see what is written so much.")


def _copies(facts: Facts) -> Iterator[Finding]:
    primary = facts.primary.instance
    if not primary.get("BackupRetentionPeriod"):
        text = f"{facts.primary.where} keeps no automated backups, so there is the snapshot of this playbook only."
        yield Finding("backups", WARNING, text, "Set rds_backup_retention_days to 1 or more.")
    standby = any(one.role == STANDBY for one in facts.replicas)
    if facts.major and standby and not primary.get("DBInstanceAutomatedBackupsReplications"):
        text = "No automated backups are replicated, so while the standby is made again there is nothing elsewhere."
        mend = "Set rds_replica_backup_replication_days, which site.yml brings about."
        yield Finding("cover", BLOCKER, text, mend)


def _untold(facts: Facts) -> Iterator[Finding]:
    text = "PostgreSQL itself was not asked for slots, prepared transactions, types and extensions"
    why = f": {facts.silence}" if facts.silence else ", as upgrade_postgresql is false."
    mend = "Run this where the database is reached. RDS's own check finds most of it, once it has begun."
    level = BLOCKER if facts.major and facts.silence else WARNING
    yield Finding("untold", level, f"{text}{why}", mend)


def _inside(facts: Facts, inside: Inside) -> Iterator[Finding]:
    for name in inside.closed:
        text = f"The database {name} takes no connections: a move of the database was not finished, or it is fenced."
        yield Finding(f"closed/{name}", BLOCKER, text, "See playbooks/dr_status.yml, and finish the move first.")
    for database, rows in inside.extensions.items():
        for name, old, new in rows:
            text = f"The extension {name} in {database} is {old}, and the server has {new}."
            yield Finding(f"extension/{database}/{name}", NOTE, text, "It is updated after a major upgrade.")
    if facts.major:
        yield from _major(facts, inside)


def _major(facts: Facts, inside: Inside) -> Iterator[Finding]:
    yield from (_slot(facts, slot) for slot in inside.slots)
    if inside.prepared:
        text = f"{len(inside.prepared)} transactions are prepared: {', '.join(inside.prepared[:5])}."
        yield Finding("prepared", BLOCKER, text, "COMMIT PREPARED or ROLLBACK PREPARED each of them.")
    for name in inside.invalid:
        text = f"The database {name} is invalid: its removal was interrupted."
        yield Finding(f"invalid/{name}", BLOCKER, text, f'DROP DATABASE "{name}".')
    for database, columns in inside.columns.items():
        if columns:
            text = f"{database} has columns of types that pg_upgrade cannot take along: {', '.join(columns[:5])}."
            yield Finding(
                f"types/{database}", BLOCKER, text, "Make them text, or drop them; regclass and regtype may stay."
            )
    for database, count in inside.large_objects.items():
        if count >= MANY_OBJECTS:
            text = f"{database} has {count} large objects, for which pg_upgrade needs much memory."
            yield Finding(f"objects/{database}", WARNING, text, "Remove orphans with vacuumlo, or take a larger class.")


def _slot(facts: Facts, slot: Slot) -> Finding:
    stays = version_of(facts.origin)[0] >= SLOTS_STAY_SINCE
    text = f"{slot.database or 'The server'} has the logical slot {slot.name}, {slot.behind} bytes behind"
    if not stays:
        mend = "Stop who reads from it, then SELECT pg_drop_replication_slot of it, and make it again afterwards."
        return Finding(f"slots/{slot.name}", BLOCKER, f"{text}; RDS refuses a major upgrade while it is there.", mend)
    mend = "Stop what writes, and let everything be taken from it, before you confirm; else RDS refuses."
    return Finding(f"slot/{slot.name}", WARNING, f"{text}; it outlives the upgrade if nothing is left in it.", mend)


def _parameters(facts: Facts) -> Iterator[Finding]:
    if facts.unknown:
        text = f"PostgreSQL {facts.target} has no parameters {', '.join(facts.unknown)}."
        yield Finding("parameters", BLOCKER, text, "Take them out of rds_parameters, in both inventories of a pair.")
