# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The automated backups of another environment's database, as this one's region keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..engine.values import is_pending
from ..resources.rds_backup_replication import KIND, RdsBackupReplication
from ..resources.rds_source import BACKUPS, RdsSource, arn_problems
from ..resources.rds_source import KIND as SOURCE
from ._rds_common import LAYER_NAME

NAME = "backup-replication"


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the wanted replication.

    Raises:
        PlanRefused: for options that cannot be.
    """
    arn, stopped = params["source_arn"], params["state"] == "stopped"
    refused = [] if is_pending(arn) else list(arn_problems(arn, context.region))
    if not 1 <= params["retention_days"] <= 35:
        refused.append(f"retention_days is {params['retention_days']}. Set 1 to 35 days.")
    if refused:
        raise PlanRefused(refused)
    attributes = {
        "source_arn": arn,
        "replicating": True,
        "retention_days": params["retention_days"],
        "kms_key_arn": params["kms_key_arn"],
        "removal": stopped,
    }
    if stopped:
        return [Wanted(KIND, NAME, attributes)]
    source = Wanted(SOURCE, NAME, {"source_arn": arn, "purpose": BACKUPS})
    return [source, Wanted(KIND, NAME, attributes, context.tags(NAME), ((SOURCE, NAME),))]


def outputs(view: View, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a restore of the backups needs to know."""
    told = {name: view.told(KIND, NAME, name) for name in ("status", "retention_days", "kms_key_arn", "latest_time")}
    return {"arn": view.get(KIND, NAME, "arn"), "source_arn": params["source_arn"], **told}


LAYER = Layer(LAYER_NAME, (RdsSource(), RdsBackupReplication()), build, outputs, removals=frozenset({"stopped"}))
