#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cost_estimate
short_description: Say what an environment costs a month
version_added: 1.0.0
description:
  - Turns the variables of a host that stands for an environment into lines of count, unit and price, for the fewest
    nodes, an ordinary month and the most nodes. AWS is not asked.
  - What depends on usage is counted as the variable C(cost_usage) says, and shown as depending on usage otherwise. What
    has no price that can be relied on is shown as unpriced. Neither is ever 0.
  - Lists what could be saved, each with what has to be true for it.
options:
  prices_file:
    description:
      - A list of prices in CSV, as M(pipeops.platform.price_list) writes it.
      - The one of the collection if not set.
    type: path
extends_documentation_fragment:
  - pipeops.platform.controller
attributes:
  check_mode:
    description: It only reads variables.
seealso:
  - module: pipeops.platform.cost_report
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Price the environment
  pipeops.platform.cost_estimate:
  register: cost
"""

RETURN = r"""
estimate:
  description: What the environment costs.
  returned: success
  type: dict
  contains:
    environment:
      description: Its name.
      type: str
      sample: prod
    region:
      description: Its region, whose prices these are.
      type: str
      sample: us-west-2
    monthly:
      description: USD a month, for V(minimum), V(desired) and V(maximum) nodes.
      type: dict
      sample: {"minimum": 1897.0, "desired": 2106.0, "maximum": 2670.0}
    baseline:
      description: The part of it that is there without any usage.
      type: dict
      sample: {"minimum": 1762.64, "desired": 1971.64, "maximum": 2309.49}
    categories:
      description: The same by category.
      type: dict
      sample: {"EKS control plane": {"minimum": 73.0, "desired": 73.0, "maximum": 73.0}}
    budget:
      description: USD that it may cost a month; null if the inventory does not say.
      type: float
      sample: 2500.0
    basis:
      description: The column that is held against the budget.
      type: str
      sample: desired
    over:
      description: Whether it is above its budget.
      type: bool
      sample: false
    verdict:
      description: How it stands to its budget, in words.
      type: str
      sample: within
    unpriced:
      description: Names of lines without a price, which are in no total.
      type: list
      elements: str
      sample: []
    depends_on_usage:
      description: Names of lines that nobody has said a quantity of, which are in no total.
      type: list
      elements: str
      sample: ["Requests to KMS"]
    lines:
      description:
        - Each line with its C(category), C(name), C(unit), C(each), C(counts), C(monthly), C(price), C(source),
          C(source_date), C(confidence) and C(note).
      type: list
      elements: dict
    savings:
      description: Each with its C(lever), C(title), C(monthly), C(assumption), and whether it is C(taken) already.
      type: list
      elements: dict
"""
