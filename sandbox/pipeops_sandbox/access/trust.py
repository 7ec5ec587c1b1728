"""Whether a role trusts the holder of a token of an OIDC provider."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from ..overlay import as_list, policy_statements
from .policy import conditions_hold

ACTION = "sts:AssumeRoleWithWebIdentity"


def trusts_token(account: str, role_arn: str, token: str) -> bool:
    """Tell whether a role's trust policy lets in who holds a token. Who signed the token is not looked at."""
    claims = claims_of(token)
    issuer = str(claims.get("iss", "")).removeprefix("https://").rstrip("/")
    backend = iam_backends[account]["aws"]
    provider = f"arn:aws:iam::{account}:oidc-provider/{issuer}"
    audiences = [str(one) for one in as_list(claims.get("aud"))]
    try:
        role = backend.get_role_by_arn(role_arn)
        known = backend.get_open_id_connect_provider(provider).client_id_list or []
    except NotFoundException:
        return False
    context = {f"{issuer}:sub": str(claims.get("sub", "")), f"{issuer}:aud": audiences}
    statements = policy_statements(role.assume_role_policy_document)
    return bool(set(audiences) & set(known)) and any(_lets_in(one, provider, context) for one in statements)


def claims_of(token: str) -> dict[str, Any]:
    """Return what a JSON web token says; nothing for what is none."""
    try:
        payload = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}


def _lets_in(statement: dict[str, Any], provider: str, context: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    federated = as_list(principal.get("Federated")) if isinstance(principal, dict) else []
    return (
        statement.get("Effect") == "Allow"
        and provider in federated
        and ACTION in as_list(statement.get("Action"))
        and conditions_hold(statement.get("Condition") or {}, context)
    )
