# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pipeops.platform.plugins.module_utils.github.environments import (
    Environment,
    body,
    merged,
    observed,
)
from ansible_collections.pipeops.platform.plugins.module_utils.github.rulesets import Ruleset
from ansible_collections.pipeops.platform.plugins.module_utils.github.rulesets import merged as merged_ruleset
from ansible_collections.pipeops.platform.plugins.module_utils.github.rulesets import observed as observed_ruleset

DELETION: dict[str, Any] = {"type": "deletion"}
CHECKS: dict[str, Any] = {
    "type": "required_status_checks",
    "parameters": {"required_status_checks": [{"context": "required"}], "strict_required_status_checks_policy": True},
}
#: The same as GitHub tells it.
CHECKS_TOLD: dict[str, Any] = {
    "type": "required_status_checks",
    "parameters": {
        "do_not_enforce_on_create": False,
        "required_status_checks": [{"context": "required", "integration_id": 15368}],
        "strict_required_status_checks_policy": True,
    },
}


def ruleset(*rules: dict[str, Any], **more: Any) -> Ruleset:
    return Ruleset("main", include=("refs/heads/main",), rules=rules, **more)


@pytest.mark.parametrize(
    ("standing", "wanted", "differs"),
    [
        (None, ruleset(DELETION), True),
        (ruleset(DELETION), ruleset(DELETION), False),
        (ruleset(CHECKS_TOLD, DELETION), ruleset(DELETION, CHECKS), False),
        (
            ruleset(CHECKS_TOLD),
            ruleset({**CHECKS, "parameters": {"strict_required_status_checks_policy": False}}),
            True,
        ),
        (ruleset(CHECKS_TOLD), ruleset({**CHECKS, "parameters": {"required_status_checks": [{"context": "x"}]}}), True),
        (ruleset(DELETION, CHECKS_TOLD), ruleset(DELETION), True),
        (ruleset(DELETION), ruleset(DELETION, enforcement="disabled"), True),
        (ruleset(DELETION, bypass_actors=({"actor_id": 5, "actor_type": "RepositoryRole"},)), ruleset(DELETION), True),
    ],
)
def test_a_ruleset_differs_by_what_is_named(standing: Ruleset | None, wanted: Ruleset, differs: bool) -> None:
    before = standing.as_dict() if standing else None
    assert (before != merged_ruleset(standing, wanted).as_dict()) is differs


def test_a_ruleset_is_sent_as_it_is_told() -> None:
    sent = ruleset(DELETION, CHECKS).body()
    assert sent["conditions"] == {"ref_name": {"include": ["refs/heads/main"], "exclude": []}}
    assert observed_ruleset({**sent, "id": 1, "source_type": "Repository"}).body() == sent


ANSWER = {
    "protection_rules": [
        {"id": 1, "type": "wait_timer", "wait_timer": 30},
        {
            "id": 2,
            "type": "required_reviewers",
            "prevent_self_review": True,
            "reviewers": [
                {"type": "Team", "reviewer": {"id": 7, "slug": "platform"}},
                {"type": "User", "reviewer": {"id": 8, "login": "alice"}},
            ],
        },
        {"id": 3, "type": "branch_policy"},
    ],
    "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
}
STANDING = observed(
    ANSWER,
    [{"id": 4, "name": "main"}, {"id": 5, "name": "v*", "type": "tag"}],
    [{"name": "AWS_REGION", "value": "us-west-2"}],
)


def test_an_environment_is_read() -> None:
    assert STANDING.environment.as_dict() == {
        "reviewers": ["team:platform", "user:alice"],
        "prevent_self_review": True,
        "wait_minutes": 30,
        "branches": ["main"],
        "tags": ["v*"],
        "variables": {"AWS_REGION": "us-west-2"},
    }
    assert STANDING.policies == {("branch", "main"): 4, ("tag", "v*"): 5}


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        (Environment(), {}),
        (Environment(reviewers=()), {"reviewers": [], "prevent_self_review": False}),
        (Environment(branches=("develop",)), {"branches": ["develop"]}),
        (Environment(tags=()), {"tags": []}),
        (Environment(wait_minutes=0), {"wait_minutes": 0}),
        (Environment(variables={"X": "1"}), {"variables": {"AWS_REGION": "us-west-2", "X": "1"}}),
    ],
)
def test_what_is_not_named_stays(wanted: Environment, changes: dict[str, Any]) -> None:
    assert merged(STANDING.environment, wanted).as_dict() == {**STANDING.environment.as_dict(), **changes}


@pytest.mark.parametrize(
    ("target", "protected", "policy"),
    [
        (Environment(), False, None),
        (Environment(branches=("main",)), False, {"protected_branches": False, "custom_branch_policies": True}),
        (Environment(), True, {"protected_branches": True, "custom_branch_policies": False}),
    ],
)
def test_the_policy_that_is_sent(target: Environment, protected: bool, policy: dict[str, bool] | None) -> None:
    sent = body(target, {}, protected)
    assert sent == {
        "wait_timer": 0,
        "prevent_self_review": False,
        "reviewers": None,
        "deployment_branch_policy": policy,
    }
