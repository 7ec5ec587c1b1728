# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of the data of databases that are gone: manual snapshots, and automated backups that were retained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.aws import Aws, tag_dict
from ..engine.model import TAG_ENVIRONMENT, TAG_PLATFORM, Key, Observed, ResourceType, Scope, Traits
from .rds_backup_facts import RETAINED

#: What the types below look for is wanted under this key, although nothing of the kind is made.
ANCHOR: Key = ("rds_copies", "environment")


class _Copy(ResourceType):
    service = "rds"
    deletion = Traits(seconds=5, interrupts="every way back to these data", reversible=False)

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        asked = scope.layer_wanted[ANCHOR].attributes
        return self.found(aws, scope, asked) if asked[self.kind] else []

    def found(self, aws: Aws, scope: Scope, asked: Mapping[str, Any]) -> list[Observed]:
        """Return what stands of it."""
        raise NotImplementedError


class RdsSnapshot(_Copy):
    """A manual snapshot that carries the owner tags, as a final one does."""

    kind = "rds_snapshot"
    label = "DB snapshot"

    def found(self, aws: Aws, scope: Scope, asked: Mapping[str, Any]) -> list[Observed]:
        items = aws.pages("rds", "describe_db_snapshots", "DBSnapshots", SnapshotType="manual")
        return [
            Observed(self.kind, item["DBSnapshotIdentifier"], item["DBSnapshotIdentifier"], {}, tags, item["Status"])
            for item in items
            for tags in [tag_dict(item.get("TagList"))]
            if is_owned(scope, tags)
        ]

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("rds")
        try:
            client.delete_db_snapshot(DBSnapshotIdentifier=observed.id)
        except client.exceptions.DBSnapshotNotFoundFault:
            return


class RdsRetainedBackup(_Copy):
    """The automated backups of an instance that is gone, or that this region replicates no more."""

    kind = "rds_retained_backup"
    label = "retained backups"

    def found(self, aws: Aws, scope: Scope, asked: Mapping[str, Any]) -> list[Observed]:
        items = aws.pages("rds", "describe_db_instance_automated_backups", "DBInstanceAutomatedBackups")
        return [
            # An identifier may have had several instances, one after the other.
            Observed(self.kind, f"{item['DBInstanceIdentifier']} ({arn.rpartition(':')[2]})", arn, {}, tags, state)
            for item in items
            for arn, state in [(str(item["DBInstanceAutomatedBackupsArn"]), item["Status"])]
            for tags in [tag_dict(item.get("TagList"))]
            if state in RETAINED and (is_owned(scope, tags) or item["DBInstanceArn"] in asked["sources"])
        ]

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("rds")
        try:
            client.delete_db_instance_automated_backup(DBInstanceAutomatedBackupsArn=observed.id)
        except client.exceptions.DBInstanceAutomatedBackupNotFoundFault:
            return


def is_owned(scope: Scope, tags: Mapping[str, str]) -> bool:
    """Tell whether tags say that something belongs to the environment, whichever layer made it."""
    owner = (tags.get(TAG_PLATFORM), tags.get(TAG_ENVIRONMENT))
    return owner == (scope.identity.platform, scope.identity.environment)
