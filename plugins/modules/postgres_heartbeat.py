#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_heartbeat
short_description: Prove that a PostgreSQL database takes writes, and see them arrive
version_added: 1.0.0
description:
  - Writes one row into C(pipeops.heartbeat) of the application's database, as a client would, and waits until the
    server takes it. That is the proof at the end of a failover.
  - With O(replica), also waits until the row has arrived there. The time that takes is the lag that counts. What
    CloudWatch calls C(ReplicaLag) rises up to 300 s on an idle primary that loses nothing.
options:
  writer:
    description: Who writes. Each writer has a row of its own.
    type: str
    required: true
  replica:
    description: The endpoint of a replica where the row shall arrive, on the same port.
    type: str
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.postgres
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Prove that the database takes writes through its name
  pipeops.platform.postgres_heartbeat:
    region: us-east-1
    endpoint: database.prod.pipeops.internal
    secret_name: pipeops/prod/database
    writer: dr_failover

- name: Measure how far the other region is behind
  pipeops.platform.postgres_heartbeat:
    region: us-west-2
    endpoint: pipeops-prod.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com
    replica: pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com
    secret_name: pipeops/prod/database
    writer: dr_status
    wait_timeout: 30
  register: heartbeat
"""

RETURN = r"""
beat:
  description: The number of the row's writes so far; null in check mode.
  returned: always
  type: int
  sample: 17
written_at:
  description: When the server wrote it; null in check mode.
  returned: always
  type: str
  sample: "2026-11-25T13:20:37.123456+00:00"
seconds:
  description: How long it took until the server took the row.
  returned: always
  type: float
  sample: 0.04
lag_seconds:
  description: How long it then took until it had arrived on O(replica); null without one, and in check mode.
  returned: always
  type: float
  sample: 0.11
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.lease import LeaseLost
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, Progress, wait_until
from ansible_collections.pipeops.platform.plugins.module_utils.postgres import statements
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.connection import (
    POSTGRES_ARGUMENT_SPEC,
    Server,
    server_of,
)

ARGUMENT_SPEC: dict[str, Any] = {
    **POSTGRES_ARGUMENT_SPEC,
    "writer": {"type": "str", "required": True},
    "replica": {"type": "str"},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Write one row, and see it arrive.

    Raises:
        EngineError: if the server does not take it, or it does not arrive, in time.
    """
    if check_mode:
        return {"beat": None, "written_at": None, "seconds": 0.0, "lag_seconds": None, "changed": True}
    server, started = server_of(params), time.monotonic()
    written = _written(server, params, progress)
    done = time.monotonic()
    lag = _arrived(server, params, written["beat"], progress) if params["replica"] else None
    return {**written, "seconds": round(done - started, 3), "lag_seconds": lag, "changed": True}


def _written(server: Server, params: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    def check() -> tuple[dict[str, Any] | None, str]:
        try:
            with server.connect(params["database"]) as connection:
                return statements.beat(connection, params["writer"]), ""
        except LeaseLost:
            raise
        except EngineError as error:
            return None, str(error)

    what = f"a write to the database {params['database']} at {server.host}:{server.port}"
    return wait_until(check, what, 1, Patience(params["wait_timeout"], params["wait_delay"]), progress)


def _arrived(server: Server, params: Mapping[str, Any], number: int, progress: Progress) -> float:
    writer, started = params["writer"], time.monotonic()
    replica = replace(server, host=params["replica"])
    with replica.connect(params["database"]) as connection:

        def check() -> tuple[float | None, str]:
            arrived = statements.last_beats(connection).get(writer, {}).get("beat", 0)
            seconds = round(time.monotonic() - started, 3)
            return (seconds if arrived >= number else None), f"at heartbeat {arrived} of {number}"

        # Looking once a second would measure seconds.
        patience = Patience(params["wait_timeout"], min(0.05, params["wait_delay"]))
        return wait_until(check, f"the heartbeat of {writer} on {replica.host}", 1, patience, progress)


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
