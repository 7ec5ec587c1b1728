#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_lease
short_description: Prolong, release or outwait the write lease of a PostgreSQL database
version_added: 1.0.0
description:
  - A database with a write lease closes itself when neither its guard finds it named by the witness, nor the replica of
    the other side confirms what it wrote, for as many seconds as the lease has. The guard
    (C(extensions/write_guard)) puts the lease there and prolongs it.
  - With O(state=held) this module does what the guard does in a turn, so that a promoted database need not wait for it.
  - With O(state=outwaited) it waits, on the standby, until the leader has surely closed itself. That is proved by what
    the leader replicated, or else by time. The lease of a leader counts from the moment at which the witness named
    somebody else (O(since)), or at which the standby heard from it last, whichever is later.
  - With O(state=released) the lease closes nothing any more. That is for copies, which the witness does not know.
options:
  state:
    description: What the lease shall be.
    type: str
    choices: [held, outwaited, released]
    required: true
  leader:
    description: The environment of O(endpoint), for O(state=held) and O(state=outwaited).
    type: str
  service:
    description: The environment by whose names clients find the database, for O(state=held).
    type: str
  witness_table:
    description: The table of the witness, for O(state=held).
    type: str
  witness_region:
    description: Where that is.
    type: str
  since:
    description: What M(pipeops.platform.write_witness) returned as C(known_at), on the same machine; now if not set.
    type: float
  margin:
    description:
      - Seconds on top of the lease, for O(state=outwaited). The lease is looked at each second, and sessions are ended
        in the next second at the latest; clocks may run a little apart meanwhile.
    type: float
    default: 5
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.postgres
attributes:
  idempotent:
    support: full
    description: A database without a lease is left alone.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Wait until the leader has closed itself
  pipeops.platform.postgres_lease:
    region: us-east-1
    endpoint: pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com
    secret_name: pipeops/prod/database
    state: outwaited
    leader: dr
    since: "{{ named.known_at }}"
    wait_timeout: 120
  register: outwaited

- name: Let a restored copy be
  pipeops.platform.postgres_lease:
    region: us-west-2
    endpoint: pipeops-prod-look.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com
    secret_name: pipeops/prod/database
    state: released
"""

RETURN = r"""
lease:
  description: The lease, null if the server has none.
  returned: always
  type: dict
  sample: {"leader": "prod", "epoch": 1, "seconds": 15, "enabled": true, "closed": false, "left_seconds": 13.1}
guaranteed:
  description: Whether the leader is closed for sure.
  returned: when O(state=outwaited)
  type: bool
  sample: true
reason:
  description: By what, or why not.
  returned: when O(state=outwaited)
  type: str
  sample: 20 s have passed since the witness named dr, and 31 s since the standby heard from the leader
seconds:
  description: How long it took.
  returned: when O(state=outwaited)
  type: float
  sample: 16.4
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.aws import Aws, describe_error, is_aws_error
from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, Progress
from ansible_collections.pipeops.platform.plugins.module_utils.postgres import lease
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.connection import (
    POSTGRES_ARGUMENT_SPEC,
    server_of,
)
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.outwait import Outwait
from ansible_collections.pipeops.platform.plugins.module_utils.readiness import witness

NEEDED = {"held": ("leader", "service", "witness_table", "witness_region"), "outwaited": ("leader",), "released": ()}

ARGUMENT_SPEC: dict[str, Any] = {
    **POSTGRES_ARGUMENT_SPEC,
    "state": {"type": "str", "choices": ["held", "outwaited", "released"], "required": True},
    "leader": {"type": "str"},
    "service": {"type": "str"},
    "witness_table": {"type": "str"},
    "witness_region": {"type": "str"},
    "since": {"type": "float"},
    "margin": {"type": "float", "default": 5.0},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Bring the lease to the wanted state.

    Raises:
        EngineError: if the server or the witness cannot be reached, or the leader goes on replicating.
    """
    state = params["state"]
    missing = [name for name in NEEDED[state] if params[name] is None]
    if missing:
        raise EngineError(f"state is {state} but all of the following are missing: {', '.join(missing)}")
    server = server_of(params)
    if state == "outwaited":
        with server.connect() as connection:
            outwait = Outwait(connection, params["leader"], params["since"] or time.time(), params["margin"])
            if check_mode:
                return {**outwait.verdict(), "seconds": 0.0}
            return outwait.wait(Patience(params["wait_timeout"], params["wait_delay"]), progress)
    with server.connect() as connection:
        before = lease.read(connection)
        if before is None or check_mode:
            return {"lease": before, "changed": before is not None and _differs(before, state)}
        if state == "released":
            lease.release(connection)
        else:
            _hold(connection, params, progress)
        return {"lease": lease.read(connection), "changed": _differs(before, state)}


def _differs(before: Mapping[str, Any], state: str) -> bool:
    """Tell whether something is another one afterwards; time that is prolonged is no change."""
    return bool(before["enabled"] if state == "released" else before["here"] is False or before["closed"])


def _hold(connection: Any, params: Mapping[str, Any], progress: Progress) -> None:
    """Do what a guard does: ask the server for its time first, then the witness."""
    asked_at, aws = lease.present_time(connection), Aws({**params, "region": params["witness_region"]}, progress)
    try:
        named = witness.read(aws, params["witness_table"], params["service"])
    except Exception as error:
        if not is_aws_error(error):
            raise
        raise EngineError(f"The witness in {aws.region} cannot be asked: {describe_error(error)}") from error
    if named["leader"] != params["leader"]:
        raise EngineError(
            f"The witness names {named['leader'] or 'nobody'}, not {params['leader']}, so this database may not be "
            "written to. Let it name the right one with playbooks/dr_failover.yml or dr_switchover.yml."
        )
    lease.extend(connection, named["leader"], named["epoch"], asked_at)


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
