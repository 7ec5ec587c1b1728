# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access keys of users that are programs: made, renewed and kept in Secrets Manager, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted

#: IAM's quota of keys of a user.
MAX_KEYS = 2


class IamAccessKey(ResourceType):
    """The access key of a user, and the secret in which whoever needs it finds it.

    The key itself is never an attribute, so that it can be neither in a plan nor in a result.

    Attributes:
        user: the name of the user.
        secret_name: the secret, a JSON object with ``access_key_id`` and ``secret_access_key``.
        kms_key_arn: the key that encrypts the secret; AWS's own for Secrets Manager if not set.
        max_age_days: a key that is older is renewed.
        overlap_days: the former key goes on working for so long after that.
        current: True. The key in the secret is active and no older than that.
        single: True. No other key works any more, its time to overlap aside.
    """

    kind = "iam_access_key"
    label = "access key"
    service = "secretsmanager"
    deletion = Traits(seconds=1, interrupts="whatever runs with the key", reversible=False)
    updates = (Update("renewed", ("current",)), Update("former_removed", ("single",)))
    create_only = frozenset({"user", "secret_name", "kms_key_arn", "max_age_days", "overlap_days"})
    prune = True
    #: Secrets Manager's shortest: there is nothing in it that would be missed.
    deletion_days: ClassVar[int] = 7

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = (self._describe(aws, wanted) for wanted in scope.wanted.values())
        return [key for key in found if key]

    def _describe(self, aws: Aws, wanted: Wanted) -> Observed | None:
        client, name = aws.client("secretsmanager"), wanted.attributes["secret_name"]
        try:
            secret = client.describe_secret(SecretId=name)
        except client.exceptions.ResourceNotFoundException:
            return None
        if "DeletedDate" in secret:
            return None
        known = _known_key(aws, name)
        keys = _keys(aws, wanted.attributes["user"])
        attributes = {**wanted.attributes, **standing(keys, known, wanted.attributes, datetime.now(UTC))}
        return Observed(self.kind, wanted.name, name, attributes, tag_dict(secret.get("Tags")))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("secretsmanager"), wanted.attributes
        content = _new_key(aws, attributes["user"], keep="")
        try:
            client.restore_secret(SecretId=attributes["secret_name"])
        except client.exceptions.ResourceNotFoundException:
            key = {"KmsKeyId": attributes["kms_key_arn"]} if attributes.get("kms_key_arn") else {}
            client.create_secret(
                Name=attributes["secret_name"],
                Description=f"The access key of {attributes['user']}",
                SecretString=content,
                Tags=tag_list(wanted.tags or {}),
                **key,
            )
        else:
            client.put_secret_value(SecretId=attributes["secret_name"], SecretString=content)
        return Observed(self.kind, wanted.name, attributes["secret_name"], dict(attributes), wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        user, known = wanted.attributes["user"], _known_key(aws, observed.id)
        if update.name == "renewed":
            content = _new_key(aws, user, keep=known)
            aws.client("secretsmanager").put_secret_value(SecretId=observed.id, SecretString=content)
            return
        _remove(aws, user, [key["AccessKeyId"] for key in _keys(aws, user) if key["AccessKeyId"] != known])

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("secretsmanager").tag_resource(SecretId=observed.id, Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client, user = aws.client("secretsmanager"), observed.get("user")
        _remove(aws, user, [key["AccessKeyId"] for key in _keys(aws, user)])
        with suppress(client.exceptions.ResourceNotFoundException):
            client.delete_secret(SecretId=observed.id, RecoveryWindowInDays=self.deletion_days)


def standing(
    keys: Sequence[Mapping[str, Any]], known: str, attributes: Mapping[str, Any], now: datetime
) -> dict[str, bool]:
    """Return whether the key in the secret is fit, and whether it is the only one by now. Pure.

    Args:
        keys: all keys of the user, as IAM lists them.
        known: the id of the key in the secret.
        attributes: the wanted ``max_age_days`` and ``overlap_days``.
        now: the time.
    """
    own = next((key for key in keys if key["AccessKeyId"] == known), None)
    others = [key for key in keys if key["AccessKeyId"] != known]
    if own is None or own["Status"] != "Active":
        # Another one overlaps with the key that is made next.
        return {"current": False, "single": True}
    age = now - own["CreateDate"]
    current = age <= timedelta(days=attributes["max_age_days"])
    overlaps = age < timedelta(days=attributes["overlap_days"])
    return {"current": current, "single": not others or overlaps or not current}


def _keys(aws: Aws, user: str) -> list[dict[str, Any]]:
    """Return the keys of a user, the oldest first."""
    client = aws.client("iam")
    try:
        keys = list(aws.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=user))
    except client.exceptions.NoSuchEntityException:
        return []
    return sorted(keys, key=lambda key: (key["CreateDate"], key["AccessKeyId"]))


def _known_key(aws: Aws, secret: str) -> str:
    """Return the id of the key that a secret holds; empty if it holds none."""
    client = aws.client("secretsmanager")
    try:
        content = json.loads(client.get_secret_value(SecretId=secret).get("SecretString", ""))
    except (ValueError, client.exceptions.ResourceNotFoundException):
        return ""
    return str(content.get("access_key_id", "")) if isinstance(content, dict) else ""


def _new_key(aws: Aws, user: str, keep: str) -> str:
    """Make a key and return what the secret has to hold; IAM has room for two, so one that nobody knows goes first."""
    keys = [key["AccessKeyId"] for key in _keys(aws, user)]
    unknown = [key for key in keys if key != keep]
    _remove(aws, user, unknown if keep else keys[: max(0, len(keys) + 1 - MAX_KEYS)])
    made = aws.client("iam", once=True).create_access_key(UserName=user)["AccessKey"]
    return json.dumps({"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]})


def _remove(aws: Aws, user: str, keys: Sequence[str]) -> None:
    client = aws.client("iam")
    for key in keys:
        with suppress(client.exceptions.NoSuchEntityException):
            client.delete_access_key(UserName=user, AccessKeyId=key)
