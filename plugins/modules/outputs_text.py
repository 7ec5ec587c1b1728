#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: outputs_text
short_description: Print what environments have published, or write it to a file
version_added: 1.0.0
description:
  - Turns documents that P(pipeops.platform.environment_outputs#lookup) has read into a table for people, JSON for
    programs, or dotenv for shells and containers.
options:
  documents:
    description: The whole documents, by environment.
    type: dict
    required: true
  format:
    description:
      - V(table) and V(dotenv) have one value a line; V(json) has the documents as they are.
      - Names of V(dotenv) are those of environment and parts in capitals, C(PROD_DATABASE_PRIMARY_PORT). Lists of plain
        values are joined with commas, others are numbered. Values are quoted as shells want it.
    type: str
    choices: [table, json, dotenv]
    default: table
  path:
    description:
      - The file to write on the controller. Its folder is made if it does not exist.
      - Printed on the screen if not set.
    type: path
extends_documentation_fragment:
  - pipeops.platform.controller
attributes:
  idempotent:
    support: full
    description: It changes nothing.
seealso:
  - plugin: pipeops.platform.environment_outputs
    plugin_type: lookup
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Print what prod has published
  pipeops.platform.outputs_text:
    documents:
      prod: "{{ lookup('pipeops.platform.environment_outputs', 'prod', region='us-west-2', whole=true) }}"

- name: Write it for a pipeline
  pipeops.platform.outputs_text:
    documents:
      prod: "{{ lookup('pipeops.platform.environment_outputs', 'prod', region='us-west-2', whole=true) }}"
    format: dotenv
    path: build/prod.env
"""

RETURN = r"""
text:
  description: What was printed or written.
  returned: success
  type: str
  sample: PROD_DATABASE_PRIMARY_PORT=5432
"""
