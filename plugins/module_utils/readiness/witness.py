# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The witness of a pair: an item of a DynamoDB table in a third region, which names who leads."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..engine.aws import Aws, error_code
from ..engine.errors import EngineError

#: What begins the keys of the items by which guards say how they are, after the service.
GUARD = "/guard/"
#: Once a move has been written, somebody else's cannot be between; more than one race is no coincidence.
TRIES = 3


def read(aws: Aws, table: str, service: str) -> dict[str, Any]:
    """Return who leads a service's database, and since which move; neither before the first.

    Raises:
        EngineError: if there is no such table.
    """
    client = aws.client("dynamodb", probe=True)
    found = client.get_item(TableName=table, Key={"database": {"S": service}}, ConsistentRead=True).get("Item")
    if not found:
        return {"leader": "", "epoch": 0, "named_at": None}
    return {
        "leader": found["leader"]["S"],
        "epoch": int(found["epoch"]["N"]),
        "named_at": found.get("named_at", {}).get("S"),
    }


def name(aws: Aws, table: str, service: str, leader: str, *, first: bool = False) -> dict[str, Any]:
    """Let the witness name a leader, on the condition that nobody else has moved it meanwhile; return what it was.

    Args:
        first: only if it names nobody yet.

    Raises:
        EngineError: if others keep moving it.
    """
    client = aws.client("dynamodb", probe=True)
    for _try in range(TRIES):
        before = read(aws, table, service)
        if before["leader"] == leader or (first and before["leader"]):
            return before
        item = {
            "database": {"S": service},
            "leader": {"S": leader},
            "epoch": {"N": str(before["epoch"] + 1)},
            "named_at": {"S": datetime.now(UTC).isoformat(timespec="milliseconds")},
        }
        try:
            client.put_item(TableName=table, Item=item, **_unmoved(before["epoch"]))
        except client.exceptions.ConditionalCheckFailedException:
            # An answer may also have been lost on the way; then the next look finds this one named.
            continue
        return before
    raise EngineError(
        f"The witness {table} in {aws.region} is moved by somebody else at the same time. See who runs a recovery "
        "playbook, then run this one again."
    )


def _unmoved(epoch: int) -> dict[str, Any]:
    if not epoch:
        return {"ConditionExpression": "attribute_not_exists(epoch)"}
    return {"ConditionExpression": "epoch = :known", "ExpressionAttributeValues": {":known": {"N": str(epoch)}}}


def guards(aws: Aws, table: str, service: str, environments: list[str]) -> list[dict[str, Any]]:
    """Return how the guards of some environments are, and how many seconds ago they said so."""
    client = aws.client("dynamodb", probe=True)
    found = []
    for environment in environments:
        key = {"database": {"S": f"{service}{GUARD}{environment}"}}
        item = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        found.append({"environment": environment, **_guard(item)})
    return found


def _guard(item: Mapping[str, Any] | None) -> dict[str, Any]:
    if not item:
        return {"state": "", "seen_seconds_ago": None, "lease_seconds": None}
    return {
        "state": item["state"]["S"],
        "seen_seconds_ago": round(time.time() - float(item["seen_at"]["N"]), 1),
        "lease_seconds": int(item["lease_seconds"]["N"]),
    }


def is_absent(error: BaseException) -> bool:
    """Tell whether AWS said that there is no such table."""
    return error_code(error) == "ResourceNotFoundException"
