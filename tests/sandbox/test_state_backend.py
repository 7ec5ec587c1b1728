# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from pipeops_sandbox.faults import Rule

from tests.sandbox.conftest import Account, prove_converges, prove_removes

BUCKET, TABLE = "pipeops-prod-state-123456789012", "pipeops-prod-locks"


@pytest.fixture
def options(account: Account) -> dict[str, Any]:
    """The options of an ordinary environment."""
    return {"kms_key_arn": account.client("kms").create_key()["KeyMetadata"]["Arn"], "deletion_protection": False}


def actions(result: dict[str, Any]) -> list[str]:
    return [action["action"] for action in result["actions"]]


@pytest.mark.parametrize("region", ["us-west-2", "us-east-1"])
def test_it_converges_and_goes(account: Account, region: str) -> None:
    account.region = region
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    applied = prove_converges(account, "state_backend", kms_key_arn=key, deletion_protection=False)
    assert applied["outputs"] == {
        "bucket_name": BUCKET,
        "bucket_arn": f"arn:aws:s3:::{BUCKET}",
        "table_name": TABLE,
        "table_arn": f"arn:aws:dynamodb:{region}:123456789012:table/{TABLE}",
    }
    prove_removes(account, "state_backend", kms_key_arn=key, deletion_protection=False)


def test_the_outputs_of_a_dry_run_are_those_of_the_run(account: Account, options: dict[str, Any]) -> None:
    predicted = account.run("state_backend", check=True, **options)
    assert predicted["outputs"] == account.run("state_backend", **options)["outputs"]


def test_the_bucket_is_closed(account: Account, options: dict[str, Any]) -> None:
    account.run("state_backend", **options)
    s3 = account.client("s3")
    encryption = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == options["kms_key_arn"]
    assert encryption["BucketKeyEnabled"]
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@pytest.mark.parametrize(
    ("drift", "healed"),
    [
        (lambda s3: s3.delete_bucket_policy(Bucket=BUCKET), "policy"),
        (lambda s3: s3.delete_public_access_block(Bucket=BUCKET), "public_access_block"),
        (lambda s3: s3.delete_bucket_lifecycle(Bucket=BUCKET), "lifecycle"),
        (lambda s3: s3.delete_bucket_encryption(Bucket=BUCKET), "encryption"),
        (lambda s3: s3.delete_bucket_ownership_controls(Bucket=BUCKET), "ownership"),
        (
            lambda s3: s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
            "versioning",
        ),
        (lambda s3: s3.delete_bucket_tagging(Bucket=BUCKET), "tags"),
    ],
)
def test_drift_of_the_bucket_is_healed(
    account: Account, options: dict[str, Any], drift: Callable[[Any], Any], healed: str
) -> None:
    account.run("state_backend", **options)
    drift(account.client("s3"))
    wanted = [f"update/s3_bucket/state/{healed}"]
    assert actions(account.run("state_backend", check=True, **options)) == wanted
    assert actions(account.run("state_backend", **options)) == wanted
    assert not account.run("state_backend", **options)["changed"]


def test_tags_of_others_stay_on_the_bucket(account: Account, options: dict[str, Any]) -> None:
    account.run("state_backend", **options)
    s3 = account.client("s3")
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "theirs", "Value": "1"}]})
    account.run("state_backend", **options)
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert tags["theirs"] == "1"
    assert tags["pipeops:component"] == "state/state"


@pytest.mark.parametrize(
    ("change", "action"),
    [
        ({"noncurrent_version_days": 30}, "s3_bucket/state/lifecycle"),
        ({"point_in_time_recovery": False}, "dynamodb_table/locks/point_in_time_recovery"),
        ({"deletion_protection": True}, "dynamodb_table/locks/deletion_protection"),
        ({"ttl_attribute": ""}, "dynamodb_table/locks/ttl_attribute"),
    ],
)
def test_each_option_changes_what_it_names(
    account: Account, options: dict[str, Any], change: dict[str, Any], action: str
) -> None:
    account.run("state_backend", **options)
    assert actions(account.run("state_backend", **{**options, **change})) == [f"update/{action}"]
    assert not account.run("state_backend", **{**options, **change})["changed"]


