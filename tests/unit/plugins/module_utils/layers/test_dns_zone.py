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
from ansible_collections.pipeops.platform.plugins.module_utils.layers.dns_zone import LAYER, ZONE, full_name
from ansible_collections.pipeops.platform.plugins.module_utils.resources.route53_record import _quoted, _unquoted

DOMAIN = "prod.internal"
RECORD = {"name": "database", "type": "CNAME", "ttl": 30, "values": ["a.example.com"]}
RECORD_KEY = ("route53_record", f"database.{DOMAIN}:CNAME")
VPC = {"vpc_id": "vpc-1", "region": "us-west-2"}
OTHER_VPC = {"vpc_id": "vpc-2", "region": "us-east-1"}


def record(name: str, record_type: str, *values: str) -> dict[str, Any]:
    return {"name": name, "type": record_type, "ttl": 60, "values": list(values)}


def state(**options: Any) -> State:
    """Return the layer as wanted, with nothing standing."""
    own = {"zone_name": DOMAIN, "vpcs": [VPC, OTHER_VPC], "records": [RECORD], "comment": None}
    params = {**own, "state": "present", "empty": False, **options}
    aws = Aws({"region": "us-west-2", "account_id": "123456789012"})
    wanted = LAYER.build(params, Context(LAYER.name, Identity("pipeops", "prod"), aws))
    return State({item.kind: item for item in LAYER.types}, {item.key: item for item in wanted})


def drifted(key: tuple[str, str] = ZONE, **attributes: Any) -> State:
    """Return the layer with everything standing as wanted but these attributes."""
    result = state()
    result.observed[ZONE] = Observed(*ZONE, "Z1", result.wanted[ZONE].attributes, result.wanted[ZONE].tags or {})
    wanted = result.resolved(result.wanted[RECORD_KEY])
    result.observed[RECORD_KEY] = Observed(*RECORD_KEY, "Z1/database", wanted.attributes)
    standing = result.observed[key]
    result.observed[key] = replace(standing, attributes={**standing.attributes, **attributes})
    return result


def actions(plan_of: State) -> list[str]:
    return [action.identity for action in make_plan(plan_of).actions]


def test_an_empty_account_gets_the_zone_first() -> None:
    assert actions(state()) == ["create/route53_zone/private", f"create/route53_record/{RECORD_KEY[1]}"]


@pytest.mark.parametrize(
    ("key", "drift", "expected"),
    [
        (ZONE, {}, []),
        (ZONE, {"vpcs": [OTHER_VPC, VPC]}, []),
        (ZONE, {"vpcs": [OTHER_VPC, VPC, {"vpc_id": "vpc-3", "region": "us-east-1"}]}, []),
        (ZONE, {"vpcs": [VPC]}, ["update/route53_zone/private/vpcs"]),
        (ZONE, {"comment": ""}, ["update/route53_zone/private/comment"]),
        (RECORD_KEY, {"values": ["A.example.com."]}, []),
        (RECORD_KEY, {"values": ["b.example.com"]}, [f"update/route53_record/{RECORD_KEY[1]}/values"]),
        (RECORD_KEY, {"ttl": 300}, [f"update/route53_record/{RECORD_KEY[1]}/values"]),
    ],
)
def test_drift(key: tuple[str, str], drift: dict[str, Any], expected: list[str]) -> None:
    assert actions(drifted(key, **drift)) == expected


def test_another_name_is_refused() -> None:
    with pytest.raises(PlanRefused, match="cannot rename a zone"):
        make_plan(drifted(name="old.internal"))


def test_records_go_before_the_zone() -> None:
    removals = [action.identity for action in removal_plan(drifted()).actions]
    assert removals == [f"delete/route53_record/{RECORD_KEY[1]}", "delete/route53_zone/private"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"vpcs": []}, "vpcs is empty"),
        ({"vpcs": [VPC, VPC]}, "names vpc-1 more than once"),
        ({"records": [RECORD, RECORD]}, f"records names database.{DOMAIN}:CNAME more than once"),
        ({"records": [record("x", "A")]}, "has no values"),
        ({"records": [record("x", "A", "10.0.0.300")]}, r"has the value '10.0.0.300', which is no IPv4 address"),
        ({"records": [record("x", "CNAME", "a", "b")]}, "a CNAME with 2 values"),
        ({"records": [record("@", "CNAME", "a")]}, "a CNAME at the top of the zone"),
        ({"records": [record("x", "CNAME", "a"), record("x", "TXT", "b")]}, "a CNAME beside other records"),
    ],
)
def test_what_dns_does_not_allow_is_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(EngineError, match=problem):
        state(**options)


def test_placeholders_are_taken() -> None:
    vpc = {"vpc_id": "pending:ec2_vpc.id:main", "region": "us-west-2"}
    found = state(vpcs=[vpc, {**vpc, "region": "us-east-1"}], records=[record("x", "A", "pending:address")])
    assert len(actions(found)) == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("database", f"database.{DOMAIN}"),
        ("Database", f"database.{DOMAIN}"),
        (f"database.{DOMAIN}.", f"database.{DOMAIN}"),
        ("@", DOMAIN),
        (DOMAIN, DOMAIN),
        ("a.b", f"a.b.{DOMAIN}"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert full_name(name, DOMAIN) == expected


@pytest.mark.parametrize("text", ["", "plain", 'a "quoted" word', "back\\slash", "x" * 600, 'ends in "', "two  spaces"])
def test_texts_come_back_as_they_went(text: str) -> None:
    written = _quoted(text)
    assert written.startswith('"')
    assert _unquoted(written) == text


def test_a_long_text_is_several_strings() -> None:
    assert _quoted("x" * 256) == '"' + "x" * 255 + '" "x"'
