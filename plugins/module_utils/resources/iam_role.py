# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM roles, each known by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar

from ..engine.aws import Aws, error_code, error_message, tag_dict, tag_list
from ..engine.model import Observed, ResourceType, Scope, Traits, Update, Wanted
from .policies import same_document, same_documents

#: What IAM takes if a role says nothing: AWS's default for MaxSessionDuration.
DEFAULT_SESSION_SECONDS = 3600


class IamRole(ResourceType):
    """A role with its trust and everything that it may do.

    Attributes:
        name: the role's name; unique in an account, so it finds the role.
        path: where it is filed, ``/`` by default.
        description: for people.
        trust: who may assume it, as a policy document.
        managed_policies: the ARNs of all attached policies; others are detached.
        inline_policies: all policies of its own, by name, as documents; others are deleted.
        max_session_seconds: the longest session, 3600 to 43200.
        permissions_boundary: the ARN of the policy that bounds it; an empty string for none.

    Read only: ``arn``, ``role_id`` (what AWS puts into policies that name a deleted role).
    """

    kind = "iam_role"
    label = "IAM role"
    service = "iam"
    creation = Traits(seconds=10)
    deletion = Traits(seconds=2, interrupts="whatever runs under the role", reversible=False)
    updates = (
        Update("trust", ("trust",)),
        # IAM sets both in one call, and takes the default for the one that is left out.
        Update("settings", ("description", "max_session_seconds")),
        Update("permissions_boundary", ("permissions_boundary",)),
        Update("managed_policies", ("managed_policies",)),
        Update("inline_policies", ("inline_policies",)),
    )
    fixed: ClassVar[Mapping[str, str]] = {
        "path": "IAM cannot move a role: leave the path, or give the role another name."
    }
    unordered = frozenset({"managed_policies"})

    def observe(self, aws: Aws, scope: Scope) -> list[Observed]:
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda wanted: self._describe(aws, wanted), scope.wanted.values())
            return [role for role in found if role]

    def _describe(self, aws: Aws, wanted: Wanted) -> Observed | None:
        name = wanted.attributes["name"]
        try:
            role = aws.client("iam").get_role(RoleName=name)["Role"]
            attributes = {
                "name": name,
                "path": role["Path"],
                "description": role.get("Description", ""),
                "trust": role["AssumeRolePolicyDocument"],
                "max_session_seconds": role.get("MaxSessionDuration", DEFAULT_SESSION_SECONDS),
                "permissions_boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
                "arn": role["Arn"],
                "role_id": role["RoleId"],
            }
            if wanted.attributes.get("managed_policies") is not None:
                attributes["managed_policies"] = _attached(aws, name)
            if wanted.attributes.get("inline_policies") is not None:
                attributes["inline_policies"] = _inline(aws, name)
        except aws.client("iam").exceptions.NoSuchEntityException:
            return None
        return Observed("iam_role", wanted.name, name, attributes, tag_dict(role.get("Tags")))

    def create(self, aws: Aws, wanted: Wanted) -> Observed:
        attributes, client = wanted.attributes, aws.client("iam")
        name = attributes["name"]
        options = {
            "Path": attributes.get("path"),
            "Description": attributes.get("description"),
            "MaxSessionDuration": attributes.get("max_session_seconds"),
            "PermissionsBoundary": attributes.get("permissions_boundary"),
        }
        # It exists if the answer to an earlier try was lost: the name is unique and nothing bore it, so it is ours.
        with suppress(client.exceptions.EntityAlreadyExistsException):
            client.create_role(
                RoleName=name,
                AssumeRolePolicyDocument=json.dumps(attributes["trust"]),
                Tags=tag_list(wanted.tags or {}),
                **{key: value for key, value in options.items() if value},
            )
        role = client.get_role(RoleName=name)["Role"]
        _set_managed(aws, name, attributes.get("managed_policies") or [], [])
        _set_inline(aws, name, attributes.get("inline_policies") or {}, {})
        arns = {"arn": role["Arn"], "role_id": role["RoleId"]}
        return Observed("iam_role", wanted.name, name, {**attributes, **arns}, wanted.tags or {})

    def update(self, aws: Aws, update: Update, wanted: Wanted, observed: Observed) -> None:
        attributes, name = wanted.attributes, observed.id
        if update.name == "trust":
            aws.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(attributes["trust"]))
        elif update.name == "settings":
            aws.client("iam").update_role(RoleName=name, **_settings(attributes, observed))
        elif update.name == "permissions_boundary":
            _set_boundary(aws, name, attributes["permissions_boundary"])
        elif update.name == "managed_policies":
            _set_managed(aws, name, attributes["managed_policies"], observed.get("managed_policies") or [])
        else:
            _set_inline(aws, name, attributes["inline_policies"], observed.get("inline_policies") or {})

    def set_tags(self, aws: Aws, observed: Observed, tags: Mapping[str, str]) -> None:
        aws.client("iam").tag_role(RoleName=observed.id, Tags=tag_list(tags))

    def delete(self, aws: Aws, observed: Observed) -> None:
        client, name = aws.client("iam"), observed.id
        try:
            for profile in aws.pages("iam", "list_instance_profiles_for_role", "InstanceProfiles", RoleName=name):
                client.remove_role_from_instance_profile(
                    InstanceProfileName=profile["InstanceProfileName"], RoleName=name
                )
            _set_managed(aws, name, [], _attached(aws, name))
            _set_inline(
                aws, name, {}, dict.fromkeys(aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=name))
            )
            client.delete_role(RoleName=name)
        except client.exceptions.NoSuchEntityException:
            return

    def transient(self, error: Exception) -> str:
        code, text = error_code(error), error_message(error)
        if code == "MalformedPolicyDocument" and "principal" in text.lower():
            return "a principal of the trust policy is not known yet"
        # Only about the role itself: a policy that does not exist will not come by waiting.
        if code == "NoSuchEntity" and "role with name" in text.lower():
            return "the new role is not known everywhere yet"
        return "IAM is still busy with an earlier change" if code == "ConcurrentModification" else ""

    def same(self, attribute: str, wanted: Any, observed: Any) -> bool:
        if attribute == "trust":
            return same_document(wanted, observed)
        if attribute == "inline_policies":
            return same_documents(wanted, observed)
        return super().same(attribute, wanted, observed)


