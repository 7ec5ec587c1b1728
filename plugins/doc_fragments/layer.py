# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation that all our modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that every layer has."""

    DOCUMENTATION = r"""
options:
  state:
    description:
      - V(present) brings everything to the wanted state.
      - V(absent) removes everything of this layer that carries the environment's owner tags.
    type: str
    choices: [present, absent]
    default: present
  platform:
    description: The first part of every name, so that several platforms can share an account.
    type: str
    default: pipeops
  environment:
    description: The environment that the resources belong to. It is part of every name and of the owner tags.
    type: str
    required: true
  account_id:
    description:
      - The AWS account, for the ARNs that are written into policies.
      - Asked of STS if not set.
    type: str
  tags:
    description:
      - Tags for every resource, beside the owner tags C(pipeops:platform), C(pipeops:environment),
        C(pipeops:component) and C(pipeops:managed-by).
      - Tags that others put on a resource are left alone.
    type: dict
    default: {}
  wait:
    description:
      - Whether to wait until everything can be used.
      - If V(false), slow resources are started, and what needs them is left to a later task of the same module,
        see O(started).
    type: bool
    default: true
  wait_timeout:
    description: The longest wait for one resource, in seconds.
    type: int
    default: 3600
  wait_delay:
    description: The longest pause between two looks at a resource that is waited for, in seconds.
    type: float
    default: 15
  started:
    description:
      - In a task that finishes what an earlier one started with O(wait=false), the result of that one.
      - If everything was settled then, it is returned again without asking AWS.
      - In check mode, what it announced is not announced a second time.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    description: Returns without changing anything what the next run would change, also where nothing stands yet.
  diff_mode:
    support: full
    description: Returns each changed resource before and after.
  idempotent:
    support: full
    description: A second run changes nothing and makes no mutating call.
"""
