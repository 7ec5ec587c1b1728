# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A read replica of an instance in another region, which is what becomes the primary in a disaster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_list
from ..engine.model import Key, Observed, Scope, Traits, Update, Wanted
from ..engine.values import is_pending
from . import rds_calls, rds_describe, rds_metrics
from .rds_attributes import AT_CREATION, SHARED, request
from .rds_describe import Instance
from .rds_instance import RESTORE, ROLES, UPDATES, UPGRADES, DbInstance, delete_instance, owned_name
from .rds_promotion import Order, Replica, Verdict, gate, promote
from .rds_source import InstanceArn, problems_of, source_of

KIND = "rds_cross_region_replica"
PRIMARY, REPLICA = "primary", "replica"
#: What the creation of a replica takes beside what all replicas take. Its version and port are those of the source.
ACROSS_REGIONS = {"kms_key_arn": "KmsKeyId", "storage_type": "StorageType", "subnet_group": "DBSubnetGroupName"}
PROMOTE = Update(
    "promote",
    ("role",),
    Traits(
        seconds=600,
        interrupts="the replication, which ends for good, and connections to the replica while it restarts",
        reversible=False,
    ),
)


class RdsCrossRegionReplica(DbInstance):
    """A read replica of an instance in another region.

    Attributes, beside those of :mod:`.rds_attributes`:
        source: the ARN of the source.
        role: ``replica``, or ``primary`` to have it promoted.
        promotion: for the role ``primary``: the members of an :class:`.rds_promotion.Order` in ``order``, further
            parameters of PromoteReadReplica in ``values``, in ``settle`` whether to wait until AWS is done with it,
            and for people the ``region``.
        final_snapshot: counts only for one that has become a database of its own.
        removal: True if the run removes it; then one that is on its way out is observed too.

    Read only: ``status``; ``replication``, what AWS says of it; ``lag_seconds``; ``promoted``, what the promotion of
    this run was like.
    """

    kind = KIND
    label = "cross-region replica"
    # A region away, the snapshot is copied before it is loaded: AWS says that this can take hours.
    creation = Traits(seconds=3600)
    deletion = Traits(seconds=420, interrupts="the way out of a disaster in the source's region", reversible=False)
    updates = (*UPDATES, PROMOTE)
    create_only = frozenset({"performance_insights_key_arn", "final_snapshot", "removal", "promotion"})
    remembered = frozenset({"promoted"})
    fixed: ClassVar[Mapping[str, str]] = {
        "identifier": "RDS could rename it, but its address would change with it: set identifier back.",
        "source": "A replica keeps its source for good, and a database never becomes a replica: set source_arn back, "
        "or remove this one with state: absent and make a new one.",
        "engine_version": UPGRADES,
        "kms_key_arn": f"The key of a database is chosen once: set kms_key_arn back. {RESTORE}",
        "storage_type": "Set storage_type back: moving to another type of volume is not offered here.",
        "availability_zone": "A single-AZ instance stays in its zone: set it back, or set multi_az.",
        "subnet_group": "Set identifier and subnet_ids back, or remove the replica and make a new one.",
    }

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        if not scope.wanted:
            return []
        instances = [one for one in rds_describe.all_instances(aws) if _counts(one, scope)]
        found = []
        for name, wanted in scope.wanted.items():
            named = [one for one in instances if one["DBInstanceIdentifier"] == wanted.attributes["identifier"]]
            owned = [one for one in instances if owned_name(scope, one) == name]
            # An instance of another identifier counts only while nothing bears the right one.
            found += [self._with_replication(aws, one, name, wanted) for one in (named or owned)[:1]]
        return found

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        instance, wanted = rds_describe.describe(aws, observed.id), scope.wanted.get(observed.name)
        return self._as_replica(instance, observed.name, wanted) if instance else None

    def _with_replication(self, aws: Aws, instance: Instance, name: str, wanted: Wanted) -> Observed:
        observed = self._as_replica(instance, name, wanted)
        if not observed.get("source") or wanted.attributes.get("removal"):
            return observed
        lag = rds_metrics.replica_lag(aws, observed.id)
        return replace(observed, attributes={**observed.attributes, "lag_seconds": lag})

    def _as_replica(self, instance: Instance, name: str, wanted: Wanted | None) -> Observed:
        observed = self.observed(instance, name, wanted)
        told = {"status": observed.status, "replication": list(instance.get("StatusInfos") or ()), "lag_seconds": None}
        return replace(observed, attributes={**observed.attributes, **told})

    def objections(self, wanted: Wanted, observed: Mapping[Key, Observed]) -> Sequence[str]:
        standing = observed.get(wanted.key)
        order = order_of(wanted)
        if order:
            return verdict_of(standing, order, wanted).reasons
        if standing is not None:
            return ()
        source = source_of(observed, wanted.name)
        return [*problems_of(source), *_of_another_version(wanted, source)]

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        source = InstanceArn.parse(attributes["source"]) or InstanceArn("", "", "")
        rds_calls.free_identifier(aws, attributes["identifier"])
        client, made = aws.client("rds", once=True), []

        def call() -> None:
            answer = client.create_db_instance_read_replica(
                SourceDBInstanceIdentifier=attributes["source"],
                SourceRegion=source.region,
                PubliclyAccessible=False,
                Tags=tag_list(wanted.tags or {}),
                **request(attributes, {**SHARED, **AT_CREATION, **ACROSS_REGIONS}),
            )
            made.append(answer["DBInstance"])

        doing = f"giving it the replica {attributes['identifier']} in {aws.region}"
        rds_calls.send(aws, source.identifier, doing, call, region=source.region)
        return self._as_replica(made[0], wanted.name, wanted)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed | None:
        order = order_of(wanted)
        if update.name != PROMOTE.name or order is None:
            return super().update(aws, update, wanted, observed)
        asked = wanted.attributes["promotion"]
        told = promote(aws, observed.id, order, asked["values"], observed.get("lag_seconds"), settle=asked["settle"])
        return replace(observed, attributes={**observed.attributes, "promoted": told})

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "source" and (observed is None or is_pending(wanted)):
            # One without a source is promoted, which its role tells; a source that is still to be made has no ARN.
            return True
        return super().same(attribute, wanted, observed)

    def refuses(self, attribute: str, wanted: Any, observed: Any) -> str:
        if attribute == "role" and wanted == REPLICA:
            return ROLES
        return super().refuses(attribute, wanted, observed)

    def delete(self, aws: Aws, observed: Observed) -> None:
        delete_instance(aws, observed)


