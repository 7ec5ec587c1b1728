# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a replica may be promoted, decided from what is observed and nothing else; and the promotion itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..engine.aws import Aws, describe_error, error_code, is_aws_error, is_refusal
from ..engine.errors import EngineError, PlanRefused
from ..engine.values import is_pending
from ..postgres import lsn
from . import rds_calls, rds_describe, rds_metrics
from .rds_describe import NEEDS_ACTION, SETTLED, Instance

PLANNED, DISASTER = "planned", "disaster"
#: What RDS says of a replication that works (RDS API reference, DBInstanceStatusInfo).
REPLICATING = "replicating"
REPLICATION = "read replication"
#: Seconds that the promotion of a small database takes; it grows with what is left to replay.
TYPICAL_SECONDS = 600
#: The looks in a row that must show the end: AWS still shows `available` for a while after the call.
LOOKS = 2


@dataclass(frozen=True)
class Replica:
    """What is observed of an instance that shall be promoted.

    Attributes:
        status: in AWS's word, e.g. ``available``.
        source: the ARN, or the identifier, of what it replicates; None once it is promoted.
        replication: what AWS says of the replication, as in ``StatusInfos``.
        lag_seconds: the highest of the last five minutes; None if unknown.
    """

    identifier: str
    region: str
    status: str
    source: str | None
    replication: Sequence[Mapping[str, Any]] = ()
    lag_seconds: float | None = None


