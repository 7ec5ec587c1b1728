#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_access
short_description: Close a PostgreSQL database to its clients, or open it again
version_added: 1.0.0
description:
  - A closed database takes no connection, from its owner neither, and has no session left. So nothing is written to
    it any more, and the position in the write-ahead log that this module then returns is the last one that counts.
  - Unlike C(default_transaction_read_only), no session can undo that for itself. It outlives restarts, and it is
    replicated, so what was closed before a promotion is closed on the promoted server until it is opened there.
  - A replica cannot be closed by itself. There, V(closed) waits until its primary's closing has arrived, and ends the
    sessions, which nothing else ends.
  - RDS itself goes on. The sessions of its own roles are left alone.
  - What this module has closed is not opened by a write lease (M(pipeops.platform.postgres_lease)) that holds again.
options:
  state:
    description: Whether clients can use the database.
    type: str
    choices: [open, closed]
    required: true
  required:
    description:
      - Whether it is an error if the server cannot be reached.
      - If V(false), RV(reachable) tells.
    type: bool
    default: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.postgres
attributes:
  diff_mode:
    support: full
    description: Returns whether the database takes connections, and its sessions, before and after.
  idempotent:
    support: full
    description: A second run changes nothing.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Close the database before a switchover
  pipeops.platform.postgres_access:
    region: us-west-2
    endpoint: pipeops-prod.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com
    secret_name: pipeops/prod/database
    state: closed
  register: closed

- name: Open it on the other side
  pipeops.platform.postgres_access:
    region: us-east-1
    endpoint: pipeops-dr.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com
    secret_name: pipeops/prod/database
    state: open
"""

RETURN = r"""
reachable:
  description: Whether the server was reached.
  returned: always
  type: bool
  sample: true
reason:
  description: Why it was not, empty if it was.
  returned: always
  type: str
  sample: ""
sessions_ended:
  description: How many sessions of clients were ended.
  returned: when O(state=closed)
  type: int
  sample: 12
position:
  description: Where the write-ahead log ended once no client was left; null in check mode, and on a replica.
  returned: when O(state=closed)
  type: str
  sample: 0/3000148
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.errors import EngineError
from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Patience, Progress, wait_until
from ansible_collections.pipeops.platform.plugins.module_utils.postgres import lease, statements
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.connection import (
    POSTGRES_ARGUMENT_SPEC,
    Unreachable,
    server_of,
)

ARGUMENT_SPEC: dict[str, Any] = {
    **POSTGRES_ARGUMENT_SPEC,
    "state": {"type": "str", "choices": ["open", "closed"], "required": True},
    "required": {"type": "bool", "default": True},
}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Open or close the database.

    Raises:
        EngineError: if the server cannot be reached and must be, or has no such database.
    """
    try:
        with server_of(params).connect() as connection:
            return _bring(connection, params, check_mode, progress)
    except Unreachable as error:
        if params["required"]:
            raise
        return {"reachable": False, "reason": str(error), "changed": False, "position": None, "sessions_ended": 0}


def _bring(connection: Any, params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    database, closing = params["database"], params["state"] == "closed"
    before = _describe(connection, params)
    changed = before["allow_connections"] is closing or bool(closing and before["sessions"])
    result: dict[str, Any] = {"reachable": True, "reason": "", "changed": changed}
    after = {"allow_connections": not closing, "sessions": 0 if closing else before["sessions"]}
    result["diff"] = {"before_header": database, "after_header": database, "before": before, "after": after}
    if changed and not check_mode:
        if before["allow_connections"] is closing:
            _change(connection, params, progress)
        if closing:
            patience = Patience(params["wait_timeout"], params["wait_delay"])
            result["sessions_ended"] = statements.end_sessions(connection, database, patience, progress)
    if closing and not check_mode and not statements.standing(connection)["replica"]:
        # Also one that its write lease has closed: it shall not open by itself again.
        lease.disown(connection)
    if closing:
        result.setdefault("sessions_ended", 0)
        result["position"] = None if check_mode else statements.standing(connection)["written"]
    return result


def _change(connection: Any, params: Mapping[str, Any], progress: Progress) -> None:
    """Close or open the database; on a replica, see that this has arrived from its primary."""
    database, closing = params["database"], params["state"] == "closed"
    if not statements.standing(connection)["replica"]:
        statements.allow_connections(connection, database, not closing)
        return

    def check() -> tuple[bool | None, str]:
        arrived = statements.is_open(connection, database) is not closing
        return (True if arrived else None), "open" if closing else "closed"

    what = f"the database {database} on the replica at {params['endpoint']}:{params['port']} to be {params['state']}"
    mend = f"A replica follows its primary in this: set state: {params['state']} there, and look how far it is behind."
    wait_until(check, what, 1, Patience(params["wait_timeout"], params["wait_delay"]), progress, mend)


def _describe(connection: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    database = params["database"]
    allowed = statements.is_open(connection, database)
    if allowed is None:
        where = f"{params['endpoint']}:{params['port']}"
        raise EngineError(f"There is no database {database!r} at {where}. Set database to one that there is.")
    return {"allow_connections": allowed, "sessions": statements.sessions(connection, database)}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
