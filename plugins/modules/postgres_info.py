#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_info
short_description: Read how PostgreSQL servers stand to each other
version_added: 1.0.0
description:
  - Reads the role, the positions in the write-ahead log, the replication slots and the heartbeats of several servers at
    the same time. A server that cannot be reached is part of the answer, not an error.
options:
  replicas:
    description: Endpoints of further servers with the same master user, on the same port.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.postgres
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Look at both sides
  pipeops.platform.postgres_info:
    region: us-east-1
    endpoint: pipeops-prod.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com
    replicas: [pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com]
    secret_name: pipeops/prod/database
"""

RETURN = r"""
servers:
  description: Each server by its endpoint.
  returned: always
  type: dict
  contains:
    reachable:
      description: Whether it answered.
      type: bool
      sample: true
    reason:
      description: Why it did not, empty if it did.
      type: str
      sample: ""
    replica:
      description: Whether it is in recovery, so takes no writes.
      type: bool
      sample: false
    version:
      description: The version of the server.
      type: str
      sample: "17.6"
    written:
      description: Up to where the log is written and flushed, null on a replica.
      type: str
      sample: 0/3000148
    replayed:
      description: Up to where the log was replayed, by a replica or after a crash; null on a primary that never did.
      type: str
      sample: 0/3000148
    replayed_commit_at:
      description: When the last transaction that a replica has replayed was committed on the primary.
      type: str
      sample: "2026-11-25T13:20:37.123456+00:00"
    pause_state:
      description: Whether the replay is V(not paused), V(pause requested) or V(paused); empty on a primary.
      type: str
      sample: not paused
    open:
      description: Whether O(database) takes connections; null if it does not exist.
      type: bool
      sample: true
    sessions:
      description: Sessions of clients in O(database).
      type: int
      sample: 12
    followers:
      description: The replicas of a primary by slot, with the bytes of log that each keeps from being dropped.
      type: list
      elements: dict
      sample: [{"name": "pipeops_dr", "active": true, "state": "streaming", "retained_bytes": 0}]
    lease:
      description: The write lease of O(database), null if there is none.
      type: dict
      sample: {"leader": "prod", "epoch": 1, "seconds": 15, "enabled": true, "closed": false, "left_seconds": 13.1}
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.postgres import lease, statements
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.connection import (
    POSTGRES_ARGUMENT_SPEC,
    Server,
    server_of,
)

ARGUMENT_SPEC: dict[str, Any] = {
    **POSTGRES_ARGUMENT_SPEC,
    "replicas": {"type": "list", "elements": "str", "default": []},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Return how each server stands."""
    del check_mode, progress
    server = server_of(params)
    hosts = list(dict.fromkeys([params["endpoint"], *params["replicas"]]))
    with ThreadPoolExecutor(len(hosts)) as pool:
        found = pool.map(lambda host: _describe(replace(server, host=host), params["database"]), hosts)
        return {"servers": dict(zip(hosts, found, strict=True))}


def _describe(server: Server, database: str) -> dict[str, Any]:
    try:
        with server.connect() as connection:
            return {
                "reachable": True,
                "reason": "",
                **statements.standing(connection),
                "open": statements.is_open(connection, database),
                "sessions": statements.sessions(connection, database),
                "followers": statements.followers(connection),
                "lease": lease.read(connection),
            }
    except EngineError as error:
        return {"reachable": False, "reason": str(error)}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
