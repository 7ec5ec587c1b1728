"""KMS: states and refusals, rotation, multi-Region keys, and key policies that name real principals."""

from __future__ import annotations

import json
from copy import copy
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import unix_time
from moto.kms.models import Key, KmsBackend, kms_backends
from moto.kms.responses import KmsResponse

from ..errors import AwsError
from ..overlay import as_list, install, json_parameters, policy_statements
from ..runtime import runtime
from .iam import policy_principals, principal_exists

DEFAULT_ROTATION_DAYS = 365
_LOCKOUT = "The new key policy will not allow you to update the key policy in the future."


def key_is_usable(account: str, region: str, key_id: str) -> bool:
    """Tell whether a key is enabled in a Region; by id, ARN, alias name or alias ARN."""
    key = find_key(account, region, key_id)
    return key is not None and key.key_state == "Enabled"


def find_key(account: str, region: str, key_id: str) -> Key | None:
    """Return a key of a Region, or None; an ARN of another Region or account finds nothing."""
    if key_id.startswith("arn:"):
        parts = key_id.split(":", 5)
        if len(parts) < 6 or parts[3:5] != [region, account]:
            return None
    backend = kms_backends[account][region]
    _forget_deleted(backend)
    name = backend.get_alias_name(key_id)
    found = backend.get_key_id_from_alias(name) if name.startswith("alias/") else backend.get_key_id(key_id)
    return backend.keys.get(found or "")


def _forget_deleted(backend: KmsBackend) -> None:
    """Drop the keys whose waiting period has ended, with their aliases."""
    now = runtime.clock.now()
    for key in [row for row in backend.keys.values() if row.key_state == "PendingDeletion"]:
        if key.deletion_date is not None and unix_time(key.deletion_date) <= now:
            backend.delete_key(key.id)


def check_key_policy(document: str, bypass_lockout_check: bool) -> None:
    """Refuse a key policy that KMS refuses.

    Raises:
        AwsError: MalformedPolicyDocumentException, for bad JSON, principals that do not exist (yet),
            or a policy that locks everybody out of the key.
    """
    try:
        statements = policy_statements(document)
    except ValueError as error:
        raise AwsError("MalformedPolicyDocumentException", f"The policy is not valid: {error}") from error
    for arn in policy_principals(statements):
        if not principal_exists(arn):
            text = "Policy contains a statement with one or more invalid principals."
            raise AwsError("MalformedPolicyDocumentException", text)
    if not bypass_lockout_check and not any(_lets_change_policy(row) for row in statements):
        raise AwsError("MalformedPolicyDocumentException", _LOCKOUT)


def _lets_change_policy(statement: dict[str, Any]) -> bool:
    actions = {str(action).lower() for action in as_list(statement.get("Action"))}
    return statement.get("Effect") == "Allow" and bool(actions & {"*", "kms:*", "kms:put*", "kms:putkeypolicy"})


def _siblings(key: Key) -> list[Key]:
    """Every key of a multi-Region set, this one included."""
    if not key.multi_region:
        return [key]
    return [
        backend.keys[key.id] for backend in kms_backends[key.account_id].values() if key.id in backend.keys
    ]  # fmt: skip


def _primary(key: Key) -> Key:
    arn = key.multi_region_configuration["PrimaryKey"]["Arn"] if key.multi_region else key.arn
    return next((row for row in _siblings(key) if row.arn == arn), key)


def _relate(keys: list[Key], primary: Key) -> None:
    """Write who is primary and who is replica into every key of the set."""
    replicas = [{"Arn": row.arn, "Region": row.region} for row in keys if row is not primary]
    for row in keys:
        row.multi_region_configuration = {
            "MultiRegionKeyType": "PRIMARY" if row is primary else "REPLICA",
            "PrimaryKey": {"Arn": primary.arn, "Region": primary.region},
            "ReplicaKeys": replicas,
        }


def _settle(key: Key) -> None:
    """A primary that waits for its replicas starts its own waiting period when the last one is gone."""
    if key.multi_region:
        _relate(_siblings(key), _primary(key))
    if key.key_state == "PendingReplicaDeletion" and len(_siblings(key)) == 1:
        key.key_state = "PendingDeletion"
        key.deletion_date = _after_days(key.pending_window)  # type: ignore[attr-defined]


def _after_days(days: int) -> datetime:
    moment = datetime.fromtimestamp(runtime.clock.now() + days * 86400, tz=UTC)
    return moment.replace(tzinfo=None)


