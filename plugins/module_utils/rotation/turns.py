# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides how the credentials of a database are rotated, from what its secret says. Nothing here talks to anybody.

The secret names two users in turn, the master user and its twin. Only the one that it does not name gets a new
password, so what applications have read from it stays valid until the next rotation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..engine.errors import EngineError
from ..resources.secret import TWIN

#: The staging labels of Secrets Manager's rotation contract.
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
#: What PostgreSQL keeps of a name.
LONGEST_NAME = 63
DAY = 86400.0
#: The parts of a rotation, in their order.
WRITE, SET, PROVE, MOVE, TIDY = "write", "set", "prove", "move", "tidy"
SECONDS = {WRITE: 1.0, SET: 5.0, PROVE: 2.0, MOVE: 1.0, TIDY: 1.0}
#: RDS changes the master password in its own time.
RESET_SECONDS = 60.0


@dataclass(frozen=True)
class Version:
    """One version of the secret, without its password.

    Attributes:
        user: whom it names; empty if it holds no credentials.
    """

    id: str
    user: str
    created: datetime


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        master: the master user of the DB instance.
        days: the age at which credentials are rotated.
        force: whether they are at any age.
        overlap: the seconds for which whoever has read the former credentials may go on with them.
    """

    master: str
    days: int
    force: bool = False
    overlap: int = 0

    @property
    def twin(self) -> str:
        """The other user."""
        return f"{self.master}{TWIN}"


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        user: whom the secret names afterwards.
        steps: the parts of the rotation, in their order; none if it is not due.
        reason: why, for people.
        age_days: how old the credentials are now.
    """

    user: str
    steps: tuple[str, ...]
    reason: str
    age_days: float


def decide(current: Version, pending: Version | None, wish: Wish, now: datetime, *, untidy: bool = False) -> Plan:
    """Return what is to be done.

    Args:
        pending: the version that has the label of the next one, if that is not the current one.
        untidy: whether the current one has it still.

    A version that is pending already is carried on with, whoever was told its password: so a run that was killed
    leaves no password that nobody knows. One that names the wrong user was not begun by this, and is left behind.

    Raises:
        EngineError: if the secret names neither of the two users.
    """
    other = other_user(current.user, wish)
    seconds = max(0.0, (now - current.created).total_seconds())
    age = round(seconds / DAY, 2)
    if pending is not None and pending.user == other:
        return Plan(other, (SET, PROVE, MOVE, TIDY), "a rotation was begun, and is carried on", age)
    if wish.force:
        _refuse_too_soon(seconds, wish)
        return Plan(other, (WRITE, SET, PROVE, MOVE, TIDY), "it was asked for", age)
    if age >= wish.days:
        told = f"the credentials are {age:.0f} days old, to be rotated after {wish.days}"
        return Plan(other, (WRITE, SET, PROVE, MOVE, TIDY), told, age)
    if untidy:
        return Plan(current.user, (TIDY,), "a rotation was done but for its label, which is removed", age)
    return Plan(current.user, (), f"not due: the credentials are {age:g} of {wish.days} days old", age)


def _refuse_too_soon(seconds: float, wish: Wish) -> None:
    if seconds < wish.overlap:
        raise EngineError(
            f"The credentials were rotated {seconds:.0f} s ago. Rotating again ends those before them, which may be in "
            f"use. That is safe from {wish.overlap} s on (overlap_seconds), when all who read the secret have read "
            "it again. Nothing was changed. Run again later; if somebody knows them who must not, set overlap_seconds "
            "to 0."
        )


def other_user(user: str, wish: Wish) -> str:
    """Return the user that a secret does not name now.

    Raises:
        EngineError: if it is neither of the two, or the twin's name would be too long.
    """
    if user not in (wish.master, wish.twin):
        raise EngineError(
            f"The secret is of the user {user!r}, but the users that take turns are {wish.master!r}, the master user "
            f"of the DB instance, and {wish.twin!r}. Nothing was changed. Let the secret name one of them."
        )
    if len(wish.twin) > LONGEST_NAME:
        raise EngineError(
            f"The second user would be {wish.twin!r}, which is longer than the {LONGEST_NAME} characters of a name in "
            "PostgreSQL. Nothing was changed. Rotation needs a master user with a shorter name (rds_master_username)."
        )
    return wish.twin if user == wish.master else wish.master


def actions(plan: Plan, secret: str, instance: str, wish: Wish) -> list[dict[str, Any]]:
    """Return the steps as tasks report them, in the words of the engine's actions."""
    reset = plan.user == wish.master
    moved = {"attribute": "user", "before": wish.twin if reset else wish.master, "after": plan.user}
    told: Mapping[str, tuple[str, str, str]] = {
        WRITE: ("create", "secret version", secret),
        SET: ("update", "database user", f"{instance}/{plan.user}"),
        MOVE: ("update", "secret", secret),
        TIDY: ("delete", "staging label", f"{secret}/{PENDING}"),
    }
    found = []
    for step in plan.steps:
        if step not in told:
            continue
        verb, kind, name = told[step]
        found.append(
            {
                "action": f"{verb}/{kind.replace(' ', '_')}/{name}",
                "verb": verb,
                "kind": kind.replace(" ", "_"),
                "name": name,
                "label": kind,
                "id": None,
                "change": None,
                "differences": [moved] if step == MOVE else [],
                "interrupts": "",
                "reversible": step != SET,
                "typical_seconds": RESET_SECONDS if step == SET and reset else SECONDS[step],
            }
        )
    return found


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
