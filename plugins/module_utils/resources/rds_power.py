# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a DB instance runs. It is only looked at, stopped and started here; all else is :mod:`.rds_instance`'s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..engine.aws import Aws
from ..engine.model import Key, Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from . import rds_calls
from .rds_describe import NEEDS_ACTION, SETTLED, Instance, describe

#: 4 and 5 minutes are usual for small databases; AWS promises nothing.
STOP, START = 240.0, 300.0
UP, DOWN = "up", "down"
STOPPED = frozenset({"stopping", "stopped"})


class RdsPower(ResourceType):
    """Whether a DB instance runs.

    Attributes:
        identifier, region: which instance.
        power: ``up`` or ``down``; one that is on its way there counts as there, and is waited for.

    Read only: ``arn``, ``source``, ``replicas``.
    """

    kind = "rds_power"
    label = "DB instance"
    service = "rds"
    slow = True
    removable = False
    creation = Traits(seconds=START)
    updates = (Update("power", ("power",), Traits(START, "everything that uses the database while it is stopped")),)
    create_only = frozenset({"region"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = ((wanted, describe(aws, wanted.attributes["identifier"])) for wanted in scope.wanted.values())
        return [_observed(wanted.name, aws.region, instance) for wanted, instance in found if instance]

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed:
        """Send the one call, once the instance takes it; its end is waited for like a creation's."""
        change = _stop if wanted.attributes["power"] == DOWN else _start
        return _observed(wanted.name, aws.region, change(aws, observed.id))

    def readiness(self, observed: Observed) -> Readiness:
        if observed.status == "stopped" or observed.status in SETTLED:
            return Readiness.READY
        return Readiness.FAILED if observed.status in NEEDS_ACTION else Readiness.WAIT

    def objections(self, wanted: Wanted, observed: Mapping[Key, Observed]) -> Sequence[str]:
        return list(_objections(wanted, observed.get(wanted.key)))

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        instance = describe(aws, observed.id)
        now = _observed(observed.name, aws.region, instance) if instance else None
        failure = NEEDS_ACTION.get(now.status) if now else None
        return replace(now, attributes={**now.attributes, "failure": failure}) if now and failure else now


def _objections(wanted: Wanted, standing: Observed | None) -> Iterator[str]:
    """Yield why RDS would refuse it (RDS user guide, "Stopping an Amazon RDS DB instance temporarily")."""
    what = f"DB instance {wanted.attributes['identifier']} in {wanted.attributes['region']}"
    if standing is None:
        yield f"There is no {what}. Run site.yml for its environment, or leave the database out."
        return
    if wanted.attributes["power"] == UP or standing.get("power") == DOWN:
        return
    if standing.get("source"):
        yield f"{what} is a replica of {standing.get('source')}, and RDS stops none. Only its removal ends its cost."
    if standing.get("replicas"):
        yield (
            f"{what} has replicas ({', '.join(standing.get('replicas'))}), and RDS stops no instance that has. Remove "
            "them first, if they can be done without."
        )
    if standing.status in NEEDS_ACTION:
        yield f"{what} is {standing.status}, and RDS stops none that is. {NEEDS_ACTION[standing.status]}"


def _stop(aws: Aws, identifier: str) -> Instance:
    client = aws.client("rds")

    def call() -> None:
        try:
            client.stop_db_instance(DBInstanceIdentifier=identifier)
        except client.exceptions.InvalidDBInstanceStateFault:
            # An earlier try whose answer was lost, or the schedule, may have done it.
            now = describe(aws, identifier)
            if now is None or now["DBInstanceStatus"] not in STOPPED:
                raise

    rds_calls.send(aws, identifier, "stopping", call)
    return _again(aws, identifier)


def _start(aws: Aws, identifier: str) -> Instance:
    client, doing = aws.client("rds"), "waiting for its stop, to start it"
    rds_calls.until(aws, identifier, doing, STOP, lambda now: now["DBInstanceStatus"] != "stopping")
    try:
        client.start_db_instance(DBInstanceIdentifier=identifier)
    except client.exceptions.InvalidDBInstanceStateFault:
        # As above; AWS starts one by itself, too, after seven days.
        now = describe(aws, identifier)
        if now is None or now["DBInstanceStatus"] in STOPPED:
            raise
    return _again(aws, identifier)


def _again(aws: Aws, identifier: str) -> Instance:
    return rds_calls.until(aws, identifier, "looking at it", 1, lambda _now: True)


def _observed(name: str, region: str, instance: Instance) -> Observed:
    status = instance["DBInstanceStatus"]
    attributes = {
        "identifier": instance["DBInstanceIdentifier"],
        "region": region,
        "power": DOWN if status in STOPPED else UP,
        "arn": instance["DBInstanceArn"],
        "source": instance.get("ReadReplicaSourceDBInstanceIdentifier") or "",
        "replicas": list(instance.get("ReadReplicaDBInstanceIdentifiers") or ()),
    }
    return Observed(RdsPower.kind, name, instance["DBInstanceIdentifier"], attributes, status=status)
