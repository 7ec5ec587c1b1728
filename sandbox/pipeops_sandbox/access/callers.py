"""Who calls: the identity behind an access key, with what it may do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, ManagedPolicy, Role, User, iam_backends
from moto.sts.models import sts_backends

from .policy import Document


@dataclass(frozen=True)
class Caller:
    """An identity that policies hold.

    Attributes:
        arn: as AWS names it in a refusal.
        policies: what its own policies say.
        boundary: what it may do at most; None without a boundary.
    """

    arn: str
    policies: tuple[Document, ...]
    boundary: Document | None


def caller_of(account: str, access_key: str) -> Caller | None:
    """Return who a key belongs to; None for one that the sandbox has not handed out, which is an administrator's."""
    iam = iam_backends[account]["aws"]
    for sts in sts_backends[account].values():
        session = sts.get_assumed_role_from_access_key(access_key)
        if session is not None:
            return _of_role(iam, str(session.role_arn), str(session.arn))
    user = next((one for one in iam.users.values() for key in one.access_keys if key.access_key_id == access_key), None)
    return _of_user(iam, user) if user else None


def _of_role(iam: IAMBackend, role_arn: str, arn: str) -> Caller:
    try:
        role = iam.get_role_by_arn(role_arn)
    except NotFoundException:
        return Caller(arn, (), None)
    return Caller(arn, tuple(_policies(role)), _boundary(iam, role.permissions_boundary_arn))


def _of_user(iam: IAMBackend, user: User) -> Caller:
    boundary = getattr(user, "permissions_boundary", None) or {}
    return Caller(user.arn, tuple(_policies(user)), _boundary(iam, boundary.get("PermissionsBoundaryArn")))


def _policies(identity: Role | User) -> Iterator[Document]:
    for policy in identity.managed_policies.values():
        yield _in_force(policy)
    for text in identity.policies.values():
        yield _parsed(text)


def _boundary(iam: IAMBackend, arn: str | None) -> Document | None:
    """Return the document of a boundary; one that is gone allows nothing."""
    if not arn:
        return None
    policy = iam.managed_policies.get(arn)
    return _in_force(policy) if policy else {"Statement": []}


def _in_force(policy: ManagedPolicy) -> Document:
    return _parsed(next(one.document for one in policy.versions if one.version_id == policy.default_version_id))


@lru_cache(maxsize=512)
def _parsed(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
