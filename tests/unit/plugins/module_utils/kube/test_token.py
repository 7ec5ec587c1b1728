# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token is a signed question to STS, bound to one cluster."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible.plugins.loader import lookup_loader
from ansible_collections.pipeops.platform.plugins.module_utils.engine import aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.kube.token import eks_token

KEYS = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "testing", "region": "us-west-2"}


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def address(token: str) -> str:
    prefix, _scheme, encoded = token.partition("k8s-aws-v1.")
    assert prefix == ""
    assert "=" not in encoded
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def test_a_token_asks_the_regions_sts_who_calls_and_is_bound_to_the_cluster() -> None:
    found = urlsplit(address(eks_token(Aws(KEYS), "pipeops-prod")))
    query = parse_qs(found.query)
    assert found.scheme == "https"
    assert found.netloc == "sts.us-west-2.amazonaws.com"
    assert query["Action"] == ["GetCallerIdentity"]
    assert query["X-Amz-Expires"] == ["60"]
    assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert query["X-Amz-Credential"][0].startswith("AKIAIOSFODNN7EXAMPLE/")


def test_a_session_says_so() -> None:
    token = eks_token(Aws({**KEYS, "session_token": "session"}), "pipeops-prod")
    assert parse_qs(urlsplit(address(token)).query)["X-Amz-Security-Token"] == ["session"]


def test_a_token_is_good_for_one_cluster_only() -> None:
    way = Aws(KEYS)

    def signature(cluster: str) -> list[str]:
        return parse_qs(urlsplit(address(eks_token(way, cluster))).query)["X-Amz-Signature"]

    assert signature("pipeops-prod") != signature("pipeops-dev")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"])
def test_sts_is_where_the_environment_says(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:5110")
    assert urlsplit(address(eks_token(Aws(KEYS), "pipeops-prod"))).netloc == "127.0.0.1:5110"


@pytest.fixture
def new_sessions() -> Iterator[None]:
    """Forget sessions of earlier tests, and with them the credentials that those have found."""
    for cached in (aws._boto3_session, aws._botocore_session):
        cached.cache_clear()
    yield
    for cached in (aws._boto3_session, aws._botocore_session):
        cached.cache_clear()


@pytest.mark.usefixtures("new_sessions")
def test_without_credentials_the_message_says_what_to_do() -> None:
    with pytest.raises(EngineError, match=r"pipeops-prod in us-west-2.*Sign in, or set AWS_PROFILE"):
        eks_token(Aws({"region": "us-west-2"}), "pipeops-prod")


def test_the_lookup_makes_one_for_each_cluster() -> None:
    lookup = lookup_loader.get("pipeops.platform.eks_token")
    found = lookup.run(["pipeops-prod", "pipeops-dev"], {}, **KEYS)
    assert [address(token).startswith("https://sts.us-west-2.amazonaws.com/?") for token in found] == [True, True]
