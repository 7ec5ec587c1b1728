# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DB instance that is restored beside what stands, and what a restore does not set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_list
from ..engine.model import Observed, Scope, Traits, Update, Wanted
from . import rds_calls, rds_describe
from .rds_attributes import SETTABLE, request
from .rds_describe import Instance
from .rds_instance import (
    BACKUPS,
    DELETION_PROTECTION,
    PARAMETER_GROUP,
    RESTART,
    UPDATES,
    DbInstance,
    delete_instance,
    owned_name,
    with_parameters,
)
from .rds_replica import APPLIED, TAG_SETTINGS, RdsReplicaSettings

#: The tag that says what an instance was restored from, which tells one restore from another.
TAG_ORIGIN = "pipeops:restored-from"
#: Characters that the value of a tag may have.
LONGEST_TAG = 256
LATEST = "latest"
#: What both restores take beside what can be set later; neither takes monitoring, insights or a maintenance window.
AT_RESTORE = {
    "storage_type": "StorageType",
    "availability_zone": "AvailabilityZone",
    "subnet_group": "DBSubnetGroupName",
    "log_exports": "EnableCloudwatchLogsExports",
    **{
        name: SETTABLE[name]
        for name in (
            "instance_class",
            "storage_gib",
            "iops",
            "throughput_mibps",
            "multi_az",
            "security_group_ids",
            "iam_authentication",
            "auto_minor_version_upgrade",
            "copy_tags_to_snapshots",
            "ca_certificate",
            "parameter_group",
            "backup_retention_days",
            "backup_window",
            "deletion_protection",
        )
    },
}


@dataclass(frozen=True)
class Origin:
    """What is restored: exactly one of the first three.

    Attributes:
        source: the identifier of an instance of the region.
        backup_arn: automated backups of the region, replicated or retained.
        snapshot: the identifier or ARN of a snapshot.
        time: the moment, as ISO 8601 in UTC; empty for the latest one. Counts not for a snapshot.
    """

    source: str = ""
    backup_arn: str = ""
    snapshot: str = ""
    time: str = ""

    @property
    def tag(self) -> str:
        """What tells this restore from every other one, as the value of a tag."""
        what = self.source or self.backup_arn or self.snapshot
        text = what if self.snapshot else f"{what}@{self.time or LATEST}"
        if len(text) <= LONGEST_TAG:
            return text
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the call that say what is restored."""
        if self.snapshot:
            return {"DBSnapshotIdentifier": self.snapshot}
        at: dict[str, Any] = {"RestoreTime": self.time} if self.time else {"UseLatestRestorableTime": True}
        if self.backup_arn:
            return {"SourceDBInstanceAutomatedBackupsArn": self.backup_arn, **at}
        return {"SourceDBInstanceIdentifier": self.source, **at}


class RdsRestore(DbInstance):
    """An instance that was restored.

    Attributes:
        identifier: it finds the instance; a removal only counts one that bears this layer's tags as well.
        restored_from: what its tag says, see :attr:`Origin.tag`.
        subnet_group: where it is.
        origin: the members of the :class:`Origin`.
        all of ``AT_RESTORE``: what the restore sets; :class:`RdsRestoredSettings` keeps it so.
        final_snapshot: whether a snapshot is taken before it is deleted.
        removal: True if the run removes it; then one that is on its way out is observed too.
    """

    kind = "rds_restore"
    label = "restored instance"
    creation = Traits(seconds=1800)
    deletion = Traits(seconds=420, interrupts="everything that uses the restored instance", reversible=False)
    create_only = frozenset({*AT_RESTORE, "origin", "final_snapshot", "removal"}) - {"subnet_group"}
    fixed: ClassVar[Mapping[str, str]] = {
        "restored_from": "An instance of this identifier stands already and is no such restore. Choose another "
        "identifier, or remove that one first.",
        "subnet_group": "A restored instance stays where it is: set subnet_ids back, or choose another identifier.",
    }

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = []
        for name, wanted in scope.wanted.items():
            instance = rds_describe.describe(aws, wanted.attributes["identifier"])
            if instance and self._counts(instance, scope, wanted):
                found.append(self._as_restore(instance, name, wanted))
        return found

    @staticmethod
    def _counts(instance: Instance, scope: Scope, wanted: Wanted) -> bool:
        if wanted.attributes["removal"]:
            return owned_name(scope, instance) == wanted.name
        return str(instance["DBInstanceStatus"]) != "deleting"

    def _as_restore(self, instance: Instance, name: str, wanted: Wanted | None) -> Observed:
        observed = self.observed(instance, name, wanted)
        origin = {"restored_from": observed.tags.get(TAG_ORIGIN), "status": observed.status}
        return replace(observed, attributes={**observed.attributes, **origin})

    def refresh(self, aws: Aws, scope: Scope, observed: Observed) -> Observed | None:
        instance = rds_describe.describe(aws, observed.id)
        return self._as_restore(instance, observed.name, scope.wanted.get(observed.name)) if instance else None

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        asked, client = wanted.attributes, aws.client("rds", once=True)
        origin = Origin(**asked["origin"])
        rds_calls.free_identifier(aws, asked["identifier"])
        values = {
            "PubliclyAccessible": False,
            "Tags": tag_list(wanted.tags or {}),
            **origin.parameters,
            **request(asked, AT_RESTORE),
        }
        if origin.snapshot:
            answer = client.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=asked["identifier"], **values)
        else:
            answer = client.restore_db_instance_to_point_in_time(
                TargetDBInstanceIdentifier=asked["identifier"], **values
            )
        return self._as_restore(answer["DBInstance"], wanted.name, wanted)

    def delete(self, aws: Aws, observed: Observed) -> None:
        delete_instance(aws, observed)


class RdsRestoredSettings(RdsReplicaSettings):
    """Everything of a restored instance that can be set: what the restore takes no parameter for, and what it left.

    Attributes: as of :class:`.rds_instance.RdsInstance`.
    """

    kind = "rds_restored_settings"
    label = "settings of the restored instance"
    creation = Traits(seconds=300)
    updates = (DELETION_PROTECTION, BACKUPS, *UPDATES, PARAMETER_GROUP, RESTART)
    create_only = frozenset({"performance_insights_key_arn", "final_snapshot", "removal", "availability_zone"})

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        identifier = wanted.attributes["identifier"]
        for update in self.updates:
            # Described anew each time: one change may bring about another.
            observed = self._described(aws, identifier, wanted)
            if self._differs(update, wanted, observed):
                self.update(aws, update, wanted, observed)
        rds_calls.restart(aws, identifier, expected=False)
        observed = self._described(aws, identifier, wanted)
        # Last, so that a run that was killed before begins with it again.
        self.set_tags(aws, observed, {TAG_SETTINGS: APPLIED})
        return replace(observed, tags={**observed.tags, TAG_SETTINGS: APPLIED})

    def _described(self, aws: Aws, identifier: str, wanted: Wanted) -> Observed:
        instance = rds_calls.until(aws, identifier, "getting its settings", 300, rds_calls.is_idle)
        found = self.observed(instance, wanted.name, wanted)
        (observed,) = with_parameters(aws, [found], {wanted.name: wanted})
        return observed

    def _differs(self, update: Update, wanted: Wanted, observed: Observed) -> bool:
        asked = {name: wanted.attributes.get(name) for name in update.attributes}
        return any(
            value is not None and not self.same(name, value, observed.get(name)) for name, value in asked.items()
        )
