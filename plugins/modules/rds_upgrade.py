#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_upgrade
short_description: Upgrade the engine of one DB instance, and see that it is well
version_added: 1.0.0
description:
  - Brings a DB instance of PostgreSQL to a later engine version at once, not in its maintenance window, and waits until
    it is available with it. What is under way already is waited for, and not asked for again.
  - A replica counts as well once it replicates and is not behind. A replica in the region of its source is not asked
    for a major upgrade, since RDS upgrades it along with its source; it is waited for.
  - It is one step of an upgrade. M(pipeops.platform.rds_upgrade_info) tells the order, and
    C(playbooks/upgrade_database.yml) has all of it. There is no way back but the restore of a snapshot.
options:
  identifier:
    description: The identifier of the instance.
    type: str
    required: true
  version:
    description: The engine version, major and minor.
    type: str
    required: true
  parameter_group:
    description:
      - For a major upgrade, the parameter group of the new family that it shall have, which has to stand already.
      - It is given to a primary with the upgrade, to a replica afterwards, since RDS takes none for it before.
    type: str
  lag_limit_seconds:
    description:
      - How far a replica may be behind when it counts as well, by CloudWatch. Without it, that it replicates is enough.
      - The figure rises while nothing is written. M(pipeops.platform.postgres_heartbeat) measures better.
    type: float
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
    support: full
    description: Returns version and parameter group before and after.
  platform:
    support: full
    platforms: all
notes:
  - M(amazon.aws.rds_instance) asks again for what is under way, and does not wait for the version.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Upgrade a replica
  pipeops.platform.rds_upgrade:
    region: us-west-2
    identifier: pipeops-prod-a
    version: "17.7"

- name: Upgrade the primary to another major version
  pipeops.platform.rds_upgrade:
    region: us-west-2
    identifier: pipeops-prod
    version: "18.3"
    parameter_group: pipeops-prod-postgres18
"""

RETURN = r"""
actions:
  description: What was done, or would be, each with what it interrupts, whether it can be undone, and its usual time.
  returned: always
  type: list
  elements: dict
  sample: [{"action": "update/rds_upgrade/pipeops-prod-a/engine_version", "reversible": false, "typical_seconds": 600}]
before_version:
  description: The version before.
  returned: always
  type: str
  sample: "17.6"
version:
  description: The version asked for.
  returned: always
  type: str
  sample: "17.7"
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 612.3
lag_seconds:
  description: How far a replica was behind at the end; null for a primary, and if nobody knows.
  returned: always
  type: float
  sample: 12.0
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import PATIENCE_ARGUMENT_SPEC, Aws
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import refusals_as, run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade.rds_step import Order, apply

ARGUMENT_SPEC: dict[str, Any] = {
    **PATIENCE_ARGUMENT_SPEC,
    "identifier": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "parameter_group": {"type": "str"},
    "lag_limit_seconds": {"type": "float"},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Upgrade the instance.

    Raises:
        EngineError: if AWS refuses, or it is not well afterwards.
    """
    aws, identifier = Aws(params, progress), params["identifier"].lower()
    order = Order(identifier, params["version"], params["parameter_group"], params["lag_limit_seconds"])
    what = f"Could not upgrade DB instance {identifier} in {aws.region} to {order.version}"
    with refusals_as(what, "Run again once that is mended: it goes on where it stopped."):
        return apply(aws, order, check_mode=check_mode)


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
