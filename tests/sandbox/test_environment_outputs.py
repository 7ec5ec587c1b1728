# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError

from tests.sandbox.conftest import Account, prove_converges, prove_removes

BUCKET, KEY = "pipeops-prod-state-123456789012", "outputs/prod.json"
OUTPUTS = {"database": {"arn": "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod", "port": 5432, "zones": ["a", "b"]}}


@pytest.fixture
def bucket(account: Account) -> str:
    """The bucket of prod."""
    elsewhere = {"LocationConstraint": account.region}
    account.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=elsewhere)
    return BUCKET


def read(account: Account) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(account.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read())
    return found


def write(account: Account, document: object) -> None:
    """Put another document in place of ours."""
    account.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps(document).encode())


def look_up(account: Account, *terms: str, **options: Any) -> Any:
    given = {"region": account.region, "endpoint_url": account.url}
    return lookup_loader.get("pipeops.platform.environment_outputs").run(list(terms), {}, **{**given, **options})


def test_it_is_published_once_and_removed(account: Account, bucket: str) -> None:
    applied = prove_converges(account, "environment_outputs", bucket=bucket, outputs=OUTPUTS)
    assert (applied["outputs"]["bucket"], applied["outputs"]["key"]) == (bucket, KEY)
    document = read(account)
    assert document.pop("published_at") == applied["outputs"]["published_at"]
    assert document.pop("version") == applied["outputs"]["version"] == 1
    assert document == {
        "schema": 1,
        "environment": "prod",
        "platform": "pipeops",
        "region": "us-west-2",
        "account_id": "123456789012",
        "outputs": OUTPUTS,
    }
    assert account.client("s3").head_object(Bucket=BUCKET, Key=KEY)["ContentType"] == "application/json"
    prove_removes(account, "environment_outputs", bucket=bucket, outputs=OUTPUTS)


@pytest.mark.parametrize("document", [{"schema": 0}, [], {"schema": 1, "outputs": {}}])
def test_what_somebody_else_wrote_is_written_over(account: Account, bucket: str, document: object) -> None:
    write(account, document)
    for check in (True, False):
        result = account.run("environment_outputs", check=check, bucket=bucket, outputs=OUTPUTS)
        assert [action["action"] for action in result["actions"]] == ["update/s3_document/outputs/document"]
    assert read(account)["outputs"] == OUTPUTS


def test_another_key_encrypts_it_anew(account: Account, bucket: str) -> None:
    account.run("environment_outputs", bucket=bucket, outputs=OUTPUTS)
    arn = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    options = {"bucket": bucket, "outputs": OUTPUTS, "kms_key_arn": arn}
    assert account.run("environment_outputs", **options)["changed"]
    assert account.client("s3").head_object(Bucket=BUCKET, Key=KEY)["SSEKMSKeyId"] == arn
    assert not account.run("environment_outputs", **options)["changed"]


def test_a_dry_run_takes_placeholders(account: Account, bucket: str) -> None:
    pending = {"database": {"arn": "pending:rds_instance.arn:primary", "password_secret": "pending:secret.arn:db"}}
    planned = account.run("environment_outputs", check=True, bucket="pipeops-prod-state-to-come", outputs=pending)
    assert [action["action"] for action in planned["actions"]] == ["create/s3_document/outputs"]
    account.run("environment_outputs", bucket=bucket, outputs=OUTPUTS)
    assert account.run("environment_outputs", check=True, bucket=bucket, outputs=pending)["changed"]


def test_a_bucket_that_is_not_there_says_what_to_do(account: Account) -> None:
    with pytest.raises(EngineError, match="Run the role state_backend first"):
        account.run("environment_outputs", bucket="pipeops-prod-state-gone", outputs=OUTPUTS)


def test_another_environment_reads_it_from_another_region(account: Account, bucket: str) -> None:
    account.run("environment_outputs", bucket=bucket, outputs=OUTPUTS)
    assert look_up(account, "prod", region="us-east-1", max_age_days=1) == [OUTPUTS]
    assert look_up(account, "prod", bucket=bucket, key=KEY, account_id="123456789012") == [OUTPUTS]


def test_nothing_published_is_an_error_or_the_default(account: Account, bucket: str) -> None:
    with pytest.raises(AnsibleLookupError, match=f"'prod' has published no outputs at s3://{BUCKET}/{KEY}"):
        look_up(account, "prod")
    with pytest.raises(AnsibleLookupError, match=r"Run site\.yml for it first"):
        look_up(account, "staging")
    assert look_up(account, "prod", "staging", default={"none": True}) == [{"none": True}, {"none": True}]


def test_outputs_that_are_too_old_are_refused(account: Account, bucket: str) -> None:
    account.run("environment_outputs", bucket=bucket, outputs=OUTPUTS)
    old = (datetime.now(UTC) - timedelta(days=3)).isoformat(timespec="seconds")
    write(account, {**read(account), "published_at": old})
    assert look_up(account, "prod", max_age_days=4) == [OUTPUTS]
    with pytest.raises(AnsibleLookupError, match=r"written 3\.0 days ago.*max_age_days is 2"):
        look_up(account, "prod", max_age_days=2)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"schema": 2}, "have schema 2, and this collection reads 1"),
        ([1], "have schema None"),
        ({"schema": 1, "environment": "prod"}, "lack outputs, published_at"),
        ({"schema": 1, "environment": "dev", "published_at": "", "outputs": {}}, "are those of 'dev', not of 'prod'"),
    ],
)
def test_a_document_that_is_not_ours_is_refused(account: Account, bucket: str, document: object, problem: str) -> None:
    write(account, document)
    with pytest.raises(AnsibleLookupError, match=problem):
        look_up(account, "prod")


def test_a_document_that_is_no_json_is_refused(account: Account, bucket: str) -> None:
    account.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=b"{")
    with pytest.raises(AnsibleLookupError, match="are no JSON"):
        look_up(account, "prod")
    assert account.run("environment_outputs", bucket=bucket, outputs=OUTPUTS)["changed"]


def test_a_part_is_published_beside_the_others(account: Account, bucket: str) -> None:
    account.run("environment_outputs", bucket=bucket, outputs=OUTPUTS)
    account.run("environment_outputs", bucket=bucket, outputs={"network": {"vpc_id": "vpc-1"}})
    assert read(account)["outputs"] == {**OUTPUTS, "network": {"vpc_id": "vpc-1"}}


def test_each_writing_has_a_number(account: Account, bucket: str) -> None:
    for number in (1, 2):
        account.run("environment_outputs", bucket=bucket, outputs={"network": {"number": number}})
        assert not account.run("environment_outputs", bucket=bucket, outputs={"network": {"number": number}})["changed"]
        assert read(account)["version"] == number
    (document,) = look_up(account, "prod", whole=True)
    assert (document["version"], document["schema"], document["outputs"]) == (2, 1, {"network": {"number": 2}})
    write(account, {name: value for name, value in read(account).items() if name != "version"})
    assert not account.run("environment_outputs", bucket=bucket, outputs={"network": {"number": 2}})["changed"]
    account.run("environment_outputs", bucket=bucket, outputs={"network": {"number": 3}})
    assert read(account)["version"] == 1, "of an earlier release, which had none"
