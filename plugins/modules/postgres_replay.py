#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_replay
short_description: Wait until a PostgreSQL replica has replayed a position
version_added: 1.0.0
description:
  - Once the primary takes no writes, a replica that has replayed its last position has everything. What this module
    then returns is the evidence that M(pipeops.platform.rds_cross_region_replica) wants for a planned promotion.
  - C(ReplicaLag) cannot prove that. It is a number of seconds, once a minute, and means nothing while the primary
    idles.
options:
  position:
    description:
      - The position in the write-ahead log of the primary, as M(pipeops.platform.postgres_access) returned it when it
        closed the database.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.postgres
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Wait until the replica has everything
  pipeops.platform.postgres_replay:
    region: us-east-1
    endpoint: pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com
    secret_name: pipeops/prod/database
    position: 0/3000148
    wait_timeout: 60
"""

RETURN = r"""
evidence:
  description: The position that was asked for, and the one that has been replayed.
  returned: always
  type: dict
  contains:
    primary_lsn:
      description: What was asked for.
      type: str
      sample: 0/3000148
    replayed_lsn:
      description: What has been replayed.
      type: str
      sample: 0/3000180
missing_bytes:
  description: What is still missing; 0 but in check mode.
  returned: always
  type: int
  sample: 0
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 0.2
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, Progress, wait_until
from ansible_collections.pipeops.platform.plugins.module_utils.postgres import lsn, statements
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.connection import (
    POSTGRES_ARGUMENT_SPEC,
    server_of,
)

ARGUMENT_SPEC: dict[str, Any] = {**POSTGRES_ARGUMENT_SPEC, "position": {"type": "str", "required": True}}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Wait until the replica has caught up.

    Raises:
        EngineError: if it does not in time, cannot, or is no replica.
    """
    position, started = params["position"], time.monotonic()
    try:
        lsn.bytes_of(position)
    except ValueError as error:
        raise EngineError(f"position: {error}. Give what postgres_access returned.") from error
    with server_of(params).connect() as connection:
        if check_mode:
            replayed = statements.standing(connection)["replayed"]
        else:
            replayed = _caught_up(connection, params, progress)
    return {
        "evidence": {"primary_lsn": position, "replayed_lsn": replayed},
        "missing_bytes": lsn.missing(position, replayed),
        "seconds": round(time.monotonic() - started, 3),
    }


def _caught_up(connection: Any, params: Mapping[str, Any], progress: Progress) -> str:
    position, where = params["position"], f"{params['endpoint']}:{params['port']}"

    def check() -> tuple[str | None, str]:
        found = statements.standing(connection)
        if not found["replica"]:
            raise EngineError(
                f"PostgreSQL at {where} is no replica. See which side leads with playbooks/dr_status.yml."
            )
        left = lsn.missing(position, found["replayed"])
        if left == 0:
            return found["replayed"], ""
        state = f"{'an unknown number of' if left is None else left} bytes behind {position}"
        if found["pause_state"] != "not paused":
            raise EngineError(
                f"The replica at {where} is {state}, and its replay is {found['pause_state']}: it will not catch up. "
                "Nothing was promoted. Run SELECT pg_wal_replay_resume() there, then run again."
            )
        return None, state

    mend = "Nothing was promoted. Look at the replica with playbooks/dr_status.yml, then run again."
    patience = Patience(params["wait_timeout"], params["wait_delay"])
    return wait_until(check, f"the replica at {where}", 2, patience, progress, mend)


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
