"""Secrets Manager: labels that move by AWS's rules, and replicas that follow after a moment and can be cut loose."""

from __future__ import annotations

import json
from copy import copy, deepcopy
from typing import Any

from moto.secretsmanager.exceptions import OperationNotPermittedOnReplica
from moto.secretsmanager.models import FakeSecret, ReplicaSecret
from moto.secretsmanager.responses import SecretsManagerResponse

from ..clock import Timeline
from ..errors import AwsError
from ..overlay import Prepared, install
from ..runtime import runtime
from .kms import key_is_usable

DEFAULT_KEY = "alias/aws/secretsmanager"
_NOT_FOUND = "Secrets Manager can't find the specified secret."
_VALUE_READS = ("GetSecretValue", "DescribeSecret")
CURRENT = "AWSCURRENT"
Versions = dict[str, dict[str, Any]]


def _in_sync(replica: ReplicaSecret) -> bool:
    timeline: Timeline | None = getattr(replica, "timeline", None)
    return timeline is None or timeline.settled(runtime.clock.now())


def _settle(replica: ReplicaSecret) -> None:
    """Show how far a replication is; one that failed stays so."""
    if replica.status != "Failed":
        state = "InSync" if _in_sync(replica) else "InProgress"
        replica.status = replica.config["Status"] = state


def _former(replica: ReplicaSecret) -> tuple[Versions, str | None] | None:
    """Return the versions that a replica has still, and which of them is current, while a change is on its way."""
    former: tuple[Versions, str | None] | None = getattr(replica, "former", None)
    return None if _in_sync(replica) else former


def _versions(replica: ReplicaSecret) -> Versions:
    former = _former(replica)
    versions: Versions = former[0] if former else replica.source.versions
    return versions


def _default_version(replica: ReplicaSecret) -> str | None:
    former = _former(replica)
    current: str | None = former[1] if former else replica.source.default_version_id
    return current


