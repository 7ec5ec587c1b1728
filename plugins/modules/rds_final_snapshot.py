#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_final_snapshot
short_description: Take the snapshot by which a database outlives its removal
version_added: 1.0.0
description:
  - Takes a manual snapshot of a DB instance and waits until it is available, so that the instance may go.
  - It is called C(IDENTIFIER-final-YYYYMMDD-HHMMSS), in UTC, and has the tags of the instance.
  - One that an earlier run began within the last hour counts, so a run that was killed takes no second one. Stop what
    writes to the database first; what is written after the snapshot is lost with the instance.
  - A replica gets none, since its data are those of its source. An instance that is gone is no change.
options:
  identifier:
    description: The identifier of the instance.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.patience
attributes:
  check_mode:
    support: full
    description: Says whether a snapshot would be taken.
  diff_mode:
    support: none
    description: It adds something, and changes nothing.
  idempotent:
    support: full
    description: Within an hour.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Take the final snapshot of dev
  pipeops.platform.rds_final_snapshot:
    region: us-west-2
    identifier: pipeops-dev
"""

RETURN = r"""
snapshot:
  description:
    - The name of the final snapshot. Of an instance that is gone, the latest one.
    - Null without any, and in check mode if it would be taken.
  returned: always
  type: str
  sample: pipeops-dev-final-20261125-030405
actions:
  description: What was done, or in check mode would be, as layers report it.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import PATIENCE_ARGUMENT_SPEC, Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.removal import final_snapshot

ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    "identifier": {"type": "str", "required": True},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Take the snapshot.

    Raises:
        EngineError: if AWS refuses, or it fails.
    """
    aws, identifier = Aws(params, progress), params["identifier"].lower()
    with refusals_as(f"Could not take the final snapshot of DB instance {identifier} in {aws.region}"):
        return final_snapshot.apply(aws, identifier, check_mode=check_mode)


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
