# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The witness: an item in a third region that names the leader of a database, and one for each guard."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .settings import Settings

#: Nobody waits for an answer for longer than a turn takes.
QUICK = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})


class Silent(Exception):
    """The witness cannot be asked now."""


@dataclass(frozen=True)
class Named:
    """Who leads, and since which move; moves are counted."""

    leader: str
    epoch: int


@dataclass(frozen=True)
class View:
    """What the witness says.

    Attributes:
        named: None before the first leader is named.
        follower: the slot of the other side's replica, None while its guard does not know of one.
    """

    named: Named | None
    follower: str | None


class Witness:
    """Reads the witness, and tells it that this guard is alive."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = boto3.client("dynamodb", settings.witness_region, config=QUICK)

    def read(self) -> View:
        """Return what it says now, strongly consistent.

        Raises:
            Silent: if it cannot be read.
        """
        keys = (self._settings.service, guard_key(self._settings.service, self._settings.pair))
        wanted = {"Keys": [{"database": {"S": key}} for key in keys], "ConsistentRead": True}
        try:
            answer = self._client.batch_get_item(RequestItems={self._settings.witness_table: wanted})
        except (BotoCoreError, ClientError) as error:
            raise Silent(str(error)) from error
        if answer.get("UnprocessedKeys"):
            raise Silent("DynamoDB did not answer all of it")
        items = {item["database"]["S"]: item for item in answer["Responses"][self._settings.witness_table]}
        return View(_named(items.get(keys[0])), _follower(items.get(keys[1])))

    def report(self, state: str, slot: str) -> None:
        """Say how this side is.

        Raises:
            Silent: if nobody hears it.
        """
        settings = self._settings
        item = {
            "database": {"S": guard_key(settings.service, settings.environment)},
            "seen_at": {"N": f"{time.time():.3f}"},
            "lease_seconds": {"N": str(settings.lease_seconds)},
            "state": {"S": state},
            "slot": {"S": slot},
        }
        try:
            self._client.put_item(TableName=settings.witness_table, Item=item)
        except (BotoCoreError, ClientError) as error:
            raise Silent(str(error)) from error


def guard_key(service: str, environment: str) -> str:
    """Return the key of a guard's own item."""
    return f"{service}/guard/{environment}"


def _named(item: dict[str, Any] | None) -> Named | None:
    return Named(item["leader"]["S"], int(item["epoch"]["N"])) if item else None


def _follower(item: dict[str, Any] | None) -> str | None:
    return (item.get("slot", {}).get("S") or None) if item else None
