#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_retirement
short_description: Remove a database that another one has replaced, with its replicas, keeping a final snapshot
version_added: 1.0.0
description:
  - Removes the replicas of an instance in its own region first, and the instance last. The other way round, AWS would
    make each replica a writable database of its own.
  - A final snapshot is taken of the instance. Replicas have the same data.
  - What M(pipeops.platform.rds_instance_set) made beside the instances (groups, roles, the secret) is left, for the
    next database of the environment.
  - An instance that a replica in another region follows is refused.
options:
  identifier:
    description: The identifier of the instance.
    type: str
    required: true
  final_snapshot:
    description: Whether a final snapshot is taken.
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
    description: Says what would be removed.
  diff_mode:
    support: full
    description: Returns the instances before and after.
  idempotent:
    support: full
    description: An instance that is gone is no change.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Remove the former primary and its replicas
  pipeops.platform.rds_retirement:
    region: us-west-2
    identifier: pipeops-prod
"""

RETURN = r"""
removed:
  description: The instances that were removed, in that order.
  returned: always
  type: list
  elements: str
  sample: [pipeops-prod-a, pipeops-prod-c, pipeops-prod]
final_snapshot:
  description: The name of the final snapshot; null if none was taken.
  returned: always
  type: str
  sample: pipeops-prod-final-20261125-030405
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import (
    PATIENCE_ARGUMENT_SPEC,
    Aws,
)
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.readiness import retirement

ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    "identifier": {"type": "str", "required": True},
    "final_snapshot": {"type": "bool", "default": True},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Remove the instance and its replicas.

    Raises:
        EngineError: if something else follows it, or AWS refuses.
    """
    aws, identifier = Aws(params, progress), params["identifier"].lower()
    what = f"Could not remove DB instance {identifier} in {aws.region} with its replicas"
    with refusals_as(what, "Run again: what is gone stays gone."):
        return retirement.apply(aws, identifier, keep=params["final_snapshot"], check_mode=check_mode)


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