@dataclass(frozen=True)
class Order:
    """How a replica shall be promoted.

    Attributes:
        mode: ``planned`` loses nothing or is refused; ``disaster`` takes what has arrived.
        evidence: ``primary_lsn`` and ``replayed_lsn``, which prove that everything has arrived.
        lag_limit_seconds: the lag above which a planned promotion is refused.
        source: the ARN of the source that it must have, or None for any.
    """

    mode: str
    evidence: Mapping[str, Any] | None = None
    lag_limit_seconds: float = 300
    source: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes:
        reasons: why it must not be promoted; empty if it may.
        warnings: what to know of a promotion that may go on all the same.
        promoted: True if there is nothing to do.
        busy: True if it has to be waited for first.
    """

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    promoted: bool = False
    busy: bool = False


def position(location: object) -> int | None:
    """Return a write-ahead log location such as ``0/3000148`` as a number; None if it is none."""
    try:
        return lsn.bytes_of(str(location))
    except ValueError:
        return None


def gate(replica: Replica | None, order: Order, identifier: str, region: str) -> Verdict:
    """Decide whether a replica may be promoted.

    Args:
        replica: what stands under the identifier, None if nothing does.
    """
    if replica is None:
        return Verdict(
            (
                f"There is no DB instance {identifier} in {region} to promote. Look at the option identifier and the "
                "region; without a replica, restore a backup instead (rds_restore).",
            )
        )
    if replica.source is None:
        return Verdict(promoted=True)
    if replica.status == "deleting":
        return Verdict((f"DB instance {identifier} in {region} is being deleted. Restore a backup (rds_restore).",))
    busy = replica.status not in SETTLED and replica.status not in NEEDS_ACTION
    reasons, warnings = [*_always(replica, order)], list(_replication(replica))
    if order.mode == PLANNED:
        reasons += [*_evidence(order, replica), *_lag(order, replica)]
        # A busy one, e.g. one that a killed run has begun to promote, is judged when it has come to rest.
        reasons += [] if busy else warnings
        warnings = []
    return Verdict(tuple(reasons), tuple(warnings), busy=busy)


def _always(replica: Replica, order: Order) -> Iterator[str]:
    where = f"DB instance {replica.identifier} in {replica.region}"
    if order.source and not is_pending(order.source) and replica.source != order.source:
        yield (
            f"{where} replicates {replica.source}, not {order.source}. Correct the option source_arn, or leave it out "
            "to promote whatever this is a replica of."
        )
    if replica.status in NEEDS_ACTION:
        yield f"{where} is {replica.status}, and AWS promotes none in that state. {NEEDS_ACTION[replica.status]}"


def _replication(replica: Replica) -> Iterator[str]:
    where = f"the replication of {replica.identifier} in {replica.region}"
    infos = [info for info in replica.replication if info.get("StatusType", REPLICATION) == REPLICATION]
    if not infos:
        yield f"AWS says nothing of {where}, so nobody knows whether it follows its source."
    for info in infos:
        if info.get("Status") != REPLICATING or not info.get("Normal", True):
            message = f" ({info['Message']})" if info.get("Message") else ""
            yield (
                f"AWS says that {where} is {info.get('Status')}{message}: the replica has what arrived before that, "
                "and nothing later."
            )


def _evidence(order: Order, replica: Replica) -> Iterator[str]:
    where, given = f"{replica.identifier} in {replica.region}", order.evidence or {}
    lsns = {name: given.get(name) for name in ("primary_lsn", "replayed_lsn")}
    if any(is_pending(value) for value in lsns.values()):
        return
    numbers = {name: position(value) for name, value in lsns.items()}
    missing = [name for name, number in numbers.items() if number is None]
    if missing:
        said = ", ".join(f"{name} is {lsns[name]!r}" for name in missing)
        yield (
            f"A planned promotion of {where} needs evidence that nothing is lost, but {said}. Stop the writers, take "
            "pg_current_wal_lsn() of the primary, wait until pg_last_wal_replay_lsn() of the replica has reached it, "
            "and give both as the option evidence, e.g. 0/3000148."
        )
    elif (numbers["replayed_lsn"] or 0) < (numbers["primary_lsn"] or 0):
        behind = (numbers["primary_lsn"] or 0) - (numbers["replayed_lsn"] or 0)
        yield (
            f"{where} has replayed up to {lsns['replayed_lsn']}, {behind} bytes short of the primary's "
            f"{lsns['primary_lsn']}. Wait until it has caught up, then give the new evidence."
        )


def _lag(order: Order, replica: Replica) -> Iterator[str]:
    # An unknown lag is no zero; the evidence, which a planned promotion always has, then speaks alone.
    if replica.lag_seconds is not None and replica.lag_seconds > order.lag_limit_seconds:
        yield (
            f"{replica.identifier} in {replica.region} lags {replica.lag_seconds:.0f} s behind its source, more than "
            f"the {order.lag_limit_seconds:.0f} s of lag_limit_seconds. Wait until it has caught up, raise the limit, "
            "or use mode: disaster, which loses what has not arrived."
        )


def observed_replica(instance: Instance, region: str, lag_seconds: float | None) -> Replica:
    """Return a described instance as the gate reads it."""
    return Replica(
        instance["DBInstanceIdentifier"],
        region,
        instance["DBInstanceStatus"],
        instance.get("ReadReplicaSourceDBInstanceIdentifier"),
        tuple(instance.get("StatusInfos") or ()),
        lag_seconds,
    )


def is_detached(instance: Instance) -> bool:
    """Tell whether nothing of a replication is left, which nothing brings back; AWS may not be done with it."""
    return not (instance.get("ReadReplicaSourceDBInstanceIdentifier") or instance.get("StatusInfos"))


def is_promoted(instance: Instance) -> bool:
    """Tell whether nothing of a replication is left and the instance takes writes."""
    return is_detached(instance) and instance["DBInstanceStatus"] in SETTLED


def promote(
    aws: Aws, identifier: str, order: Order, values: Mapping[str, Any], lag_seconds: float | None, *, settle: bool
) -> dict[str, Any]:
    """Promote a replica and wait until it is a database of its own. No call leaves the region of the replica.

    Args:
        values: further parameters of PromoteReadReplica.
        lag_seconds: what the plan was made with. A disaster does not wait for CloudWatch to tell it again.
        settle: whether to wait until AWS is done with it, its first backup included.

    Returns:
        What the result tells of it: ``mode``, ``lag_seconds``, ``evidence``, ``started_at`` (UTC), ``seconds`` and
        ``warnings``.

    Raises:
        PlanRefused: if the gate says no to what has become of the replica meanwhile.
        EngineError: if it cannot be done. It is ``untouched`` only if AWS has certainly not begun the promotion.
    """
    with _nothing_begun(f"Could not look at DB instance {identifier} in {aws.region} before its promotion"):
        rds_calls.until(aws, identifier, "before its promotion", 300, rds_calls.is_idle)
        lag = lag_seconds if order.mode == DISASTER else rds_metrics.replica_lag(aws, identifier)
        replica = _look(aws, identifier, lag)
        verdict = gate(replica, order, identifier, aws.region)
        if verdict.reasons:
            raise PlanRefused(verdict.reasons)
    told = "unknown" if lag is None else f"{lag:.0f} s"
    aws.progress(f"Promoting {identifier} in {aws.region} ({order.mode}), lag {told}: its replication ends for good.")
    started, begun = datetime.now(UTC), time.monotonic()
    if not verdict.promoted:
        _ask(aws, identifier, values)
    rds_calls.until(
        aws, identifier, "promoting", TYPICAL_SECONDS, _seen_in_a_row(is_promoted if settle else is_detached)
    )
    return {
        **foreseen(order, lag, verdict),
        "started_at": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - begun, 1),
    }


def foreseen(order: Order, lag_seconds: float | None, verdict: Verdict) -> dict[str, Any]:
    """Return what is known of a promotion before it is done."""
    return {
        "mode": order.mode,
        "lag_seconds": lag_seconds,
        "evidence": dict(order.evidence) if order.evidence else None,
        "started_at": None,
        "seconds": None,
        "warnings": list(verdict.warnings),
    }


def _look(aws: Aws, identifier: str, lag_seconds: float | None) -> Replica | None:
    instance = rds_describe.describe(aws, identifier)
    return observed_replica(instance, aws.region, lag_seconds) if instance else None


@contextmanager
def _nothing_begun(what: str) -> Iterator[None]:
    """Mark an error as one that left everything as it was."""
    try:
        yield
    except EngineError as error:
        error.untouched = True
        raise
    except Exception as error:
        if not is_aws_error(error):
            raise
        wrapped = EngineError(f"{what}: {describe_error(error)}")
        wrapped.untouched = True
        raise wrapped from error


def _ask(aws: Aws, identifier: str, values: Mapping[str, Any]) -> None:
    """Have the promotion begun.

    Raises:
        EngineError: if AWS refuses. An answer that was lost proves nothing, nor does a refusal after it: it may be
            that of a second call to what the first one has begun.
    """
    answers = []

    def call() -> None:
        try:
            _promote_once(aws, identifier, values)
        except Exception as error:
            answers.append(is_refusal(error))
            raise

    try:
        rds_calls.send(aws, identifier, "promoting", call)
    except Exception as error:
        if not (isinstance(error, EngineError) or is_aws_error(error)):
            raise
        refused = EngineError(f"{identifier} in {aws.region} was not promoted: {describe_error(error)}")
        refused.untouched = all(answers)
        raise refused from error


def _promote_once(aws: Aws, identifier: str, values: Mapping[str, Any]) -> None:
    """Send the call, unless an earlier one has been carried out; AWS refuses a second one."""
    try:
        aws.client("rds").promote_read_replica(DBInstanceIdentifier=identifier, **values)
    except Exception as error:
        if not is_aws_error(error) or error_code(error) != "InvalidDBInstanceState":
            raise
        instance = rds_describe.describe(aws, identifier) or {}
        if instance.get("ReadReplicaSourceDBInstanceIdentifier"):
            raise


def _seen_in_a_row(wanted: Callable[[Instance], bool], times: int = LOOKS) -> Callable[[Instance], bool]:
    seen = 0

    def holds(instance: Instance) -> bool:
        nonlocal seen
        seen = seen + 1 if wanted(instance) else 0
        return seen >= times

    return holds
