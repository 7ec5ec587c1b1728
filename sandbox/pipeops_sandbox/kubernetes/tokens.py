"""Tokens of EKS: a presigned GetCallerIdentity of STS, made for one cluster, good for a quarter of an hour."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

PREFIX = "k8s-aws-v1."
VALID_SECONDS = 900.0
"""From the signature on, whatever the URL's own expiry says."""
EARLY_SECONDS = 300
"""How far in the future a client's clock may be, as STS allows."""
_CLUSTER_HEADER = "x-k8s-aws-id"
_ALLOWED = {
    "action", "version", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-security-token",
    "x-amz-signature", "x-amz-signedheaders",
}  # fmt: skip
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_CREDENTIAL = re.compile(r"(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/sts/aws4_request")


class Rejected(Exception):
    """The token lets nobody in; the message says why, for the server's log."""


@dataclass(frozen=True)
class Signer:
    """Who signed a token: the access key, and the session's token if it is one."""

    access_key: str
    session_token: str = ""


Secret = Callable[[Signer], str | None]
"""Returns the secret of an access key, or None if the sandbox did not hand it out and takes any."""


def verify(token: str, cluster: str, secret_of: Secret, now: float, valid_seconds: float = VALID_SECONDS) -> Signer:
    """Return who signed a token for this cluster.

    Args:
        cluster: its name, which the signature covers.
        now: real time in seconds since 1970: clients sign with their own clock.
        valid_seconds: how long it is good.

    Raises:
        Rejected: if it is malformed, expired, or signed otherwise than it says.
    """
    url = _url(token)
    params = _params(url)
    credential = _CREDENTIAL.fullmatch(params["x-amz-credential"])
    if credential is None:
        raise Rejected(f"credential scope {params['x-amz-credential']!r} is not one of STS")
    _check_time(params["x-amz-date"], now, valid_seconds)
    signer = Signer(credential["key"], params.get("x-amz-security-token", ""))
    secret = secret_of(signer)
    if secret is not None:
        wanted = _signature(url, params, cluster, secret, credential["region"])
        if not hmac.compare_digest(wanted, params["x-amz-signature"]):
            raise Rejected(f"the signature is not that of {signer.access_key} for cluster {cluster}")
    return signer


def _url(token: str) -> SplitResult:
    if not token.startswith(PREFIX):
        raise Rejected(f"it does not begin with {PREFIX}")
    text = token.removeprefix(PREFIX)
    try:
        return urlsplit(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode())
    except (binascii.Error, ValueError) as error:
        raise Rejected(f"it is no URL in base64: {error}") from error


def _params(url: SplitResult) -> dict[str, str]:
    """Return the parameters by their names in lower case, if they are those of GetCallerIdentity and no others."""
    pairs = parse_qsl(url.query, keep_blank_values=True)
    params = {name.lower(): value for name, value in pairs}
    unknown = sorted(set(params) - _ALLOWED)
    if url.path not in ("", "/") or unknown or len(params) != len(pairs):
        raise Rejected(f"the URL has more than GetCallerIdentity takes: {url.path} {', '.join(unknown)}")
    if params.get("action") != "GetCallerIdentity":
        raise Rejected(f"action is {params.get('action')!r}, not GetCallerIdentity")
    needed = ("x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-signedheaders")
    missing = [name for name in needed if not params.get(name)]
    if missing:
        raise Rejected(f"the URL lacks {', '.join(missing)}")
    if _CLUSTER_HEADER not in params["x-amz-signedheaders"].split(";"):
        raise Rejected(f"the signature does not cover the header {_CLUSTER_HEADER}")
    return params


def _check_time(signed_at: str, now: float, valid_seconds: float) -> None:
    try:
        moment = datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise Rejected(f"X-Amz-Date is {signed_at!r}") from error
    if now >= moment + valid_seconds:
        raise Rejected(f"it expired {now - moment - valid_seconds:.0f} s ago")
    if moment > now + EARLY_SECONDS:
        raise Rejected(f"it was signed {moment - now:.0f} s in the future")


def _signature(url: SplitResult, params: dict[str, str], cluster: str, secret: str, region: str) -> str:
    """Return the signature that the URL must have (Signature Version 4, presigned)."""
    pairs = [(name, value) for name, value in parse_qsl(url.query, keep_blank_values=True)]
    query = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in pairs if n.lower() != "x-amz-signature")
    names = params["x-amz-signedheaders"]
    headers = {"host": url.netloc, _CLUSTER_HEADER: cluster}
    lines = "".join(f"{name}:{headers.get(name, '')}\n" for name in names.split(";"))
    request = "\n".join(["GET", "/", "&".join(f"{n}={v}" for n, v in query), lines, names, _EMPTY_SHA256])
    moment, scope = params["x-amz-date"], params["x-amz-credential"].partition("/")[2]
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (scope.split("/")[0], region, "sts", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
