#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: write_witness_info
short_description: See whom the witness of a pair of databases names
version_added: 1.0.0
description:
  - Reads the witness (M(pipeops.platform.write_witness)), strongly consistent, and what the guards of both sides said
    last. A witness that cannot be reached is an answer, too.
options:
  table_name:
    description: The table of the witness. It is in O(region).
    type: str
    required: true
  service:
    description: The environment by whose names clients find the database.
    type: str
    required: true
  environments:
    description: The environments whose guards are looked for.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: It changes nothing in any case.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: See who leads by the witness
  pipeops.platform.write_witness_info:
    region: us-east-2
    table_name: pipeops-prod-witness
    service: prod
    environments: [prod, dr]
"""

RETURN = r"""
reachable:
  description: Whether the witness was reached.
  returned: always
  type: bool
  sample: true
reason:
  description: Why it was not, empty if it was.
  returned: always
  type: str
  sample: ""
leader:
  description: Who leads, empty if nobody is named.
  returned: when the witness was reached
  type: str
  sample: prod
epoch:
  description: How many times a leader was named.
  returned: when the witness was reached
  type: int
  sample: 1
named_at:
  description: When, by the clock of whoever did it; null if nobody is named.
  returned: when the witness was reached
  type: str
  sample: "2026-11-25T13:20:37.123+00:00"
guards:
  description: The guards, with C(environment), C(state), C(seen_seconds_ago) and C(lease_seconds).
  returned: when the witness was reached
  type: list
  elements: dict
  sample: [{"environment": "prod", "state": "leads", "seen_seconds_ago": 1.2, "lease_seconds": 15}]
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, describe_error, is_aws_error
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.readiness import witness

ARGUMENT_SPEC: dict[str, Any] = {
    "table_name": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "environments": {"type": "list", "elements": "str", "default": []},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return what the witness says."""
    del check_mode
    aws, table, service = Aws(params, progress), params["table_name"], params["service"]
    try:
        found = witness.read(aws, table, service)
        guards = witness.guards(aws, table, service, params["environments"])
    except Exception as error:
        if not is_aws_error(error):
            raise
        return {"reachable": False, "reason": describe_error(error)}
    return {"reachable": True, "reason": "", **found, "guards": guards}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