def test_another_key_encrypts_both(account: Account, options: dict[str, Any]) -> None:
    account.run("state_backend", **options)
    other = {**options, "kms_key_arn": account.client("kms").create_key()["KeyMetadata"]["Arn"]}
    wanted = ["update/dynamodb_table/locks/kms_key_arn", "update/s3_bucket/state/encryption"]
    assert actions(account.run("state_backend", **other)) == wanted
    assert not account.run("state_backend", **other)["changed"]


def test_drift_of_the_table_is_healed(account: Account, options: dict[str, Any]) -> None:
    account.run("state_backend", **options)
    throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    account.client("dynamodb").update_table(
        TableName=TABLE, BillingMode="PROVISIONED", ProvisionedThroughput=throughput
    )
    assert actions(account.run("state_backend", **options)) == ["update/dynamodb_table/locks/billing_mode"]
    assert not account.run("state_backend", **options)["changed"]


def test_a_table_that_a_killed_run_left_bare_is_completed(account: Account, options: dict[str, Any]) -> None:
    account.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "lock_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "lock_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": options["kms_key_arn"]},
    )
    completed = actions(account.run("state_backend", **options))
    assert "update/dynamodb_table/locks/point_in_time_recovery" in completed
    assert "create/dynamodb_table/locks" not in completed
    assert not account.run("state_backend", **options)["changed"]


def test_a_bucket_that_holds_anything_stays_and_so_does_the_table(account: Account, options: dict[str, Any]) -> None:
    account.run("state_backend", **options)
    s3 = account.client("s3")
    s3.put_object(Bucket=BUCKET, Key="outputs/prod.json", Body=b"{}")
    s3.delete_object(Bucket=BUCKET, Key="outputs/prod.json")
    with pytest.raises(EngineError, match=r"still holds objects, 'outputs/prod.json' among them"):
        account.run("state_backend", state="absent", **options)
    assert not account.run("state_backend", **options)["changed"]


def test_a_protected_table_stays(account: Account, options: dict[str, Any]) -> None:
    protected = {**options, "deletion_protection": True}
    account.run("state_backend", **protected)
    with pytest.raises(EngineError, match="Run once with deletion_protection false"):
        account.run("state_backend", state="absent", **protected)


def test_all_of_it_goes_if_that_is_asked_for(account: Account, options: dict[str, Any]) -> None:
    account.run("state_backend", **{**options, "deletion_protection": True})
    s3 = account.client("s3")
    for text in ("one", "two"):
        s3.put_object(Bucket=BUCKET, Key="outputs/prod.json", Body=text.encode())
    s3.delete_object(Bucket=BUCKET, Key="outputs/prod.json")
    s3.create_multipart_upload(Bucket=BUCKET, Key="unfinished")
    prove_removes(account, "state_backend", empty=True, **options)
    assert s3.list_buckets()["Buckets"] == []
    assert account.client("dynamodb").list_tables()["TableNames"] == []


def test_another_region_is_refused(account: Account, options: dict[str, Any]) -> None:
    account.run("state_backend", **options)
    with pytest.raises(PlanRefused, match="S3 cannot move a bucket"):
        account.run("state_backend", region="us-east-1", **options)


def test_another_ttl_attribute_is_refused_with_the_way_out(account: Account, options: dict[str, Any]) -> None:
    account.run("state_backend", **options)
    with pytest.raises(PlanRefused, match="only an hour after"):
        account.run("state_backend", ttl_attribute="other", **options)


@pytest.mark.parametrize("effect", ["throttle", "reset_after"])
@pytest.mark.parametrize("operation", ["CreateBucket", "PutBucketPolicy", "CreateTable", "UpdateContinuousBackups"])
def test_a_call_that_went_wrong_leaves_nothing_half_done(
    account: Account, options: dict[str, Any], operation: str, effect: str
) -> None:
    account.sandbox.faults.add(Rule(effect, operation=operation, nth=1))
    account.run("state_backend", **options)
    assert not account.run("state_backend", **options)["changed"]
