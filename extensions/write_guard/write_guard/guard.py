# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a guard does, turn by turn."""

from __future__ import annotations

import logging
from enum import StrEnum

from .database import Database, Standing
from .settings import Settings
from .witness import Silent, View, Witness

log = logging.getLogger(__name__)


class Step(StrEnum):
    """What there is to do in a turn; its name is what the guard reports of its side."""

    HOLD = "leads"
    """Prolong the lease."""
    END = "ended"
    """Take the lease away: the other side leads."""
    ENFORCE = "alone"
    """The witness is silent: nothing is proved, and the lease may run out."""
    REMOVE = "off"
    """There is to be no lease."""
    REST = "rests"
    """A standby, or a database that has no lease yet and may not get one."""


def decide(settings: Settings, standing: Standing, view: View | None) -> Step:
    """Return what there is to do. Pure.

    Args:
        view: what the witness says, None if it is silent.
    """
    if standing.standby:
        return Step.REST
    if settings.lease_seconds == 0:
        return Step.REMOVE if standing.leased else Step.REST
    if view is not None and view.named is not None and view.named.leader == settings.environment:
        return Step.HOLD
    if not standing.leased:
        return Step.REST
    # A witness that names nobody proves as little as one that is silent.
    return Step.END if view is not None and view.named is not None else Step.ENFORCE


def turn(settings: Settings, server: Database, witness: Witness) -> Step:
    """Look at the database, ask the witness, and do what follows.

    The database is asked for its time first: what the witness says then is true after that time.
    """
    standing = server.look()
    view = _asked(witness)
    step = decide(settings, standing, view)
    named = view.named if view else None
    if step is Step.HOLD and named and view:
        server.extend(named, standing.now, view.follower)
    elif step is Step.END and named:
        server.end(named)
    elif step is Step.ENFORCE:
        server.enforce()
    elif step is Step.REMOVE:
        server.remove()
    if view is not None:
        _tell(witness, "follows" if standing.standby else str(step), standing.slot)
    return step


def _asked(witness: Witness) -> View | None:
    try:
        return witness.read()
    except Silent as error:
        log.info("the witness is silent: %s", error)
        return None


def _tell(witness: Witness, state: str, slot: str) -> None:
    try:
        witness.report(state, slot)
    except Silent as error:
        log.info("the witness does not hear: %s", error)
