# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: recovery_standing
version_added: 1.0.0
short_description: Which of two databases leads
description:
  - Decides from what two regions say of their databases which one is written to, which one can take over, whether a
    move between them was begun and not finished, and which former leader is still to be fenced.
  - A database that took over carries tags that say so since before it was promoted. Of two primaries, those decide.
    If they do not, nobody is said to lead.
positional: _input, own, pair
options:
  _input:
    description: The answer of M(pipeops.platform.rds_cross_region_replica_info), asked by one of the two.
    type: dict
    required: true
  own:
    description: The C(name) and the C(arn) of the database that is C(replica) in it.
    type: dict
    required: true
  pair:
    description: The C(name) and the C(arn) of the database that is C(source) in it.
    type: dict
    required: true
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Say who leads
  ansible.builtin.debug:
    msg: "{{ (facts | pipeops.platform.recovery_standing(own, pair)).reason }}"
  vars:
    own: {name: dr, arn: "arn:aws:rds:us-east-1:123456789012:db:pipeops-dr"}
    pair: {name: prod, arn: "arn:aws:rds:us-west-2:123456789012:db:pipeops-prod"}
"""

RETURN = r"""
_value:
  description: How the two stand.
  type: dict
  contains:
    leader:
      description: Whose database is written to; empty if that cannot be told.
      type: str
    standby:
      description: The other one.
      type: str
    protected:
      description: Whether the standby replicates the leader.
      type: bool
    fence_owed:
      description: ARN of a former leader that nobody has fenced yet; empty if there is none.
      type: str
    unfinished:
      description: How a move was begun that has not been finished, V(planned) or V(disaster); empty if none was.
      type: str
    reason:
      description: Why, in a sentence.
      type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.readiness.standing import Side, standing


def recovery_standing(facts: Mapping[str, Any], own: Mapping[str, str], pair: Mapping[str, str]) -> dict[str, Any]:
    """Return how the two databases of a pair stand."""
    one = Side.parse(own["name"], own["arn"], facts["replica"])
    other = Side.parse(pair["name"], pair["arn"], facts["source"])
    return standing(one, other).as_dict()


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"recovery_standing": recovery_standing}