class Kms(KmsResponse):
    """moto's KMS with AWS's states."""

    def _dispatch(self, *args: Any, **kwargs: Any) -> Any:
        """Answer a call, after the passing of time has been taken into account."""
        self.setup_class(*args, **kwargs)
        _forget_deleted(self.kms_backend)
        for key in self.kms_backend.keys.values():
            _settle(key)
        return self.call_action()

    def _key(self, *, enabled: bool = False, changeable: bool = True) -> Key:
        """Return the key that a request names by id or ARN, in the state that the operation needs."""
        key_id = self._get_param("KeyId")
        self._validate_cmk_id(key_id)
        key = self.kms_backend.keys[self.kms_backend.get_key_id(key_id)]
        if changeable and key.key_state in ("PendingDeletion", "PendingReplicaDeletion"):
            raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        if enabled and key.key_state == "Disabled":
            raise AwsError("DisabledException", f"{key.arn} is disabled.")
        return key

    def create_key(self) -> str:
        """Create a key; its policy is checked before."""
        policy = self._get_param("Policy")
        if policy:
            check_key_policy(policy, bool(self._get_param("BypassPolicyLockoutSafetyCheck")))
        created: dict[str, Any] = json.loads(super().create_key())
        key = self.kms_backend.keys[created["KeyMetadata"]["KeyId"]]
        key.key_usage = key.key_usage or "ENCRYPT_DECRYPT"
        return json.dumps(key.to_dict())

    def put_key_policy(self) -> str:
        """Replace the key policy."""
        key = self._key()
        check_key_policy(self._get_param("Policy"), bool(self._get_param("BypassPolicyLockoutSafetyCheck")))
        key.policy = self._get_param("Policy")
        return json.dumps(None)

    def get_key_policy(self) -> str:
        """Return the key policy; its name may be left out, there is one only."""
        key = self._key(changeable=False)
        return json.dumps({"Policy": key.policy, "PolicyName": "default"})

    def schedule_key_deletion(self) -> str:
        """Start the waiting period; a primary with replicas waits for them first."""
        key, days = self._key(), self._get_param("PendingWindowInDays", 30)
        if not 7 <= days <= 30:
            raise AwsError("ValidationException", f"PendingWindowInDays is {days}, must be from 7 to 30")
        waits = key.multi_region and _primary(key) is key and len(_siblings(key)) > 1
        key.enabled, key.key_state = False, "PendingReplicaDeletion" if waits else "PendingDeletion"
        key.pending_window = days  # type: ignore[attr-defined]
        key.deletion_date = None if waits else _after_days(days)
        answer: dict[str, Any] = {"KeyId": key.arn, "KeyState": key.key_state, "PendingWindowInDays": days}
        if key.deletion_date:
            answer["DeletionDate"] = unix_time(key.deletion_date)
        return json.dumps(answer)

    def cancel_key_deletion(self) -> str:
        """Take a key back; it comes back disabled."""
        key = self._key(changeable=False)
        if key.key_state not in ("PendingDeletion", "PendingReplicaDeletion"):
            raise AwsError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
        key.key_state, key.deletion_date = "Disabled", None
        return json.dumps({"KeyId": key.arn})

    def enable_key(self) -> str:
        """Enable a key; by id or ARN, where moto takes the id only."""
        self.kms_backend.enable_key(self._key().id)
        return json.dumps(None)

    def disable_key(self) -> str:
        """Disable a key."""
        self.kms_backend.disable_key(self._key().id)
        return json.dumps(None)

    def enable_key_rotation(self) -> str:
        """Switch yearly rotation, or the given period, on; a multi-Region set rotates at its primary."""
        key, days = self._key(enabled=True), self._get_param("RotationPeriodInDays", DEFAULT_ROTATION_DAYS)
        if not 90 <= days <= 2560:
            raise AwsError("ValidationException", f"RotationPeriodInDays is {days}, must be from 90 to 2560")
        self._set_rotation(key, days)
        return json.dumps(None)

    def disable_key_rotation(self) -> str:
        """Switch rotation off."""
        self._set_rotation(self._key(enabled=True), 0)
        return json.dumps(None)

    def _set_rotation(self, key: Key, days: int) -> None:
        if _primary(key) is not key:
            raise AwsError("UnsupportedOperationException", f"{key.arn} is a replica: rotation is set on its primary.")
        if key.key_spec != "SYMMETRIC_DEFAULT":
            raise AwsError("UnsupportedOperationException", f"{key.arn} is not a symmetric encryption key.")
        for row in _siblings(key):
            row.key_rotation_status = days > 0
            row.rotation_days = days  # type: ignore[attr-defined]
            row.rotation_since = runtime.clock.now()  # type: ignore[attr-defined]

    def get_key_rotation_status(self) -> str:
        """Return whether, how often and when next the key is rotated."""
        key = self._key(changeable=False)
        answer: dict[str, Any] = {"KeyId": key.arn, "KeyRotationEnabled": key.key_rotation_status}
        if key.key_rotation_status:
            days = getattr(key, "rotation_days", DEFAULT_ROTATION_DAYS)
            since = getattr(key, "rotation_since", key.creation_date)
            answer |= {"RotationPeriodInDays": days, "NextRotationDate": since + days * 86400}
        return json.dumps(answer)

    def replicate_key(self) -> str:
        """Create a replica of a primary in another Region: same id and material, own policy, aliases and tags."""
        key, region = self._key(enabled=True), self._get_param("ReplicaRegion")
        self._check_replication(key, region)
        replica = self._make_replica(key, region)
        target = kms_backends[self.current_account][region]
        target.keys[replica.id] = replica
        tags = self._get_param("Tags") or []
        if tags:
            target.tagger.tag_resource(replica.id, tags)
        _relate(_siblings(key), key)
        metadata = replica.to_dict()["KeyMetadata"] | {"KeyState": "Creating", "Enabled": False}
        return json.dumps({"ReplicaKeyMetadata": metadata, "ReplicaPolicy": replica.policy, "ReplicaTags": tags})

    def _check_replication(self, key: Key, region: str) -> None:
        if not key.multi_region or _primary(key) is not key:
            raise AwsError("UnsupportedOperationException", f"{key.arn} is not a multi-region primary key.")
        if region == key.region or key.id in kms_backends[self.current_account][region].keys:
            text = f"Unable to replicate the specified key {key.arn} to {region}: it exists in that Region already."
            raise AwsError("AlreadyExistsException", text)
        if self._get_param("Policy"):
            check_key_policy(self._get_param("Policy"), bool(self._get_param("BypassPolicyLockoutSafetyCheck")))

    def _make_replica(self, key: Key, region: str) -> Key:
        replica = copy(key)
        replica.region = region
        replica.arn = f"arn:aws:kms:{region}:{self.current_account}:key/{key.id}"
        replica.grants, replica.aliases, replica.rotations = {}, {}, []
        replica.creation_date = runtime.clock.now()
        replica.description = self._get_param("Description") or ""
        replica.policy = self._get_param("Policy") or replica.generate_default_policy()
        return replica

    def update_primary_region(self) -> str:
        """Make a replica the primary, and the primary its replica."""
        key, region = self._key(enabled=True), self._get_param("PrimaryRegion")
        if not key.multi_region or _primary(key) is not key:
            raise AwsError("UnsupportedOperationException", f"{key.arn} is not a multi-region primary key.")
        chosen = next((row for row in _siblings(key) if row.region == region and row is not key), None)
        if chosen is None:
            raise AwsError("NotFoundException", f"Key {key.id} has no replica in {region}.")
        _relate(_siblings(key), chosen)
        return json.dumps(None)

    def create_alias(self) -> str:
        """Create an alias for a key that is not about to go."""
        self._check_alias_target()
        return super().create_alias()

    def update_alias(self) -> str:
        """Point an alias at another key."""
        self._check_alias_target()
        return super().update_alias()

    def _check_alias_target(self) -> None:
        key = find_key(self.current_account, self.region, json_parameters(self)["TargetKeyId"])
        if key is not None and key.key_state in ("PendingDeletion", "PendingReplicaDeletion"):
            raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")

    def _check_usable(self) -> None:
        key = find_key(self.current_account, self.region, self._get_param("KeyId") or "")
        if key is not None and key.key_state == "Disabled":
            raise AwsError("DisabledException", f"{key.arn} is disabled.")
        if key is not None and key.key_state != "Enabled":
            raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")

    def encrypt(self) -> str:
        """Encrypt with an enabled key."""
        self._check_usable()
        return super().encrypt()

    def generate_data_key(self) -> str:
        """Make a data key under an enabled key."""
        self._check_usable()
        return super().generate_data_key()

    def decrypt(self) -> str:
        """Decrypt with an enabled key."""
        self._check_usable()
        return super().decrypt()


def register() -> None:
    """Put this overlay in front of moto's KMS."""
    install("kms", Kms)
