# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Automated backups of an instance that are replicated to another region, for what a replica cannot undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, is_aws_error, tag_dict, tag_list
from ..engine.model import Key, Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from ..engine.waiting import wait_until
from . import rds_calls, rds_describe
from .rds_backup_facts import LEFT_OVER, RETAINED, replicated_backup
from .rds_source import InstanceArn, problems_of, source_of

KIND = "rds_backup_replication"
#: Statuses until the first backup has come; every other one counts as replicated, for AWS's list is not complete.
COMING = frozenset({"creating", "pending"})
#: Codes by which AWS says that there is nothing to stop.
NOTHING_THERE = frozenset({"DBInstanceNotFound", "InvalidDBInstanceAutomatedBackupState", "InvalidDBInstanceState"})
GAP = "the copies of new backups for the time between: RDS cannot change it, so the replication is stopped and started"


class RdsBackupReplication(ResourceType):
    """The replication of an instance's automated backups to this region.

    Attributes:
        source_arn: the instance.
        replicating: True. False for backups that an earlier replication has left: it is taken up again.
        retention_days: 1 to 35.
        kms_key_arn: the key here that encrypts them; None for a source that is not encrypted.
        removal: True if the run stops it; then backups that it left do not count.

    Read only: ``arn``, ``status``, ``latest_time`` (UTC): the latest moment that can be restored.
    """

    kind = KIND
    label = "backup replication"
    service = "rds"
    slow = True
    creation = Traits(seconds=900)
    deletion = Traits(seconds=30, interrupts="further copies; what was copied is kept until its days are over")
    updates = (
        Update("replication", ("replicating",), Traits(seconds=900)),
        Update("retention", ("retention_days",), Traits(seconds=900, interrupts=GAP)),
    )
    create_only = frozenset({"source_arn", "removal"})
    fixed: ClassVar[Mapping[str, str]] = {
        "kms_key_arn": "The backups of one source in a region are all under one key, also those that an earlier "
        "replication has left: set kms_key_arn back. For another key, set state: stopped, delete what is retained "
        "(aws rds delete-db-instance-automated-backup), which cannot be undone, and run this again."
    }

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = (self._look(aws, wanted) for wanted in scope.wanted.values())
        return [item for item in found if item]

    def _look(self, aws: Aws, wanted: Wanted) -> Observed | None:
        asked = wanted.attributes
        without = LEFT_OVER if asked.get("removal") else {"deleting"}
        backup = replicated_backup(aws, asked["source_arn"], without)
        if backup is None or (backup["Status"] in RETAINED and not self._is_of(aws, backup, asked["source_arn"])):
            return None
        latest = (backup.get("RestoreWindow") or {}).get("LatestTime")
        attributes = {
            "arn": backup.get("DBInstanceAutomatedBackupsArn"),
            "source_arn": asked["source_arn"],
            "status": backup["Status"],
            "replicating": backup["Status"] not in RETAINED,
            "retention_days": backup.get("BackupRetentionPeriod"),
            "kms_key_arn": backup.get("KmsKeyId"),
            "latest_time": latest.astimezone(UTC).isoformat(timespec="seconds") if latest else None,
        }
        if not attributes["replicating"]:
            # Taking it up again sets the days as well.
            attributes["retention_days"] = asked["retention_days"]
        identifier = str(attributes["arn"])
        return Observed(
            self.kind, wanted.name, identifier, attributes, tag_dict(backup.get("TagList")), backup["Status"]
        )

    @staticmethod
    def _is_of(aws: Aws, backup: Mapping[str, Any], source_arn: str) -> bool:
        """Tell whether retained backups are of the instance that stands; another one may have borne its name before."""
        source = InstanceArn.parse(source_arn) or InstanceArn("", "", "")
        try:
            standing = rds_describe.describe(aws, source.identifier, region=source.region, probe=True)
        except Exception as error:
            if not is_aws_error(error):
                raise
            return True
        return standing is not None and standing["DbiResourceId"] == backup["DbiResourceId"]

    def objections(self, wanted: Wanted, observed: Mapping[Key, Observed]) -> Sequence[str]:
        standing = observed.get(wanted.key)
        if standing is not None and standing.get("replicating"):
            return ()
        return problems_of(source_of(observed, wanted.name))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        return self._start(aws, wanted)

    def _start(self, aws: Aws, wanted: Wanted) -> Observed:
        asked, made = wanted.attributes, []
        source = InstanceArn.parse(asked["source_arn"]) or InstanceArn("", "", "")
        client = aws.client("rds", once=True)
        key = {"KmsKeyId": asked["kms_key_arn"]} if asked.get("kms_key_arn") else {}

        def call() -> None:
            answer = client.start_db_instance_automated_backups_replication(
                SourceDBInstanceArn=asked["source_arn"],
                SourceRegion=source.region,
                BackupRetentionPeriod=asked["retention_days"],
                Tags=tag_list(wanted.tags or {}),
                **key,
            )
            made.append(answer["DBInstanceAutomatedBackup"])

        doing = f"replicating its backups to {aws.region}"
        rds_calls.send(aws, source.identifier, doing, call, region=source.region)
        arn, status = made[0].get("DBInstanceAutomatedBackupsArn"), made[0]["Status"]
        known = {**asked, "arn": arn, "status": status, "latest_time": None}
        return Observed(self.kind, wanted.name, str(arn), known, wanted.tags or {}, status)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed:
        if update.name == "retention":
            self._stop(aws, observed)
            self._await_stopped(aws, observed)
        return self._start(aws, wanted)

    @staticmethod
    def _stop(aws: Aws, observed: Observed) -> None:
        try:
            aws.client("rds").stop_db_instance_automated_backups_replication(
                SourceDBInstanceArn=observed.get("source_arn")
            )
        except Exception as error:
            if not is_aws_error(error) or error_code(error) not in NOTHING_THERE:
                raise
            # An earlier try whose answer was lost may have been carried out.
            if replicated_backup(aws, observed.get("source_arn"), LEFT_OVER) is not None:
                raise

    @staticmethod
    def _await_stopped(aws: Aws, observed: Observed) -> None:
        def check() -> tuple[bool | None, str]:
            left = replicated_backup(aws, observed.get("source_arn"), LEFT_OVER)
            return (True, "") if left is None else (None, str(left["Status"]))

        what = f"the end of the backup replication of {observed.get('source_arn')} to {aws.region}"
        wait_until(check, what, 30, aws.patience, aws.progress)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("rds").add_tags_to_resource(ResourceName=observed.get("arn"), Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        self._stop(aws, observed)

    def readiness(self, observed: Observed) -> Readiness:
        return Readiness.WAIT if observed.status in COMING else Readiness.READY

    def transient(self, error: Exception) -> str:
        return "the source is busy" if error_code(error) == "InvalidDBInstanceState" else ""

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "kms_key_arn" and observed is None:
            # What has not come yet may not tell its key.
            return True
        return super().same(attribute, wanted, observed)
