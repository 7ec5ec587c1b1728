# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets of Secrets Manager whose password is made up once and never leaves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.errors import EngineError
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted

#: The member of a secret's JSON that holds the password, as Secrets Manager's own rotation functions expect it.
PASSWORD = "password"  # noqa: S105 - the name of the member, no password
#: As Secrets Manager's own functions for alternating users name the second one: what is added to the first one's name.
TWIN = "_clone"
#: Letters and digits only: 190 bits, and no character that RDS, a shell or a connection URI treats in its own way.
PASSWORD_LENGTH = 32


class SecretsManagerSecret(ResourceType):
    """A secret that holds a JSON object with a generated password.

    What is in it is never an attribute, so that it can be neither in a plan nor in a result.

    Attributes:
        name: unique in a region, so it finds the secret.
        description: for people.
        kms_key_arn: the key that encrypts it; AWS's own for Secrets Manager if not set.
        content: the members of the JSON object beside the password; only written when the secret is made.
        active: True. A secret that waits for its deletion is taken back, which shows as a change of its own.
            False for one that shall be removed: then one that waits for its deletion counts as gone.

    Read only: ``arn``. AWS ends it in six random characters, so a secret that is made anew has another one.
    """

    kind = "secretsmanager_secret"
    label = "secret"
    service = "secretsmanager"
    deletion = Traits(seconds=1, interrupts="whoever reads the secret", reversible=True)
    updates = (Update("restored", ("active",)), Update("settings", ("description", "kms_key_arn")))
    create_only = frozenset({"content"})
    #: AWS's longest: until then the secret can be restored.
    deletion_days: ClassVar[int] = 30

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = (self._describe(aws, wanted) for wanted in scope.wanted.values())
        return [item for item in found if item]

    @staticmethod
    def _describe(aws: Aws, wanted: Wanted) -> Observed | None:
        client = aws.client("secretsmanager")
        try:
            secret = client.describe_secret(SecretId=wanted.attributes["name"])
        except client.exceptions.ResourceNotFoundException:
            return None
        active = "DeletedDate" not in secret
        if not active and not wanted.attributes["active"]:
            return None
        attributes = {
            "arn": secret["ARN"],
            "name": secret["Name"],
            "description": secret.get("Description", ""),
            "kms_key_arn": secret.get("KmsKeyId"),
            "active": active,
        }
        return Observed("secretsmanager_secret", wanted.name, secret["Name"], attributes, tag_dict(secret.get("Tags")))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        generated = aws.client("secretsmanager").get_random_password(
            PasswordLength=PASSWORD_LENGTH, ExcludePunctuation=True
        )
        key = {"KmsKeyId": attributes["kms_key_arn"]} if attributes.get("kms_key_arn") else {}
        secret = aws.client("secretsmanager", once=True).create_secret(
            Name=attributes["name"],
            Description=attributes["description"],
            SecretString=json.dumps({**attributes["content"], PASSWORD: generated["RandomPassword"]}),
            Tags=tag_list(wanted.tags or {}),
            **key,
        )
        known = {name: value for name, value in attributes.items() if name != "content"}
        return Observed(
            "secretsmanager_secret", wanted.name, secret["Name"], {**known, "arn": secret["ARN"]}, wanted.tags or {}
        )

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        client = aws.client("secretsmanager")
        if update.name == "restored":
            client.restore_secret(SecretId=observed.id)
            return
        key = wanted.attributes.get("kms_key_arn")
        client.update_secret(
            SecretId=observed.id,
            Description=wanted.attributes["description"],
            **({"KmsKeyId": key} if key else {}),
        )

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("secretsmanager").tag_resource(SecretId=observed.id, Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("secretsmanager")
        try:
            client.delete_secret(SecretId=observed.id, RecoveryWindowInDays=self.deletion_days)
        except client.exceptions.ResourceNotFoundException:
            return


def credentials_of(aws: Aws, secret: str, user: str) -> dict[str, Any]:
    """Return the credentials for a new database of a user, from a secret that is of an earlier one, maybe.

    Rotation lets a secret name the user's twin. A new database has none, so the secret then names the user again,
    before it is used.
    """
    found = read_credentials(aws, secret)
    if found.get("username") == f"{user}{TWIN}":
        found["username"] = user
        aws.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(found))
    return found


def read_credentials(aws: Aws, secret: str) -> dict[str, Any]:
    """Return the members of a secret's JSON object, the password among them; for a call to AWS only.

    Raises:
        EngineError: if the secret holds no JSON object with a password. What it does hold is not told.
    """
    text = aws.client("secretsmanager").get_secret_value(SecretId=secret).get("SecretString", "")
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not content.get(PASSWORD):
        raise EngineError(
            f"The secret {secret} in {aws.region} holds no JSON object with a {PASSWORD!r}, so no database can be made "
            "with it. Put one there, or delete the secret so that the next run makes it anew."
        )
    return content
