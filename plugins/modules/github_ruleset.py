#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: github_ruleset
short_description: Keep a ruleset of a repository at GitHub
version_added: 1.0.0
description:
  - Protects branches or tags by a ruleset, which is told from others by its name.
  - Parameters of rules that are not named stay as they are, or get GitHub's defaults if the ruleset is new. The rules
    themselves, the refs and those who may bypass it are exactly as named.
  - The modules of community.general know no rulesets, so this one calls the API.
options:
  name:
    description: The name of the ruleset.
    type: str
    required: true
  state:
    description: Whether it is there.
    type: str
    choices: [present, absent]
    default: present
  target:
    description: What it protects.
    type: str
    choices: [branch, tag]
    default: branch
  enforcement:
    description: Whether it holds.
    type: str
    choices: [active, evaluate, disabled]
    default: active
  include:
    description:
      - The refs that it is for, e.g. V(refs/heads/main), V(~DEFAULT_BRANCH) or V(~ALL).
      - Required with O(state=present).
    type: list
    elements: str
  exclude:
    description: Refs that it is not for.
    type: list
    elements: str
    default: []
  rules:
    description:
      - The rules, as the API names them.
      - Required with O(state=present).
    type: list
    elements: dict
    suboptions:
      type:
        description: The type of the rule, e.g. V(deletion), V(pull_request) or V(required_status_checks).
        type: str
        required: true
      parameters:
        description: The parameters of a rule that has any, as the API names them.
        type: dict
  bypass_actors:
    description: Who is not held by it, as the API names them.
    type: list
    elements: dict
    default: []
    suboptions:
      actor_id:
        description:
          - The number of the actor. V(5) is that of administrators, with O(bypass_actors[].actor_type=RepositoryRole).
        type: int
        required: true
      actor_type:
        description: What that number is of.
        type: str
        choices: [RepositoryRole, Team, Integration, OrganizationAdmin, DeployKey]
        required: true
      bypass_mode:
        description: When it is not held.
        type: str
        choices: [always, pull_request]
        default: pull_request
extends_documentation_fragment:
  - pipeops.platform.github
seealso:
  - module: pipeops.platform.github_environment
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let nobody push to main
  pipeops.platform.github_ruleset:
    repository: example/platform
    name: main
    include: [refs/heads/main]
    rules:
      - type: deletion
      - type: non_fast_forward
      - type: pull_request
        parameters:
          required_approving_review_count: 1
          dismiss_stale_reviews_on_push: true
          require_code_owner_review: false
          require_last_push_approval: true
          required_review_thread_resolution: true
"""

RETURN = r"""
ruleset:
  description: The ruleset as it stands, or would in check mode; empty if it is absent.
  returned: success
  type: dict
  sample: {name: main, target: branch, enforcement: active, include: [refs/heads/main], exclude: [],
    rules: [{type: deletion}], bypass_actors: []}
"""

from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.github.api import Github, GithubError, run_on_github
from ansible_collections.pipeops.platform.plugins.module_utils.github.rulesets import Ruleset, merged, observed

ACTOR: dict[str, Any] = {
    "actor_id": {"type": "int", "required": True},
    "actor_type": {
        "type": "str",
        "required": True,
        "choices": ["RepositoryRole", "Team", "Integration", "OrganizationAdmin", "DeployKey"],
    },
    "bypass_mode": {"type": "str", "default": "pull_request", "choices": ["always", "pull_request"]},
}
RULE: dict[str, Any] = {"type": {"type": "str", "required": True}, "parameters": {"type": "dict"}}
ARGUMENT_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "target": {"type": "str", "default": "branch", "choices": ["branch", "tag"]},
    "enforcement": {"type": "str", "default": "active", "choices": ["active", "evaluate", "disabled"]},
    "include": {"type": "list", "elements": "str"},
    "exclude": {"type": "list", "elements": "str", "default": []},
    "rules": {"type": "list", "elements": "dict", "options": RULE},
    "bypass_actors": {"type": "list", "elements": "dict", "default": [], "options": ACTOR, "no_log": False},
}


def run(params: dict[str, Any], github: Github, check_mode: bool) -> dict[str, Any]:
    """Bring the ruleset to what is wanted, and return what that changed."""
    found = [one for one in github.pages("rulesets?includes_parents=false") if one["name"] == params["name"]]
    if len(found) > 1:
        raise GithubError(
            f"{github.repository} has {len(found)} rulesets named {params['name']!r}: rename all but one."
        )
    number = found[0]["id"] if found else None
    answer = github.get(f"rulesets/{number}") if found else None
    standing = observed(answer) if answer else None
    target = None if params["state"] == "absent" else merged(standing, wanted(params))
    before = standing.as_dict() if standing else {}
    after = target.as_dict() if target else {}
    changed = before != after
    if changed and not check_mode:
        if target is None:
            github.send("DELETE", f"rulesets/{number}")
        else:
            way = ("POST", "rulesets") if number is None else ("PUT", f"rulesets/{number}")
            after = observed(github.send(*way, target.body())).as_dict()
    return {"changed": changed, "ruleset": after, "diff": {"before": before, "after": after}}


def wanted(params: dict[str, Any]) -> Ruleset:
    """Return what a task asks for."""
    return Ruleset(
        params["name"],
        params["target"],
        params["enforcement"],
        tuple(params["include"]),
        tuple(params["exclude"]),
        tuple(params["rules"]),
        tuple(params["bypass_actors"]),
    )


def main() -> None:
    run_on_github(run, ARGUMENT_SPEC, required_if=[("state", "present", ("include", "rules"))])


if __name__ == "__main__":
    main()