class Secrets(Prepared, SecretsManagerResponse):
    """moto's Secrets Manager with AWS's rules for replicas and deletion."""

    def prepare(self, action: str) -> None:
        """Drop secrets whose recovery window has ended, and let replications go on."""
        now = runtime.clock.now()
        for key, secret in list(self.backend.secrets.items()):
            if isinstance(secret, FakeSecret):
                if secret.deleted_date is not None and secret.deleted_date <= now:
                    dict.pop(self.backend.secrets, key)
                for replica in secret.replicas:
                    _settle(replica)
            elif not (_in_sync(secret) or _former(secret)) and action in _VALUE_READS and self._names(secret):
                raise AwsError("ResourceNotFoundException", _NOT_FOUND)

    def _names(self, secret: ReplicaSecret) -> bool:
        return self._get_param("SecretId") in (secret.name, secret.arn)

    def _secret(self) -> FakeSecret | ReplicaSecret:
        identifier = self._get_param("SecretId")
        if identifier not in self.backend.secrets:
            raise AwsError("ResourceNotFoundException", _NOT_FOUND)
        return self.backend.secrets[identifier]

    def create_secret(self) -> str:
        """Create a secret, and start its replicas."""
        self._check_key(self._get_param("KmsKeyId"), self.region)
        regions = self._get_param("AddReplicaRegions") or []
        self._check_replica_keys(regions)
        known = self.backend.secrets.get(self._get_param("Name"))
        if known is not None and known.is_deleted():
            text = "You can't create this secret because a secret with this name is already scheduled for deletion."
            raise AwsError("InvalidRequestException", text)
        super().create_secret()
        secret = self.backend.secrets[self._get_param("Name")]
        self._start_replicas(secret, regions)
        return secret.to_short_dict()  # type: ignore[union-attr]

    def describe_secret(self) -> str:
        """Describe a secret: versions without a label are deprecated, and not among them."""
        answer: dict[str, Any] = json.loads(super().describe_secret())
        answer.pop("SecretVersionsToStages", None)
        labelled = {version: row["version_stages"] for version, row in self._secret().versions.items()}
        if "VersionIdsToStages" in answer:
            answer["VersionIdsToStages"] = {version: labels for version, labels in labelled.items() if labels}
        return json.dumps(answer)

    def list_secret_version_ids(self) -> str:
        """List versions, those without a label only if they are asked for."""
        secret, all_of_them = self._secret(), bool(self._get_param("IncludeDeprecated"))
        rows = [
            {"VersionId": version, "VersionStages": row["version_stages"], "CreatedDate": row["createdate"]}
            for version, row in secret.versions.items()
            if row["version_stages"] or all_of_them
        ]
        return json.dumps({"ARN": secret.arn, "Name": secret.name, "Versions": rows})

    def list_secrets(self) -> str:
        """List secrets, without the member that belongs to descriptions."""
        answer: dict[str, Any] = json.loads(super().list_secrets())
        for row in answer["SecretList"]:
            row.pop("VersionIdsToStages", None)
            row.pop("ReplicationStatus", None)
        return json.dumps(answer)

    def update_secret(self) -> str:
        """Change a secret; its key must be usable."""
        self._check_key(self._get_param("KmsKeyId"), self.region)
        before = self._before()
        answer = _without(super().update_secret(), "ReplicationStatus")
        self._keep_labels(before[0])
        self._follow(before)
        return answer

    def put_secret_value(self) -> str:
        """Add a version; the answer says nothing of replicas, which get it after a moment."""
        before = self._before()
        answer = _without(super().put_secret_value(), "ReplicationStatus")
        self._keep_labels(before[0])
        self._follow(before)
        return answer

    def update_secret_version_stage(self) -> str:
        """Move a label, from the version that has it and nowhere else; ``AWSPREVIOUS`` follows ``AWSCURRENT``."""
        secret, before = self._secret(), self._before()
        if isinstance(secret, ReplicaSecret):
            raise OperationNotPermittedOnReplica
        label, target = self._get_param("VersionStage"), self._get_param("MoveToVersionId")
        self._check_label(secret, label, self._get_param("RemoveFromVersionId"), target)
        if target and label in secret.versions.get(target, {}).get("version_stages", []):
            return json.dumps({"ARN": secret.arn, "Name": secret.name})
        answer: str = super().update_secret_version_stage()
        if label == CURRENT:
            secret.set_default_version_id(target)
        self._follow(before)
        return answer

    @staticmethod
    def _check_label(secret: FakeSecret, label: str, source: str | None, target: str | None) -> None:
        holder = next((one for one, row in secret.versions.items() if label in row["version_stages"]), None)
        if label == CURRENT and not target:
            text = "You can't remove the staging label AWSCURRENT: it moves to another version with MoveToVersionId."
            raise AwsError("InvalidParameterException", text)
        if (source and source != holder) or (target and holder not in (None, target, source)):
            text = (
                f"Staging label {label} is currently attached to {f'version {holder}' if holder else 'no version'}, so "
                "you must explicitly reference that version in RemoveFromVersionId."
            )
            raise AwsError("InvalidParameterException", text)

    def _before(self) -> tuple[Versions, str | None]:
        """Return what replicas have until the change that is about to be made has reached them."""
        secret = self._secret()
        return deepcopy(secret.versions), secret.default_version_id

    def _keep_labels(self, before: Versions) -> None:
        """Leave the version that is current no more its other labels, unless they have gone elsewhere."""
        versions = self._secret().versions
        for version, row in before.items():
            left = versions[version]["version_stages"]
            if CURRENT in row["version_stages"] and CURRENT not in left:
                taken = {label for one in versions.values() for label in one["version_stages"]}
                left += [label for label in row["version_stages"] if label not in taken]

    def _follow(self, before: tuple[Versions, str | None]) -> None:
        """Let a change of versions reach the replicas after a moment. One that is behind already stays where it is."""
        secret = self._secret()
        if isinstance(secret, ReplicaSecret) or secret.versions == before[0]:
            return
        seconds = runtime.clock.duration("secretsmanager:replicate")
        for replica in secret.replicas:
            if replica.status != "Failed":
                former = before if _in_sync(replica) else _former(replica)
                timeline = Timeline.start(runtime.clock.now(), ("InProgress", seconds), last="InSync")
                vars(replica).update(former=former, timeline=timeline)
                _settle(replica)

    def replicate_secret_to_regions(self) -> str:
        """Start replicas in further Regions."""
        secret, regions = self._secret(), self._get_param("AddReplicaRegions") or []
        self._check_replica_keys(regions)
        if isinstance(secret, FakeSecret):
            taken = {replica.region for replica in secret.replicas} & {row["Region"] for row in regions}
            if taken and not self._get_param("ForceOverwriteReplicaSecret"):
                text = f"Secret {secret.name} is already replicated to {', '.join(sorted(taken))}."
                raise AwsError("InvalidParameterException", text)
            # Overwriting a replica of its own replaces it, instead of listing the Region twice.
            secret.replicas = [replica for replica in secret.replicas if replica.region not in taken]
        super().replicate_secret_to_regions()
        self._start_replicas(secret, regions)
        return self._replication(secret)

    def remove_regions_from_replication(self) -> str:
        """Remove replicas, with their copies."""
        super().remove_regions_from_replication()
        return self._replication(self._secret())

    def stop_replication_to_replica(self) -> str:
        """Make a replica, here where it is, a secret of its own that no longer follows."""
        replica = self._secret()
        if not isinstance(replica, ReplicaSecret):
            text = f"Secret {replica.name} in {self.region} is not a replica, so it has no replication to stop."
            raise AwsError("InvalidRequestException", text)
        source, backend = replica.source, self.backend
        source.replicas = [row for row in source.replicas if row.region != self.region]
        alone = copy(source)
        alone.region, alone.arn, alone.replicas = self.region, replica.arn, []
        # What has not reached it yet never will.
        alone.versions, alone.tags = deepcopy(replica.versions), deepcopy(source.tags)
        alone.default_version_id = replica.default_version_id
        alone.kms_key_id = replica.config.get("KmsKeyId")
        dict.pop(backend.secrets, replica.arn)
        backend.secrets[alone.name] = alone
        return json.dumps({"ARN": alone.arn})

    def _check_replica_keys(self, regions: list[dict[str, str]]) -> None:
        for row in regions:
            self._check_key(row.get("KmsKeyId"), row["Region"])

    def _check_key(self, key_id: str | None, region: str) -> None:
        if key_id and key_id != DEFAULT_KEY and not key_is_usable(self.current_account, region, key_id):
            text = f"Secrets Manager can't encrypt the protected secret text using the provided KMS key {key_id} in "
            raise AwsError("EncryptionFailure", f"{text}{region}. Check that the key exists there and is enabled.")

    @staticmethod
    def _start_replicas(secret: Any, regions: list[dict[str, str]]) -> None:
        keys = {row["Region"]: row.get("KmsKeyId") or DEFAULT_KEY for row in regions}
        seconds = runtime.clock.duration("secretsmanager:replicate")
        for replica in secret.replicas:
            if replica.region in keys:
                replica.config["KmsKeyId"] = keys[replica.region]
                replica.timeline = Timeline.start(runtime.clock.now(), ("InProgress", seconds), last="InSync")
                _settle(replica)

    @staticmethod
    def _replication(secret: Any) -> str:
        return json.dumps({"ARN": secret.arn, "ReplicationStatus": [row.config for row in secret.replicas]})

    def delete_secret(self) -> str:
        """Delete a secret; the window is counted in model time."""
        answer: dict[str, Any] = json.loads(super().delete_secret())
        secret = self.backend.secrets.get(self._get_param("SecretId"))
        if secret is not None and not isinstance(secret, ReplicaSecret) and secret.deleted_date is not None:
            days = self._get_param("RecoveryWindowInDays") or 30
            secret.deleted_date = answer["DeletionDate"] = runtime.clock.now() + days * 86400
        return json.dumps(answer)


def _without(document: str, member: str) -> str:
    answer: dict[str, Any] = json.loads(document)
    answer.pop(member, None)
    return json.dumps(answer)


def register() -> None:
    """Put this overlay in front of moto's Secrets Manager."""
    for name, getter in (("versions", _versions), ("default_version_id", _default_version)):
        setattr(ReplicaSecret, name, property(getter))
    install("secretsmanager", Secrets)
