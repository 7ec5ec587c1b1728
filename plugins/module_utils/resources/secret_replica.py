# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret of another region that is copied here, and that can be cut loose when that region is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..engine.aws import Aws, describe_error, error_code, is_aws_error, tag_dict, tag_list
from ..engine.errors import EngineError
from ..engine.model import Key, Observed, Readiness, ResourceType, Scope, Traits, Update, Wanted
from .secret import SecretsManagerSecret

KIND, SOURCE = "secretsmanager_replica", "secretsmanager_source"
REPLICA, STANDALONE = "replica", "standalone"
#: What the primary says of a copy (Secrets Manager API reference, ReplicationStatusType); and our own for no answer.
IN_SYNC, IN_PROGRESS, FAILED, UNREACHABLE = "InSync", "InProgress", "Failed", "unreachable"


@dataclass(frozen=True)
class Copy:
    """What the primary says of the copy here; all empty if it has none."""

    status: str = ""
    message: str = ""
    kms_key_arn: str | None = None


class SecretSource(ResourceType):
    """The secret of another region that is copied here, so that the ARN of a copy is known before it is made.

    Attributes:
        name: its name.
        source_region: its region, which may be down.

    Read only: ``arn``; None if there is no such secret yet, or no answer.
    """

    kind = SOURCE
    label = "primary secret"
    service = "secretsmanager"

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        return [self._look(aws, wanted) for wanted in scope.wanted.values()]

    def _look(self, aws: Aws, wanted: Wanted) -> Observed:
        asked = wanted.attributes
        try:
            arn = (_describe(aws, asked["name"], asked["source_region"]) or {}).get("ARN")
        except Exception as error:
            if not is_aws_error(error) or error_code(error):
                raise
            arn = None
        return Observed(self.kind, wanted.name, asked["name"], {**asked, "arn": arn})


