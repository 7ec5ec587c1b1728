#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: write_witness
short_description: Let the witness of a pair of databases name who leads
version_added: 1.0.0
description:
  - The witness is an item of a DynamoDB table in a third region (M(pipeops.platform.database_witness)). The guards of
    both sides read it, and each keeps its database open to writes only while the witness names that side.
  - It is only ever written on the condition that nobody else has moved it meanwhile, and each move is counted.
  - Once this module has returned, no guard prolongs the lease of anybody else. What was prolonged before runs out
    within the seconds of the lease; M(pipeops.platform.postgres_lease) waits for that.
options:
  table_name:
    description: The table of the witness. It is in O(region).
    type: str
    required: true
  service:
    description: The environment by whose names clients find the database.
    type: str
    required: true
  leader:
    description: The environment that leads from now on.
    type: str
    required: true
  first:
    description: Whether it is named only if nobody is named yet.
    type: bool
    default: false
  required:
    description:
      - Whether it is an error if the witness cannot be reached.
      - If V(false), RV(reachable) tells.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    description: Reads the witness, and changes nothing.
  diff_mode:
    support: full
    description: Returns who leads, before and after.
  idempotent:
    support: full
    description: A second run changes nothing.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Let dr lead
  pipeops.platform.write_witness:
    region: us-east-2
    table_name: pipeops-prod-witness
    service: prod
    leader: dr
  register: named
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
former_leader:
  description: Who led before, empty if nobody was named.
  returned: when the witness was reached
  type: str
  sample: prod
epoch:
  description: The number of the move by which O(leader) leads.
  returned: when the witness was reached
  type: int
  sample: 2
known_at:
  description:
    - The seconds since 1970, by the clock of the machine that ran this, at which the witness named O(leader) for sure.
    - In a later run it is that run's time, so that nobody relies on another machine's clock.
  returned: always
  type: float
  sample: 1764081637.25
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, describe_error, is_aws_error
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.readiness import witness

ARGUMENT_SPEC: dict[str, Any] = {
    "table_name": {"type": "str", "required": True},
    "service": {"type": "str", "required": True},
    "leader": {"type": "str", "required": True},
    "first": {"type": "bool", "default": False},
    "required": {"type": "bool", "default": True},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Let the witness name the leader.

    Raises:
        EngineError: if it cannot be reached and must be, or others move it at the same time.
    """
    aws = Aws(params, progress)
    try:
        return _bring(aws, params, check_mode)
    except Exception as error:
        if not is_aws_error(error):
            raise
        if check_mode and witness.is_absent(error):
            # A dry run of what also makes the table.
            return _result(params, {"leader": "", "epoch": 0})
        reason = f"The witness {params['table_name']} in {aws.region} cannot be asked: {describe_error(error)}"
        if params["required"]:
            raise EngineError(reason) from error
        return {"reachable": False, "reason": reason, "changed": False, "known_at": time.time()}


def _bring(aws: Aws, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    table, service = params["table_name"], params["service"]
    if check_mode:
        return _result(params, witness.read(aws, table, service))
    return _result(params, witness.name(aws, table, service, params["leader"], first=params["first"]))


def _result(params: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    former = before["leader"]
    changed = former != params["leader"] and not (params["first"] and former)
    leader = params["leader"] if changed else former
    return {
        "reachable": True,
        "reason": "",
        "changed": changed,
        "former_leader": former,
        "epoch": before["epoch"] + changed,
        "known_at": time.time(),
        "diff": {"before": {"leader": former}, "after": {"leader": leader}},
    }


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
