# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left of an environment's databases once their instances are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import PlanRefused
from ..engine.layer import Context, Layer
from ..engine.model import Wanted
from ..resources.rds_copies import ANCHOR, RdsRetainedBackup, RdsSnapshot


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return what says which copies are meant.

    Raises:
        PlanRefused: if they are wanted, instead of gone.
    """
    if params["state"] != "absent":
        raise PlanRefused(["Copies of databases that are gone are only ever removed. Set state: absent."])
    attributes = {
        "sources": params["source_arns"],
        RdsSnapshot.kind: params["snapshots"],
        RdsRetainedBackup.kind: params["retained_backups"],
    }
    return [Wanted(*ANCHOR, attributes)]


LAYER = Layer("database", (RdsSnapshot(), RdsRetainedBackup()), build)