def _attached(aws: Aws, name: str) -> list[str]:
    items = aws.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name)
    return [str(item["PolicyArn"]) for item in items]


def _inline(aws: Aws, name: str) -> dict[str, Any]:
    client = aws.client("iam")
    names = aws.pages("iam", "list_role_policies", "PolicyNames", RoleName=name)
    return {policy: client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in names}


def _settings(attributes: Mapping[str, Any], observed: Observed) -> dict[str, Any]:
    description, seconds = attributes.get("description"), attributes.get("max_session_seconds")
    return {
        "Description": observed.get("description") if description is None else description,
        "MaxSessionDuration": observed.get("max_session_seconds") if seconds is None else seconds,
    }


def _set_boundary(aws: Aws, name: str, boundary: str) -> None:
    client = aws.client("iam")
    if boundary:
        client.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    else:
        client.delete_role_permissions_boundary(RoleName=name)


def _set_managed(aws: Aws, name: str, wanted: list[str], standing: list[str]) -> None:
    """Attach what is missing, then detach the rest, so that the role never may less than before and after."""
    client = aws.client("iam")
    for arn in sorted(set(wanted) - set(standing)):
        client.attach_role_policy(RoleName=name, PolicyArn=arn)
    for arn in sorted(set(standing) - set(wanted)):
        client.detach_role_policy(RoleName=name, PolicyArn=arn)


def _set_inline(aws: Aws, name: str, wanted: Mapping[str, Any], standing: Mapping[str, Any]) -> None:
    client = aws.client("iam")
    for policy, content in wanted.items():
        if not same_document(content, standing.get(policy)):
            client.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(content))
    for policy in sorted(standing.keys() - wanted.keys()):
        client.delete_role_policy(RoleName=name, PolicyName=policy)
