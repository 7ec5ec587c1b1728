#!/usr/bin/python
# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_refresh
short_description: Update extensions and statistics after a major upgrade of PostgreSQL
version_added: 1.0.0
description:
  - In each database that takes connections, updates the extensions of which the server has a newer version, then runs
    C(ANALYZE). A major upgrade takes neither along, and without statistics queries are slow.
  - It locks nobody out. C(ANALYZE) reads as much as it needs, and is repeated when the module is run again.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - pipeops.platform.postgres
attributes:
  diff_mode:
    support: none
    description: Statistics have no readable before and after.
  idempotent:
    support: none
    description: Statistics are made anew each time.
author:
  - PipeOps Platform contributors (@pipeops)
"""

EXAMPLES = r"""
- name: Update extensions and statistics
  pipeops.platform.postgres_refresh:
    region: us-west-2
    endpoint: pipeops-prod.c1a2b3c4d5e6.us-west-2.rds.amazonaws.com
    secret_name: pipeops/prod/database
"""

RETURN = r"""
databases:
  description: The databases that were analysed, or would be.
  returned: always
  type: list
  elements: str
  sample: [app, postgres]
extensions:
  description: The extensions that were updated, or would be, as C(DATABASE/NAME OLD NEW).
  returned: always
  type: list
  elements: str
  sample: [app/pg_stat_statements 1.10 1.11]
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 12.1
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.pipeops.platform.plugins.module_utils.engine.function import run_function
from ansible_collections.pipeops.platform.plugins.module_utils.engine.waiting import Progress
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.connection import (
    POSTGRES_ARGUMENT_SPEC,
    server_of,
)
from ansible_collections.pipeops.platform.plugins.module_utils.postgres.statements import analyze, update_extension
from ansible_collections.pipeops.platform.plugins.module_utils.upgrade import rds_inside

ARGUMENT_SPEC: dict[str, Any] = {**POSTGRES_ARGUMENT_SPEC}


def run(params: Mapping[str, Any], *, check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Update extensions and statistics.

    Raises:
        EngineError: if the server cannot be reached, or refuses.
    """
    server, started, updated = server_of(params), time.monotonic(), []
    names = rds_inside.databases(server)
    for name in names:
        progress(f"Database {name} at {server.host}: extensions and statistics.")
        with server.connect(name) as connection:
            for extension, old, new in rds_inside.extensions(connection):
                updated.append(f"{name}/{extension} {old} {new}")
                if not check_mode:
                    update_extension(connection, extension)
            if not check_mode:
                analyze(connection)
    seconds = round(time.monotonic() - started, 3)
    return {"changed": bool(names), "databases": names, "extensions": updated, "seconds": seconds}


def main() -> None:
    run_function(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
