# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Customer managed IAM policies, each known by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from ..engine.aws import Aws, tag_dict, tag_list
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from .policies import same_document

#: Versions that IAM keeps of a policy, the one in force among them.
MAX_VERSIONS = 5


class IamPolicy(ResourceType):
    """A managed policy of the account.

    Attributes:
        name: unique in an account, so it finds the policy.
        path: where it is filed. All below it that are tagged as ours and not wanted any more are removed.
        description: for people; IAM cannot change it, so it only counts when the policy is made.
        document: what it allows.

    Read only: ``arn``.
    """

    kind = "iam_policy"
    label = "IAM policy"
    service = "iam"
    deletion = Traits(seconds=1, interrupts="whoever works under the policy", reversible=True)
    updates = (Update("document", ("document",)),)
    create_only = frozenset({"description"})
    fixed: ClassVar[Mapping[str, str]] = {
        "path": "IAM cannot move a policy: leave the path, or give the policy another name."
    }
    prune = True

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        wanted = {policy_arn(aws, item.attributes): item for item in scope.wanted.values()}
        found = []
        for path in sorted({item.attributes["path"] for item in scope.wanted.values()}):
            for row in aws.pages("iam", "list_policies", "Policies", Scope="Local", PathPrefix=path):
                described = self._describe(aws, scope, row["Arn"], wanted.get(row["Arn"]))
                found += [described] if described else []
        return found

    def _describe(self, aws: Aws, scope: Scope, arn: str, wanted: Wanted | None) -> Observed | None:
        client = aws.client("iam")
        try:
            policy = client.get_policy(PolicyArn=arn)["Policy"]
            tags = tag_dict(policy.get("Tags"))
            name = wanted.name if wanted else scope.owns(tags)
            if not name:
                return None
            version = client.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        except client.exceptions.NoSuchEntityException:
            return None
        attributes = {
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "document": version["Document"],
            "arn": arn,
        }
        return Observed(self.kind, name, arn, attributes, tags)

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        client, attributes, arn = aws.client("iam"), wanted.attributes, policy_arn(aws, wanted.attributes)
        # It exists if the answer to an earlier try was lost: the name is unique and nothing bore it, so it is ours.
        with suppress(client.exceptions.EntityAlreadyExistsException):
            client.create_policy(
                PolicyName=attributes["name"],
                Path=attributes["path"],
                Description=attributes.get("description") or "",
                PolicyDocument=compact(attributes["document"]),
                Tags=tag_list(wanted.tags or {}),
            )
        return Observed(self.kind, wanted.name, arn, {**attributes, "arn": arn}, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        client = aws.client("iam")
        former = _former_versions(aws, observed.id)
        for version in former[: max(0, len(former) + 2 - MAX_VERSIONS)]:
            client.delete_policy_version(PolicyArn=observed.id, VersionId=version)
        document = compact(wanted.attributes["document"])
        client.create_policy_version(PolicyArn=observed.id, PolicyDocument=document, SetAsDefault=True)

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("iam").tag_policy(PolicyArn=observed.id, Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client = aws.client("iam")
        with suppress(client.exceptions.NoSuchEntityException):
            for version in _former_versions(aws, observed.id):
                client.delete_policy_version(PolicyArn=observed.id, VersionId=version)
            client.delete_policy(PolicyArn=observed.id)

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        return same_document(wanted, observed) if attribute == "document" else super().same(attribute, wanted, observed)


def policy_arn(aws: Aws, attributes: Mapping[str, Any]) -> str:
    """Return the ARN of a policy, which follows from its path and its name."""
    return f"arn:{aws.partition}:iam::{aws.account_id}:policy{attributes['path']}{attributes['name']}"


def compact(document: Mapping[str, Any]) -> str:
    """Return a document without white space, which is how IAM counts its length."""
    return json.dumps(document, separators=(",", ":"))


def _former_versions(aws: Aws, arn: str) -> Sequence[str]:
    """Return the versions that are not in force, the oldest first."""
    versions = aws.pages("iam", "list_policy_versions", "Versions", PolicyArn=arn)
    former = [row["VersionId"] for row in versions if not row["IsDefaultVersion"]]
    return sorted(former, key=lambda version: int(version.removeprefix("v")))
