# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM users of programs, each known by its name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted


class IamUser(ResourceType):
    """A user that no person signs in as.

    Attributes:
        name: unique in an account, so it finds the user.
        path: where it is filed.
        managed_policies: the ARNs of all attached policies; others are detached.
        permissions_boundary: the ARN of the policy that bounds it.

    Read only: ``arn``.
    """

    kind = "iam_user"
    label = "IAM user"
    service = "iam"
    deletion = Traits(seconds=2, interrupts="whatever runs with its keys", reversible=False)
    updates = (
        Update("permissions_boundary", ("permissions_boundary",)),
        Update("managed_policies", ("managed_policies",)),
    )
    fixed: ClassVar[Mapping[str, str]] = {"path": "Leave the path of the user, or give it another name."}
    unordered = frozenset({"managed_policies"})
    prune = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        found = (self._describe(aws, wanted) for wanted in scope.wanted.values())
        return [user for user in found if user]

    def _describe(self, aws: Aws, wanted: Wanted) -> Observed | None:
        client, name = aws.client("iam"), wanted.attributes["name"]
        try:
            user = client.get_user(UserName=name)["User"]
            attached = _attached(aws, name)
        except client.exceptions.NoSuchEntityException:
            return None
        attributes = {
            "name": name,
            "path": user["Path"],
            "managed_policies": attached,
            "permissions_boundary": user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            "arn": user["Arn"],
        }
        return Observed(self.kind, wanted.name, name, attributes, tag_dict(user.get("Tags")))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes = aws.client("iam"), wanted.attributes
        # It exists if the answer to an earlier try was lost: the name is unique and nothing bore it, so it is ours.
        with suppress(client.exceptions.EntityAlreadyExistsException):
            client.create_user(
                UserName=attributes["name"],
                Path=attributes["path"],
                PermissionsBoundary=attributes["permissions_boundary"],
                Tags=tag_list(wanted.tags or {}),
            )
        _attach(aws, attributes["name"], attributes["managed_policies"], [])
        arn = f"arn:{aws.partition}:iam::{aws.account_id}:user{attributes['path']}{attributes['name']}"
        return Observed(self.kind, wanted.name, attributes["name"], {**attributes, "arn": arn}, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        if update.name == "permissions_boundary":
            boundary = wanted.attributes["permissions_boundary"]
            aws.client("iam").put_user_permissions_boundary(UserName=observed.id, PermissionsBoundary=boundary)
        else:
            _attach(aws, observed.id, wanted.attributes["managed_policies"], observed.get("managed_policies"))

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("iam").tag_user(UserName=observed.id, Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("iam")
        with suppress(client.exceptions.NoSuchEntityException):
            for key in aws.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=observed.id):
                client.delete_access_key(UserName=observed.id, AccessKeyId=key["AccessKeyId"])
            _attach(aws, observed.id, [], _attached(aws, observed.id))
            client.delete_user(UserName=observed.id)


def _attached(aws: Aws, name: str) -> list[str]:
    items: Any = aws.pages("iam", "list_attached_user_policies", "AttachedPolicies", UserName=name)
    return [str(item["PolicyArn"]) for item in items]


def _attach(aws: Aws, name: str, wanted: list[str], standing: list[str]) -> None:
    """Attach what is missing, then detach the rest."""
    client = aws.client("iam")
    for arn in sorted(set(wanted) - set(standing)):
        client.attach_user_policy(UserName=name, PolicyArn=arn)
    for arn in sorted(set(standing) - set(wanted)):
        client.detach_user_policy(UserName=name, PolicyArn=arn)
