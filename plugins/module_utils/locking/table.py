# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of an environment: one item in its lock table, changed by conditional writes alone.

Time is AWS's, which every answer tells: whose machine has a wrong clock neither takes a lock too early nor holds it
too long. The fencing token starts at the time in seconds and grows by one with each holder, so it goes on growing also
when the table was removed and made again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from ..engine.aws import Aws, error_code
from ..engine.errors import EngineError
from ..engine.lease import Lease, now
from .item import LOCK_ID, Claim, Standing, iso, standing

#: Seconds for which an expired lease is left alone: for what AWS's clock, told in whole seconds, leaves open.
GRACE = 2
#: Seconds for which a call is made again that AWS throttles, or fails at.
PATIENCE = 20
#: Seconds by which the first lease may be off before it is written again with AWS's time.
CLOCK_TOLERANCE = 2


class Lost(EngineError):
    """The lock is not ours any more. The text says who has it, or has asked for it."""


class Clock:
    """AWS's time, as the answers to our calls tell it: never ahead of it. This machine's until the first of them."""

    def __init__(self) -> None:
        self._offset = time.time() - now()
        self._known = False

    def time(self) -> float:
        """Return seconds since 1970."""
        return now() + self._offset

    def learn(self, metadata: Mapping[str, Any]) -> float:
        """Take the time in from an answer's metadata, and return by how much this clock was off."""
        date = metadata.get("HTTPHeaders", {}).get("date")
        if not date:
            return 0
        before = self._offset
        with suppress(ValueError):
            told = parsedate_to_datetime(date).timestamp() - now()
            # Answers that took long tell a time that has passed; the quickest one is nearest to the truth.
            self._offset = max(told, self._offset) if self._known else told
            self._known = True
        return abs(self._offset - before)


