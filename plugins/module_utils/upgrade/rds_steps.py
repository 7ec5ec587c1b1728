# Copyright (c) 2026 PipeOps Platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an upgrade of a database does, in the order that RDS accepts. Pure: from facts to steps.

RDS user guide, "Upgrades of the RDS for PostgreSQL DB engine": before a minor upgrade of a source, all its replicas
have to be upgraded; a major one takes the replicas of the region along, and a replica cannot be upgraded to a major
version by itself. Of replicas in other regions it says nothing, so the standby is removed before and made again after:
that is right whatever RDS would do, and nobody can promote one that has stayed behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.model import Traits
from .rds_facts import REPLICA, STANDBY, TAG_UNCOVERED, Facts, Member

CLIENTS = "all connections, for minutes, Multi-AZ or not"
READERS = "the readers of this replica, for minutes"
COVER = "the way out of a disaster: nothing can take over meanwhile"
#: Estimates for a small database; pg_upgrade takes longer the more tables there are, a new replica the more data.
MINOR = Traits(seconds=600, interrupts=CLIENTS, reversible=False)
MINOR_REPLICA = Traits(seconds=600, interrupts=READERS, reversible=False)
MINOR_STANDBY = Traits(seconds=600, interrupts=COVER, reversible=False)
MAJOR = Traits(seconds=1500, interrupts=f"{CLIENTS}, reads included", reversible=False)
MAJOR_REPLICA = Traits(seconds=300, interrupts=READERS, reversible=False)
SNAPSHOT = Traits(seconds=300)
GROUP = Traits(seconds=30)
REMOVAL = Traits(seconds=420, interrupts=COVER, reversible=False)
ANALYSIS = Traits(seconds=300)
RENEWAL = Traits(seconds=3600)


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: what is done: ``snapshot``, ``group``, ``upgrade``, ``remove``, ``follow``, ``analyze`` or ``renew``.
        uncovered: whether nothing can take over in another region while it is done.
    """

    name: str
    identifier: str
    region: str
    text: str
    traits: Traits
    uncovered: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as the task's result."""
        return {
            "step": self.name,
            "identifier": self.identifier,
            "region": self.region,
            "text": self.text,
            "interrupts": self.traits.interrupts,
            "reversible": self.traits.reversible,
            "typical_seconds": self.traits.seconds,
            "uncovered": self.uncovered,
        }

    @property
    def sentence(self) -> str:
        """Return it for people."""
        interrupts = f"interrupts {self.traits.interrupts}" if self.traits.interrupts else "interrupts nothing"
        undone = "" if self.traits.reversible else ", cannot be undone"
        return f"{self.text} ({interrupts}{undone}; usually {minutes(self.traits.seconds)})"


def minutes(seconds: float) -> str:
    """Return a duration for people."""
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"


def steps(facts: Facts) -> list[Step]:
    """Return what is left to do, in order."""
    if not facts.begins:
        return []
    return list(_major(facts) if facts.major else _minor(facts))


def uncovered_seconds(planned: Sequence[Step]) -> int:
    """Return for how long nothing will be able to take over, by the usual times."""
    return round(sum(step.traits.seconds for step in planned if step.uncovered))


def _snapshot(facts: Facts) -> Iterator[Step]:
    if facts.primary.behind(facts.target):
        text = f"Take a snapshot of {facts.primary.where}"
        yield Step("snapshot", facts.primary.name, facts.primary.region, text, SNAPSHOT)


def _minor(facts: Facts) -> Iterator[Step]:
    yield from _snapshot(facts)
    for one in facts.members:
        traits = {REPLICA: MINOR_REPLICA, STANDBY: MINOR_STANDBY}.get(one.role, MINOR)
        if one.behind(facts.target):
            yield _upgrade(one, facts.target, traits, uncovered=one.role == STANDBY)


def _major(facts: Facts) -> Iterator[Step]:
    primary, behind = facts.primary, facts.primary.behind(facts.target)
    yield from _snapshot(facts)
    if behind:
        family = f"postgres{facts.target.split('.', maxsplit=1)[0]}"
        text = f"Make the parameter group {primary.name}-{family} with the inventory's parameters"
        yield Step("group", primary.name, primary.region, text, GROUP)
    standbys = [one for one in facts.replicas if one.role == STANDBY and one.behind(facts.target)]
    for one in standbys:
        text = f"Remove the standby {one.where}"
        yield Step("remove", one.name, one.region, text, REMOVAL, uncovered=True)
    # The tag is that of a run which was killed after it had removed the standby.
    lacking = bool(standbys) or TAG_UNCOVERED in facts.tags
    if behind:
        yield _upgrade(primary, facts.target, MAJOR, uncovered=lacking)
    if lacking:
        text = "Make the standby again, from a snapshot that is copied to its region"
        yield Step("renew", primary.name, primary.region, text, RENEWAL, uncovered=True)
    for one in (one for one in facts.replicas if one.role == REPLICA):
        text = f"Await {one.where}, which RDS upgrades along, and give it the parameter group"
        yield Step("follow", one.name, one.region, text, MAJOR_REPLICA)
    text = f"Update extensions and run ANALYZE in all databases of {primary.where}"
    yield Step("analyze", primary.name, primary.region, text, ANALYSIS)


def _upgrade(one: Member, target: str, traits: Traits, *, uncovered: bool) -> Step:
    text = f"Upgrade {one.where} from PostgreSQL {one.version} to {target}"
    return Step("upgrade", one.name, one.region, text, traits, uncovered)