def _of_another_version(wanted: Wanted, source: Observed | None) -> Iterator[str]:
    """Yield why a replica is not made of a source of another major version: it would not fit its parameter group."""
    asked, has = (
        str(wanted.attributes.get("engine_version") or ""),
        str((source and source.get("engine_version")) or ""),
    )
    if asked and has and asked.split(".", maxsplit=1)[0] != has.split(".", maxsplit=1)[0]:
        yield (
            f"engine_version is {asked}, but the source {wanted.attributes['source']} runs {has}, and a replica has "
            f"the version of its source. {UPGRADES}"
        )


def order_of(wanted: Wanted) -> Order | None:
    """Return how the replica shall be promoted, None if it shall not."""
    promotion = wanted.attributes.get("promotion")
    return Order(**promotion["order"]) if promotion else None


def verdict_of(standing: Observed | None, order: Order, wanted: Wanted) -> Verdict:
    """Return what the gate says of an observed replica."""
    region = wanted.attributes["promotion"]["region"]
    replica = None
    if standing is not None:
        replica = Replica(
            standing.id,
            region,
            standing.status,
            standing.get("source"),
            tuple(standing.get("replication") or ()),
            standing.get("lag_seconds"),
        )
    return gate(replica, order, wanted.attributes["identifier"], region)


def _counts(instance: Instance, scope: Scope) -> bool:
    removal = any(wanted.attributes.get("removal") for wanted in scope.wanted.values())
    leaving = instance["DBInstanceStatus"] == "deleting"
    # What is to be promoted is described as it is, so that the gate can say what has become of it.
    return removal or not leaving or any(wanted.attributes.get("promotion") for wanted in scope.wanted.values())
