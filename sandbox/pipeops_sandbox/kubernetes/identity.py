"""Who a token's signer is in IAM, and who that is in a cluster: by its access entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from pipeops_sandbox.client import ACCESS_KEY, SECRET_KEY
from pipeops_sandbox.overlays.eks.state import AccessEntry, Cluster
from pipeops_sandbox.overlays.iam import anybody

from .tokens import Signer

AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"


@dataclass(frozen=True)
class Caller:
    """An IAM identity.

    Attributes:
        arn: as GetCallerIdentity says it.
        canonical: of the user or the role, as access entries have it.
        session: the name of the role's session, else empty.
    """

    arn: str
    canonical: str
    identifier: str
    session: str = ""


def secret_of(account: str, signer: Signer) -> str | None:
    """Return the secret that a key was handed out with, or None for one that the sandbox does not know."""
    if signer.access_key == ACCESS_KEY:
        return SECRET_KEY
    session = sts_backends[account]["aws"].get_assumed_role_from_access_key(signer.access_key)
    if session is not None:
        # A wrong session token makes the signature wrong too.
        return str(session.secret_access_key) if session.session_token == signer.session_token else ""
    user = iam_backends[account]["aws"].get_user_from_access_key_id(signer.access_key)
    keys = user.get_all_access_keys() if user else []
    found = next((key for key in keys if key.access_key_id == signer.access_key), None)
    return str(found.secret_access_key) if found else None


def caller(account: str, signer: Signer) -> Caller:
    """Return the identity behind an access key."""
    session = sts_backends[account]["aws"].get_assumed_role_from_access_key(signer.access_key)
    if session is not None:
        return Caller(str(session.arn), str(session.role_arn), str(session.user_id), str(session.session_name))
    user = iam_backends[account]["aws"].get_user_from_access_key_id(signer.access_key)
    if user is not None:
        return Caller(str(user.arn), str(user.arn), str(user.id))
    arn = anybody(account)
    return Caller(arn, arn, signer.access_key)


def entry_of(cluster: Cluster, canonical: str) -> AccessEntry | None:
    """Return the access entry of a user or role."""
    return cluster.entries.get(canonical)


def user_info(cluster: Cluster, who: Caller, access_key: str) -> dict[str, Any] | None:
    """Return the Kubernetes user that an IAM identity is in a cluster, as TokenReview has it; None: nobody."""
    entry = entry_of(cluster, who.canonical)
    if entry is not None:
        name = str(entry.document["username"]).replace("{{SessionName}}", who.session)
        groups = [*entry.document["kubernetesGroups"], AUTHENTICATED]
    elif cluster.authentication_mode == "CONFIG_MAP" and who.canonical == cluster.creator:
        name, groups = "kubernetes-admin", [MASTERS, AUTHENTICATED]
    else:
        return None
    extra = {
        "accessKeyId": [access_key],
        "arn": [who.arn],
        "canonicalArn": [who.canonical],
        "principalId": [who.identifier],
        "sessionName": [who.session],
    }
    return {"username": name, "uid": f"aws-iam-authenticator:{who.canonical}", "groups": groups, "extra": extra}
