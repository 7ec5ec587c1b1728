# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: addon_plan
version_added: 1.0.0
short_description: Which add-ons are installed, and where their charts come from
description:
  - Picks from the catalogue of the role P(pipeops.platform.cluster_addons#role) what is to be installed, and adds to
    each where its chart is.
positional: _input
options:
  _input:
    description: The catalogue.
    type: list
    elements: dict
    required: true
  settings:
    description: For the name of an add-on, C(enabled), C(version) and C(values).
    type: dict
    default: {}
  source:
    description:
      - V(upstream), V(oci), an https repository or OCI registry with all charts, or a directory.
      - In a directory a chart is C(CHART-VERSION.tgz), or the folder C(CHART), whatever its version.
    type: str
    default: upstream
  log_shipper:
    description: What ships logs; V(fluentd) is an add-on of its own.
    type: str
    choices: [fluent-bit, fluentd, none]
    default: fluent-bit
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Say what comes from where
  ansible.builtin.debug:
    msg: "{{ catalogue | pipeops.platform.addon_plan(source='oci://registry.example.com/charts') }}"
  vars:
    catalogue:
      - name: argo_cd
        chart: argo-cd
        version: 10.1.1
        repository: https://argoproj.github.io/argo-helm
        oci: ""
        standard: true
"""

RETURN = r"""
_value:
  description: The add-ons, in the order in which they are installed, each with C(chart), C(repo_url) and C(version).
  type: list
  elements: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils.kube import addons


def addon_plan(
    catalogue: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any] | None = None,
    source: str = addons.UPSTREAM,
    log_shipper: str = "fluent-bit",
) -> list[dict[str, Any]]:
    """Return the add-ons to install.

    Raises:
        AnsibleFilterError: if the settings cannot be.
    """
    try:
        return addons.addon_plan(catalogue, settings or {}, source, log_shipper)
    except addons.Unusable as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"addon_plan": addon_plan}
