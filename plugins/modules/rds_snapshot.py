#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_snapshot
short_description: Take a snapshot of a database before something that cannot be undone
version_added: 1.0.0
description:
  - Takes a manual snapshot of a DB instance, named C(IDENTIFIER-PURPOSE-TIME), with the tags of the instance, and waits
    until it is available.
  - One for the same purpose that a run which was killed has begun within O(good_for_seconds) counts, and no other one
    is taken.
options:
  identifier:
    description: The identifier of the instance.
    type: str
    required: true
  purpose:
    description: What it is for, as part of the name, e.g. V(before-17-7).
    type: str
    required: true
  good_for_seconds:
    description: How long an earlier one for the same purpose counts.
    type: int
    default: 21600
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.patience
  - action_common_attributes
attributes:
  check_mode:
    support: full
    description: Returns what would be done.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: all
notes:
  - M(amazon.aws.rds_instance_snapshot) takes a name, and another snapshot each time that the name tells the time.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Keep the database as it is before its upgrade
  pipeops.platform.rds_snapshot:
    region: us-west-2
    identifier: pipeops-prod
    purpose: before-17-7
"""

RETURN = r"""
snapshot:
  description: Its name; null in check mode if it has still to be taken.
  returned: always
  type: str
  sample: pipeops-prod-before-17-7-20261130-070000
actions:
  description: What was done, or would be.
  returned: always
  type: list
  elements: dict
  sample: [{"action": "create/rds_snapshot/pipeops-prod", "typical_seconds": 300}]
"""

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import PATIENCE_ARGUMENT_SPEC, Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.removal.final_snapshot import Purpose, keep
from ansible_collections.pipeops.platform.plugins.module_utils.resources.rds_describe import describe

ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    "identifier": {"type": "str", "required": True},
    "purpose": {"type": "str", "required": True},
    "good_for_seconds": {"type": "int", "default": 21600},
}
MEND = "Look at the instance, then run again."


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Take the snapshot.

    Raises:
        EngineError: if there is no such instance, or AWS refuses.
    """
    aws, identifier, word = Aws(params, progress), params["identifier"].lower(), params["purpose"]
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word):
        raise EngineError(f"purpose is {word!r}. Use lower-case letters and digits, with single hyphens between them.")
    instance = describe(aws, identifier)
    if instance is None:
        raise EngineError(f"There is no DB instance {identifier} in {aws.region}. Correct the option identifier.")
    purpose = Purpose(word, f"snapshot {word}", MEND, params["good_for_seconds"])
    with refusals_as(f"Could not take a snapshot of DB instance {identifier} in {aws.region}", MEND):
        return keep(aws, instance, purpose, check_mode=check_mode)


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
