#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cost_report
short_description: Show what environments cost, against their budgets and against a base
version_added: 1.0.0
description:
  - Prints estimates of M(pipeops.platform.cost_estimate) as tables, and writes them as C(cost.json), as a page with a
    chart C(cost.html), and as Markdown for a pull request C(cost.md).
  - With a base, says what a change of inventories costs, line by line.
options:
  estimates:
    description: The RV(pipeops.platform.cost_estimate#module:estimate) of each environment.
    type: list
    elements: dict
    required: true
  base:
    description:
      - What to compare with. An earlier C(cost.json), a folder that has inventories of the same names, or a commit of
        the git repository that the inventories of this run are in, e.g. V(origin/main).
      - Inventories of a base are read without what is set on the command line of this run, so that
        C(-e eks_node_maximum=12) with the base V(HEAD) says what that would cost.
    type: str
  prices_file:
    description: The list of prices that the estimates go by. The one of the collection if not set.
    type: path
  directory:
    description: Where the files are written. It is made if it does not exist.
    type: path
    default: build/cost
  details:
    description: Whether each line is printed, or totals alone.
    type: bool
    default: true
  price_age_limit_days:
    description: The age of the prices above which there is a warning.
    type: int
    default: 180
extends_documentation_fragment:
  - pipeops.platform.controller
attributes:
  bypass_host_loop:
    description: Run it once, for all hosts.
  check_mode:
    description: It writes its report in check mode as well, and nothing else.
requirements:
  - rich
  - jinja2
  - matplotlib
seealso:
  - module: pipeops.platform.cost_estimate
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Say what this branch costs more than the main one
  run_once: true
  pipeops.platform.cost_report:
    estimates: "{{ ansible_play_hosts | map('extract', hostvars) | map(attribute='cost.estimate') }}"
    base: origin/main
"""

RETURN = r"""
report:
  description: What was found.
  returned: success
  type: dict
  contains:
    over_budget:
      description: A sentence for each environment above its budget.
      type: list
      elements: str
      sample: []
    unpriced:
      description: Lines without a price, each with its environment.
      type: list
      elements: str
      sample: []
    warnings:
      description: What a reader should not miss, such as prices that are too old.
      type: list
      elements: str
      sample: []
    monthly:
      description: USD a month over all environments, for V(minimum), V(desired) and V(maximum) nodes.
      type: dict
      sample: {"minimum": 3748.0, "desired": 4210.0, "maximum": 5194.0}
    change:
      description: USD a month more than the base, for the same; null without a base.
      type: dict
      sample: {"minimum": 0.0, "desired": 0.0, "maximum": 70.08}
    files:
      description: The files that were written.
      type: list
      elements: str
      sample: [build/cost/cost.json, build/cost/cost.html, build/cost/cost.md]
"""
