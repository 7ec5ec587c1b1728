# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: awx_waiting
version_added: 1.0.0
short_description: Which definitions of an AWX refer to what is not there yet
description:
  - For a dry run. AWX's modules fail on a name that AWX does not know, also if the same run would make it. What refers
    to one is certain to be changed, and is told instead of asked.
positional: _input, there
options:
  _input:
    description: The definitions of C(extensions/awx), as C(playbooks/configure_awx.yml) has read them.
    type: dict
    required: true
  there:
    description: The lists of AWX's API, by the names of its collections.
    type: dict
    required: true
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Tell what has to wait
  ansible.builtin.debug:
    msg: "{{ definitions | pipeops.platform.awx_waiting(there) }}"
  vars:
    there:
      organizations: "{{ query('awx.awx.controller_api', 'organizations', return_all=true) }}"
"""

RETURN = r"""
_value:
  description: What has to wait, as C(KIND/NAME), in the order in which it is managed.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.pipeops.platform.plugins.plugin_utils import awx_references


def awx_waiting(definitions: Mapping[str, Any], found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return what refers to something that AWX does not have."""
    known = awx_references.there(found)
    wanted = awx_references.references(definitions)
    return [label for label, needs in wanted.items() if not known.issuperset(needs)]


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"awx_waiting": awx_waiting}
