# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Automated backups as AWS describes them in the region that they are replicated to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..engine.aws import Aws
from .rds_source import InstanceArn

#: A backup that nothing is added to any more.
RETAINED = frozenset({"retained"})
#: What does not count as replicated; all other statuses do, for no list of AWS is complete.
LEFT_OVER = RETAINED | {"deleting"}


def replicated_backup(
    aws: Aws, source_arn: str, without: Collection[str], *, probe: bool = False
) -> Mapping[str, Any] | None:
    """Return the automated backup of an instance of another region that is kept here, None if there is none.

    Args:
        without: statuses that do not count.
        probe: whether the answer must come within seconds.
    """
    source = InstanceArn.parse(source_arn)
    if source is None:
        return None
    filters = [{"Name": "db-instance-id", "Values": [source.identifier]}]
    client = aws.client("rds", probe=probe)
    pages = client.get_paginator("describe_db_instance_automated_backups").paginate(Filters=filters)
    found = [
        backup
        for page in pages
        for backup in page["DBInstanceAutomatedBackups"]
        if backup["DBInstanceArn"] == source_arn and backup.get("Status") not in without
    ]
    # The living one before what an earlier replication has left.
    found.sort(key=lambda backup: backup.get("Status") in RETAINED)
    return found[0] if found else None
