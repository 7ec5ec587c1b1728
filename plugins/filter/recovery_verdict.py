# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: recovery_verdict
version_added: 1.0.0
short_description: Whether a standby could take over now
description:
  - Grades everything that a failover depends on, and says what would be lost if it happened now, and how long it would
    take.
positional: _input, more
options:
  _input:
    description: The answer of M(pipeops.platform.rds_cross_region_replica_info) for the standby.
    type: dict
    required: true
  more:
    description:
      - What else is known. C(heartbeat_lag_seconds), as M(pipeops.platform.postgres_heartbeat) measured it.
        C(parameter_group), that the standby should have. C(record), with the C(ttl) and the C(values) of the name that
        clients use. C(leader_endpoint). C(promotion_seconds), as a drill measured it.
      - Whatever is not known is left out, or null.
    type: dict
    default: {}
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Say whether a failover would work
  ansible.builtin.debug:
    msg: "{{ (facts | pipeops.platform.recovery_verdict({'heartbeat_lag_seconds': 0.1})).verdict }}"
"""

RETURN = r"""
_value:
  description: The verdict.
  type: dict
  contains:
    verdict:
      description: V(ready), V(ready, with warnings) or V(not ready).
      type: str
    ready:
      description: Whether nothing speaks against it.
      type: bool
    checks:
      description: Each with C(name), C(grade) (V(good), V(warning) or V(bad)), C(finding) and C(mend).
      type: list
      elements: dict
    lost_now_seconds:
      description: How far the standby is behind; null if unknown.
      type: float
    takes_seconds:
      description: How long a failover would take.
      type: float
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.readiness.verdict import verdict


def recovery_verdict(facts: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the verdict on the standby that the facts are about."""
    return verdict(facts, more or {})


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"recovery_verdict": recovery_verdict}
