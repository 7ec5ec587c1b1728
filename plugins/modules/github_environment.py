#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: github_environment
short_description: Keep an environment of a repository at GitHub
version_added: 1.0.0
description:
  - Says who has to approve jobs of an environment, from which branches they may come, and which variables they read.
  - What is not named stays as it is.
  - The modules of community.general know no environments, so this one calls the API.
options:
  name:
    description: The name of the environment.
    type: str
    required: true
  state:
    description: Whether it is there. V(absent) removes it with its variables, secrets and rules.
    type: str
    choices: [present, absent]
    default: present
  reviewers:
    description:
      - Of whom one has to approve each job, as V(user:LOGIN) or V(team:SLUG), six at most. Nobody has to with an empty
        list.
      - They have to be able to read the repository.
    type: list
    elements: str
  prevent_self_review:
    description: Whether somebody else than who started the run has to approve.
    type: bool
  wait_minutes:
    description: How long each job waits, up to 30 days.
    type: int
  branches:
    description:
      - The branches whose runs may use it, as names or patterns.
      - Any branch and tag may if both this and O(tags) are empty.
    type: list
    elements: str
  tags:
    description: The tags whose runs may use it, as names or patterns.
    type: list
    elements: str
  variables:
    description:
      - Variables that its jobs read as C(vars.NAME). Others are left alone.
      - They are not secret.
    type: dict
extends_documentation_fragment:
  - pipeops.platform.github
seealso:
  - module: pipeops.platform.github_ruleset
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let the platform team approve what happens to prod
  pipeops.platform.github_environment:
    repository: example/platform
    name: prod
    reviewers: [team:platform]
    prevent_self_review: true
    branches: [main]
    variables:
      AWS_REGION: us-west-2
"""

RETURN = r"""
environment:
  description: The environment as it stands, or would in check mode; empty if it is absent.
  returned: success
  type: dict
  sample: {reviewers: ["team:platform"], prevent_self_review: true, wait_minutes: 0, branches: [main], tags: [],
    variables: {AWS_REGION: us-west-2}}
"""

from typing import Any
from urllib.parse import quote

from ansible_collections.pipeops.platform.plugins.module_utils.github.api import Github, GithubError, run_on_github
from ansible_collections.pipeops.platform.plugins.module_utils.github.environments import (
    REVIEWERS_MOST,
    Environment,
    Reviewers,
    Standing,
    body,
    merged,
    observed,
)

ARGUMENT_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "reviewers": {"type": "list", "elements": "str"},
    "prevent_self_review": {"type": "bool"},
    "wait_minutes": {"type": "int"},
    "branches": {"type": "list", "elements": "str"},
    "tags": {"type": "list", "elements": "str"},
    "variables": {"type": "dict"},
}
NOTHING = Standing(Environment(), {}, protected=False)


def run(params: dict[str, Any], github: Github, check_mode: bool) -> dict[str, Any]:
    """Bring the environment to what is wanted, and return what that changed."""
    path = f"environments/{quote(params['name'], safe='')}"
    standing = observe(github, path)
    before = standing.environment.as_dict() if standing else {}
    if params["state"] == "absent":
        if standing and not check_mode:
            github.send("DELETE", path)
        return {"changed": bool(standing), "environment": {}, "diff": {"before": before, "after": {}}}
    target = merged((standing or NOTHING).environment, wanted(params))
    numbers = look_up(github, target.reviewers or ())
    after = target.as_dict()
    opened = bool(standing and standing.protected and not _stays_protected(standing, params))
    changed = before != after or opened
    if changed and not check_mode:
        apply(github, path, standing or NOTHING, target, body(target, numbers, _stays_protected(standing, params)))
        after = (observe(github, path) or NOTHING).environment.as_dict()
    return {"changed": changed, "environment": after, "diff": {"before": before, "after": after}}


def wanted(params: dict[str, Any]) -> Environment:
    """Return what a task asks for.

    Raises:
        GithubError: if GitHub has no such thing.
    """
    reviewers = params["reviewers"]
    wrong = [name for name in reviewers or () if name.partition(":")[0] not in ("user", "team")]
    if wrong:
        raise GithubError(f"reviewers: {', '.join(wrong)} has to be user:LOGIN or team:SLUG.")
    if len(reviewers or ()) > REVIEWERS_MOST:
        raise GithubError(
            f"reviewers: GitHub takes {REVIEWERS_MOST} at most, and here are {len(reviewers)}. Name a team."
        )
    return Environment(
        None if reviewers is None else tuple(reviewers),
        params["prevent_self_review"],
        params["wait_minutes"],
        None if params["branches"] is None else tuple(params["branches"]),
        None if params["tags"] is None else tuple(params["tags"]),
        None if params["variables"] is None else {name: str(value) for name, value in params["variables"].items()},
    )


def observe(github: Github, path: str) -> Standing | None:
    """Return what stands; None if there is no such environment."""
    answer = github.get(path)
    if answer is None:
        return None
    policies = github.pages(f"{path}/deployment-branch-policies", "branch_policies")
    return observed(answer, policies, github.pages(f"{path}/variables", "variables"))


def look_up(github: Github, reviewers: tuple[str, ...]) -> Reviewers:
    """Return what GitHub calls each of them.

    Raises:
        GithubError: if somebody is unknown.
    """
    owner = github.repository.partition("/")[0]
    found: dict[str, tuple[str, int]] = {}
    for name in reviewers:
        kind, _colon, who = name.partition(":")
        where = f"users/{quote(who)}" if kind == "user" else f"orgs/{quote(owner)}/teams/{quote(who)}"
        answer = github.find(where)
        if answer is None:
            raise GithubError(f"reviewers: GitHub knows no {name} (asked {where}). Nothing was changed.")
        found[name] = ("User" if kind == "user" else "Team", int(answer["id"]))
    return found


def apply(github: Github, path: str, standing: Standing, target: Environment, sent: dict[str, Any]) -> None:
    """Make what stands what has to stand."""
    github.send("PUT", path, sent)
    # Without any pattern, GitHub drops those that stand itself.
    if target.refs and not sent["deployment_branch_policy"]["protected_branches"]:
        for kind, name in sorted(target.refs - standing.policies.keys()):
            github.send("POST", f"{path}/deployment-branch-policies", {"name": name, "type": kind})
        for ref in sorted(standing.policies.keys() - target.refs):
            github.send("DELETE", f"{path}/deployment-branch-policies/{standing.policies[ref]}")
    variables = standing.environment.variables or {}
    for name, value in sorted((target.variables or {}).items()):
        if name not in variables:
            github.send("POST", f"{path}/variables", {"name": name, "value": value})
        elif variables[name] != value:
            github.send("PATCH", f"{path}/variables/{quote(name)}", {"name": name, "value": value})


def _stays_protected(standing: Standing | None, params: dict[str, Any]) -> bool:
    return bool(standing and standing.protected and params["branches"] is None and params["tags"] is None)


def main() -> None:
    run_on_github(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
