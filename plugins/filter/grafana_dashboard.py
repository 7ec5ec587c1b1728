# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: grafana_dashboard
version_added: 1.0.0
short_description: A dashboard of Grafana, as JSON
description:
  - Returns the JSON of a dashboard with panels of Prometheus metrics, two a row.
options:
  _input:
    description:
      - A dictionary with C(name), C(title) and C(panels).
      - Each panel has C(title), C(kind) (V(timeseries) or V(stat)), C(unit), C(expr) and C(legend).
    type: dict
    required: true
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Show a dashboard
  ansible.builtin.debug:
    msg: "{{ board | pipeops.platform.grafana_dashboard }}"
  vars:
    board:
      name: nodes
      title: Nodes
      panels:
        - {title: Nodes, kind: stat, unit: short, expr: count(kube_node_info), legend: nodes}
"""

RETURN = r"""
_value:
  description: The dashboard.
  type: str
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils.kube.dashboards import dashboard


def grafana_dashboard(board: Mapping[str, Any]) -> str:
    """Return the dashboard as JSON."""
    return json.dumps(dashboard(board["title"], board["name"], board["panels"]), indent=1, sort_keys=True)


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return it by its name."""
        return {"grafana_dashboard": grafana_dashboard}
