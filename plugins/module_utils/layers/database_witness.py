# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a pair of databases keeps who leads: a small table in a third region, which is lost with neither side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.layer import Context, Layer, View
from ..engine.model import Wanted
from ..resources.dynamodb_table import DynamodbTable

TABLE = ("dynamodb_table", "witness")


def build(params: Mapping[str, Any], context: Context) -> Sequence[Wanted]:
    """Return the table. Names of environments need no key of our own, which a third region would not have."""
    name = params["table_name"] or context.identity.name("witness")
    attributes = {
        "name": name,
        "arn": context.arn("dynamodb", f"table/{name}"),
        "partition_key": "database",
        "billing_mode": "PAY_PER_REQUEST",
        "kms_key_arn": "",
        "point_in_time_recovery": False,
        "deletion_protection": params["deletion_protection"],
        "ttl_attribute": "",
        "removal": (params["state"] == "absent" and not params["deletion_protection"]) or None,
    }
    return [Wanted(*TABLE, attributes, context.tags(TABLE[1]))]


def outputs(view: View, _params: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the table is."""
    return {"table_name": view.get(*TABLE, "name"), "table_arn": view.get(*TABLE, "arn")}


LAYER = Layer("witness", (DynamodbTable(),), build, outputs)
