# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Customer managed KMS keys, each known by its alias."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, tag_dict
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted

#: The state of a key that waits for its deletion.
PENDING = "PendingDeletion"
#: Days until a key can be gone at the earliest.
SHORTEST_WAIT = 7


class KmsKey(ResourceType):
    """A symmetric encryption key and its alias.

    Attributes:
        alias: ``alias/NAME``; unique in a region, so it finds the key.
        description: for people.
        policy: the key policy as a document.
        rotation: whether AWS renews the key material every year.
        enabled: True. A key that waits for its deletion is taken back, which shows as a change of its own.
        deletion_days: how long it waits for its deletion, 7 to 30 days; counts only when it is removed.
    """

    kind = "kms_key"
    label = "KMS key"
    service = "kms"
    # The waiting period is AWS's longest, since data that nobody can read any more is gone for good.
    deletion = Traits(seconds=30 * 86400, interrupts="everything that it encrypts", reversible=True)
    updates = (
        Update("enabled", ("enabled",)),
        Update("alias", ("alias",)),
        Update("description", ("description",)),
        Update("policy", ("policy",)),
        Update("rotation", ("rotation",)),
    )
    create_only = frozenset({"deletion_days"})
    #: AWS's longest and its default.
    deletion_days: ClassVar[int] = 30

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        aliases = {item["AliasName"]: item.get("TargetKeyId") for item in aws.pages("kms", "list_aliases", "Aliases")}
        found = {name: aliases.get(wanted.attributes["alias"]) for name, wanted in scope.wanted.items()}
        for name in [name for name, key_id in found.items() if not key_id]:
            found[name] = self._find_by_tags(aws, scope, name)
        known = set(aliases)
        with ThreadPoolExecutor(8) as pool:
            keys = pool.map(
                lambda pair: self._describe(aws, scope, pair[0], pair[1], known),
                [(name, key_id) for name, key_id in found.items() if key_id],
            )
            return list(keys)

    @staticmethod
    def _find_by_tags(aws: Aws, scope: Scope, name: str) -> str | None:
        """Return a key without an alias: one of a run that was killed, or else one that waits for its deletion.

        The latter is taken back: what was encrypted with it, e.g. a secret that can still be restored, needs it.
        """
        tags = scope.identity.tags(scope.component(name))
        items = aws.pages(
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            ResourceTypeFilters=["kms:key"],
            TagFilters=[{"Key": key, "Values": [value]} for key, value in tags.items()],
        )
        client = aws.client("kms")
        found = [client.describe_key(KeyId=item["ResourceARN"])["KeyMetadata"] for item in items]
        living = sorted(key["KeyId"] for key in found if key["KeyState"] != PENDING)
        if living or scope.wanted[name].attributes.get("deletion_days"):
            return str(living[0]) if living else None
        # Of several, the one that was in use last.
        waiting = sorted((key["DeletionDate"], key["KeyId"]) for key in found if key.get("DeletionDate"))
        return str(waiting[-1][1]) if waiting else None

    @staticmethod
    def _describe(aws: Aws, scope: Scope, name: str, key_id: str, aliases: set[str]) -> Observed:
        client = aws.client("kms")
        key = client.describe_key(KeyId=key_id)["KeyMetadata"]
        alias = scope.wanted[name].attributes["alias"]
        usable = key["KeyState"] == "Enabled"
        attributes = {
            "arn": key["Arn"],
            "alias": alias if alias in aliases else None,
            "description": key.get("Description", ""),
            "policy": json.loads(client.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]),
            # KMS refuses the question for a key that waits for its deletion.
            "rotation": client.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"] if usable else None,
            "enabled": usable,
        }
        if scope.wanted[name].attributes.get("deletion_days"):
            attributes["deletion_days"] = scope.wanted[name].attributes["deletion_days"]
        tags = tag_dict(aws.pages("kms", "list_resource_tags", "Tags", KeyId=key_id))
        return Observed("kms_key", name, key_id, attributes, tags, key["KeyState"])

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes = wanted.attributes
        key = aws.client("kms", once=True).create_key(
            Description=attributes["description"],
            Policy=json.dumps(attributes["policy"]),
            Tags=_tags(wanted.tags or {}),
        )["KeyMetadata"]
        client = aws.client("kms")
        try:
            client.create_alias(AliasName=attributes["alias"], TargetKeyId=key["KeyId"])
        except client.exceptions.AlreadyExistsException:
            key = self._that_bears(aws, attributes["alias"], key)
        if attributes["rotation"]:
            client.enable_key_rotation(KeyId=key["KeyId"])
        return Observed(
            "kms_key", wanted.name, key["KeyId"], {**attributes, "arn": key["Arn"]}, wanted.tags or {}, key["KeyState"]
        )

    @staticmethod
    def _that_bears(aws: Aws, alias: str, made: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the key that bears an alias: the one that was made, if an answer was lost, or that of another run.

        Two first runs can meet, since the table of the lock is encrypted with one of these keys. The key of the one
        that came second then goes.
        """
        client = aws.client("kms")
        key: Mapping[str, Any] = client.describe_key(KeyId=alias)["KeyMetadata"]
        if key["KeyId"] != made["KeyId"]:
            client.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=SHORTEST_WAIT)
        return key

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        client, key_id, attributes = aws.client("kms"), observed.id, wanted.attributes
        if update.name == "enabled":
            if observed.status == PENDING:
                client.cancel_key_deletion(KeyId=key_id)
            client.enable_key(KeyId=key_id)
        elif update.name == "alias":
            client.create_alias(AliasName=attributes["alias"], TargetKeyId=key_id)
        elif update.name == "description":
            client.update_key_description(KeyId=key_id, Description=attributes["description"])
        elif update.name == "policy":
            client.put_key_policy(KeyId=key_id, PolicyName="default", Policy=json.dumps(attributes["policy"]))
        elif attributes["rotation"]:
            client.enable_key_rotation(KeyId=key_id)
        else:
            client.disable_key_rotation(KeyId=key_id)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("kms").tag_resource(KeyId=observed.id, Tags=_tags(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("kms")
        if observed.status != PENDING:
            days = observed.get("deletion_days") or self.deletion_days
            client.schedule_key_deletion(KeyId=observed.id, PendingWindowInDays=days)
        if observed.get("alias"):
            client.delete_alias(AliasName=observed.get("alias"))

    def transient(self, error: Exception) -> str:
        # KMS checks that the principals of a policy exist, and a new role takes a while to be known.
        return (
            "a principal of the policy is not known yet"
            if error_code(error) == "MalformedPolicyDocumentException"
            else ""
        )


def _tags(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())]
