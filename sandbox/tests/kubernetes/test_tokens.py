"""Tokens of EKS: whose they are, for which cluster, and for how long."""

from __future__ import annotations

import base64
import time
from typing import Any

import boto3
import pytest
from pipeops_sandbox.kubernetes import tokens
from pipeops_sandbox.kubernetes.command import presigned

KEY, SECRET = "AKIASANDBOX000000001", "correct"


def _sts(secret: str = SECRET, session: str | None = None, region: str = "us-west-2") -> Any:
    return boto3.client(
        "sts", region, endpoint_url="http://127.0.0.1:5110", aws_access_key_id=KEY, aws_secret_access_key=secret,
        aws_session_token=session,
    )  # fmt: skip


def _verify(token: str, cluster: str = "prod", at: float = 0.0, secret: str | None = SECRET) -> tokens.Signer:
    return tokens.verify(token, cluster, lambda _signer: secret, at or time.time())


def _changed(token: str, old: str, new: str) -> str:
    text = token.removeprefix(tokens.PREFIX)
    url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    assert old in url
    return tokens.PREFIX + base64.urlsafe_b64encode(url.replace(old, new).encode()).decode().rstrip("=")


def test_a_token_tells_its_signer() -> None:
    assert _verify(presigned(_sts(), "prod")) == tokens.Signer(KEY)
    session = presigned(_sts(session="AQo/b+8="), "prod")
    assert _verify(session) == tokens.Signer(KEY, "AQo/b+8=")
    assert _verify(presigned(_sts(region="eu-central-1"), "prod")) == tokens.Signer(KEY)


def test_a_token_is_for_one_cluster() -> None:
    with pytest.raises(tokens.Rejected, match="for cluster staging"):
        _verify(presigned(_sts(), "prod"), cluster="staging")


def test_a_token_of_another_secret_is_refused() -> None:
    with pytest.raises(tokens.Rejected, match="signature is not"):
        _verify(presigned(_sts(secret="guessed"), "prod"))


def test_keys_that_the_sandbox_did_not_hand_out_are_taken_at_their_word() -> None:
    assert _verify(presigned(_sts(secret="anything"), "prod"), secret=None) == tokens.Signer(KEY)


def test_a_token_lasts_a_quarter_of_an_hour_whatever_its_url_says() -> None:
    token, now = presigned(_sts(), "prod"), time.time()
    assert _verify(token, at=now + 890) == tokens.Signer(KEY)
    with pytest.raises(tokens.Rejected, match="it expired"):
        _verify(token, at=now + 901)
    with pytest.raises(tokens.Rejected, match="in the future"):
        _verify(token, at=now - 400)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("GetCallerIdentity", "AssumeRole", "action is 'AssumeRole'"),
        ("/?Action", "/admin?Action", "more than GetCallerIdentity takes"),
        ("Version=", "Other=", "more than GetCallerIdentity takes"),
        ("%3Bx-k8s-aws-id", "", "does not cover the header x-k8s-aws-id"),
        ("%2Fsts%2F", "%2Fec2%2F", "is not one of STS"),
        ("X-Amz-Signature=", "X-Amz-Expires=", "more than GetCallerIdentity takes"),
    ],
)
def test_urls_that_are_something_else_are_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(tokens.Rejected, match=why):
        _verify(_changed(presigned(_sts(), "prod"), old, new))


@pytest.mark.parametrize("token", ["", "k8s-aws-v1", "k8s-aws-v1.%%%", "k8s-aws-v2.aHR0cA", "eyJhbGciOi.eyJ.x"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(tokens.Rejected):
        _verify(token)
