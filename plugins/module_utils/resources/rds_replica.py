# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read replicas in the region of their source, and what AWS does not take when it makes one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import Observed, Scope, Traits, Update, Wanted
from . import rds_calls, rds_describe
from .rds_attributes import AT_CREATION, SETTABLE, SHARED, attributes_of, request
from .rds_describe import Instance
from .rds_instance import (
    BACKUPS,
    DELETION_PROTECTION,
    PARAMETER_GROUP,
    REPLICAS,
    RESTART,
    ROLES,
    UPDATES,
    DbInstance,
    delete_instance,
    owned_name,
    with_parameters,
)

#: The tag that says that a replica has got its settings.
TAG_SETTINGS = "pipeops:settings"
APPLIED = "applied"


class RdsReplica(DbInstance):
    """A read replica, with what CreateDBInstanceReadReplica takes.

    Attributes, beside those of :mod:`.rds_attributes`:
        source: the identifier of the primary.
        final_snapshot: counts only for one that has become a database of its own.
        removal: True if the run removes it; then one that is on its way out is observed too.
    """

    kind = "rds_replica"
    label = "read replica"
    creation = Traits(seconds=900)
    deletion = Traits(seconds=240, interrupts="the readers of this replica", reversible=True)
    updates = UPDATES
    create_only = frozenset({"performance_insights_key_arn", "final_snapshot", "removal"})
    prune = True
    fixed = {
        "identifier": "RDS could rename it, but its address would change with it: set the name back, or give the "
        "replica another name in the inventory, which removes this one and makes that one.",
        "source": ROLES,
        "availability_zone": "An instance stays in its zone: give the replica another name in the inventory, which "
        "removes this one and makes that one.",
    }

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        names = {wanted.attributes["identifier"]: name for name, wanted in scope.wanted.items()}
        found = []
        for instance in rds_describe.all_instances(aws):
            name = names.get(instance["DBInstanceIdentifier"]) or _replica_name(scope, instance)
            if name is not None and self._counts(instance, scope.wanted.get(name)):
                found.append(self._observed_as(instance, name, scope.wanted.get(name)))
        return found

    @staticmethod
    def _counts(instance: Instance, wanted: Wanted | None) -> bool:
        removal = wanted is not None and wanted.attributes.get("removal")
        return bool(removal) or instance["DBInstanceStatus"] != "deleting"

    def _observed_as(self, instance: Instance, name: str, wanted: Wanted | None) -> Observed:
        observed = self.observed(instance, name, wanted)
        # One that was promoted and is in no inventory is a database of its own, which nobody removes unasked.
        stands_alone = wanted is None and not observed.get("source")
        return replace(observed, kind="rds_instance", name=observed.id) if stands_alone else observed

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        rds_calls.free_identifier(aws, attributes["identifier"])
        client, made = aws.client("rds", once=True), []

        def call() -> None:
            answer = client.create_db_instance_read_replica(
                SourceDBInstanceIdentifier=attributes["source"],
                PubliclyAccessible=False,
                Tags=tag_list(wanted.tags or {}),
                **request(attributes, {**SHARED, **AT_CREATION}),
            )
            made.append(answer["DBInstance"])

        # The source is busy for a moment with each replica that is made of it.
        rds_calls.send(aws, attributes["source"], f"giving it the replica {attributes['identifier']}", call)
        return self.observed(made[0], wanted.name, wanted)

    def delete(self, aws: Aws, observed: Observed) -> None:
        delete_instance(aws, observed)


def _replica_name(scope: Scope, instance: Instance) -> str | None:
    name = owned_name(scope, instance)
    return name.removeprefix(REPLICAS) if name and name.startswith(REPLICAS) else None


class RdsReplicaSettings(DbInstance):
    """What AWS only takes once a replica stands. A tag on the replica says that it has got them.

    Attributes, beside those of :mod:`.rds_attributes`:
        identifier: that of the replica.
        parameters_in_force, parameters_in_sync: as of the primary.
    """

    kind = "rds_replica_settings"
    label = "settings of the read replica"
    creation = Traits(seconds=300, interrupts="the readers of this replica, if parameters wait for a restart")
    updates: ClassVar[tuple[Update, ...]] = (DELETION_PROTECTION, BACKUPS, PARAMETER_GROUP, RESTART)
    changed_together: ClassVar[tuple[str, ...]] = (
        "deletion_protection",
        "backup_retention_days",
        "backup_window",
        "maintenance_window",
        "parameter_group",
    )

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        if not scope.wanted:
            return []
        names = {wanted.attributes["identifier"]: name for name, wanted in scope.wanted.items()}
        filters = [{"Name": "db-instance-id", "Values": sorted(names)}]
        found = aws.pages("rds", "describe_db_instances", "DBInstances", Filters=filters)
        observed = [
            self.observed(instance, name, scope.wanted[name])
            for instance in found
            if tag_dict(instance.get("TagList")).get(TAG_SETTINGS) == APPLIED
            and instance["DBInstanceStatus"] != "deleting"
            for name in [names[instance["DBInstanceIdentifier"]]]
        ]
        return with_parameters(aws, observed, scope.wanted)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        identifier, group = wanted.attributes["identifier"], wanted.attributes["parameter_group"]
        # In the region of its source a replica begins with the source's group, elsewhere with RDS's own.
        before = attributes_of(rds_describe.describe(aws, identifier) or {"DBInstanceStatus": ""})
        values: dict[str, Any] = request(wanted.attributes, {name: SETTABLE[name] for name in self.changed_together})
        rds_calls.modify(aws, identifier, "getting its settings", self.creation.seconds, **values)
        rds_calls.restart(aws, identifier, expected=before["parameter_group"] != group)
        instance = rds_describe.describe(aws, identifier) or {}
        # Last, so that a run that was killed before begins with it again.
        aws.client("rds").add_tags_to_resource(
            ResourceName=instance["DBInstanceArn"], Tags=tag_list({TAG_SETTINGS: APPLIED})
        )
        return self.observed({**instance, "TagList": tag_list({TAG_SETTINGS: APPLIED})}, wanted.name, wanted)
