# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The versions of a secret under rotation: what there are, the next one, and the copies in other regions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..engine.aws import Aws, describe_error, is_aws_error
from ..engine.errors import EngineError
from ..engine.waiting import wait_until
from ..resources.secret import PASSWORD, PASSWORD_LENGTH
from .turns import CURRENT, PENDING, Version

IN_SYNC, FAILED = "InSync", "Failed"


@dataclass(frozen=True)
class Credentials:
    """A version with what is in it; the latter is never shown."""

    version: Version
    content: Mapping[str, Any] = field(repr=False)

    @property
    def user(self) -> str:
        """Whom it names."""
        return self.version.user

    @property
    def password(self) -> str:
        """The user's password."""
        return str(self.content[PASSWORD])


@dataclass(frozen=True)
class Standing:
    """A secret: what is read from it now, what will be next, and where it is copied to.

    Attributes:
        untidy: whether the current version still has the label of the next one.
    """

    current: Credentials
    pending: Credentials | None
    untidy: bool
    copies: tuple[str, ...]


def observe(aws: Aws, name: str) -> Standing:
    """Return how a secret stands.

    Raises:
        EngineError: if it is not there, is a copy, waits for its deletion, or holds no credentials.
    """
    client, where = aws.client("secretsmanager"), f"The secret {name} in {aws.region}"
    try:
        secret = client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException as error:
        raise EngineError(f"{where} is not there. Run site.yml for the environment that keeps it.") from error
    if "DeletedDate" in secret:
        raise EngineError(f"{where} waits for its deletion. Restore it first.")
    if secret.get("PrimaryRegion", aws.region) != aws.region:
        raise EngineError(
            f"{where} is a copy of that in {secret['PrimaryRegion']}, and AWS changes copies with their primary only. "
            "Rotate there; if that region is lost, playbooks/dr_failover.yml makes this one a secret of its own."
        )
    labels = {label: version for version, many in secret.get("VersionIdsToStages", {}).items() for label in many}
    current = _read(aws, name, CURRENT)
    if current is None:
        raise EngineError(f"{where} holds no JSON object with a username and a {PASSWORD!r}, so it cannot be rotated.")
    untidy = labels.get(PENDING) == current.version.id
    copies = tuple(sorted(row["Region"] for row in secret.get("ReplicationStatus") or ()))
    return Standing(current, _read(aws, name, PENDING) if PENDING in labels and not untidy else None, untidy, copies)


def _read(aws: Aws, name: str, label: str) -> Credentials | None:
    """Return the version with a label; None if it is no credentials."""
    found = aws.client("secretsmanager").get_secret_value(SecretId=name, VersionStage=label)
    try:
        content = json.loads(found.get("SecretString", ""))
    except ValueError:
        content = None
    if not isinstance(content, dict) or not content.get(PASSWORD) or not content.get("username"):
        return None
    return Credentials(Version(found["VersionId"], str(content["username"]), found["CreatedDate"]), content)


def write_pending(aws: Aws, name: str, current: Credentials, user: str) -> Credentials:
    """Write the next version, before anybody is told its password. An earlier one with the label loses that."""
    client = aws.client("secretsmanager")
    generated = client.get_random_password(PasswordLength=PASSWORD_LENGTH, ExcludePunctuation=True)
    content = {**current.content, "username": user, PASSWORD: generated["RandomPassword"]}
    client.put_secret_value(SecretId=name, SecretString=json.dumps(content), VersionStages=[PENDING])
    found = _read(aws, name, PENDING)
    if found is None or found.user != user:
        raise EngineError(
            f"The secret {name} in {aws.region} has another pending version than this run has written: somebody else "
            "rotates it. Nothing that applications use was changed. See that they have ended, then run again."
        )
    return found


def move_current(aws: Aws, name: str, current: Credentials, pending: Credentials) -> None:
    """Let whoever reads the secret get the next version; the former one becomes the previous one by itself."""
    _move(aws, name, CURRENT, current.version.id, pending.version.id)


def tidy(aws: Aws, name: str, version: str) -> None:
    """Take the label of the next version from what is the current one now, so that the next run does not carry on."""
    _move(aws, name, PENDING, version, None)


def _move(aws: Aws, name: str, label: str, source: str, target: str | None) -> None:
    """Move a label. A repetition whose first answer was lost finds it moved, and is no error."""
    client = aws.client("secretsmanager")
    there = {"MoveToVersionId": target} if target else {}
    try:
        client.update_secret_version_stage(SecretId=name, VersionStage=label, RemoveFromVersionId=source, **there)
    except client.exceptions.InvalidParameterException:
        stages = client.describe_secret(SecretId=name).get("VersionIdsToStages", {})
        if label not in stages.get(target, ()) if target else label in stages.get(source, ()):
            raise


def await_copies(aws: Aws, name: str, copies: tuple[str, ...], version: str) -> dict[str, str]:
    """Wait until each copy has a version as its current one; return that by region.

    Raises:
        EngineError: if one does not follow.
    """
    return {region: _await_copy(aws, name, region, version) for region in copies}


def _await_copy(aws: Aws, name: str, region: str, version: str) -> str:
    what = f"the copy of the secret {name} in {region} to have the version {version}"
    mend = (
        "The new credentials are in force, and the former ones stay valid too, so whoever reads the copy can still "
        "sign in. Run again: it looks at the copy only."
    )

    def check() -> tuple[str | None, str]:
        status, message = _replication(aws, name, region)
        if status == FAILED:
            raise EngineError(f"The copy of the secret {name} in {region} has failed: {message} {mend}")
        try:
            found = aws.client("secretsmanager", region=region, probe=True).describe_secret(SecretId=name)
        except Exception as error:
            if not is_aws_error(error):
                raise
            return None, describe_error(error)
        there = found.get("VersionIdsToStages", {}).get(version, ())
        return (version if CURRENT in there and status == IN_SYNC else None), f"{status}, with another version"

    return wait_until(check, what, 5, aws.patience, aws.progress, mend)


def _replication(aws: Aws, name: str, region: str) -> tuple[str, str]:
    rows = aws.client("secretsmanager").describe_secret(SecretId=name).get("ReplicationStatus") or ()
    found: Mapping[str, Any] = next((row for row in rows if row["Region"] == region), {})
    return str(found.get("Status", "")), str(found.get("StatusMessage", ""))
