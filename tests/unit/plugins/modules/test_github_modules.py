# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both modules against a server that answers as GitHub does: check, apply, check again, mend, remove, refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.pipeops.platform.plugins.module_utils.github.api import Github, GithubError
from ansible_collections.pipeops.platform.plugins.modules import github_environment, github_ruleset

from tests.github_server import REPOSITORY, TOKEN, Hub, github

PROD: dict[str, Any] = {
    "name": "prod",
    "reviewers": ["team:platform", "user:alice"],
    "prevent_self_review": True,
    "wait_minutes": 5,
    "branches": ["main"],
    "variables": {"AWS_REGION": "us-west-2"},
}
MAIN: dict[str, Any] = {
    "name": "main",
    "include": ["refs/heads/main"],
    "rules": [
        {"type": "deletion"},
        {"type": "pull_request", "parameters": {"required_approving_review_count": 1}},
        {"type": "required_status_checks", "parameters": {"required_status_checks": [{"context": "required"}]}},
    ],
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with github() as found:
        yield found


def run(module: Any, hub: Hub, params: dict[str, Any], *, check: bool = False, token: str = TOKEN) -> dict[str, Any]:
    checked = ArgumentSpecValidator(module.ARGUMENT_SPEC).validate(params)
    assert not checked.error_messages
    found: dict[str, Any] = module.run(checked.validated_parameters, Github(REPOSITORY, token, hub.url), check)
    return found


@pytest.mark.parametrize(
    ("module", "params"), [(github_environment, PROD), (github_ruleset, MAIN)], ids=["environment", "ruleset"]
)
def test_check_apply_and_remove_say_the_same_and_a_second_run_changes_nothing(
    hub: Hub, module: Any, params: dict[str, Any]
) -> None:
    planned = run(module, hub, params, check=True)
    assert planned["changed"]
    assert hub.changes == []
    applied = run(module, hub, params)
    assert applied["changed"]
    assert planned["diff"]["before"] == applied["diff"]["before"] == {}
    before = len(hub.changes)
    again = run(module, hub, params)
    assert (again["changed"], len(hub.changes)) == (False, before)
    gone = {"name": params["name"], "state": "absent"}
    assert run(module, hub, gone, check=True)["changed"]
    assert len(hub.changes) == before
    assert run(module, hub, gone)["changed"]
    assert not run(module, hub, gone)["changed"]


def test_an_environment_is_predicted_as_it_comes_out(hub: Hub) -> None:
    planned = run(github_environment, hub, PROD, check=True)
    assert run(github_environment, hub, PROD)["diff"] == planned["diff"]


def test_what_somebody_changed_is_mended_and_what_nobody_named_stays(hub: Hub) -> None:
    run(github_environment, hub, PROD)
    hub.add_policy("prod", {"name": "*"})
    hub.add_policy("prod", {"name": "v*", "type": "tag"})
    hub.variables["prod"] |= {"AWS_REGION": "eu-west-1", "OTHER": "of somebody else"}
    stray = {one["name"]: one["id"] for one in hub.policies["prod"]}
    before = len(hub.changes)
    found = run(github_environment, hub, PROD)
    assert found["diff"]["before"]["branches"] == ["*", "main"]
    assert hub.changes[before:] == [
        "PUT environments/prod",
        f"DELETE environments/prod/deployment-branch-policies/{stray['*']}",
        "PATCH environments/prod/variables/AWS_REGION",
    ]
    assert hub.variables["prod"] == {"AWS_REGION": "us-west-2", "OTHER": "of somebody else"}
    assert found["environment"]["tags"] == ["v*"]


def test_an_environment_of_protected_branches_is_left_so_until_branches_are_named(hub: Hub) -> None:
    policy = {"protected_branches": True, "custom_branch_policies": False}
    hub.keep_environment("prod", {"prevent_self_review": False, "deployment_branch_policy": policy})
    assert not run(github_environment, hub, {"name": "prod"})["changed"]
    run(github_environment, hub, {"name": "prod", "wait_minutes": 3})
    assert hub.environments["prod"]["deployment_branch_policy"] == policy
    assert run(github_environment, hub, {"name": "prod", "branches": []}, check=True)["changed"]
    run(github_environment, hub, {"name": "prod", "branches": []})
    assert hub.environments["prod"]["deployment_branch_policy"] is None
    assert not run(github_environment, hub, {"name": "prod", "branches": []})["changed"]


def test_a_ruleset_is_mended_and_keeps_what_nobody_named(hub: Hub) -> None:
    run(github_ruleset, hub, MAIN)
    ((number, standing),) = hub.rulesets.items()
    standing["enforcement"] = "disabled"
    # GitHub has more of a rule, and of each check, than anybody has to name.
    checks = next(rule for rule in standing["rules"] if rule["type"] == "required_status_checks")
    checks["parameters"]["strict_required_status_checks_policy"] = True
    checks["parameters"]["required_status_checks"][0]["integration_id"] = 15368
    before = len(hub.changes)
    found = run(github_ruleset, hub, MAIN)
    assert hub.changes[before:] == [f"PUT rulesets/{number}"]
    assert found["diff"]["before"]["enforcement"] == "disabled"
    assert {key for key in found["diff"]["after"] if found["diff"]["before"][key] != found["diff"]["after"][key]} == {
        "enforcement"
    }


def test_a_ruleset_is_found_on_a_later_page_and_twice_is_refused(hub: Hub) -> None:
    for name in ("a", "b", "c"):
        run(github_ruleset, hub, {**MAIN, "name": name})
    assert not run(github_ruleset, hub, {**MAIN, "name": "c"})["changed"]
    hub.keep_ruleset(hub.number(), {**hub.rulesets[max(hub.rulesets)], "name": "a"})
    with pytest.raises(GithubError, match="2 rulesets named 'a'"):
        run(github_ruleset, hub, {**MAIN, "name": "a"})


@pytest.mark.parametrize(
    ("reviewers", "said"),
    [
        (["user:nobody"], "GitHub knows no user:nobody"),
        (["platform"], "has to be user:LOGIN or team:SLUG"),
        ([f"user:u{number}" for number in range(7)], "6 at most"),
    ],
)
def test_wrong_reviewers_are_refused_before_anything_changes(hub: Hub, reviewers: list[str], said: str) -> None:
    with pytest.raises(GithubError, match=said):
        run(github_environment, hub, {**PROD, "reviewers": reviewers})
    assert hub.changes == []


def test_a_refusal_says_what_helps_and_tells_no_token(hub: Hub) -> None:
    with pytest.raises(GithubError, match=r"GitHub says 401, Bad credentials. The token is not valid") as told:
        run(github_ruleset, hub, MAIN, token="another")
    assert "another" not in str(told.value).replace("give another one", "")
