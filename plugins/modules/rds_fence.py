#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_fence
short_description: Take a DB instance off the network because another one leads
version_added: 1.0.0
description:
  - Gives an instance the default security group of its VPC instead of its own ones, and a tag that says since when.
    This platform keeps default groups without rules, so nothing reaches the instance any more.
  - Its read replicas in the region are fenced, too. They go on showing what the instance last had, which is out of
    date once another one leads. And if somebody deletes the instance, RDS makes them databases that take writes.
  - Established connections outlive a change of groups. M(pipeops.platform.postgres_access) ends them, and closes the
    database itself; use both.
  - There is no way back. A fenced instance holds what was written before another one took over, and is removed, with a
    final snapshot, by M(pipeops.platform.rds_retirement). To stop it is no fence. AWS does not stop an instance that
    has replicas, and starts it again after seven days.
options:
  identifier:
    description: The identifier of the instance.
    type: str
    required: true
  replicas:
    description:
      - Whether its read replicas in the region are fenced, too.
      - If V(false), the instance is taken off the network and gets no tag, as what is still to be done would be
        forgotten otherwise.
    type: bool
    default: true
  required:
    description:
      - Whether it is an error if the region does not answer, or a replica cannot be fenced.
      - If V(false), RV(reachable), RV(unfenced) and RV(reason) tell.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.patience
attributes:
  check_mode:
    support: full
    description: Says whether the instance would be fenced.
  diff_mode:
    support: full
    description: Returns the security groups before and after.
  idempotent:
    support: full
    description: An instance that is fenced is left alone, and one that does not exist needs no fence.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Fence the former primary, if its region answers
  pipeops.platform.rds_fence:
    region: us-west-2
    identifier: pipeops-prod
    required: false
  register: fence
"""

RETURN = r"""
reachable:
  description: Whether the region answered.
  returned: always
  type: bool
  sample: true
reason:
  description: Why something is not fenced, empty if all is.
  returned: always
  type: str
  sample: ""
fenced:
  description: Whether the instance is fenced, or gone, and its replicas as far as O(replicas) says.
  returned: always
  type: bool
  sample: true
unfenced:
  description: Why a replica is not fenced, by its identifier.
  returned: always
  type: dict
  sample: {}
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import (
    PATIENCE_ARGUMENT_SPEC,
    Aws,
    describe_error,
    is_aws_error,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.readiness import fence

AGAIN = "Run again: what is done already is left alone."

ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    "identifier": {"type": "str", "required": True},
    "replicas": {"type": "bool", "default": True},
    "required": {"type": "bool", "default": True},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Fence the instance.

    Raises:
        EngineError: if it cannot be done, or must be done and the region or a replica is in trouble.
    """
    aws, identifier = Aws(params, progress), params["identifier"].lower()
    try:
        fence.require_answer(aws)
        found = fence.apply(aws, identifier, replicas=params["replicas"], check_mode=check_mode)
    except Exception as error:
        if not is_aws_error(error):
            raise
        reason = f"DB instance {identifier} in {aws.region} is not fenced: {describe_error(error)}"
        if params["required"]:
            raise EngineError(f"{reason} {AGAIN}") from error
        return {"reachable": False, "reason": reason, "fenced": False, "changed": False, "unfenced": {}}
    left = "; ".join(f"{name} ({reason})" for name, reason in found["unfenced"].items())
    reason = f"Read replicas of {identifier} in {aws.region} are not fenced: {left}." if left else ""
    if reason and params["required"]:
        raise EngineError(f"{reason} {AGAIN}")
    return {"reachable": True, "reason": reason, **found}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
