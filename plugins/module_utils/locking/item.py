# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in a lock table: who holds the lock of an environment, for what, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

#: The key of the one item.
LOCK_ID = "deployment"


@dataclass(frozen=True)
class Claim:
    """A run that wants the lock.

    Attributes:
        run: its own identifier, unlike that of every other run.
        holder: who runs it, as ``USER@HOST``.
        pid: the controller's process there.
        purpose: what it is for, e.g. ``site.yml --limit prod``.
        url: where a CI system shows it; empty for a person's run.
    """

    run: str
    holder: str
    pid: int
    purpose: str
    url: str = ""

    def attributes(self) -> dict[str, dict[str, str]]:
        """Return it as attributes of an item, in DynamoDB's form."""
        return {name: {"N" if name == "pid" else "S": str(value)} for name, value in asdict(self).items()}

    def __str__(self) -> str:
        where = f", {self.url}" if self.url else ""
        return f"{self.holder} (process {self.pid}{where}) for {self.purpose}"


@dataclass(frozen=True)
class Standing:
    """The item as it stands.

    Attributes:
        claim: of the run that holds the lock, or of the last one that did.
        held: whether it does.
        token: the fencing token of that run.
        end: when its lease ends unless it is renewed, in seconds since 1970 by AWS's clock, digit by digit as written.
        since, renewed_at: times for people, in UTC as RFC 3339 has it.
        asked_by: who has asked it to stop; empty if nobody has.
    """

    claim: Claim
    held: bool
    token: int
    end: str
    since: str = ""
    renewed_at: str = ""
    asked_by: str = ""

    @property
    def ends_at(self) -> float:
        """When its lease ends, as a number."""
        return float(self.end)

    def as_dict(self) -> dict[str, Any]:
        """Return it as a task result carries it."""
        ends = iso(self.ends_at)
        more = {"held": self.held, "fencing_token": self.token, "since": self.since, "renewed_at": self.renewed_at}
        return {**asdict(self.claim), **more, "ends_at": ends, "asked_by": self.asked_by}

    def __str__(self) -> str:
        asked = f"; {self.asked_by} has asked it to stop" if self.asked_by else ""
        return f"{self.claim}, since {self.since}, last renewed {self.renewed_at}{asked}"


def standing(item: Mapping[str, Mapping[str, str]]) -> Standing | None:
    """Return what an item in DynamoDB's form says; None for an item that is not there."""
    if not item:
        return None
    values = {name: next(iter(value.values())) for name, value in item.items()}
    claim = Claim(
        values.get("run", ""),
        values.get("holder", "somebody"),
        int(values.get("pid", 0)),
        values.get("purpose", "something"),
        values.get("url", ""),
    )
    return Standing(
        claim,
        "run" in values,
        int(values.get("fencing_token", 0)),
        values.get("ends_at", "0"),
        *(values.get(name, "") for name in ("since", "renewed_at", "asked_by")),
    )


def iso(seconds: float) -> str:
    """Return seconds since 1970 as a time for people."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
