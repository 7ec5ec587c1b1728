# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Context
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity, Observed
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import State, make_plan
from ansible_collections.pipeops.platform.plugins.module_utils.layers.environment_outputs import (
    DOCUMENT,
    LAYER,
    secret_paths,
)


def state(outputs: dict[str, Any]) -> State:
    """Return the layer as wanted, with nothing standing."""
    params = {"bucket": "b", "key": None, "outputs": outputs, "kms_key_arn": None}
    aws = Aws({"region": "us-west-2", "account_id": "123456789012"})
    wanted = LAYER.build(params, Context(LAYER.name, Identity("pipeops", "prod"), aws))
    return State({item.kind: item for item in LAYER.types}, {item.key: item for item in wanted})


def after(published: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Return what has to be done to go from one set of outputs to another."""
    result = state(wanted)
    standing = dict(state(published).wanted[DOCUMENT].attributes)
    standing["published_at"] = "2026-01-01T00:00:00+00:00"
    result.observed[DOCUMENT] = Observed(*DOCUMENT, "s3://b/outputs/prod.json", standing)
    return [action.identity for action in make_plan(result).actions]


@pytest.mark.parametrize(
    ("published", "wanted", "changed"),
    [
        ({"a": 1}, {"a": 1}, False),
        ({"a": 1, "b": (1, 2)}, {"b": [1, 2], "a": 1}, False),
        ({"a": {1: "x"}}, {"a": {"1": "x"}}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": 1}, {"a": 2}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, True),
        ({"a": 1}, {"a": 1, "b": "pending:ec2_vpc.id:main"}, True),
    ],
)
def test_only_what_is_said_counts(published: dict[str, Any], wanted: dict[str, Any], changed: bool) -> None:
    assert after(published, wanted) == (["update/s3_document/outputs/document"] if changed else [])


def test_nothing_published_yet() -> None:
    assert [action.identity for action in make_plan(state({})).actions] == ["create/s3_document/outputs"]


@pytest.mark.parametrize(
    ("outputs", "paths"),
    [
        ({"database": {"password": "x"}}, ["outputs.database.password"]),
        ({"masterPassword": "x"}, ["outputs.masterPassword"]),
        ({"secret_value": {"a": ["x"]}}, ["outputs.secret_value.a[0]"]),
        ({"users": [{"token": "x"}, {"private_key": "y"}]}, ["outputs.users[0].token", "outputs.users[1].private_key"]),
        ({"password_secret": "arn:aws:secretsmanager:us-west-2:123456789012:secret:a"}, []),
        ({"password_secret": "pending:secret.arn:a"}, []),
        ({"password_length": 32, "token": None, "private_key": ""}, []),
        ({"secret_arn": "name", "endpoint": "a.example.com"}, []),
        ({"note": "-----BEGIN RSA PRIVATE KEY-----"}, ["outputs.note"]),
        ({"ci": {"id": "AKIAIOSFODNN7EXAMPLE"}}, ["outputs.ci.id"]),
        ({"urls": ["https://a.example.com:8443/x", "postgresql://app:hush@a.example.com/app"]}, ["outputs.urls[1]"]),
    ],
)
def test_what_looks_secret_is_found(outputs: dict[str, Any], paths: list[str]) -> None:
    assert list(secret_paths(outputs)) == paths


def test_what_looks_secret_is_refused_without_showing_it() -> None:
    with pytest.raises(EngineError, match=r"outputs\.database\.password") as refused:
        state({"database": {"password": "hunter2"}})
    assert "hunter2" not in str(refused.value)
