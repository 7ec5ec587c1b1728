# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError, PlanRefused
from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import Context
from ansible_collections.pipeops.platform.plugins.module_utils.engine.model import Identity, Observed
from ansible_collections.pipeops.platform.plugins.module_utils.engine.planner import State, make_plan, removal_plan
from ansible_collections.pipeops.platform.plugins.module_utils.layers.state_backend import BUCKET, LAYER, TABLE
from ansible_collections.pipeops.platform.plugins.modules.state_backend import ARGUMENT_SPEC

KEY = "arn:aws:kms:us-west-2:123456789012:key/1"


def state(environment: str = "prod", **options: Any) -> State:
    """Return the layer as wanted, with nothing standing."""
    defaults = {"state": "present", **{name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}}
    aws = Aws({"region": "us-west-2", "account_id": "123456789012"})
    context = Context(LAYER.name, Identity("pipeops", environment), aws)
    wanted = LAYER.build({**defaults, "kms_key_arn": KEY, **options}, context)
    return State({item.kind: item for item in LAYER.types}, {item.key: item for item in wanted})


def converged(**options: Any) -> State:
    """Return the layer with everything standing as wanted."""
    result = state(**options)
    for key, item in result.wanted.items():
        result.observed[key] = Observed(*key, "id", dict(item.attributes), dict(item.tags or {}), "ACTIVE")
    return result


def actions(plan_of: State) -> list[str]:
    return [action.identity for action in make_plan(plan_of).actions]


def drifted(key: tuple[str, str], **attributes: Any) -> State:
    result = converged()
    standing = result.observed[key]
    result.observed[key] = replace(standing, attributes={**standing.attributes, **attributes})
    return result


def test_an_empty_account_gets_both() -> None:
    assert actions(state()) == ["create/dynamodb_table/locks", "create/s3_bucket/state"]


def test_what_stands_needs_nothing() -> None:
    assert actions(converged()) == []


@pytest.mark.parametrize(
    ("key", "drift", "update"),
    [
        (BUCKET, {"versioning": False}, "versioning"),
        (BUCKET, {"public_access_block": False}, "public_access_block"),
        (BUCKET, {"ownership": "ObjectWriter"}, "ownership"),
        (BUCKET, {"kms_key_arn": ""}, "encryption"),
        (BUCKET, {"bucket_key": False}, "encryption"),
        (BUCKET, {"policy": {}}, "policy"),
        (BUCKET, {"lifecycle": []}, "lifecycle"),
        (TABLE, {"billing_mode": "PROVISIONED"}, "billing_mode"),
        (TABLE, {"kms_key_arn": ""}, "kms_key_arn"),
        (TABLE, {"deletion_protection": False}, "deletion_protection"),
        (TABLE, {"point_in_time_recovery": False}, "point_in_time_recovery"),
        (TABLE, {"ttl_attribute": ""}, "ttl_attribute"),
    ],
)
def test_each_drift_is_one_change(key: tuple[str, str], drift: dict[str, Any], update: str) -> None:
    assert actions(drifted(key, **drift)) == [f"update/{key[0]}/{key[1]}/{update}"]


@pytest.mark.parametrize(
    ("key", "drift", "mend"),
    [
        (BUCKET, {"region": "eu-west-1"}, "S3 cannot move a bucket"),
        (TABLE, {"partition_key": "id"}, "DynamoDB cannot change a key"),
        (TABLE, {"ttl_attribute": "other"}, "set ttl_attribute empty"),
    ],
)
def test_what_cannot_be_changed_is_refused(key: tuple[str, str], drift: dict[str, Any], mend: str) -> None:
    with pytest.raises(PlanRefused, match=mend):
        make_plan(drifted(key, **drift))


def test_the_spelling_of_s3_is_no_drift() -> None:
    standing = converged()
    bucket = standing.observed[BUCKET]
    policy = {**bucket.attributes["policy"]}
    policy["Statement"] = [{**policy["Statement"][0], "Principal": {"AWS": "*"}, "Action": ["s3:*"]}]
    lifecycle = [{**rule, "Filter": {"Prefix": ""}} for rule in reversed(bucket.attributes["lifecycle"])]
    assert actions(drifted(BUCKET, policy=policy, lifecycle=lifecycle)) == []


def test_a_rule_for_some_objects_only_is_drift() -> None:
    lifecycle = [
        {**rule, "Filter": {"Prefix": "tmp/"}} for rule in converged().observed[BUCKET].attributes["lifecycle"]
    ]
    assert actions(drifted(BUCKET, lifecycle=lifecycle)) == ["update/s3_bucket/state/lifecycle"]


def test_the_bucket_goes_before_the_table() -> None:
    assert [action.identity for action in removal_plan(converged()).actions] == [
        "delete/s3_bucket/state",
        "delete/dynamodb_table/locks",
    ]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"bucket_name": "Upper"}, "S3 takes no bucket named 'Upper'"),
        ({"bucket_name": "b" * 64}, r"\(64 characters\)"),
        ({"environment": "e" * 50}, "a shorter platform or environment"),
        ({"table_name": "no spaces"}, "DynamoDB takes no table named 'no spaces'"),
    ],
)
def test_names_that_aws_refuses_are_refused_first(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(EngineError, match=problem):
        state(**options)


def test_given_names_are_taken() -> None:
    wanted = state(bucket_name="own-bucket", table_name="own_table").wanted
    assert wanted[BUCKET].attributes["arn"] == "arn:aws:s3:::own-bucket"
    assert wanted[TABLE].attributes["arn"] == "arn:aws:dynamodb:us-west-2:123456789012:table/own_table"
