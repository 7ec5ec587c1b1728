# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source of a replication as its own region describes it, and what AWS asks of it. It is only ever read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.aws import Aws, describe_error, error_code, is_aws_error
from ..engine.model import Observed, Readiness, ResourceType, Scope, Wanted
from ..engine.values import is_pending
from . import rds_describe
from .rds_describe import NEEDS_ACTION, Instance

KIND = "rds_source"
#: What is made of a source.
REPLICA, BACKUPS = "replica", "backups"
#: Statuses of our own, beside AWS's: no answer, no such instance, not made yet.
UNREACHABLE, MISSING, PLANNED = "unreachable", "missing", "planned"
#: Replicas of one source, in all regions together (RDS user guide, "Working with DB instance read replicas").
MOST_REPLICAS = 15


@dataclass(frozen=True)
class InstanceArn:
    """The parts of ``arn:aws:rds:REGION:ACCOUNT:db:IDENTIFIER`` that matter here."""

    region: str
    account: str
    identifier: str

    @classmethod
    def parse(cls, arn: str) -> InstanceArn | None:
        """Return the parts, None if it is no ARN of a DB instance."""
        parts = arn.split(":")
        is_instance = len(parts) == 7 and parts[0] == "arn" and parts[2] == "rds" and parts[5] == "db"
        return cls(parts[3], parts[4], parts[6]) if is_instance and all(parts[3:]) else None


class RdsSource(ResourceType):
    """A DB instance in another region that replicas or backups are made of.

    Attributes:
        source_arn: the instance.
        purpose: ``replica`` or ``backups``: what is made of it here.
        follower_arn: the ARN of the replica that is made of it.

    Read only: ``problems``, for people, empty if a replica or a copy of backups can be made of it; ``followed``, True
    if it names the follower as its replica already; ``engine_version``; ``multi_az``.
    """

    kind = KIND
    label = "source"
    service = "rds"
    slow = True
    create_only = frozenset({"source_arn", "purpose", "follower_arn"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [self._look(aws, wanted) for wanted in scope.wanted.values()]

    def _look(self, aws: Aws, wanted: Wanted) -> Observed:
        arn = wanted.attributes["source_arn"]
        where = InstanceArn.parse(arn)
        if is_pending(arn) or where is None:
            return Observed(self.kind, wanted.name, str(arn), {"problems": []}, {}, PLANNED)
        try:
            instance = rds_describe.describe(aws, where.identifier, region=where.region, probe=True)
        except Exception as error:
            if not is_aws_error(error):
                raise
            failure = {"problems": _no_answer(where, error), "failure": describe_error(error)}
            return Observed(self.kind, wanted.name, arn, failure, {}, UNREACHABLE)
        if instance is None:
            return Observed(self.kind, wanted.name, arn, {"problems": [_missing(where)]}, {}, MISSING)
        attributes = {
            "problems": list(source_problems(instance, where, wanted.attributes["purpose"])),
            "followed": _followed(instance, wanted.attributes, aws.region),
            "resource_id": instance["DbiResourceId"],
            "engine_version": instance["EngineVersion"],
            "multi_az": instance["MultiAZ"],
        }
        return Observed(self.kind, wanted.name, arn, attributes, {}, instance["DBInstanceStatus"])

    def readiness(self, observed: Observed) -> Readiness:
        """Tell whether something can be made of it now; whoever follows it already need not wait for it."""
        if observed.status == PLANNED:
            return Readiness.WAIT
        settled = rds_describe.readiness_of(observed.status) is not Readiness.WAIT
        gone = observed.status in (UNREACHABLE, MISSING)
        return Readiness.READY if settled or gone or observed.get("followed") else Readiness.WAIT


def _followed(instance: Instance, asked: Mapping[str, Any], region: str) -> bool:
    """Tell whether the source names what is made of it here already."""
    if asked["purpose"] == REPLICA:
        return asked["follower_arn"] in (instance.get("ReadReplicaDBInstanceIdentifiers") or ())
    copies = instance.get("DBInstanceAutomatedBackupsReplications") or ()
    return any(copy["DBInstanceAutomatedBackupsArn"].split(":")[3] == region for copy in copies)


def _no_answer(where: InstanceArn, error: Exception) -> list[str]:
    """Return the problem of a source that cannot be described; none if the region itself does not answer.

    Whether RDS reaches the source then shows when the call is made: this machine's way is not RDS's way.
    """
    if not error_code(error):
        return []
    return [
        f"The source {where.identifier} in {where.region} could not be described: {describe_error(error)} Name the "
        "right instance in the option source_arn, and let the identity that runs the play describe it."
    ]


def _missing(where: InstanceArn) -> str:
    return (
        f"There is no DB instance {where.identifier} in {where.region} of account {where.account}. Correct the option "
        "source_arn, or make the source first."
    )


def source_problems(instance: Instance, where: InstanceArn, purpose: str = REPLICA) -> Iterator[str]:
    """Yield a sentence for each thing that keeps AWS from replicating an instance and does not clear by itself."""
    subject = f"The source {where.identifier} in {where.region} (option source_arn)"
    if instance["DBInstanceStatus"] in NEEDS_ACTION:
        yield f"{subject} is {instance['DBInstanceStatus']}. {NEEDS_ACTION[instance['DBInstanceStatus']]}"
    if not instance.get("BackupRetentionPeriod"):
        yield f"{subject} keeps no automated backups. Set its backup_retention_days to 1 or more, and run that first."
    if purpose == REPLICA:
        yield from _replica_problems(instance, subject)
    elif instance.get("ReadReplicaSourceDBInstanceIdentifier"):
        yield f"{subject} is a replica, and RDS replicates the automated backups of primaries only. Name its source."


def _replica_problems(instance: Instance, subject: str) -> Iterator[str]:
    if instance.get("MasterUserSecret"):
        yield (
            f"{subject} has a password that RDS manages, of which PostgreSQL makes no replicas. Turn "
            "ManageMasterUserPassword off there, and keep the password in a secret of your own."
        )
    if not instance.get("StorageEncrypted"):
        yield f"{subject} is not encrypted, so no copy of it can be. Restore a snapshot of it under a KMS key first."
    followers = instance.get("ReadReplicaDBInstanceIdentifiers") or ()
    if len(followers) >= MOST_REPLICAS:
        yield f"{subject} has {len(followers)} replicas, and AWS allows {MOST_REPLICAS}. Remove one of them first."


def source_of(observed: Mapping[tuple[str, str], Observed], name: str) -> Observed | None:
    """Return the source among what is observed of a layer."""
    return observed.get((KIND, name))


def problems_of(source: Observed | None) -> list[str]:
    """Return what keeps a source from being replicated."""
    found: list[Any] = source.get("problems") if source else []
    return [str(problem) for problem in found]


def arn_problems(arn: str, region: str) -> Iterator[str]:
    """Yield what is wrong with the ARN of a source, for something that is made in ``region``."""
    source = InstanceArn.parse(arn)
    if source is None:
        yield f"source_arn is {arn!r}. Give the ARN of a DB instance, arn:aws:rds:REGION:ACCOUNT:db:IDENTIFIER."
    elif source.region == region:
        yield (
            f"source_arn {arn} is in {region} itself. Name a source of another region here; replicas in the region are "
            "listed in the option replicas of rds_instance_set."
        )
