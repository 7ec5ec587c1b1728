"""What API servers ask the sandbox: who a token is of, and whether somebody may do something."""

from __future__ import annotations

import functools
import logging
import threading
import time
from typing import Any

from pipeops_sandbox.overlays.eks.state import Cluster

from . import identity, tokens
from .authorization import allowed

log = logging.getLogger(__name__)
Review = dict[str, Any]


def authenticate(account: str, lock: threading.RLock, cluster: Cluster, review: Review, valid_seconds: float) -> Review:
    """Answer a TokenReview. Tokens of IAM identities are good for so many seconds."""
    token = str(review.get("spec", {}).get("token", ""))
    status: Review = {"authenticated": False}
    # Service account tokens come here only when the server itself did not take them.
    if token.startswith(tokens.PREFIX):
        try:
            with lock:
                status = _authenticated(account, cluster, token, valid_seconds)
        except tokens.Rejected as error:
            log.warning("cluster %s in %s: a token is refused: %s", cluster.name, cluster.region, error)
            status["error"] = str(error)
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}


def _authenticated(account: str, cluster: Cluster, token: str, valid_seconds: float) -> Review:
    secret_of = functools.partial(identity.secret_of, account)
    signer = tokens.verify(token, cluster.name, secret_of, time.time(), valid_seconds)
    who = identity.caller(account, signer)
    user = identity.user_info(cluster, who, signer.access_key)
    if user is None:
        raise tokens.Rejected(f"{who.canonical} has no access entry")
    return {"authenticated": True, "user": user}


def authorize(lock: threading.RLock, cluster: Cluster, review: Review) -> Review:
    """Answer a SubjectAccessReview: allowed by an access policy, or no opinion."""
    spec = review.get("spec", {})
    canonical = (spec.get("extra", {}).get("canonicalArn") or spec.get("extra", {}).get("canonicalarn") or [""])[0]
    with lock:
        entry = identity.entry_of(cluster, canonical)
        policy = allowed(entry, spec) if entry else ""
    status: Review = {"allowed": bool(policy)}
    if policy:
        status["reason"] = f"EKS Access Policy: {policy}"
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "status": status}