class SecretReplica(ResourceType):
    """A copy of a secret of another region. What is in it is never read.

    Attributes:
        name: the same in both regions, so it finds the secret.
        region: where this is, for people.
        role: ``replica``: it follows the primary, and cannot be changed here; ``standalone``: a secret of its own.
        source_region: the region of the primary, for a replica.
        kms_key_arn: the key here that encrypts a replica; AWS's own for Secrets Manager if not set.
        healthy: True for a replica. False once its replication has failed.
        description: of a standalone one, for people.
        overwrite: True if a secret of its own that has the name here is to be replaced by the replica, and lost.
        removal: True if the run removes it; then one that waits for its deletion counts as gone.

    Read only: ``arn``, which differs from that of the primary in the region only; ``primary_region``, ``status``.
    """

    kind = KIND
    label = "secret replica"
    service = "secretsmanager"
    slow = True
    creation = Traits(seconds=10)
    deletion = Traits(seconds=2, interrupts="whoever reads the secret in this region", reversible=True)
    updates = (
        Update(
            "role",
            ("role",),
            Traits(
                seconds=10,
                interrupts="what it was: a copy follows its primary no more, a secret of its own is overwritten",
                reversible=False,
            ),
        ),
        Update(
            "replication",
            ("healthy", "kms_key_arn"),
            Traits(seconds=10, interrupts="whoever reads the secret in this region, for seconds"),
        ),
        Update("settings", ("description",)),
    )
    create_only = frozenset({"region", "source_region", "overwrite", "removal"})
    #: Secrets Manager's longest: until then one of its own can be restored.
    deletion_days: ClassVar[int] = SecretsManagerSecret.deletion_days

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = (self._look(aws, wanted) for wanted in scope.wanted.values())
        return [item for item in found if item]

    def _look(self, aws: Aws, wanted: Wanted) -> Observed | None:
        asked, here = wanted.attributes, _describe(aws, wanted.attributes["name"], aws.region)
        if here and "DeletedDate" in here and asked.get("removal"):
            here = None
        follows = asked["role"] == REPLICA and asked.get("source_region")
        copy = self._copy(aws, asked["name"], asked["source_region"]) if follows else Copy()
        if here is None and copy.status in ("", UNREACHABLE):
            return None
        attributes = {**_attributes(here or {}, aws.region, asked), **_replication(here, copy, aws.region, asked)}
        status = str(attributes["status"])
        return Observed(self.kind, wanted.name, asked["name"], attributes, tag_dict((here or {}).get("Tags")), status)

    @staticmethod
    def _copy(aws: Aws, name: str, region: str) -> Copy:
        """Ask the primary what became of the copy here; its region may be down."""
        try:
            primary = _describe(aws, name, region) or {}
        except Exception as error:
            if not is_aws_error(error) or error_code(error):
                raise
            return Copy(UNREACHABLE, describe_error(error))
        rows = [row for row in primary.get("ReplicationStatus") or () if row["Region"] == aws.region]
        return Copy(rows[0]["Status"], rows[0].get("StatusMessage", ""), rows[0].get("KmsKeyId")) if rows else Copy()

    def objections(self, wanted: Wanted, observed: Mapping[Key, Observed]) -> Sequence[str]:
        asked, standing = wanted.attributes, observed.get(wanted.key)
        where = f"The secret {asked['name']} in {asked['region']}"
        if standing is None:
            missing = f"{where} is not there, so nothing can be cut loose. Restore it, or make a new one."
            return [missing] if asked["role"] == STANDALONE else []
        if standing.get("deleted"):
            return [f"{where} waits for its deletion. Restore it, or delete it without a recovery window first."]
        if asked["role"] == STANDALONE:
            return []
        if standing.get("role") == STANDALONE and not asked["overwrite"]:
            return [
                f"{where} is one of its own, which a replica would replace. If what is in it may be lost, set "
                "overwrite: true; else remove it, or leave it standalone."
            ]
        if standing.get("primary_region") not in (None, asked["source_region"]):
            return [
                f"{where} is a replica of {standing.get('primary_region')}, not of {asked['source_region']}. Correct "
                "the option source_region, or remove the replica first."
            ]
        return []

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        return self._replicate(aws, wanted)

    def _replicate(self, aws: Aws, wanted: Wanted) -> Observed:
        asked = wanted.attributes
        client = aws.client("secretsmanager", region=asked["source_region"], once=True)
        key = {"KmsKeyId": asked["kms_key_arn"]} if asked.get("kms_key_arn") else {}
        try:
            answer = client.replicate_secret_to_regions(
                SecretId=asked["name"],
                AddReplicaRegions=[{"Region": aws.region, **key}],
                ForceOverwriteReplicaSecret=bool(asked["overwrite"]),
            )
        except client.exceptions.ResourceNotFoundException as error:
            raise EngineError(
                f"There is no secret {asked['name']} in {asked['source_region']} to copy to {aws.region}. Correct the "
                "options secret and source_region, or make the primary's secret first."
            ) from error
        arn = answer["ARN"].replace(f":{asked['source_region']}:", f":{aws.region}:", 1)
        known = {**asked, "arn": arn, "primary_region": asked["source_region"], "status": IN_PROGRESS}
        return Observed(self.kind, wanted.name, asked["name"], known, {}, IN_PROGRESS)

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> Observed | None:
        here = aws.client("secretsmanager")
        if update.name == "settings":
            here.update_secret(SecretId=observed.id, Description=wanted.attributes["description"])
            return None
        if update.name == "role" and wanted.attributes["role"] == STANDALONE:
            self._cut_loose(aws, observed)
            return None
        if update.name == "replication":
            self._remove(aws, observed)
        return self._replicate(aws, wanted)

    @staticmethod
    def _cut_loose(aws: Aws, observed: Observed) -> None:
        """End the replication, from here alone; one that stands alone already, e.g. by a lost answer, is no error."""
        client = aws.client("secretsmanager")
        try:
            client.stop_replication_to_replica(SecretId=observed.id)
        except client.exceptions.InvalidRequestException:
            if _role(_describe(aws, observed.id, aws.region) or {}, aws.region) == REPLICA:
                raise

    @staticmethod
    def _remove(aws: Aws, observed: Observed) -> None:
        region = observed.get("primary_region")
        client = aws.client("secretsmanager", region=region)
        client.remove_regions_from_replication(SecretId=observed.id, RemoveReplicaRegions=[aws.region])

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("secretsmanager").tag_resource(SecretId=observed.id, Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        if observed.get("role") == REPLICA:
            self._remove(aws, observed)
            return
        client = aws.client("secretsmanager")
        try:
            client.delete_secret(SecretId=observed.id, RecoveryWindowInDays=self.deletion_days)
        except client.exceptions.ResourceNotFoundException:
            return

    def readiness(self, observed: Observed) -> Readiness:
        if observed.status == FAILED:
            return Readiness.FAILED
        return Readiness.WAIT if observed.status == IN_PROGRESS else Readiness.READY


def _describe(aws: Aws, name: str, region: str) -> Mapping[str, Any] | None:
    client = aws.client("secretsmanager", region=region, probe=region != aws.region)
    try:
        secret: Mapping[str, Any] = client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return None
    return secret


def _role(secret: Mapping[str, Any], region: str) -> str:
    return REPLICA if secret.get("PrimaryRegion") not in (None, region) else STANDALONE


def _attributes(here: Mapping[str, Any], region: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the secret here says of itself; a copy that has not come yet is a replica all the same."""
    return {
        "name": asked["name"],
        "arn": here.get("ARN"),
        "role": _role(here, region) if here else REPLICA,
        "primary_region": here.get("PrimaryRegion") if here else asked.get("source_region"),
        "description": here.get("Description", ""),
        "deleted": "DeletedDate" in here,
    }


def _replication(here: Mapping[str, Any] | None, copy: Copy, region: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the replication goes."""
    if here is not None and _role(here, region) == STANDALONE:
        # What overwrites it comes with the right key.
        return {"healthy": True, "kms_key_arn": asked.get("kms_key_arn"), "status": STANDALONE}
    told = copy.status not in ("", UNREACHABLE)
    healthy = asked["role"] != REPLICA or copy.status == UNREACHABLE or (told and copy.status != FAILED)
    key = copy.kms_key_arn if told else asked.get("kms_key_arn")
    failure = copy.message if copy.status == FAILED else None
    return {"healthy": healthy, "kms_key_arn": key, "status": copy.status, "failure": failure}
