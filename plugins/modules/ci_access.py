#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ci_access
short_description: Manage who deploys an environment
version_added: 1.0.0
description:
  - Brings the identity that a pipeline deploys an environment with, its policies and the boundary of its permissions to
    their wanted state in one task.
  - The identity is a role that jobs of one GitHub repository assume with their OIDC tokens, or a user whose access key
    is kept in Secrets Manager and nowhere else.
  - GitHub's OIDC provider is made where the account has none, and is never removed, since other environments use it.
  - Run it with the rights of an administrator. An identity cannot widen its own permissions.
options:
  identity:
    description:
      - V(role) for a role that trusts tokens of GitHub, which needs no secret at all.
      - V(user) for a user with an access key.
      - The other one is not removed when this changes. Remove it with O(state=absent), which removes both.
    type: str
    choices: [role, user]
    default: role
  repository:
    description:
      - The repository whose jobs may assume the role, as C(OWNER/NAME).
      - Required with O(identity=role), unless O(subjects) are set.
    type: str
  github_environment:
    description: The environment of GitHub that jobs must run for; that of the same name as O(environment) if not set.
    type: str
  subjects:
    description:
      - The subjects of the tokens that may assume the role, each in full, instead of the one that follows from
        O(repository) and O(github_environment).
      - Repositories that were moved, renamed or made since July 2026 have numbers in theirs, as in
        C(repo:OWNER@1/NAME@2:environment:prod).
    type: list
    elements: str
    default: []
  session_seconds:
    description: The longest session of the role, 3600 to 43200 seconds; no less than the longest run takes.
    type: int
    default: 14400
  partners:
    description:
      - Other environments whose resources the identity works on too.
      - A failover closes the database of the other side, so the identities of a pair have each other as partners.
    type: list
    elements: str
    default: []
  regions:
    description: The regions in which the identity may work, beside O(region).
    type: list
    elements: str
    default: []
  grants:
    description:
      - What the identity may do. The role C(ci_access) brings those that the playbooks need.
      - C({partition}), C({account}), C({platform}) and C({region}) are filled in. A text with C({environment}) or
        C({prefix}), which is C(PLATFORM-ENVIRONMENT), stands once for the environment and once for each of O(partners).
    type: list
    elements: dict
    required: true
    suboptions:
      policy:
        description: The policy that it becomes a statement of. One takes 6144 characters, and an identity 10 policies.
        type: str
        required: true
      actions:
        description: The actions, each in full, without a pattern.
        type: list
        elements: str
        required: true
      resources:
        description: On what, as ARNs in which C(*) stands for any text.
        type: list
        elements: str
        required: true
      condition:
        description: The conditions, as in a policy.
        type: dict
  kms_key_arn:
    description: The key that encrypts the secret with the access key; AWS's own for Secrets Manager if not set.
    type: str
  key_max_age_days:
    description: With O(identity=user), an access key that is older is renewed.
    type: int
    default: 90
  key_overlap_days:
    description: Days for which the former access key goes on working after that.
    type: int
    default: 7
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.layer
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let jobs of the repository that run for GitHub's environment prod read the outputs of prod
  pipeops.platform.ci_access:
    region: us-west-2
    environment: prod
    repository: example/platform
    grants:
      - policy: state
        actions: [s3:GetObject, s3:ListBucket]
        resources:
          - arn:{partition}:s3:::{prefix}-state-{account}
          - arn:{partition}:s3:::{prefix}-state-{account}/*
"""

RETURN = r"""
outputs:
  description: Who the pipeline is. All of it is known in check mode too.
  returned: when O(state=present)
  type: dict
  contains:
    role_arn:
      description: The ARN of the role, for the workflow; null with a user.
      type: str
      sample: arn:aws:iam::123456789012:role/pipeops/prod/deploy/pipeops-prod-deploy
    user_name:
      description: The name of the user; null with a role.
      type: str
      sample: pipeops-prod-deploy
    secret_name:
      description: The secret that holds the access key of the user; null with a role.
      type: str
      sample: pipeops/prod-deploy/access-key
    policy_arns:
      description: The ARNs of the policies of the identity.
      type: list
      elements: str
      sample: [arn:aws:iam::123456789012:policy/pipeops/prod/deploy/pipeops-prod-deploy-network]
    boundary_arn:
      description: The ARN of the policy that bounds it.
      type: str
      sample: arn:aws:iam::123456789012:policy/pipeops/prod/deploy/pipeops-prod-deploy-boundary
    subjects:
      description: The subjects of tokens that may assume the role.
      type: list
      elements: str
      sample: ["repo:example/platform:environment:prod"]
"""

from ansible_collections.pipeops.platform.plugins.module_utils.engine.layer import run_module
from ansible_collections.pipeops.platform.plugins.module_utils.layers.ci_access import LAYER

ARGUMENT_SPEC = {
    "identity": {"type": "str", "choices": ["role", "user"], "default": "role"},
    "repository": {"type": "str"},
    "github_environment": {"type": "str"},
    "subjects": {"type": "list", "elements": "str", "default": []},
    "session_seconds": {"type": "int", "default": 14400},
    "partners": {"type": "list", "elements": "str", "default": []},
    "regions": {"type": "list", "elements": "str", "default": []},
    "grants": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "policy": {"type": "str", "required": True},
            "actions": {"type": "list", "elements": "str", "required": True},
            "resources": {"type": "list", "elements": "str", "required": True},
            "condition": {"type": "dict"},
        },
    },
    "kms_key_arn": {"type": "str", "no_log": False},
    "key_max_age_days": {"type": "int", "default": 90, "no_log": False},
    "key_overlap_days": {"type": "int", "default": 7, "no_log": False},
}


def main() -> None:
    run_module(LAYER, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
