# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a secret holds for a new database, as the SDK's own stub plays it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.resources.secret import credentials_of
from botocore.stub import Stubber

NAME = "pipeops/prod/database"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return Aws({"region": "us-east-1", "account_id": "123456789012"})


@pytest.fixture
def secrets(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.client("secretsmanager")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def holds(stub: Stubber, text: str) -> None:
    answer: dict[str, Any] = {"SecretString": text, "CreatedDate": datetime.now(UTC)}
    stub.add_response("get_secret_value", answer, {"SecretId": NAME})


@pytest.mark.parametrize("user", ["admin", "somebody"])
def test_other_users_are_left_to_whoever_asked(aws: Aws, secrets: Stubber, user: str) -> None:
    holds(secrets, json.dumps({"username": user, "password": "p"}))
    assert credentials_of(aws, NAME, "admin")["username"] == user


def test_a_new_database_has_no_twin_so_the_secret_names_its_master_user_again(aws: Aws, secrets: Stubber) -> None:
    holds(secrets, json.dumps({"username": "admin_clone", "password": "p", "dbname": "app"}))
    wanted = {"username": "admin", "password": "p", "dbname": "app"}
    secrets.add_response("put_secret_value", {}, {"SecretId": NAME, "SecretString": json.dumps(wanted)})
    assert credentials_of(aws, NAME, "admin") == wanted


@pytest.mark.parametrize("text", ["p", "[]", '{"username": "admin"}'])
def test_what_is_no_credentials_is_refused_unseen(aws: Aws, secrets: Stubber, text: str) -> None:
    holds(secrets, text)
    with pytest.raises(EngineError, match="holds no JSON object with a 'password'"):
        credentials_of(aws, NAME, "admin")