@dataclass
class LockTable:
    """The lock table of one environment.

    Attributes:
        name: the table's.
        lease_seconds: how long others have to believe that a holder lives, after each of its renewals.
        patience: seconds for which a call is made again whose answer is lost; 0 for who can go on without this lock, as
            a failover can, whose region may be gone.
    """

    aws: Aws
    region: str
    environment: str
    name: str
    lease_seconds: float
    patience: float = PATIENCE
    clock: Clock = field(default_factory=Clock)

    @property
    def margin(self) -> float:
        """Seconds before the end of a lease at which its holder stops: for calls that are under way then."""
        return max(1.0, self.lease_seconds / 5)

    def read(self) -> Standing | None:
        """Return what stands; None if nobody ever held the lock."""
        key = {"lock_id": {"S": LOCK_ID}}
        answer = self._client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        self.clock.learn(answer["ResponseMetadata"])
        return standing(answer.get("Item", {}))

    def expired(self, found: Standing) -> bool:
        """Tell whether a holder has not renewed its lease for so long that it may be taken over."""
        return self.clock.time() > found.ends_at + GRACE

    def take(self, claim: Claim) -> Lease | Standing:
        """Take the lock if it is free, or the lease of its holder has ended; else return who holds it."""
        began = now()
        taken = self._take(claim, "attribute_not_exists(#run)", {})
        if isinstance(taken, int):
            return self._lease(taken, began)
        if taken.claim.run == claim.run:
            # An answer was lost on the way: the lock was given to us by an earlier try of this call.
            return self.renew(claim, self._lease(taken.token, began))
        if not self.expired(taken):
            return taken
        began, same = now(), "#run = :seen AND #fencing_token = :token AND #ends_at = :end"
        seen = {":seen": {"S": taken.claim.run}, ":token": {"N": str(taken.token)}, ":end": {"N": taken.end}}
        again = self._take(claim, same, seen)
        return self._lease(again, began) if isinstance(again, int) else again

    def _take(self, claim: Claim, condition: str, seen: Mapping[str, Any]) -> int | Standing:
        """Write ourselves into the item on a condition; return the new token, or what stands instead."""
        at = self.clock.time()
        values = claim.attributes() | {
            "since": {"S": iso(at)},
            "renewed_at": {"S": iso(at)},
            "ends_at": _number(at + self.lease_seconds),
            "lease_seconds": _number(self.lease_seconds),
        }
        sets = [f"#{name} = :{name}" for name in values]
        sets.append("#fencing_token = if_not_exists(#fencing_token, :first) + :one")
        more = {":first": {"N": str(int(at))}, ":one": {"N": "1"}, **seen}
        answer = self._write(f"SET {', '.join(sets)} REMOVE #asked_by", condition, values, more)
        if isinstance(answer, Standing):
            return answer
        item, off = answer
        token = int(item["fencing_token"]["N"])
        if off > CLOCK_TOLERANCE:
            self.renew(claim, self._lease(token, now()))
        return token

    def renew(self, claim: Claim, lease: Lease) -> Lease:
        """Prolong a lease and return it.

        Raises:
            Lost: if somebody else has the lock or has asked for it, or nobody has it.
        """
        began, at = now(), self.clock.time()
        values = {"renewed_at": {"S": iso(at)}, "ends_at": _number(at + self.lease_seconds)}
        answer = self._write(
            "SET #renewed_at = :renewed_at, #ends_at = :ends_at",
            f"{_OURS} AND attribute_not_exists(#asked_by)",
            values,
            _ours(claim, lease.token),
        )
        if isinstance(answer, Standing):
            raise Lost(_why(answer, claim))
        return self._lease(lease.token, began, lease.keeper)

    def release(self, claim: Claim, token: int) -> None:
        """Free the lock, if it is still ours."""
        freed = {"freed_at": {"S": iso(self.clock.time())}}
        self._write("SET #freed_at = :freed_at REMOVE #run, #asked_by", _OURS, freed, _ours(claim, token))

    def ask(self, claim: Claim, holder: Standing) -> None:
        """Ask a holder to stop: it is not renewed any more, and stops before its next change."""
        asked = {"asked_by": {"S": str(claim)}}
        self._write("SET #asked_by = :asked_by", _OURS, asked, _ours(holder.claim, holder.token))

    def _write(
        self, update: str, condition: str, values: Mapping[str, Any], more: Mapping[str, Any]
    ) -> tuple[dict[str, Any], float] | Standing:
        """Change the item on a condition; return it and how wrong the clock was, or what stands instead."""
        text = f"{update} {condition}"
        names = {f"#{name}": name for name in (*_NAMES, *values) if f"#{name}" in text}
        client = self._client
        try:
            answer = client.update_item(
                TableName=self.name,
                Key={"lock_id": {"S": LOCK_ID}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={**{f":{name}": value for name, value in values.items()}, **more},
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except Exception as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            response: Mapping[str, Any] = error.response  # type: ignore[attr-defined]
            self.clock.learn(response["ResponseMetadata"])
            return standing(response.get("Item", {})) or _NOTHING
        return answer["Attributes"], self.clock.learn(answer["ResponseMetadata"])

    @property
    def _client(self) -> Any:
        # Short patience: an answer that comes after the lease is of no use, and a region may be down.
        return self.aws.client("dynamodb", region=self.region, probe=True)

    def _lease(self, token: int, began: float, keeper: int = 0) -> Lease:
        return Lease(self.environment, token, began + self.lease_seconds - self.margin, keeper=keeper)


_NAMES = ("run", "fencing_token", "asked_by", "ends_at")
_OURS = "#run = :ours AND #fencing_token = :token"
_NOTHING = Standing(Claim("", "nobody", 0, "nothing"), held=False, token=0, end="0")


def _ours(claim: Claim, token: int) -> dict[str, Any]:
    return {":ours": {"S": claim.run}, ":token": {"N": str(token)}}


def _number(value: float) -> dict[str, str]:
    return {"N": f"{value:.3f}"}


def _why(found: Standing, claim: Claim) -> str:
    if not found.held:
        return "it was freed while this run held it"
    if found.claim.run == claim.run:
        return f"{found.asked_by} has asked for it"
    return f"it was taken over by {found.claim}"
